//! Twin of `shaders/gradient_norm.wgsl`.

use super::Real;
use super::sums::sum;
use crate::kernels::{
    GROWTH_INTERVAL, GradientNorm, GradientNormPart, LARGEST_SCALE, NORM_CHUNK, PARTIALS_AT, RULE, RULE_BLOCK, SCALE_AT,
};

/// The partial sums, or what is made of them.
#[inline(always)]
pub fn gradient_norm<T: Real>(p: &GradientNorm, reads: &[&[T]], writes: &mut [&mut [T]]) -> bool {
    match (p.part, reads, writes) {
        (GradientNormPart::Partials, [gradient, rules], [clip]) => partials(gradient, rules, clip),
        (GradientNormPart::Factor, [], [clip]) => factor(p, clip),
        (GradientNormPart::ScaledFactor, [], [clip, loss_scale]) => scaled_factor(p, clip, loss_scale),
        _ => return false,
    }
    true
}

/// The sums of the squares of [`NORM_CHUNK`] neighbours each, frozen blocks left out.
#[inline(always)]
fn partials<T: Real>(
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
fn factor<T: Real>(
    p: &GradientNorm,
    clip: &mut [T], // (64 + partials)
) {
    clip[0] = factor_for(p, sum(&clip[PARTIALS_AT..], |partial| partial).sqrt());
}

fn factor_for<T: Real>(p: &GradientNorm, norm: T) -> T {
    let factor = T::of(p.params.max_norm.into()) / (norm + T::of(1e-6));
    if factor > T::one() { T::one() } else { factor }
}

/// The same for gradients of a scaled loss, and what becomes of the step and of the scale.
#[inline(always)]
fn scaled_factor<T: Real>(
    p: &GradientNorm,
    clip: &[T],           // (64 + partials)
    loss_scale: &mut [T], // (67): what the update reads; from 64 on: scale, good steps in a row, steps passed over
) {
    let total = sum(&clip[PARTIALS_AT..], |partial| partial);
    let overflow = !total.is_finite();
    let [scale, good, skipped] = &mut loss_scale[SCALE_AT..] else { return };
    let used = *scale;
    *good += T::one();
    let grows = *good >= T::of(GROWTH_INTERVAL.into());
    if overflow {
        *scale = (T::of(0.5) * used).max(T::one());
        *skipped += T::one();
    } else if grows {
        *scale = (T::of(2.0) * used).min(T::of(LARGEST_SCALE.into()));
    }
    if overflow || grows {
        *good = T::zero();
    }
    loss_scale[0] = factor_for(p, total.sqrt() / used) / used;
    loss_scale[2] = if overflow { T::one() } else { T::zero() };
    loss_scale[3] = used;
}
