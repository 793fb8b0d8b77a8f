//! Twin of `shaders/log.wgsl`.

use super::Real;
use crate::kernels::{Log, Step};

/// `log[step.log_row · log_stride + log_at + i] = values[i]`.
#[inline(always)]
pub fn log<T: Real>(
    p: &Log,
    values: &[T],  // (n)
    log: &mut [T], // (steps, slots, n)
    step: &Step,
) {
    log_rows(log, p.log_stride, p.log_at, p.n, step).copy_from_slice(&values[..p.n as usize]);
}

/// Where a kernel that logs writes its `rows` values: at `at`, `stride` elements further for each step.
#[inline(always)]
pub(super) fn log_rows<'a, T>(log: &'a mut [T], stride: u32, at: u32, rows: u32, step: &Step) -> &'a mut [T] {
    let first = step.log_row as usize * stride as usize + at as usize;
    &mut log[first..first + rows as usize]
}
