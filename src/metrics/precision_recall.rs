//! Precision against recall: what a threshold costs where positive rows are rare.

use super::ranking::roc_curve;
use super::weight;
use crate::Result;

/// A point of a [`PrecisionRecallCurve`]: what becomes of the rows whose score is at least `threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PrecisionRecallPoint {
    /// Rows that score this or more are taken for positive.
    pub threshold: f64,
    /// The share of these that are positive, by weight.
    pub precision: f64,
    /// The share of positive rows that are among these, by weight.
    pub recall: f64,
}

/// Precision and recall at each distinct score, from the highest down.
///
/// With the feature `plot` it draws itself: `write_svg`.
#[derive(Debug, Clone, PartialEq)]
pub struct PrecisionRecallCurve {
    points: Vec<PrecisionRecallPoint>,
    positive: f64,
}

impl PrecisionRecallCurve {
    /// The points, from the highest threshold down.
    pub fn points(&self) -> &[PrecisionRecallPoint] {
        &self.points
    }

    /// The share of positive rows, by weight: the precision of guessing.
    pub fn positive_share(&self) -> f64 {
        self.positive
    }

    /// The average precision, `Σ (Rₙ - Rₙ₋₁) Pₙ`: the area under the steps. NaN where no row is positive.
    pub fn average_precision(&self) -> f64 {
        let before = std::iter::once(0.0).chain(self.points.iter().map(|point| point.recall));
        self.points.iter().zip(before).map(|(point, before)| (point.recall - before) * point.precision).sum()
    }

    /// The highest threshold with a recall of at least `least`: above it too many positive rows are missed. `None` where
    /// there is none.
    ///
    /// ```
    /// let curve = axone::metrics::precision_recall_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.5], None)?;
    /// assert_eq!(curve.threshold_for_recall(0.9), Some(0.5));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn threshold_for_recall(&self, least: f64) -> Option<f64> {
        self.points.iter().find(|point| point.recall >= least).map(|point| point.threshold)
    }
}

/// The curve of `scores` against `truth`, in which 1 is positive and 0 negative.
///
/// scikit-learn gives the same points the other way round, with one at recall 0 beside them.
///
/// # Errors
/// As [`roc_curve`].
///
/// ```
/// let curve = axone::metrics::precision_recall_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.5], None)?;
/// let points: Vec<_> = curve.points().iter().map(|p| (p.recall, p.precision)).collect();
/// assert_eq!(points, [(0.5, 1.0), (0.5, 0.5), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
/// assert_eq!(curve.average_precision(), 0.5 + 0.5 * 2.0 / 3.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn precision_recall_curve(truth: &[u32], scores: &[f32], weights: Option<&[f32]>) -> Result<PrecisionRecallCurve> {
    let roc = roc_curve(truth, scores, weights)?;
    let mut totals = [0.0, 0.0];
    truth.iter().enumerate().for_each(|(row, label)| totals[*label as usize] += weight(weights, row));
    let [negative, positive] = totals;
    let point = |point: &super::RocPoint| {
        let (right, recall) = (point.true_positive_rate * positive, point.true_positive_rate);
        let wrong = if negative > 0.0 { point.false_positive_rate * negative } else { 0.0 };
        PrecisionRecallPoint { threshold: point.threshold, precision: right / (right + wrong), recall }
    };
    let points = roc.points().iter().skip(1).map(point).collect();
    Ok(PrecisionRecallCurve { points, positive: positive / (negative + positive) })
}
