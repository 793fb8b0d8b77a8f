//! Twins of `shaders/dropout.wgsl` and `alpha_dropout.wgsl`; the mask is equal bit for bit.

use super::Real;
use crate::kernels::{AlphaDropout, Dropout, Step};
use crate::random::{stream_key, threefry2x32, uniform};

/// `y = keep · x · scale`.
#[inline(always)]
pub fn dropout<T: Real>(
    p: &Dropout,
    x: &[T],     // (n)
    y: &mut [T], // (n)
    step: &Step,
) {
    let (keep, scale) = (keeps(p.rate, p.stream, step), T::of(p.scale.into()));
    for ((i, y), x) in (0..).zip(y).zip(x) {
        *y = if keep(i) { *x * scale } else { T::zero() };
    }
}

/// `y = keep ? scale · x + shift : dropped`.
#[inline(always)]
pub fn alpha_dropout<T: Real>(
    p: &AlphaDropout,
    x: &[T],     // (n)
    y: &mut [T], // (n)
    step: &Step,
) {
    let keep = keeps(p.rate, p.stream, step);
    let [scale, shift, dropped] = [p.scale, p.shift, p.dropped].map(|value| T::of(value.into()));
    for ((i, y), x) in (0..).zip(y).zip(x) {
        *y = if keep(i) { scale * *x + shift } else { dropped };
    }
}

/// Whether element i outlives a dropout of this rate.
#[inline(always)]
fn keeps(rate: f32, stream: u32, step: &Step) -> impl Fn(u32) -> bool {
    let seed = u64::from(step.seed_high) << 32 | u64::from(step.seed_low);
    let key = stream_key(seed, stream, step.step);
    move |i| uniform(threefry2x32(key, [i, 0])[0]) >= rate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_zeros_is_the_rate_and_the_mask_changes_with_the_step() {
        let (n, rate) = (100_000, 0.3);
        let mask = |step| {
            let mut y = vec![0.0f32; n];
            dropout(&Dropout::new(n as u32, rate, 7), &vec![1.0; n], &mut y, &Step { step, ..Step::default() });
            y
        };
        let (first, second) = (mask(1), mask(2));
        let zeros = first.iter().filter(|y| **y == 0.0).count() as f64 / n as f64;
        // Six standard deviations of a binomial share.
        assert!((zeros - 0.3).abs() < 6.0 * (0.21 / n as f64).sqrt(), "{zeros}");
        assert!(first.iter().all(|y| *y == 0.0 || (*y - 1.0 / 0.7).abs() < 1e-6));
        assert_ne!(first, second);
    }

    /// A dropped element becomes the same number, and mean 0 and variance 1 stay (Klambauer et al. 2017).
    #[test]
    fn alpha_dropout_keeps_mean_and_variance() {
        let (n, rate) = (200_000, 0.2);
        let x: Vec<f64> = (0..n).map(|i| if i % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let mut y = vec![0.0; n];
        alpha_dropout(&AlphaDropout::new(n as u32, rate, 7), &x, &mut y, &Step { step: 1, ..Step::default() });
        let mean = y.iter().sum::<f64>() / n as f64;
        let variance = y.iter().map(|y| (y - mean) * (y - mean)).sum::<f64>() / n as f64;
        // Six standard deviations of a mean of n values of variance 1; those of the variance are of the same size.
        let allowed = 6.0 / (n as f64).sqrt();
        assert!(mean.abs() < allowed && (variance - 1.0).abs() < 2.0 * allowed, "mean {mean}, variance {variance}");
    }
}
