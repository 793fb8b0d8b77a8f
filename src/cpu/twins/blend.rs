//! Twin of `shaders/blend.wgsl`.

use super::update::Number;
use crate::kernels::{Blend, Step};

/// `y = (1 - share) y + share x`; a share of 1 copies, even over NaN.
#[inline(always)]
pub fn blend<T: Number>(
    _: &Blend,
    x: &[T],     // (n)
    y: &mut [T], // (n)
    step: &Step,
) {
    if step.share == 1.0 {
        y.copy_from_slice(x);
        return;
    }
    let share = T::of(step.share.into());
    let kept = T::of(1.0) - share;
    for (y, x) in y.iter_mut().zip(x) {
        *y = kept * *y + share * *x;
    }
}
