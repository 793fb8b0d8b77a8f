//! Twin of `shaders/sum_rows.wgsl`.

use super::Real;
use super::sums::add_rows;
use crate::kernels::SumRows;

/// `y = Σ_r x[r, :]`.
#[inline(always)]
pub fn sum_rows<T: Real>(
    p: &SumRows,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (1, cols)
) {
    add_rows(p.rows as usize, x, &mut y[..p.cols as usize]);
}
