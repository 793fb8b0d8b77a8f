//! Metrics of scores: how well they put positive rows before negative ones.

use super::{Definition, Direction, Need, Output, Rows, check_rows, weight};
use crate::data::Matrix;
use crate::{Error, Result};

/// A point of a [`RocCurve`]: what becomes of the rows whose score is at least `threshold`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RocPoint {
    /// Rows that score this or more are taken for positive; infinity at the first point.
    pub threshold: f64,
    /// The share of negative rows taken for positive, by weight.
    pub false_positive_rate: f64,
    /// The share of positive rows taken for positive, by weight: the recall.
    pub true_positive_rate: f64,
}

/// The receiver operating characteristic: a point for each distinct score, from (0, 0) to (1, 1). Rows of weight 0 make
/// none.
///
/// With the feature `plot` it draws itself: `write_svg`.
#[derive(Debug, Clone, PartialEq)]
pub struct RocCurve {
    points: Vec<RocPoint>,
}

impl RocCurve {
    /// The points, from the highest threshold down.
    pub fn points(&self) -> &[RocPoint] {
        &self.points
    }

    /// The area under it, by trapezoids; NaN where all rows are of one class.
    pub fn auc(&self) -> f64 {
        let area = |pair: &[RocPoint]| {
            let width = pair[1].false_positive_rate - pair[0].false_positive_rate;
            width * (pair[0].true_positive_rate + pair[1].true_positive_rate) / 2.0
        };
        self.points.windows(2).map(area).sum()
    }
}

/// The curve of `scores` against `truth`, in which 1 is positive and 0 negative. Where all rows are of one class, the
/// rate of the other is NaN.
///
/// # Errors
/// As [`accuracy`](super::accuracy); [`Error::Data`] for a label other than 0 and 1 and for a NaN among the scores.
///
/// ```
/// let curve = axone::metrics::roc_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.6], None)?;
/// let rates: Vec<_> = curve.points().iter().map(|p| (p.false_positive_rate, p.true_positive_rate)).collect();
/// assert_eq!(rates, [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
/// assert_eq!(curve.auc(), 0.875);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn roc_curve(truth: &[u32], scores: &[f32], weights: Option<&[f32]>) -> Result<RocCurve> {
    check_rows("roc", truth.len(), &[("scores", scores.len())], weights)?;
    if let Some(row) = truth.iter().position(|label| *label > 1) {
        return Err(Error::data(format!("roc truth row {row}"), format!("{} is neither 0 nor 1", truth[row])));
    }
    if let Some(row) = (0..scores.len()).find(|row| scores[*row].is_nan() && weight(weights, *row) > 0.0) {
        return Err(Error::data(format!("roc scores row {row}"), "NaN is no score"));
    }
    let mut order: Vec<usize> = (0..truth.len()).filter(|&row| weight(weights, row) > 0.0).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]));
    let (mut sums, mut totals) = ([0.0, 0.0], [0.0, 0.0]);
    for (row, label) in truth.iter().enumerate() {
        totals[*label as usize] += weight(weights, row);
    }
    let point = |threshold: f64, sums: [f64; 2]| RocPoint {
        threshold,
        false_positive_rate: sums[0] / totals[0],
        true_positive_rate: sums[1] / totals[1],
    };
    let mut points = vec![point(f64::INFINITY, sums)];
    // Equal scores (0 and -0 among them) make one point.
    for ties in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        ties.iter().for_each(|&row| sums[truth[row] as usize] += weight(weights, row));
        points.push(point(ties.first().map_or(f64::NAN, |&row| f64::from(scores[row])), sums));
    }
    Ok(RocCurve { points })
}

/// The chance that a positive row scores above a negative one, ties counted half: the area under the ROC curve. NaN
/// where all rows are of one class.
///
/// # Errors
/// As [`roc_curve`].
///
/// ```
/// assert_eq!(axone::metrics::roc_auc(&[0, 0, 1, 1], &[0.1, 0.4, 0.4, 0.8], None)?, 0.875);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn roc_auc(truth: &[u32], scores: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    roc_curve(truth, scores, weights).map(|curve| curve.auc())
}

/// The mean over the classes of the AUC of each class against the rest, from `scores (rows, classes)`; of two classes
/// it is that of the second. Classes without a row of some weight are left out; NaN where fewer than two are there.
///
/// # Errors
/// As [`roc_auc`]; [`Error::Data`] for a class without a column.
///
/// ```
/// let scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.3, 0.3, 0.4]].into();
/// assert_eq!(axone::metrics::roc_auc_ovr(&[0, 1, 2], &scores, None)?, 1.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn roc_auc_ovr(truth: &[u32], scores: &Matrix, weights: Option<&[f32]>) -> Result<f64> {
    check_rows("roc", truth.len(), &[("scores", scores.rows())], weights)?;
    let classes = scores.cols();
    if let Some(row) = truth.iter().position(|label| *label as usize >= classes) {
        let problem = format!("class {}, but there are {classes} scores", truth[row]);
        return Err(Error::data(format!("roc truth row {row}"), problem));
    }
    let of = |class: usize| {
        let own: Vec<u32> = truth.iter().map(|label| u32::from(*label as usize == class)).collect();
        let column: Vec<f32> = scores.iter_rows().map(|row| row[class]).collect();
        roc_auc(&own, &column, weights)
    };
    if classes == 2 {
        return of(1);
    }
    let counts = |class: usize, row: usize| truth[row] as usize == class && weight(weights, row) > 0.0;
    let known = (0..classes).filter(|&class| (0..truth.len()).any(|row| counts(class, row)));
    let values: Result<Vec<f64>> = known.map(of).collect();
    let values = values?;
    Ok(values.iter().sum::<f64>() / values.len() as f64)
}

pub(super) fn as_auc() -> Definition {
    let value = |rows: &Rows<'_>| match rows.columns() {
        1 => roc_auc(&rows.truth(), &rows.column(0)?, rows.weights().as_deref()),
        _ => roc_auc_ovr(&rows.truth(), &rows.scores()?, rows.weights().as_deref()),
    };
    Definition::new("auc", Direction::Maximize, &[Need::Columns], value).of(Output::one_answer)
}
