//! Scaling: columns brought to a common size, and back.
//!
//! All scalers are `y = (x - offset) / divisor + low` for each column. Statistics and the arithmetic are in
//! f64, where a sum of f32 loses nothing that matters; a column that is constant, exactly, takes the divisor 1,
//! because its spread computed in floating point need not come out as 0.

mod any;
#[cfg(feature = "save")]
mod stored;

pub use any::{Scaler, Scaling};

use super::Matrix;
use super::quantile::{quantile, sorted};
use crate::{Error, Result};
use std::fmt::Display;

/// Scales each column to mean 0 and standard deviation 1: `y = (x - mean) / std`.
///
/// `std` is that of the population (divided by the number of rows). A constant column becomes 0.
///
/// ```
/// use axone::data::{Matrix, Standardizer};
/// let x = Matrix::from([[1.0, 7.0], [3.0, 7.0]]);
/// let scaler = Standardizer::fit(&x)?;
/// assert_eq!((scaler.mean(), scaler.std()), (&[2.0, 7.0][..], &[1.0, 0.0][..]));
/// let y = scaler.transform(&x)?;
/// assert_eq!(y.data(), [-1.0, 0.0, 1.0, 0.0]);
/// assert_eq!(scaler.inverse(&y)?, x);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(try_from = "stored::StoredStandardizer"))]
pub struct Standardizer {
    mean: Vec<f64>, // (columns)
    std: Vec<f64>,  // (columns), 0 where constant
}

impl Standardizer {
    /// Mean and standard deviation of each column of `x`: fit on the training part only.
    ///
    /// # Errors
    /// [`Error::Data`] for a matrix without rows and for NaN or infinity.
    pub fn fit(x: &Matrix) -> Result<Self> {
        check_fit("Standardizer::fit", x)?;
        let rows = x.rows() as f64;
        let mut mean = column_sums(x, |_, value| value);
        mean.iter_mut().for_each(|sum| *sum /= rows);
        let mut std = column_sums(x, |col, value| (value - mean.get(col).copied().unwrap_or_default()).powi(2));
        std.iter_mut().for_each(|sum| *sum = (*sum / rows).sqrt());
        for (col, (low, high)) in extremes(x).into_iter().enumerate() {
            if let (true, Some(mean), Some(std)) = (low == high, mean.get_mut(col), std.get_mut(col)) {
                (*mean, *std) = (low, 0.0);
            }
        }
        Ok(Self { mean, std })
    }

    /// The mean of each column.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviation of each column, 0 where it is constant.
    pub fn std(&self) -> &[f64] {
        &self.std
    }

    /// `(x - mean) / std`.
    ///
    /// # Errors
    /// [`Error::Shape`] where `x` has another number of columns than the matrix fitted.
    pub fn transform(&self, x: &Matrix) -> Result<Matrix> {
        let columns = self.columns().collect::<Vec<_>>();
        map_columns("Standardizer::transform", x, &columns, |x, (mean, std)| (x - mean) / std)
    }

    /// `y * std + mean`: from scaled values back to those of the data, such as predictions.
    ///
    /// # Errors
    /// [`Error::Shape`] where `y` has another number of columns than the matrix fitted.
    pub fn inverse(&self, y: &Matrix) -> Result<Matrix> {
        let columns = self.columns().collect::<Vec<_>>();
        map_columns("Standardizer::inverse", y, &columns, |y, (mean, std)| y * std + mean)
    }

    fn columns(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.mean.iter().zip(&self.std).map(|(&mean, &std)| (mean, divisor(std)))
    }
}

/// Scales each column to a range, 0 to 1 by default: `y = (x - min) / (max - min) * (high - low) + low`.
///
/// A constant column becomes `low`. Values outside those fitted land outside the range.
///
/// ```
/// use axone::data::{Matrix, MinMaxScaler};
/// let x = Matrix::from([[10.0], [20.0], [30.0]]);
/// let scaler = MinMaxScaler::fit(&x)?;
/// assert_eq!(scaler.transform(&x)?.data(), [0.0, 0.5, 1.0]);
/// let scaler = scaler.with_range(-1.0, 1.0)?;
/// assert_eq!(scaler.transform(&x)?.data(), [-1.0, 0.0, 1.0]);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(try_from = "stored::StoredMinMax"))]
pub struct MinMaxScaler {
    min: Vec<f64>, // (columns)
    max: Vec<f64>, // (columns)
    low: f64,
    high: f64,
}

impl MinMaxScaler {
    /// Minimum and maximum of each column of `x`: fit on the training part only.
    ///
    /// # Errors
    /// [`Error::Data`] for a matrix without rows and for NaN or infinity.
    pub fn fit(x: &Matrix) -> Result<Self> {
        check_fit("MinMaxScaler::fit", x)?;
        let (min, max) = extremes(x).into_iter().unzip();
        Ok(Self { min, max, low: 0.0, high: 1.0 })
    }

    /// Scales to `low ..= high` instead of 0 to 1.
    ///
    /// # Errors
    /// [`Error::Value`] unless both are finite and `low` < `high`.
    pub fn with_range(mut self, low: f32, high: f32) -> Result<Self> {
        check_range("MinMaxScaler::with_range", low, high)?;
        (self.low, self.high) = (f64::from(low), f64::from(high));
        Ok(self)
    }

    /// The minimum of each column.
    pub fn min(&self) -> &[f64] {
        &self.min
    }

    /// The maximum of each column.
    pub fn max(&self) -> &[f64] {
        &self.max
    }

    /// `(x - min) / (max - min) * (high - low) + low`.
    ///
    /// # Errors
    /// [`Error::Shape`] where `x` has another number of columns than the matrix fitted.
    pub fn transform(&self, x: &Matrix) -> Result<Matrix> {
        let (low, span) = (self.low, self.high - self.low);
        map_columns("MinMaxScaler::transform", x, &self.columns(), |x, (min, range)| (x - min) / range * span + low)
    }

