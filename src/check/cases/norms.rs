//! Batch and layer normalisation: full batches, padded ones, and a single row.

use super::{Case, Shape, numbers};
use crate::kernels::{
    BatchNorm, BatchNormGrad, BatchNormGradParams, BatchNormGradPart, BatchNormParams, Kernel, LayerNorm,
    LayerNormGrad, LayerNormParams, LayerNormScaleGrad, LayerNormScaleGradParams, NormPart, RunningStatistics, Step,
};
use crate::plan::ALIGNMENT;

const EPSILON: f32 = 1e-5;

/// Numbers whose spread is small beside their mean, and equal ones.
fn far_from_zero(n: usize) -> [Vec<f32>; 3] {
    [(0..n).map(|i| 1e5 + (i % 16) as f32).collect(), numbers(24, n, -1_000_008.0, -999_992.0), vec![100_000.1; n]]
}

/// Batch normalisation by known statistics: the one kernel here that is flat.
pub(super) fn normalize(s: &mut Shape) {
    let (rows, cols) = (s.rows, s.cols);
    let [scale, shift] = [5, 17].map(|stream| numbers(stream, s.c(), -1.5, 1.5));
    let statistics = [numbers(18, s.c(), -1.0, 1.0), numbers(19, s.c(), 0.5, 1.5)].concat();
    let params = BatchNormParams { rows, cols, running_at: cols, known_at: cols, epsilon: EPSILON };
    let kernel = Kernel::BatchNorm(BatchNorm { part: NormPart::Normalize, params });
    s.add(kernel, vec![s.x(), scale, shift, statistics], &[s.n()]);
}

pub(super) fn norms(s: &mut Shape) {
    let (rows, cols, n, c) = (s.rows, s.cols, s.n(), s.c());
    let [scale, shift] = [5, 17].map(|stream| numbers(stream, c, -1.5, 1.5));
    // Two parameters in a slab, with padding between them that belongs to nobody.
    let second = c.next_multiple_of(ALIGNMENT);
    let two = |first: &[f32], other: &[f32]| [first, &vec![0.5; second - c], other].concat();
    let running = two(&numbers(18, c, -1.0, 1.0), &numbers(19, c, 0.5, 1.5));
    let statistics = [numbers(18, c, -1.0, 1.0), numbers(19, c, 0.5, 1.5)].concat();
    let (x, dy, nan) = (s.x(), s.dy(), vec![f32::NAN; n]);
    let unwritten = two(&vec![f32::NAN; c], &vec![f32::NAN; c]);
    // All rows, three of them with the rest padding, one.
    for valid in [rows, 3, 1] {
        let first = s.cases.len();
        let at = second as u32;
        let params = BatchNormParams { rows, cols, running_at: at, known_at: cols, epsilon: EPSILON };
        let kernel = |part| Kernel::BatchNorm(BatchNorm { part, params });
        s.add(kernel(NormPart::Measure), vec![x.clone(), running.clone()], &[2 * c]);
        let known = vec![x.clone(), scale.clone(), shift.clone(), statistics.clone()];
        s.add(kernel(NormPart::Normalize), known, &[n]);
        let both = vec![x.clone(), running.clone(), scale.clone(), shift.clone()];
        s.add(kernel(NormPart::Both), both, &[2 * c, n]);
        let params = BatchNormGradParams { rows, cols, variance_at: cols, shift_at: at, epsilon: EPSILON, known: 0 };
        let kernel = |part| Kernel::BatchNormGrad(BatchNormGrad { part, params });
        let reads = vec![x.clone(), statistics.clone(), scale.clone(), dy.clone()];
        s.add(kernel(BatchNormGradPart::Input), reads.clone(), &[n]);
        s.update(kernel(BatchNormGradPart::All), reads, vec![nan.clone(), unwritten.clone()]);
        s.add(kernel(BatchNormGradPart::Scale), vec![x.clone(), statistics.clone(), dy.clone()], &[c]);
        // As for inference: the running statistics, in their own place.
        let params = BatchNormGradParams { variance_at: at, known: 1, ..params };
        let kernel = Kernel::BatchNormGrad(BatchNormGrad { part: BatchNormGradPart::Input, params });
        s.add(kernel, vec![x.clone(), running.clone(), scale.clone(), dy.clone()], &[n]);
        let moved = Kernel::RunningStatistics(RunningStatistics { rows, cols, running_at: at, momentum: 0.1 });
        s.update(moved, vec![statistics.clone()], vec![running.clone()]);
        for case in &mut s.cases[first..] {
            case.step = Step { valid, ..Case::step() };
            case.name = format!("{} of which {} valid", case.name, valid.min(rows));
        }
    }
    let params = LayerNormParams { rows, cols, epsilon: EPSILON };
    let kernel = |part| Kernel::LayerNorm(LayerNorm { part, params });
    let pairs = numbers(18, 2 * s.r(), 0.5, 1.5);
    for far in far_from_zero(n) {
        s.add(kernel(NormPart::Measure), vec![far.clone()], &[2 * s.r()]);
        let params = BatchNormParams { rows, cols, running_at: second as u32, known_at: cols, epsilon: EPSILON };
        let measure = Kernel::BatchNorm(BatchNorm { part: NormPart::Measure, params });
        s.add(measure, vec![far, running.clone()], &[2 * c]);
        for case in s.cases.iter_mut().rev().take(2) {
            case.step = Step { valid: rows, ..Case::step() };
            case.name += " far from 0";
        }
    }
    s.add(kernel(NormPart::Measure), vec![x.clone()], &[2 * s.r()]);
    s.add(kernel(NormPart::Normalize), vec![x.clone(), scale.clone(), shift.clone(), pairs.clone()], &[n]);
    s.add(kernel(NormPart::Both), vec![x.clone(), scale.clone(), shift], &[2 * s.r(), n]);
    let reads = vec![x.clone(), pairs.clone(), scale, dy.clone()];
    s.add(Kernel::LayerNormGrad(LayerNormGrad { rows, cols }), reads, &[n]);
    let params = LayerNormScaleGradParams { rows, cols, shift_at: second as u32 };
    let kernel = |with_shift| Kernel::LayerNormScaleGrad(LayerNormScaleGrad { with_shift, params });
    let reads = vec![x, pairs, dy];
    s.add(kernel(false), reads.clone(), &[c]);
    s.update(kernel(true), reads, vec![unwritten]);
}
