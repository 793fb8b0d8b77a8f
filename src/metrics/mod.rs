//! Metrics: what a training run can report beside the loss, and the same as functions of slices.
//!
//! [`Model::set_metrics`](crate::model::Model::set_metrics) takes a list of [`Metric`]s. Their values stand in
//! [`History`](crate::train::History) and [`Evaluation`](crate::train::Evaluation) under [`Metric::name`]. A step
//! writes what they need of each row (the predicted class, the rank of the target, a score) into the log of the epoch;
//! the host reads the log when the epoch is over and finishes in f64. A metric of one's own is a [`Measure`]. The functions
//! here work without a model.
//!
//! Truth and predicted classes are counted from 0. Weights, one a row, are those of
//! [`Dataset::with_weights`](crate::data::Dataset::with_weights); `None` means 1 each. Write `w` for the weight of
//! a row (what a row of weight 0 holds does not matter); for a class, `TP`, `FP` and `FN` are the weights of the rows rightly taken for it, wrongly taken for it, and
//! of it but missed.
//!
//! | metric | formula | where it is 0/0 |
//! |---|---|---|
//! | [`accuracy`] | `Σ w [right] / Σ w` | |
//! | [`top_k`] | `Σ w [fewer than k classes come before the true one] / Σ w` | |
//! | [`precision`] | `TP / (TP + FP)` | 0 |
//! | [`recall`] | `TP / (TP + FN)` | 0 |
//! | [`f1`] | `2 TP / (2 TP + FP + FN)` | 0 |
//! | [`roc_auc`] | the chance that a positive row scores above a negative one, ties half: the area under the [`RocCurve`] | NaN |
//! | [`precision_recall_curve`] | precision and recall at each score, and the average precision, `Σ (Rₙ - Rₙ₋₁) Pₙ` | NaN |
//! | [`calibration_curve`] | in bins of the probability: the share of positive rows | NaN |
//! | [`mse`], [`mae`], [`rmse`] | `Σ w (t - y)² / Σ w`, `Σ w abs(t - y) / Σ w`, `√mse` | |
//! | [`mape`] | `Σ w abs(t - y) / max(abs(t), 2⁻⁵²) / Σ w` | |
//! | [`r2`] | `1 - Σ w (t - y)² / Σ w (t - t̄)²`, `t̄` the weighted mean | 1 if all is right, else 0 |
//!
//! A row for which a model gives NaN is taken for no class: wrong in every accuracy, missed in recall and F1,
//! [undecided](ConfusionMatrix::undecided) in a confusion matrix; an AUC of it is NaN.
//!
//! These are the definitions of scikit-learn, to which the values are held (`zero_division` 0). It differs in two
//! places: among equal scores `top_k` here takes the first column first, as every accuracy of this crate does; and the
//! AUC of several classes leaves out classes without a row, for which scikit-learn gives no value.
//!
//! ```
//! use axone::metrics::{self, Average, ConfusionMatrix};
//!
//! let (truth, predicted) = ([0, 0, 0, 1, 1, 2], [0, 0, 1, 1, 1, 0]);
//! assert_eq!(metrics::f1(&truth, &predicted, Average::Micro, None)?, 4.0 / 6.0);
//! assert_eq!(metrics::roc_auc(&[0, 0, 1, 1], &[0.1, 0.4, 0.35, 0.8], None)?, 0.75);
//! println!("{}", ConfusionMatrix::new(&truth, &predicted, None)?);
//! # Ok::<(), axone::Error>(())
//! ```
//!
//! T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27, 2006; M. Sokolova, G. Lapalme, "A
//! systematic analysis of performance measures for classification tasks", Information Processing & Management 45, 2009.

mod calibration;
mod classes;
mod confusion;
mod counts;
mod errors;
mod measure;
mod metric;
mod needs;
#[cfg(feature = "plot")]
mod plot;
mod precision_recall;
mod ranking;
mod residuals;
mod rows;

pub use calibration::{CalibrationBin, CalibrationCurve, calibration_curve};
pub use classes::{accuracy, f1, precision, recall, top_k};
pub use confusion::ConfusionMatrix;
pub use errors::{mae, mape, mse, r2, rmse};
use measure::Definition;
pub use measure::{Measure, Output};
pub use metric::{Average, Custom, Direction, Metric};
pub use needs::Need;
pub(crate) use needs::needs;
pub use precision_recall::{PrecisionRecallCurve, PrecisionRecallPoint, precision_recall_curve};
pub use ranking::{RocCurve, RocPoint, roc_auc, roc_auc_ovr, roc_curve};
pub use residuals::Residuals;
pub(crate) use rows::OutputLog;
pub use rows::Rows;

use crate::{Error, Result};

/// Refuses slices that do not go together: no rows, another number of rows, weights that are none.
fn check_rows(name: &str, rows: usize, others: &[(&str, usize)], weights: Option<&[f32]>) -> Result<()> {
    if rows == 0 {
        return Err(Error::data(name, "no rows"));
    }
    let weighted = weights.map(|weights| ("weights", weights.len()));
    for (other, len) in others.iter().copied().chain(weighted) {
        if len != rows {
            return Err(Error::shape(format!("{name} {other}"), format!("{rows} values, one a row"), len));
        }
    }
    crate::data::check_row_weights(&format!("{name} weights"), weights.unwrap_or(&[1.0]))
}

/// Refuses NaN and infinity where a row has a weight.
fn check_finite(name: &str, values: &[f32], weights: Option<&[f32]>) -> Result<()> {
    match (0..values.len()).find(|row| !values[*row].is_finite() && weight(weights, *row) > 0.0) {
        Some(row) => Err(Error::data(format!("{name} row {row}"), format!("{} is not a finite number", values[row]))),
        None => Ok(()),
    }
}

/// The column of the largest element: of equal ones the first, and a NaN is none; `None` where all are.
pub(crate) fn first_largest(row: &[f32]) -> Option<u32> {
    let numbers = (0..).zip(row).filter(|(_, value)| !value.is_nan());
    let largest = numbers.reduce(|best, one| if one.1 > best.1 { one } else { best });
    largest.map(|(column, _)| column)
}

/// The weight of row `row`.
fn weight(weights: Option<&[f32]>, row: usize) -> f64 {
    weights.and_then(|weights| weights.get(row)).map_or(1.0, |weight| f64::from(*weight))
}

/// The weighted mean of `value` over the rows; those of weight 0 are not looked at.
fn mean(weights: Option<&[f32]>, rows: usize, value: impl Fn(usize) -> f64) -> f64 {
    let (mut sum, mut total) = (0.0, 0.0);
    for (row, weight) in (0..rows).map(|row| (row, weight(weights, row))).filter(|(_, weight)| *weight > 0.0) {
        sum += weight * value(row);
        total += weight;
    }
    sum / total
}
