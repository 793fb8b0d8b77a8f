//! Twin of `shaders/sum_cols.wgsl`.

use super::Real;
use super::sums::sum;
use crate::kernels::SumCols;

/// `y = Σ_c x[:, c]`.
#[inline(always)]
pub fn sum_cols<T: Real>(
    p: &SumCols,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (rows, 1)
) {
    for (row, y) in x.chunks_exact(p.cols as usize).zip(y) {
        *y = sum(row, |x| x);
    }
}
