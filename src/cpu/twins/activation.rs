//! Twin of `shaders/activation.wgsl`, `shaders/activation_grad.wgsl` and `shaders/lib/activation.wgsl`.
//!
//! Comparisons are written so that NaN falls through to a case that returns it, as in the shader.

use super::Real;
use crate::kernels::activation::{SELU_ALPHA, SELU_SCALE};
use crate::kernels::{Activation, ActivationForward, ActivationGrad};
use std::f64::consts::{FRAC_2_SQRT_PI, SQRT_2};

/// `√(2/π)`, twice the height of the normal density.
const SQRT_2_OVER_PI: f64 = FRAC_2_SQRT_PI / SQRT_2;

/// Biases that lie side by side.
const TILE: usize = 256;

/// `y = f(x)`.
#[inline(always)]
pub fn activation<T: Real>(
    p: &ActivationForward,
    x: &[T],     // (n)
    y: &mut [T], // (n)
) {
    p.function.hoist(
        #[inline(always)]
        |f| {
            for (y, x) in y.iter_mut().zip(x) {
                *y = activate(f, *x);
            }
        },
    );
}

/// `dx = dy · f'`.
#[inline(always)]
pub fn activation_grad<T: Real>(
    p: &ActivationGrad,
    saved: &[T],  // (n): y or x, see `Activation::saves_output`
    dy: &[T],     // (n)
    dx: &mut [T], // (n)
) {
    p.function.hoist(
        #[inline(always)]
        |f| {
            for ((dx, saved), dy) in dx.iter_mut().zip(saved).zip(dy) {
                *dx = *dy * activate_grad(f, *saved);
            }
        },
    );
}

/// `y = f(y + bias)` by rows, the epilogue of a matmul.
#[inline(always)]
pub fn add_bias_and_activate<T: Real>(
    function: Activation,
    bias: &[T],  // (1, cols)
    y: &mut [T], // (rows, cols)
) {
    // Of several rows together, where they are short.
    let mut room = [T::zero(); TILE];
    let repeats = (TILE.min(y.len()) / bias.len()).max(1);
    let bias = match room.get_mut(..repeats * bias.len()) {
        Some(tile) if repeats > 1 => {
            tile.chunks_exact_mut(bias.len()).for_each(|row| row.copy_from_slice(bias));
            &*tile
        }
        _ => bias,
    };
    function.hoist(
        #[inline(always)]
        |f| {
            for y in y.chunks_mut(bias.len()) {
                for (y, bias) in y.iter_mut().zip(bias) {
                    *y = activate(f, *y + *bias);
                }
            }
        },
    );
}

/// `dx = dx · f'(saved)`, the epilogue of the matmul that made `dx`.
#[inline(always)]
pub fn multiply_by_gradient<T: Real>(function: Activation, saved: &[T], dx: &mut [T]) {
    function.hoist(
        #[inline(always)]
        |f| {
            for (dx, saved) in dx.iter_mut().zip(saved) {
                *dx *= activate_grad(f, *saved);
            }
        },
    );
}

/// `1 / (1 + exp(-x))`, by way of `exp(-|x|)`, which cannot overflow.
#[inline(always)]
pub fn sigmoid<T: Real>(x: T) -> T {
    let z = (-x.abs()).exponential();
    if x < T::zero() { z / (T::one() + z) } else { T::one() / (T::one() + z) }
}

/// `log(1 + exp(x))`.
#[inline(always)]
pub fn softplus<T: Real>(x: T) -> T {
    x.max(T::zero()) + (-x.abs()).exponential().ln_1p()
}

#[inline(always)]
fn clamp<T: Real>(x: T, low: f64, high: f64) -> T {
    let (low, high) = (T::of(low), T::of(high));
    if x < low {
        low
    } else if x > high {
        high
    } else {
        x
    }
}

/// `tanh(softplus(x))` and 1 minus it, rational in `exp(-|x|)`.
#[inline(always)]
fn tanh_softplus<T: Real>(x: T) -> (T, T) {
    let two = T::of(2.0);
    let z = (-x.abs()).exponential();
    if x < T::zero() {
        let q = z * (z + two);
        (q / (q + two), two / (q + two))
    } else {
        let (p, q) = (two * z + T::one(), two * z * z);
        (p / (p + q), q / (p + q))
    }
}

/// Twice the argument of gelu_tanh's tanh: `x/2 (1 + tanh u) = x · sigmoid(2u)`.
#[inline(always)]
fn gelu_tanh_argument<T: Real>(x: T) -> T {
    T::of(2.0 * SQRT_2_OVER_PI) * x * (T::one() + T::of(0.044715) * x * x)
}

