//! Twin of `shaders/weighted_sum.wgsl`.

use super::Real;
use super::sums::sum2;
use crate::kernels::{Step, WeightedSum};

/// `out[slot] = Σ values · weights`.
#[inline(always)]
pub fn weighted_sum<T: Real>(
    p: &WeightedSum,
    values: &[T],  // (n)
    weights: &[T], // (n)
    out: &mut [T], // (rows of the log, slots), or (1) if slots is 0
    step: &Step,
) {
    let index = if p.slots == 0 { 0 } else { step.log_row as usize * p.slots as usize + p.slot as usize };
    let n = p.n as usize;
    out[index] = sum2(&values[..n], &weights[..n], |value, weight| value * weight);
}
