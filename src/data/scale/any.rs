//! A scaler of any kind, for what is saved with a model.

use super::{MinMaxScaler, RobustScaler, Standardizer};
use crate::Result;
use crate::data::Matrix;

/// A kind of scaling.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum Scaling {
    /// Mean 0 and standard deviation 1: [`Standardizer`].
    Standard,
    /// From 0 to 1: [`MinMaxScaler`].
    MinMax,
    /// Median 0 and interquartile range 1: [`RobustScaler`].
    Robust,
}

/// A scaler with what it learned.
///
/// ```
/// use axone::data::{Matrix, Scaler, Scaling};
/// let x = Matrix::from([[10.0], [20.0]]);
/// let scaler = Scaler::fit(Scaling::MinMax, &x)?;
/// assert_eq!(scaler.transform(&x)?.data(), [0.0, 1.0]);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum Scaler {
    /// By mean and standard deviation.
    Standard(Standardizer),
    /// By minimum and maximum.
    MinMax(MinMaxScaler),
    /// By median and quartiles.
    Robust(RobustScaler),
}

impl Scaler {
    /// A scaler of that kind, fitted to `x`.
    ///
    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for a matrix without rows and for NaN or infinity.
    pub fn fit(kind: Scaling, x: &Matrix) -> Result<Self> {
        Ok(match kind {
            Scaling::Standard => Self::Standard(Standardizer::fit(x)?),
            Scaling::MinMax => Self::MinMax(MinMaxScaler::fit(x)?),
            Scaling::Robust => Self::Robust(RobustScaler::fit(x)?),
        })
    }

    /// How many columns it was fitted to.
    pub(in crate::data) fn width(&self) -> usize {
        match self {
            Self::Standard(scaler) => scaler.mean().len(),
            Self::MinMax(scaler) => scaler.min().len(),
            Self::Robust(scaler) => scaler.center().len(),
        }
    }

    /// The values scaled.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where `x` has another number of columns than the matrix fitted.
    pub fn transform(&self, x: &Matrix) -> Result<Matrix> {
        match self {
            Self::Standard(scaler) => scaler.transform(x),
            Self::MinMax(scaler) => scaler.transform(x),
            Self::Robust(scaler) => scaler.transform(x),
        }
    }

    /// From scaled values back to those of the data.
    ///
    /// # Errors
    /// [`Error::Shape`](crate::Error::Shape) where `y` has another number of columns than the matrix fitted.
    pub fn inverse(&self, y: &Matrix) -> Result<Matrix> {
        match self {
            Self::Standard(scaler) => scaler.inverse(y),
            Self::MinMax(scaler) => scaler.inverse(y),
            Self::Robust(scaler) => scaler.inverse(y),
        }
    }
}
