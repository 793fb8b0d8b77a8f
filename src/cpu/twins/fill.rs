//! Twin of `shaders/fill.wgsl`.

use super::Real;
use crate::kernels::Fill;

/// `y = value`.
#[inline(always)]
pub fn fill<T: Real>(
    p: &Fill,
    y: &mut [T], // (n)
) {
    y[..p.n as usize].fill(T::of(p.value.into()));
}
