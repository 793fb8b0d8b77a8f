//! Twin of `shaders/sgd.wgsl`.

use super::Real;
use crate::kernels::{Sgd, Step};

/// `p -= lr · g`.
#[inline(always)]
pub fn sgd<T: Real>(
    _: &Sgd,
    gradient: &[T],      // (n)
    parameter: &mut [T], // (n)
    step: &Step,
) {
    let rate = T::of(step.learning_rate.into());
    for (p, g) in parameter.iter_mut().zip(gradient) {
        *p -= rate * *g;
    }
}
