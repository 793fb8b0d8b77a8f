//! Twin of `shaders/batch_matmul.wgsl`.

use super::Real;
use crate::kernels::BatchMatmul;

/// `y = op(a) op(b)` in each row.
#[inline(always)]
pub fn batch_matmul<T: Real>(
    p: &BatchMatmul,
    a: &[T],     // (rows, m k)
    b: &[T],     // (rows, k n)
    y: &mut [T], // (rows, m n)
) {
    let [m, n, k] = [p.m, p.n, p.k].map(|size| size as usize);
    let [a_row, a_col, b_row, b_col] = [p.a_row, p.a_col, p.b_row, p.b_col].map(|stride| stride as usize);
    for ((a, b), y) in a.chunks_exact(m * k).zip(b.chunks_exact(k * n)).zip(y.chunks_exact_mut(m * n)) {
        for (cell, y) in y.iter_mut().enumerate() {
            let (row, col) = (cell / n, cell % n);
            let terms = (0..k).map(|i| a[row * a_row + i * a_col] * b[i * b_row + col * b_col]);
            *y = terms.fold(T::zero(), |sum, term| sum + term);
        }
    }
}
