//! Twin of `shaders/scale.wgsl`.

use super::Real;
use crate::kernels::Scale;

/// `y = factor · x`.
#[inline(always)]
pub fn scale<T: Real>(
    p: &Scale,
    x: &[T],     // (n)
    y: &mut [T], // (n)
) {
    let factor = T::of(p.factor.into());
    for (y, x) in y.iter_mut().zip(x) {
        *y = factor * *x;
    }
}
