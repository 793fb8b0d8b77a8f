//! Twin of `shaders/rank.wgsl`.

use super::Real;
use super::accuracy::argmax;
use super::log::log_rows;
use crate::kernels::{Rank, RankKind, Step};

/// The predicted class, or the rank of the target, of each row.
#[inline(always)]
pub fn rank<T: Real>(
    k: &Rank,
    pred: &[T],           // (rows, cols)
    target: &[T],         // (rows, cols) one-hot, else (rows, 1)
    row_metric: &mut [T], // (rows), or the log
    step: &Step,
) {
    let row_metric = log_rows(row_metric, k.params.log_stride, k.params.log_at, k.params.rows, step);
    let cols = k.params.cols as usize;
    for (row, (pred, metric)) in pred.chunks_exact(cols).zip(row_metric).enumerate() {
        let place = match k.kind {
            RankKind::Predicted => argmax(pred),
            // `as` of a negative or NaN class is 0, as in WGSL.
            RankKind::OfClass => before(pred, target[row].wide() as usize),
            RankKind::OfOneHot => before(pred, argmax(&target[row * cols..(row + 1) * cols])),
        };
        *metric = T::of(place as f64);
    }
}

/// The columns that come before column `wanted`.
#[inline(always)]
fn before<T: Real>(pred: &[T], wanted: usize) -> usize {
    let Some(own) = pred.get(wanted).filter(|own| !own.is_nan()) else { return pred.len() };
    pred.iter().enumerate().filter(|&(column, p)| p > own || p == own && column < wanted).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_scores_come_in_the_order_of_their_columns() {
        let pred = [0.5, 0.9, 0.5, 0.1, f32::NAN, 0.9, 0.5, 0.9];
        let of = |kind, target: &[f32]| {
            let mut metric = [f32::NAN; 2];
            rank(&Rank::new(kind, 2, 4), &pred, target, &mut metric, &Step::default());
            metric
        };
        assert_eq!(of(RankKind::Predicted, &[0.0, 0.0]), [1.0, 1.0]);
        let mut none = [0.0];
        rank(&Rank::new(RankKind::Predicted, 1, 4), &[f32::NAN; 4], &[0.0], &mut none, &Step::default());
        assert_eq!(none, [4.0], "a row of NaN predicts no class");
        assert_eq!(of(RankKind::OfClass, &[0.0, 1.0]), [1.0, 0.0]);
        assert_eq!(of(RankKind::OfClass, &[2.0, 3.0]), [2.0, 1.0]);
        assert_eq!(of(RankKind::OfClass, &[3.0, 0.0]), [3.0, 4.0], "a NaN comes last");
        let one_hot = [0.0, 1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0];
        assert_eq!(of(RankKind::OfOneHot, &one_hot), [0.0, 4.0]);
    }
}
