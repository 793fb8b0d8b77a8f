//! Metrics of predicted numbers.

use super::{Definition, Direction, Need, Output, Rows, check_finite, check_rows, mean, weight};
use crate::Result;

fn check(name: &str, truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<()> {
    check_rows(name, truth.len(), &[("predicted", predicted.len())], weights)?;
    check_finite(&format!("{name} truth"), truth, weights)?;
    check_finite(&format!("{name} predicted"), predicted, weights)
}

/// `t - y` of a row.
fn error(truth: &[f32], predicted: &[f32], row: usize) -> f64 {
    f64::from(truth[row]) - f64::from(predicted[row])
}

/// The mean of the squared errors.
///
/// # Errors
/// [`Error::Data`](crate::Error::Data) without rows, for numbers that are not finite, and for weights that are
/// negative, not finite or all 0; [`Error::Shape`](crate::Error::Shape) where the slices differ in length.
///
/// ```
/// assert_eq!(axone::metrics::mse(&[1.0, 2.0], &[1.0, 4.0], None)?, 2.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn mse(truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    check("mse", truth, predicted, weights)?;
    Ok(mean(weights, truth.len(), |row| error(truth, predicted, row).powi(2)))
}

/// The root of [`mse`].
///
/// # Errors
/// As [`mse`].
///
/// ```
/// assert_eq!(axone::metrics::rmse(&[1.0, 2.0], &[3.0, 4.0], None)?, 2.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn rmse(truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    mse(truth, predicted, weights).map(f64::sqrt)
}

/// The mean size of the errors.
///
/// # Errors
/// As [`mse`].
///
/// ```
/// assert_eq!(axone::metrics::mae(&[1.0, 2.0], &[1.0, 4.0], None)?, 1.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn mae(truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    check("mae", truth, predicted, weights)?;
    Ok(mean(weights, truth.len(), |row| error(truth, predicted, row).abs()))
}

/// The mean size of the errors, each as a share of its truth: 0.1 for 10 %. A truth of 0 counts as `2⁻⁵²`, so its
/// share is huge unless it is met.
///
/// # Errors
/// As [`mse`].
///
/// ```
/// assert_eq!(axone::metrics::mape(&[1.0, 2.0], &[1.0, 3.0], None)?, 0.25);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn mape(truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    check("mape", truth, predicted, weights)?;
    let share = |row: usize| error(truth, predicted, row).abs() / f64::from(truth[row]).abs().max(f64::EPSILON);
    Ok(mean(weights, truth.len(), share))
}

/// The coefficient of determination: `1 - Σ w (t - y)² / Σ w (t - t̄)²`. Where all truths are equal it is 1 if all
/// are met, else 0; NaN where a single row has a weight.
///
/// # Errors
/// As [`mse`].
///
/// ```
/// use axone::metrics::r2;
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[1.0, 2.0, 3.0], None)?, 1.0);
/// assert_eq!(r2(&[1.0, 2.0, 3.0], &[2.0, 2.0, 2.0], None)?, 0.0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn r2(truth: &[f32], predicted: &[f32], weights: Option<&[f32]>) -> Result<f64> {
    check("r2", truth, predicted, weights)?;
    let rows = truth.len();
    if (0..rows).filter(|row| weight(weights, *row) > 0.0).count() < 2 {
        return Ok(f64::NAN);
    }
    let middle = mean(weights, rows, |row| f64::from(truth[row]));
    let left = mean(weights, rows, |row| error(truth, predicted, row).powi(2));
    let spread = mean(weights, rows, |row| (f64::from(truth[row]) - middle).powi(2));
    // The spread of equal truths is what their mean was rounded by.
    let mut counted = (0..rows).filter(|row| weight(weights, *row) > 0.0).map(|row| truth[row]);
    let first = counted.next();
    let is_level = counted.all(|t| Some(t) == first) || spread == 0.0;
    Ok(match (is_level, left == 0.0) {
        (false, _) => 1.0 - left / spread,
        (true, true) => 1.0,
        (true, false) => 0.0,
    })
}

/// Reported with the loss.
pub(super) fn as_mae() -> Definition {
    Definition::new("mae", Direction::Minimize, &[], |_| Ok(f64::NAN)).of(Output::numbers)
}

pub(super) fn as_mse() -> Definition {
    Definition::new("mse", Direction::Minimize, &[Need::Squares], |rows| rows.mean(Need::Squares, f64::from))
}

pub(super) fn as_rmse() -> Definition {
    let value = |rows: &Rows<'_>| rows.mean(Need::Squares, f64::from).map(f64::sqrt);
    Definition::new("rmse", Direction::Minimize, &[Need::Squares], value)
}

pub(super) fn as_mape() -> Definition {
    let value = |rows: &Rows<'_>| rows.over_columns(mape);
    Definition::new("mape", Direction::Minimize, &[Need::Columns], value).of(Output::numbers)
}

pub(super) fn as_r2() -> Definition {
    let value = |rows: &Rows<'_>| rows.over_columns(r2);
    Definition::new("r2", Direction::Maximize, &[Need::Columns], value).of(Output::numbers)
}
