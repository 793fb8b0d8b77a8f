//! What works on whole slabs: updates, whose bounds come of their twins on numbers that carry their error, and the norm
//! that clips them.

use super::near::{DIVISION, Near};
use super::{Judged, ULP, sum_bound};
use crate::cpu::{self, Number};
use crate::kernels::{Blend, GradientNorm, GradientNormPart, NORM_CHUNK, PARTIALS_AT, SCALE_AT, Update};

pub(super) fn update(p: &Update, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    in_place(judged, |reads, writes| cpu::update(p, reads, writes, judged.step))
}

pub(super) fn blend(p: &Blend, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    in_place(judged, |reads, writes| {
        let ([x], [y]) = (reads, writes) else { return false };
        cpu::blend(p, x, y, judged.step);
        true
    })
}

/// What `twin` leaves in each written buffer may be off by; nothing where the buffers are not those of the twin.
fn in_place(judged: &Judged<'_>, twin: impl Fn(&[&[Near]], &mut [&mut [Near]]) -> bool) -> Vec<Vec<f64>> {
    let near = |buffers: &[Vec<f64>]| buffers.iter().map(|buffer| Near::exact(buffer)).collect::<Vec<_>>();
    let (reads, mut writes) = (near(judged.reads), near(judged.before));
    let reads: Vec<&[Near]> = reads.iter().map(Vec::as_slice).collect();
    if !twin(&reads, &mut writes.iter_mut().map(Vec::as_mut_slice).collect::<Vec<_>>()) {
        return Vec::new();
    }
    writes.into_iter().map(Near::off).collect()
}

/// Partial sums of up to 4096 squares, or the factor of their sum; all else stays as it is.
pub(super) fn gradient_norm(p: &GradientNorm, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    let Some(expected) = judged.expected.first() else { return Vec::new() };
    let mut bounds = vec![0.0; expected.len()];
    let partials = &expected[PARTIALS_AT.min(expected.len())..];
    if p.part == GradientNormPart::Partials {
        let sums = bounds.iter_mut().skip(PARTIALS_AT).zip(partials);
        sums.for_each(|(bound, sum)| *bound = sum_bound(NORM_CHUNK, *sum) + ULP * sum);
        return vec![bounds];
    }
    let sum: f64 = partials.iter().sum();
    let scaled = judged.before.get(1);
    let scale = scaled.and_then(|loss_scale| loss_scale.get(SCALE_AT)).copied().unwrap_or(1.0);
    // Scales are powers of two: a quotient by one is exact.
    let norm = Near { x: sum, off: sum_bound(partials.len(), sum) }.sqrt();
    let norm = Near { x: norm.x / scale, off: norm.off / scale } + Near::of(1e-6);
    // What the quotient is off by; where it is well above 1, nothing remains of it.
    let factor = Near::of(p.params.max_norm.into()) / norm;
    let off = if factor.x - factor.off > 1.0 { 0.0 } else { factor.off };
    let Some(loss_scale) = scaled else {
        bounds[0] = off;
        return vec![bounds];
    };
    let mut state = vec![0.0; loss_scale.len()];
    // The second quotient by the scale is a division as WGSL allows it.
    state[0] = off / scale + DIVISION / scale;
    vec![bounds, state]
}
