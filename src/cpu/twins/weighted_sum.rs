//! Twin of `shaders/weighted_sum.wgsl`.

use super::Real;
use super::sums::sum2;
use crate::kernels::WeightedSum;

/// `out = Σ values · weights`; a weight of 0 adds nothing, not even `0 · ∞`.
#[inline(always)]
pub fn weighted_sum<T: Real>(
    p: &WeightedSum,
    values: &[T],  // (n)
    weights: &[T], // (n)
    out: &mut [T], // (1)
) {
    let n = p.n as usize;
    let term = |value: T, weight: T| if weight == T::zero() { weight } else { value * weight };
    out[0] = sum2(&values[..n], &weights[..n], term);
}
