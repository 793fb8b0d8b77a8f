//! Residuals: what is left of the truth when the prediction is taken away.

use super::{check_finite, check_rows};
#[cfg(doc)]
use crate::Error;
use crate::Result;

/// Predicted numbers beside the true ones, and the residuals `t - y`.
///
/// With the feature `plot` it draws itself: `write_svg` has predictions against truth on the left, and residuals against
/// predictions on the right, where a pattern is what the model has missed.
///
/// ```
/// use axone::metrics::Residuals;
///
/// let residuals = Residuals::new(&[1.0, 2.0, 3.0], &[1.5, 2.0, 2.0])?;
/// assert_eq!(residuals.values().collect::<Vec<_>>(), [-0.5, 0.0, 1.0]);
/// let with = residuals.clone().with_intervals(&[0.5, 1.0, 1.0], &[2.0, 3.0, 2.5])?;
/// assert_eq!(with.covered(), Some(2.0 / 3.0));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Residuals {
    pub(super) truth: Vec<f32>,
    pub(super) predicted: Vec<f32>,
    intervals: Option<Vec<(f32, f32)>>,
    #[cfg_attr(not(feature = "plot"), allow(dead_code, reason = "pictures alone name it"))]
    pub(super) quantity: String,
}

impl Residuals {
    /// Of true and predicted numbers, one a row.
    ///
    /// # Errors
    /// [`Error::Data`] without rows and for numbers that are not finite; [`Error::Shape`] where the slices differ in
    /// length.
    pub fn new(truth: &[f32], predicted: &[f32]) -> Result<Self> {
        check_rows("residuals", truth.len(), &[("predicted", predicted.len())], None)?;
        check_finite("residuals truth", truth, None)?;
        check_finite("residuals predicted", predicted, None)?;
        let (truth, predicted) = (truth.to_vec(), predicted.to_vec());
        Ok(Self { truth, predicted, intervals: None, quantity: "value".to_owned() })
    }

    /// What is predicted, with its unit, for the axes.
    pub fn quantity(mut self, quantity: impl Into<String>) -> Self {
        self.quantity = quantity.into();
        self
    }

    /// The interval that is predicted for each row.
    ///
    /// # Errors
    /// [`Error::Shape`] where the slices differ in length; [`Error::Data`] for an end that is not finite.
    pub fn with_intervals(mut self, low: &[f32], high: &[f32]) -> Result<Self> {
        check_rows("residuals", self.truth.len(), &[("low", low.len()), ("high", high.len())], None)?;
        check_finite("residuals low", low, None)?;
        check_finite("residuals high", high, None)?;
        self.intervals = Some(low.iter().copied().zip(high.iter().copied()).collect());
        Ok(self)
    }

    /// Truth and prediction of each row.
    pub fn pairs(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.truth.iter().zip(&self.predicted).map(|(t, y)| (f64::from(*t), f64::from(*y)))
    }

    /// `t - y` of each row.
    pub fn values(&self) -> impl Iterator<Item = f64> + '_ {
        self.pairs().map(|(truth, predicted)| truth - predicted)
    }

    /// The predicted intervals, where there are some.
    pub fn intervals(&self) -> Option<&[(f32, f32)]> {
        self.intervals.as_deref()
    }

    /// The share of rows whose truth lies in its interval, ends included; `None` without intervals.
    pub fn covered(&self) -> Option<f64> {
        let intervals = self.intervals.as_ref()?;
        let inside = self.truth.iter().zip(intervals).filter(|(truth, (low, high))| (low..=high).contains(truth));
        Some(inside.count() as f64 / self.truth.len() as f64)
    }
}
