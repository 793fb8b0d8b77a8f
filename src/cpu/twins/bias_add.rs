//! Twin of `shaders/bias_add.wgsl`.

use super::Real;
use crate::kernels::BiasAdd;

/// `y = x + bias`, row by row.
#[inline(always)]
pub fn bias_add<T: Real>(
    p: &BiasAdd,
    x: &[T],     // (rows, cols)
    bias: &[T],  // (1, cols)
    y: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        for ((y, x), b) in y.iter_mut().zip(x).zip(bias) {
            *y = *x + *b;
        }
    }
}