    /// From scaled values back to those of the data.
    ///
    /// # Errors
    /// [`Error::Shape`] where `y` has another number of columns than the matrix fitted.
    pub fn inverse(&self, y: &Matrix) -> Result<Matrix> {
        let (low, span) = (self.low, self.high - self.low);
        map_columns("MinMaxScaler::inverse", y, &self.columns(), |y, (min, range)| (y - low) / span * range + min)
    }

    fn columns(&self) -> Vec<(f64, f64)> {
        self.min.iter().zip(&self.max).map(|(&min, &max)| (min, divisor(max - min))).collect()
    }
}

/// Scales each column by what outliers do not move: `y = (x - median) / (q75 - q25)`.
///
/// The quartiles are interpolated between neighbours, as scikit-learn's `RobustScaler` has them. A column whose quartiles
/// are equal is moved by its median and else left as it is.
///
/// ```
/// use axone::data::{Matrix, RobustScaler};
/// let x = Matrix::from([[1.0], [2.0], [3.0], [4.0], [1000.0]]);
/// let scaler = RobustScaler::fit(&x)?;
/// assert_eq!((scaler.center(), scaler.spread()), (&[3.0][..], &[2.0][..]));
/// let y = scaler.transform(&x)?;
/// assert_eq!(y.data(), [-1.0, -0.5, 0.0, 0.5, 498.5]);
/// assert_eq!(scaler.inverse(&y)?, x);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(try_from = "stored::StoredRobust"))]
pub struct RobustScaler {
    center: Vec<f64>, // (columns)
    spread: Vec<f64>, // (columns), 0 where the quartiles are equal
}

impl RobustScaler {
    /// Median and interquartile range of each column of `x`: fit on the training part only.
    ///
    /// # Errors
    /// [`Error::Data`] for a matrix without rows and for NaN or infinity.
    pub fn fit(x: &Matrix) -> Result<Self> {
        check_fit("RobustScaler::fit", x)?;
        let (mut center, mut spread) = (Vec::with_capacity(x.cols()), Vec::with_capacity(x.cols()));
        for col in 0..x.cols() {
            let column: Vec<f64> = x.data().iter().skip(col).step_by(x.cols()).copied().map(f64::from).collect();
            let sorted = sorted(&column);
            let at = |share| quantile(&sorted, share).unwrap_or_default();
            center.push(at(0.5));
            spread.push(at(0.75) - at(0.25));
        }
        Ok(Self { center, spread })
    }

    /// The median of each column.
    pub fn center(&self) -> &[f64] {
        &self.center
    }

    /// The upper less the lower quartile of each column.
    pub fn spread(&self) -> &[f64] {
        &self.spread
    }

    /// `(x - median) / (q75 - q25)`.
    ///
    /// # Errors
    /// [`Error::Shape`] where `x` has another number of columns than the matrix fitted.
    pub fn transform(&self, x: &Matrix) -> Result<Matrix> {
        map_columns("RobustScaler::transform", x, &self.columns(), |x, (center, spread)| (x - center) / spread)
    }

    /// From scaled values back to those of the data.
    ///
    /// # Errors
    /// [`Error::Shape`] where `y` has another number of columns than the matrix fitted.
    pub fn inverse(&self, y: &Matrix) -> Result<Matrix> {
        map_columns("RobustScaler::inverse", y, &self.columns(), |y, (center, spread)| y * spread + center)
    }

    fn columns(&self) -> Vec<(f64, f64)> {
        self.center.iter().zip(&self.spread).map(|(&center, &spread)| (center, divisor(spread))).collect()
    }
}

fn check_range<T: Copy + Display + Into<f64>>(place: &str, low: T, high: T) -> Result<()> {
    let (least, most): (f64, f64) = (low.into(), high.into());
    if least.is_finite() && most.is_finite() && least < most {
        return Ok(());
    }
    Err(Error::value(place, "range", "finite, from low to high", format!("{low} to {high}")))
}

/// 1 for the spread of a constant column.
fn divisor(spread: f64) -> f64 {
    if spread == 0.0 { 1.0 } else { spread }
}

fn check_fit(place: &str, x: &Matrix) -> Result<()> {
    if x.rows() == 0 {
        return Err(Error::data(place, "no rows"));
    }
    x.check_finite(place)
}

fn column_sums(x: &Matrix, term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut sums = vec![0.0; x.cols()];
    for row in x.iter_rows() {
        for (col, (sum, &value)) in sums.iter_mut().zip(row).enumerate() {
            *sum += term(col, f64::from(value));
        }
    }
    sums
}

fn extremes(x: &Matrix) -> Vec<(f64, f64)> {
    let mut columns = vec![(f64::INFINITY, f64::NEG_INFINITY); x.cols()];
    for row in x.iter_rows() {
        for ((low, high), &value) in columns.iter_mut().zip(row) {
            (*low, *high) = (low.min(f64::from(value)), high.max(f64::from(value)));
        }
    }
    columns
}

fn map_columns(place: &str, x: &Matrix, columns: &[(f64, f64)], f: impl Fn(f64, (f64, f64)) -> f64) -> Result<Matrix> {
    if x.cols() != columns.len() {
        return Err(Error::shape(place, format!("{} columns as fitted", columns.len()), x.cols()));
    }
    let mut data = Vec::with_capacity(x.data().len());
    for row in x.iter_rows() {
        data.extend(row.iter().zip(columns).map(|(&value, &column)| f(f64::from(value), column) as f32));
    }
    Matrix::new(x.rows(), x.cols(), data)
}
