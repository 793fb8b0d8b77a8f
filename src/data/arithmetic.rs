//! Matrix arithmetic: what the glue between models is written with. For what a model computes there are layers.

use super::Matrix;
use crate::{Error, Result};
use std::ops::{Add, Index, Mul, Neg, Sub};

impl Matrix {
    /// `f` of each pair of values in the same place: `c[i, j] = f(a[i, j], b[i, j])`.
    ///
    /// # Errors
    /// [`Error::Shape`] where `other` has other rows or columns.
    ///
    /// ```
    /// use axone::data::Matrix;
    ///
    /// let (a, b) = (Matrix::from([[1.0, 5.0]]), Matrix::from([[3.0, 2.0]]));
    /// assert_eq!(a.zip_map(&b, f32::max)?.data(), [3.0, 5.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn zip_map(&self, other: &Self, mut f: impl FnMut(f32, f32) -> f32) -> Result<Self> {
        if (self.rows(), self.cols()) != (other.rows(), other.cols()) {
            return Err(Error::shape("Matrix::zip_map", shape(self), shape(other)));
        }
        let data = self.data().iter().zip(other.data()).map(|(a, b)| f(*a, *b)).collect();
        Self::new(self.rows(), self.cols(), data)
    }

    /// The rows of all `parts`, one below the other; no parts make a `(0, 0)` matrix.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the first part with another number of columns than part 0.
    ///
    /// ```
    /// use axone::data::Matrix;
    ///
    /// let both = Matrix::vstack(&[&Matrix::from([[1.0, 2.0]]), &Matrix::from([[3.0, 4.0], [5.0, 6.0]])])?;
    /// assert_eq!((both.rows(), both.row(2)), (3, Some(&[5.0, 6.0][..])));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn vstack(parts: &[&Self]) -> Result<Self> {
        let (mut rows, cols) = (0, parts.first().map_or(0, |part| part.cols()));
        let mut data = Vec::with_capacity(parts.iter().map(|part| part.data().len()).sum());
        for (i, part) in parts.iter().enumerate() {
            if part.cols() != cols {
                let wanted = format!("{cols} columns as in part 0");
                return Err(Error::shape(format!("Matrix::vstack, part {i}"), wanted, part.cols()));
            }
            rows += part.rows();
            data.extend_from_slice(part.data());
        }
        Self::new(rows, cols, data)
    }

    /// The columns of all `parts`, side by side; no parts make a `(0, 0)` matrix.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the first part with another number of rows than part 0.
    ///
    /// ```
    /// use axone::data::Matrix;
    ///
    /// let both = Matrix::hstack(&[&Matrix::from([[1.0], [2.0]]), &Matrix::from([[3.0, 4.0], [5.0, 6.0]])])?;
    /// assert_eq!(both.row(1), Some(&[2.0, 5.0, 6.0][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn hstack(parts: &[&Self]) -> Result<Self> {
        let rows = parts.first().map_or(0, |part| part.rows());
        if let Some((i, part)) = parts.iter().enumerate().find(|(_, part)| part.rows() != rows) {
            let wanted = format!("{rows} rows as in part 0");
            return Err(Error::shape(format!("Matrix::hstack, part {i}"), wanted, part.rows()));
        }
        let cols = parts.iter().map(|part| part.cols()).sum();
        let row = |row: usize| parts.iter().flat_map(move |part| part.row(row).unwrap_or_default());
        Self::new(rows, cols, (0..rows).flat_map(row).copied().collect())
    }

    /// The column of the largest value of each row, the first of equal ones: the class that a row of scores means. A NaN
    /// is never the largest; a row of nothing else gives column 0.
    ///
    /// ```
    /// let scores = axone::data::Matrix::from([[0.1, 0.7, 0.2], [0.5, 0.1, 0.5]]);
    /// assert_eq!(scores.argmax(), [1, 0]);
    /// ```
    pub fn argmax(&self) -> Vec<usize> {
        let of_row = |row: &[f32]| {
            let mut best: Option<(usize, f32)> = None;
            for (col, &value) in row.iter().enumerate() {
                if !value.is_nan() && best.is_none_or(|(_, most)| value > most) {
                    best = Some((col, value));
                }
            }
            best.map_or(0, |(col, _)| col)
        };
        self.iter_rows().map(of_row).collect()
    }

    /// The softmax of each row: `exp(x[i, j] - m) / Σ exp(x[i, k] - m)` with the row's largest value m. Divide by a
    /// temperature before it, to make the shares more alike.
    ///
    /// ```
    /// let shares = axone::data::Matrix::from([[0.0, 2f32.ln()]]).softmax();
    /// assert!((shares[(0, 1)] - 2.0 / 3.0).abs() < 1e-6);
    /// ```
    pub fn softmax(&self) -> Self {
        let cols = self.cols().max(1);
        let mut out = self.clone();
        for row in out.data_mut().chunks_mut(cols) {
            let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            row.iter_mut().for_each(|value| *value = (*value - most).exp());
            let sum: f32 = row.iter().sum();
            row.iter_mut().for_each(|value| *value /= sum);
        }
        out
    }
}

fn shape(matrix: &Matrix) -> String {
    format!("{} x {}", matrix.rows(), matrix.cols())
}

/// Element `(row, column)`. As with slices, an index outside panics; [`Matrix::row`] returns an `Option`.
impl Index<(usize, usize)> for Matrix {
    type Output = f32;

    fn index(&self, (row, col): (usize, usize)) -> &f32 {
        let cols = self.cols();
        &self.data()[row * cols..][..cols][col]
    }
}

/// The sum of values in the same places; [`Error::Shape`] where the shapes differ.
impl Add for &Matrix {
    type Output = Result<Matrix>;

    fn add(self, other: Self) -> Result<Matrix> {
        self.zip_map(other, Add::add)
    }
}

/// The difference of values in the same places; [`Error::Shape`] where the shapes differ.
impl Sub for &Matrix {
    type Output = Result<Matrix>;

    fn sub(self, other: Self) -> Result<Matrix> {
        self.zip_map(other, Sub::sub)
    }
}

/// The product of values in the same places, no matrix product; [`Error::Shape`] where the shapes differ.
impl Mul for &Matrix {
    type Output = Result<Matrix>;

    fn mul(self, other: Self) -> Result<Matrix> {
        self.zip_map(other, Mul::mul)
    }
}

/// Every value times a number.
impl Mul<f32> for &Matrix {
    type Output = Matrix;

    fn mul(self, factor: f32) -> Matrix {
        self.clone().map(|value| value * factor)
    }
}

/// Every value with the other sign.
impl Neg for &Matrix {
    type Output = Matrix;

    fn neg(self) -> Matrix {
        self.clone().map(Neg::neg)
    }
}
