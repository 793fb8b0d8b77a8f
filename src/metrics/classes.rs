//! Metrics of predicted classes.

use super::counts::Counts;
use super::{Average, Definition, Direction, Need, Output, Rows, check_rows, mean};
use crate::data::Matrix;
use crate::{Error, Result};

/// The share of right answers, by weight.
///
/// # Errors
/// [`Error::Data`] without rows and for weights that are negative, not finite or all 0; [`Error::Shape`] where the
/// slices differ in length.
///
/// ```
/// assert_eq!(axone::metrics::accuracy(&[0, 1, 2, 2], &[0, 1, 1, 2], None)?, 0.75);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn accuracy(truth: &[u32], predicted: &[u32], weights: Option<&[f32]>) -> Result<f64> {
    check_rows("accuracy", truth.len(), &[("predicted", predicted.len())], weights)?;
    Ok(mean(weights, truth.len(), |row| f64::from(u8::from(truth[row] == predicted[row]))))
}

/// The share of the rows taken for a class that are of it: `TP / (TP + FP)`, 0 where no row is taken for it.
///
/// # Errors
/// As [`accuracy`]; [`Error::Value`] for [`Average::Binary`] of more than two classes.
///
/// ```
/// use axone::metrics::{Average, precision};
/// assert_eq!(precision(&[0, 1, 0, 1], &[0, 1, 1, 0], Average::Binary, None)?, 0.5);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn precision(truth: &[u32], predicted: &[u32], average: Average, weights: Option<&[f32]>) -> Result<f64> {
    counts("precision", truth, predicted, weights)?.precision(average)
}

/// The share of the rows of a class that are taken for it: `TP / (TP + FN)`, 0 where no row is of it.
///
/// # Errors
/// As [`precision`].
///
/// ```
/// use axone::metrics::{Average, recall};
/// assert_eq!(recall(&[0, 1, 1, 1], &[0, 1, 0, 0], Average::Binary, Some(&[1.0, 2.0, 1.0, 1.0]))?, 0.5);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn recall(truth: &[u32], predicted: &[u32], average: Average, weights: Option<&[f32]>) -> Result<f64> {
    counts("recall", truth, predicted, weights)?.recall(average)
}

/// The harmonic mean of precision and recall: `2 TP / (2 TP + FP + FN)`, 0 where a class does not occur.
///
/// # Errors
/// As [`precision`].
///
/// ```
/// use axone::metrics::{Average, f1};
/// assert_eq!(f1(&[0, 1, 1, 1], &[0, 1, 1, 0], Average::Binary, None)?, 0.8);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn f1(truth: &[u32], predicted: &[u32], average: Average, weights: Option<&[f32]>) -> Result<f64> {
    counts("f1", truth, predicted, weights)?.f1(average)
}

fn counts(name: &str, truth: &[u32], predicted: &[u32], weights: Option<&[f32]>) -> Result<Counts> {
    let predicted: Vec<Option<u32>> = predicted.iter().copied().map(Some).collect();
    Counts::new(name, truth, &predicted, weights)
}

/// The share of rows whose class is among the `k` best of `scores (rows, classes)`: larger scores come first, of equal
/// ones the first column; a class whose score is NaN comes last.
///
/// # Errors
/// As [`accuracy`]; [`Error::Value`] for `k` below 1 or above the number of classes; [`Error::Data`] for a class
/// without a column.
///
/// ```
/// use axone::metrics::top_k;
/// let scores = [[0.5, 0.3, 0.2], [0.1, 0.5, 0.4]].into();
/// assert_eq!(top_k(&[1, 0], &scores, 2, None)?, 0.5);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn top_k(truth: &[u32], scores: &Matrix, k: usize, weights: Option<&[f32]>) -> Result<f64> {
    check_rows("top_k", truth.len(), &[("scores", scores.rows())], weights)?;
    if !(1..=scores.cols()).contains(&k) {
        return Err(Error::value("top_k", "k", format!("from 1 to {}, the number of classes", scores.cols()), k));
    }
    let mut ranks = Vec::with_capacity(truth.len());
    for (row, (&class, scores)) in truth.iter().zip(scores.iter_rows()).enumerate() {
        let class = class as usize;
        let Some(own) = scores.get(class) else {
            let problem = format!("class {class}, but there are {} scores", scores.len());
            return Err(Error::data(format!("top_k truth row {row}"), problem));
        };
        let before = |(column, score): (usize, &f32)| score > own || (score == own && column < class);
        ranks.push(if own.is_nan() { k } else { scores.iter().enumerate().filter(|it| before(*it)).count() });
    }
    Ok(mean(weights, truth.len(), |row| f64::from(u8::from(ranks[row] < k))))
}

/// Reported with the loss.
pub(super) fn as_accuracy() -> Definition {
    Definition::new("accuracy", Direction::Maximize, &[], |_| Ok(f64::NAN)).of(Output::answers)
}

pub(super) fn as_top_k(k: usize) -> Definition {
    let value = move |rows: &Rows<'_>| rows.mean(Need::Rank, |rank| f64::from(u8::from(rank < k as f32)));
    Definition::new(format!("top_{k}_accuracy"), Direction::Maximize, &[Need::Rank], value).of(move |output| {
        let wanted = || format!("from 1 to {}, the number of classes", output.columns());
        output.must((1..=output.columns()).contains(&k), "k", wanted, k)
    })
}

/// Precision, recall or F1, which is `value` of the counts.
fn of_counts(name: &str, average: Average, value: fn(&Counts, Average) -> Result<f64>) -> Definition {
    let value = move |rows: &Rows<'_>| {
        value(&Counts::new("counts", &rows.truth(), &rows.predicted()?, rows.weights().as_deref())?, average)
    };
    let name = format!("{name}{}", average.suffix());
    Definition::new(name, Direction::Maximize, &[Need::Predicted], value).of(move |output| {
        let classes = output.columns().max(2);
        let wanted = || format!("Macro, Micro or Weighted for {classes} classes");
        output.must(average != Average::Binary || classes == 2, "average", wanted, "Binary")
    })
}

pub(super) fn as_precision(average: Average) -> Definition {
    of_counts("precision", average, Counts::precision)
}

pub(super) fn as_recall(average: Average) -> Definition {
    of_counts("recall", average, Counts::recall)
}

pub(super) fn as_f1(average: Average) -> Definition {
    of_counts("f1", average, Counts::f1)
}
