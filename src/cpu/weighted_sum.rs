//! Twin of `shaders/weighted_sum.wgsl`.

use super::Real;
use super::sums::sum2;
use crate::kernels::WeightedSum;

/// `out = Σ values · weights`.
#[inline(always)]
pub fn weighted_sum<T: Real>(
    p: &WeightedSum,
    values: &[T],  // (n)
    weights: &[T], // (n)
    out: &mut [T], // (1)
) {
    let n = p.n as usize;
    out[0] = sum2(&values[..n], &weights[..n], |value, weight| value * weight);
}
