//! Twin of `shaders/log.wgsl`.

use super::Real;
use crate::kernels::{Log, Step};

/// `log[step.log_row · log_stride + log_at + c · rows + r] = values[r, c]`.
#[inline(always)]
pub fn log<T: Real>(
    p: &Log,
    values: &[T],  // (rows, cols)
    log: &mut [T], // (steps, slots, rows)
    step: &Step,
) {
    let (rows, cols) = (p.rows as usize, p.cols as usize);
    let log = log_rows(log, p.log_stride, p.log_at, p.rows * p.cols, step);
    for (row, values) in values.chunks_exact(cols).enumerate() {
        for (slot, value) in log.chunks_exact_mut(rows).zip(values) {
            slot[row] = *value;
        }
    }
}

/// Where a kernel that logs writes its `rows` values: at `at`, `stride` elements further for each step.
#[inline(always)]
pub(super) fn log_rows<'a, T>(log: &'a mut [T], stride: u32, at: u32, rows: u32, step: &Step) -> &'a mut [T] {
    let first = step.log_row as usize * stride as usize + at as usize;
    &mut log[first..first + rows as usize]
}
