//! Twins of `shaders/gather.wgsl` and `shaders/gather_weights.wgsl`.

use super::{Real, parallel};
use crate::kernels::{Gather, GatherBatch, GatherWeights, Step};

/// `batch[r] = data[order[step.start + r]]`; zeros from row `step.valid` on.
#[inline(always)]
pub fn gather<T: Real>(
    p: &Gather,
    data: &[T],      // (any, cols)
    batch: &mut [T], // (rows, cols)
    order: &[u32],   // (any)
    step: &Step,
) {
    let cols = p.cols as usize;
    parallel::row_blocks(batch, cols, &|first, block| {
        for (row, batch) in (first..).zip(block.chunks_exact_mut(cols)) {
            if row < step.valid as usize {
                let from = order[step.start as usize + row] as usize * cols;
                batch.copy_from_slice(&data[from..from + cols]);
            } else {
                batch.fill(T::zero());
            }
        }
    });
}

/// `row_scale[r] = weights[order[step.start + r]] · step.inverse_weight`; 0 from row `step.valid` on.
#[inline(always)]
pub fn gather_weights<T: Real>(
    p: &GatherWeights,
    weights: &[T],       // (any)
    row_scale: &mut [T], // (rows)
    order: &[u32],       // (any)
    step: &Step,
) {
    let inverse = T::of(step.inverse_weight.into());
    for (row, scale) in row_scale.iter_mut().enumerate().take(p.rows as usize) {
        let valid = row < step.valid as usize;
        *scale = if valid { weights[order[step.start as usize + row] as usize] * inverse } else { T::zero() };
    }
}

/// Both of the above at once.
#[inline(always)]
pub fn gather_batch<T: Real>(
    p: &GatherBatch,
    reads: &[&[T]],          // data: (any, x_cols), (any, y_cols), weights (any)
    writes: &mut [&mut [T]], // (rows, x_cols), (rows, y_cols), (rows)
    order: &[u32],           // (any)
    step: &Step,
) -> bool {
    let ([x_data, y_data, weights], [x, y, row_scale]) = (reads, writes) else { return false };
    gather(&Gather { rows: p.rows, cols: p.x_cols }, x_data, x, order, step);
    gather(&Gather { rows: p.rows, cols: p.y_cols }, y_data, y, order, step);
    gather_weights(&GatherWeights { rows: p.rows }, weights, row_scale, order, step);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_follow_the_order_and_padding_is_zero() {
        let step = Step { start: 1, valid: 2, inverse_weight: 0.5, ..Step::default() };
        let (mut batch, mut scale) = ([f32::NAN; 6], [f32::NAN; 3]);
        gather(&Gather { rows: 3, cols: 2 }, &[0.0, 1.0, 2.0, 3.0, 4.0, 5.0], &mut batch, &[1, 2, 0], &step);
        gather_weights(&GatherWeights { rows: 3 }, &[4.0, 6.0, 8.0], &mut scale, &[1, 2, 0], &step);
        assert_eq!(batch, [4.0, 5.0, 0.0, 1.0, 0.0, 0.0]);
        assert_eq!(scale, [4.0, 2.0, 0.0]);
    }
}