/// `f(x)`; those that have kernels of their own have twins of their own.
#[inline(always)]
pub fn activate<T: Real>(function: Activation, x: T) -> T {
    let (zero, one) = (T::zero(), T::one());
    match function {
        Activation::Identity | Activation::Softmax | Activation::LogSoftmax | Activation::Custom(_) => x,
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Relu => {
            if x < zero {
                zero
            } else {
                x
            }
        }
        Activation::LeakyRelu { slope } => {
            if x <= zero {
                T::of(slope.into()) * x
            } else {
                x
            }
        }
        Activation::Elu { alpha } => {
            if x <= zero {
                T::of(alpha.into()) * x.exp_m1()
            } else {
                x
            }
        }
        Activation::Selu => {
            if x <= zero {
                T::of(SELU_SCALE * SELU_ALPHA) * x.exp_m1()
            } else {
                T::of(SELU_SCALE) * x
            }
        }
        Activation::Silu => x * sigmoid(x),
        Activation::Gelu => x * x.normal_cdf(),
        Activation::GeluTanh => x * sigmoid(gelu_tanh_argument(clamp(x, -40.0, 40.0))),
        Activation::Softplus => softplus(x),
        Activation::Softsign => x / (one + x.abs()),
        Activation::HardSigmoid => clamp(x + T::of(3.0), 0.0, 6.0) / T::of(6.0),
        Activation::Mish => x * tanh_softplus(x).0,
    }
}

/// `f'`, from the output where [`Activation::saves_output`], else from the input.
#[inline(always)]
pub fn activate_grad<T: Real>(function: Activation, saved: T) -> T {
    let (zero, one, s) = (T::zero(), T::one(), saved);
    match function {
        Activation::Identity | Activation::Softmax | Activation::LogSoftmax | Activation::Custom(_) => one,
        Activation::Sigmoid => s * (one - s),
        Activation::Tanh => (one - s) * (one + s),
        Activation::Relu => {
            if s <= zero {
                zero
            } else {
                one
            }
        }
        Activation::LeakyRelu { slope } => {
            if s <= zero {
                T::of(slope.into())
            } else {
                one
            }
        }
        Activation::Elu { alpha } => {
            if s <= zero {
                s + T::of(alpha.into())
            } else {
                one
            }
        }
        Activation::Selu => {
            if s <= zero {
                s + T::of(SELU_SCALE * SELU_ALPHA)
            } else {
                T::of(SELU_SCALE)
            }
        }
        Activation::Silu => {
            let y = sigmoid(s);
            y + s * y * sigmoid(-s)
        }
        Activation::Gelu => {
            let x = clamp(s, -40.0, 40.0);
            x.normal_cdf() + x * T::of(SQRT_2_OVER_PI / 2.0) * (T::of(-0.5) * x * x).exponential()
        }
        Activation::GeluTanh => {
            let x = clamp(s, -40.0, 40.0);
            let u = gelu_tanh_argument(x);
            let y = sigmoid(u);
            y + x * y * sigmoid(-u) * T::of(2.0 * SQRT_2_OVER_PI) * (one + T::of(3.0 * 0.044715) * x * x)
        }
        Activation::Softplus => sigmoid(s),
        Activation::Softsign => {
            let r = one / (one + s.abs());
            r * r
        }
        Activation::HardSigmoid => {
            if s.abs() < T::of(3.0) {
                T::of(1.0 / 6.0)
            } else {
                zero
            }
        }
        Activation::Mish => {
            let (w, rest) = tanh_softplus(s);
            w + s * sigmoid(s) * rest * (one + w)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTS: [f64; 11] = [-30.0, -5.0, -2.9, -1.0, -0.3, 1e-9, 0.2, 0.9, 2.9, 7.0, 30.0];

    #[test]
    fn gradients_are_central_differences() {
        for function in Activation::ELEMENTWISE.iter().copied() {
            for x in POINTS {
                let h = 1e-5;
                let slope = (activate(function, x + h) - activate(function, x - h)) / (2.0 * h);
                // The kink of a piecewise function lies inside the difference.
                if x.abs() < h {
                    continue;
                }
                let saved = if function.saves_output() { activate(function, x) } else { x };
                let grad = activate_grad(function, saved);
                assert!((grad - slope).abs() < 1e-8, "{} at {x}: {grad}, differences give {slope}", function.name());
                assert!(grad.abs() <= function.lipschitz(), "{} at {x}: {grad}", function.name());
            }
        }
    }

    #[test]
    fn nothing_overflows_and_nan_stays() {
        for function in Activation::ELEMENTWISE.iter().copied() {
            for x in [1e4f64, -1e4, 1e30, -1e30, 0.0, -0.0] {
                let (wide, narrow) = (activate(function, x), activate(function, x as f32));
                assert!(wide.is_finite() && narrow.is_finite(), "{} at {x}: {wide}, {narrow}", function.name());
                let saved = if function.saves_output() { narrow } else { x as f32 };
                assert!(activate_grad(function, saved).is_finite(), "gradient of {} at {x}", function.name());
            }
            assert!(activate(function, f32::NAN).is_nan(), "{}", function.name());
        }
    }

    #[test]
    fn f32_agrees_with_f64() {
        for function in Activation::ELEMENTWISE.iter().copied() {
            for x in (-4000..4000).map(|i| i as f32 / 200.0 + 0.001) {
                let (got, want) = (activate(function, x), activate(function, f64::from(x)));
                // gelu_tanh's argument grows as x³, and its rounding with it: 88 ulp where the sigmoid is e⁻⁸⁸.
                let ulp = if function == Activation::GeluTanh { 300.0 } else { 8.0 };
                let error = (f64::from(got) - want).abs();
                assert!(error <= ulp * 6e-8 * want.abs() + 2e-38, "{} at {x}: {got}, {want}", function.name());
            }
        }
    }
}
