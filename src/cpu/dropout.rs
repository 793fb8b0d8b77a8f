//! Twin of `shaders/dropout.wgsl`; the mask is equal bit for bit.

use super::Real;
use crate::kernels::{Dropout, Step};
use crate::random::{stream_key, threefry2x32, uniform};

/// `y = keep · x · scale`.
#[inline(always)]
pub fn dropout<T: Real>(
    p: &Dropout,
    x: &[T],     // (n)
    y: &mut [T], // (n)
    step: &Step,
) {
    let seed = u64::from(step.seed_high) << 32 | u64::from(step.seed_low);
    let key = stream_key(seed, p.stream, step.step);
    let scale = T::of(p.scale.into());
    for (i, (y, x)) in y.iter_mut().zip(x).enumerate() {
        let keep = uniform(threefry2x32(key, [i as u32, 0])[0]) >= p.rate;
        *y = if keep { *x * scale } else { T::zero() };
    }
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
}
