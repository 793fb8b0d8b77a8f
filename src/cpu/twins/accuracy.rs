//! Twin of `shaders/accuracy.wgsl`.

use super::Real;
use super::log::log_rows;
use crate::kernels::{Accuracy, AccuracyKind, Step};

/// The share of right answers of each row.
#[inline(always)]
pub fn accuracy<T: Real>(
    p: &Accuracy,
    pred: &[T],           // (rows, cols)
    target: &[T],         // (rows, 1) classes, else (rows, cols)
    row_metric: &mut [T], // (rows), or the log
    step: &Step,
) {
    let row_metric = log_rows(row_metric, p.params.log_stride, p.params.log_at, p.params.rows, step);
    let cols = p.params.cols as usize;
    let share = |right: bool| if right { T::one() } else { T::zero() };
    for (row, (pred, metric)) in pred.chunks_exact(cols).zip(row_metric).enumerate() {
        *metric = match p.kind {
            AccuracyKind::Classes => share(target[row].floor() == T::of(argmax(pred) as f64)),
            AccuracyKind::OneHot => share(argmax(pred) == argmax(&target[row * cols..(row + 1) * cols])),
            AccuracyKind::Binary { .. } => {
                let (threshold, half) = (T::of(p.params.threshold.into()), T::of(0.5));
                let target = &target[row * cols..(row + 1) * cols];
                let is_right = |p: T, t: T| !p.is_nan() && (p > threshold) == (t > half);
                let right = pred.iter().zip(target).filter(|(p, t)| is_right(**p, **t)).count();
                T::of(right as f64) / T::of(cols as f64)
            }
        };
    }
}

/// The first of the largest elements; NaN is never the largest. Their number, if all are NaN.
#[inline(always)]
pub(super) fn argmax<T: Real>(x: &[T]) -> usize {
    let mut best = (x.len(), T::min_value());
    for (i, x) in x.iter().enumerate() {
        if *x > best.1 {
            best = (i, *x);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_maximum_wins() {
        let mut metric = [f32::NAN; 2];
        let pred = [0.5, 0.5, 0.1, 0.2, 0.3, 0.5];
        accuracy(&Accuracy::new(AccuracyKind::Classes, 2, 3), &pred, &[0.0, 1.0], &mut metric, &Step::default());
        assert_eq!(metric, [1.0, 0.0]);
        let target = [1.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        accuracy(&Accuracy::new(AccuracyKind::OneHot, 2, 3), &pred, &target, &mut metric, &Step::default());
        assert_eq!(metric, [1.0, 1.0]);
        accuracy(
            &Accuracy::new(AccuracyKind::Binary { threshold: 0.4 }, 2, 3),
            &pred,
            &target,
            &mut metric,
            &Step::default(),
        );
        assert_eq!(metric, [2.0 / 3.0, 1.0]);
    }

    /// Neither as the first class nor as a no.
    #[test]
    fn nan_is_never_right() {
        let mut metric = [f32::NAN; 2];
        let pred = [f32::NAN, f32::NAN, f32::NAN, 0.5];
        accuracy(&Accuracy::new(AccuracyKind::Classes, 2, 2), &pred, &[0.0, 1.0], &mut metric, &Step::default());
        assert_eq!(metric, [0.0, 1.0]);
        let target = [1.0, 0.0, 0.0, 1.0];
        accuracy(&Accuracy::new(AccuracyKind::OneHot, 2, 2), &pred, &target, &mut metric, &Step::default());
        assert_eq!(metric, [0.0, 1.0]);
        let kind = AccuracyKind::Binary { threshold: 0.4 };
        accuracy(&Accuracy::new(kind, 2, 2), &pred, &target, &mut metric, &Step::default());
        assert_eq!(metric, [0.0, 0.5]);
    }
}
