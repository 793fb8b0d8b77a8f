//! Twin of `shaders/sum_rows.wgsl`.

use super::Real;
use crate::kernels::SumRows;

/// `y = Σ_r x[r, :]`.
#[inline(always)]
pub fn sum_rows<T: Real>(
    p: &SumRows,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (1, cols)
) {
    let cols = p.cols as usize;
    let y = &mut y[..cols];
    y.fill(T::zero());
    for row in x.chunks_exact(cols).take(p.rows as usize) {
        for (y, x) in y.iter_mut().zip(row) {
            *y += *x;
        }
    }
}
