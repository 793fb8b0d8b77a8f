//! The numbers a CPU twin can run on: f32 for training, f64 as the oracle.

use gemm_common::Parallelism;
use pulp::Simd;
use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt::{Debug, Display};
use std::iter::Sum;

/// `c (m, n) = α c + β a b`: m, n, k; c with the strides of its columns and rows, and whether α counts; a and b likewise;
/// α, β; which of the three are conjugated.
pub type Gemm<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

/// `f32` or `f64`, with what the twins need of them.
pub trait Real:
    num_traits::Float + num_traits::NumAssign + bytemuck::Pod + Default + Debug + Display + Send + Sync + Sum + 'static
{
    /// A register of these.
    type Register<S: Simd>: bytemuck::Pod;
    /// A register of `x` throughout.
    fn splat<S: Simd>(simd: S, x: Self) -> Self::Register<S>;
    /// `a b + c`.
    fn mul_add_registers<S: Simd>(
        simd: S,
        a: Self::Register<S>,
        b: Self::Register<S>,
        c: Self::Register<S>,
    ) -> Self::Register<S>;
    /// `x` as registers; what does not fill one is left out.
    fn registers<S: Simd>(x: &[Self]) -> &[Self::Register<S>];
    /// The product of large matrices, with this CPU's instructions.
    fn gemm() -> Gemm<Self>;
    /// The constant `value`, rounded to this type.
    fn of(value: f64) -> Self;
    /// The exponential function; in f32 without a call or a branch, so that loops over it are vectorised.
    fn exponential(self) -> Self;
    /// This number as f64 (exact).
    fn wide(self) -> f64;
    /// The normal distribution function. Always by way of f64: rounding `x / √2` to f32 would cost
    /// x² ulp in the tail.
    fn normal_cdf(self) -> Self {
        Self::of(0.5 * libm::erfc(-self.wide() * FRAC_1_SQRT_2))
    }
}

impl Real for f32 {
    type Register<S: Simd> = S::f32s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f32s {
        simd.splat_f32s(x)
    }
    #[inline(always)]
    fn mul_add_registers<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
        simd.mul_add_f32s(a, b, c)
    }
    #[inline(always)]
    fn registers<S: Simd>(x: &[Self]) -> &[S::f32s] {
        S::as_simd_f32s(x).0
    }
    /// The algorithm of `exp_` in `shaders/lib/math.wgsl`, without fma: max 1.3 ulp.
    #[inline(always)]
    fn exponential(self) -> Self {
        /// Added and taken away again, it rounds a small number to the nearest integer.
        const ROUND: f32 = 12_582_912.0;
        const LN2_HIGH: f32 = 0.693_359_4;
        const LN2_LOW: f32 = -2.121_944_4e-4;
        const FIT: [f32; 6] = [0.5, 0.166_666_66, 4.166_636e-2, 8.333_39e-3, 1.394_072e-3, 1.984_588_5e-4];
        let low = if self < -104.0 { -104.0 } else { self };
        let t = if low > 89.0 { 89.0 } else { low };
        let rounded = t * std::f32::consts::LOG2_E + ROUND;
        let n = rounded - ROUND;
        let r = (t - n * LN2_HIGH) - n * LN2_LOW;
        let p = FIT.iter().rev().fold(0.0, |p, c| p * r + c);
        let power = |n: i32| f32::from_bits(((n + 127) as u32) << 23);
        // The last bits of the sum are the integer: quicker than a conversion, which would look for NaN and overflow.
        let whole = rounded.to_bits() as i32 - ROUND.to_bits() as i32;
        let half = whole >> 1;
        (1.0 + (r * r * p + r)) * power(half) * power(whole - half)
    }
    fn gemm() -> Gemm<Self> {
        gemm_f32::gemm::f32::get_gemm_fn()
    }
    fn of(value: f64) -> Self {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    type Register<S: Simd> = S::f64s;
    #[inline(always)]
    fn splat<S: Simd>(simd: S, x: Self) -> S::f64s {
        simd.splat_f64s(x)
    }
    #[inline(always)]
    fn mul_add_registers<S: Simd>(simd: S, a: S::f64s, b: S::f64s, c: S::f64s) -> S::f64s {
        simd.mul_add_f64s(a, b, c)
    }
    #[inline(always)]
    fn registers<S: Simd>(x: &[Self]) -> &[S::f64s] {
        S::as_simd_f64s(x).0
    }
    fn exponential(self) -> Self {
        self.exp()
    }
    fn gemm() -> Gemm<Self> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
}

#[cfg(test)]
mod tests {
    use super::Real;

    #[test]
    fn exponential_of_f32_is_within_its_ulps() {
        let mut worst: f64 = 0.0;
        for i in -1_040_000..=890_000 {
            let x = i as f32 * 1e-4;
            let (got, want) = (f64::from(x.exponential()), f64::from(x).exp());
            if want < f64::from(f32::MAX) {
                let ulp = (want.max(f64::from(f32::MIN_POSITIVE)) * f64::from(f32::EPSILON)).max(1e-45);
                worst = worst.max((got - want).abs() / ulp);
            }
        }
        assert!(worst <= 1.3, "{worst} ulp");
        assert_eq!(
            [f32::NEG_INFINITY, -1e30, -0.0, 0.0, 1e30, f32::INFINITY].map(Real::exponential),
            [0.0, 0.0, 1.0, 1.0, f32::INFINITY, f32::INFINITY]
        );
        assert!(f32::NAN.exponential().is_nan());
    }
}
