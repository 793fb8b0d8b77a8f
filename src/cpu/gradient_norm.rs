//! Twin of `shaders/gradient_norm.wgsl`.

use super::Real;
use super::sums::sum;
use crate::kernels::{GradientNorm, NORM_CHUNK, PARTIALS_AT, RULE, RULE_BLOCK};

/// The sums of the squares of [`NORM_CHUNK`] neighbours each, frozen blocks left out.
#[inline(always)]
pub fn partials<T: Real>(
    _: &GradientNorm,
    gradient: &[T], // (n)
    rules: &[T],    // (n / 64, 4)
    clip: &mut [T], // (64 + partials)
) {
    let chunks = gradient.chunks(NORM_CHUNK).zip(rules.chunks(NORM_CHUNK / RULE_BLOCK * RULE));
    for ((gradient, rules), partial) in chunks.zip(&mut clip[PARTIALS_AT..]) {
        let blocks = gradient.chunks(RULE_BLOCK).zip(rules.chunks(RULE));
        let counted = blocks.filter(|(_, rule)| rule[0] != T::zero());
        *partial = counted.map(|(block, _)| sum(block, |g| g * g)).sum();
    }
}

/// The factor from the partial sums.
#[inline(always)]
pub fn factor<T: Real>(
    p: &GradientNorm,
    clip: &mut [T], // (64 + partials)
) {
    let norm = sum(&clip[PARTIALS_AT..], |partial| partial).sqrt();
    let factor = T::of(p.params.max_norm.into()) / (norm + T::of(1e-6));
    clip[0] = if factor > T::one() { T::one() } else { factor };
}
