//! What works on whole slabs: the updates of the parameters, and blending.

use super::{Shape, numbers};
use crate::kernels::{Adam, Blend, Kernel, Sgd};

/// Slabs are whole numbers of [`crate::plan::ALIGNMENT`] elements.
pub(super) fn optimizers(s: &mut Shape) {
    let n = s.n().next_multiple_of(crate::plan::ALIGNMENT);
    let [gradient, parameter] = [2, 1].map(|stream| numbers(stream, n, -2.0, 2.0));
    s.update(Kernel::Sgd(Sgd { n: n as u32 }), vec![gradient.clone()], vec![parameter.clone()]);
    s.update(Kernel::Blend(Blend { n: n as u32 }), vec![gradient.clone()], vec![parameter.clone()]);
    let adam = Kernel::Adam(Adam::new(n as u32, 0.9, 0.999, 1e-8));
    s.update(adam, vec![gradient], vec![parameter, numbers(13, n, -1.0, 1.0), numbers(11, n, 0.0, 1.0)]);
}
