//! A table of numbers in row-major order: element `(row, col)` is `data[row * cols + col]`.
//!
//! `data.len() == rows * cols` holds from construction on, because the fields are private and every
//! constructor checks it. So a row is a slice, a batch is a gather of slices, and the whole table uploads to a
//! device as it lies.

use crate::{Error, Result};
use std::fmt;

/// A dense `(rows, cols)` table of `f32` in row-major order: one sample a row, one feature a column.
///
/// ```
/// use axone::data::Matrix;
/// let x = Matrix::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
/// assert_eq!((x.rows(), x.cols()), (3, 2));
/// assert_eq!(x.row(1), Some(&[3.0, 4.0][..]));
/// assert_eq!(x.row(3), None);
/// ```
///
/// The default is the empty `(0, 0)` matrix.
#[derive(Clone, Default, PartialEq)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    data: Vec<f32>, // (rows, cols)
}

impl Matrix {
    /// A `(rows, cols)` matrix of `data`, row after row.
    ///
    /// # Errors
    /// [`Error::Shape`] where `data` does not hold exactly `rows * cols` values.
    ///
    /// ```
    /// use axone::data::Matrix;
    /// let x = Matrix::new(2, 3, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0])?;
    /// assert_eq!(x.row(1), Some(&[4.0, 5.0, 6.0][..]));
    /// assert!(Matrix::new(2, 3, vec![1.0]).is_err());
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn new(rows: usize, cols: usize, data: Vec<f32>) -> Result<Self> {
        if rows.checked_mul(cols) == Some(data.len()) {
            return Ok(Self { rows, cols, data });
        }
        let expected = (rows as u128) * (cols as u128);
        Err(Error::shape(
            "Matrix::new",
            format!("{rows} x {cols} = {expected} values"),
            format!("{} values", data.len()),
        ))
    }

    /// A matrix of rows of equal length; no rows make a `(0, 0)` matrix.
    ///
    /// # Errors
    /// [`Error::Shape`] naming the first row whose length differs from row 0.
    ///
    /// ```
    /// use axone::data::Matrix;
    /// let x = Matrix::from_rows(vec![vec![1.0, 2.0], vec![3.0, 4.0]])?;
    /// assert_eq!(x.data(), [1.0, 2.0, 3.0, 4.0]);
    /// let error = Matrix::from_rows([vec![1.0, 2.0], vec![3.0]]).unwrap_err();
    /// assert_eq!(error.to_string(), "Matrix::from_rows, row 1: expected 2 values as in row 0, got 1");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn from_rows(rows: impl IntoIterator<Item = impl AsRef<[f32]>>) -> Result<Self> {
        let mut matrix = Self { rows: 0, cols: 0, data: Vec::new() };
        for row in rows {
            let row = row.as_ref();
            if matrix.rows == 0 {
                matrix.cols = row.len();
            } else if row.len() != matrix.cols {
                let place = format!("Matrix::from_rows, row {}", matrix.rows);
                return Err(Error::shape(place, format!("{} values as in row 0", matrix.cols), row.len()));
            }
            matrix.data.extend_from_slice(row);
            matrix.rows += 1;
        }
        Ok(matrix)
    }

    /// A matrix of one column, one value a row: the shape of a single regression target.
    pub fn column(values: Vec<f32>) -> Self {
        Self { rows: values.len(), cols: 1, data: values }
    }

    /// Number of rows (samples).
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns (features).
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// All values, row after row.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    pub(super) fn data_mut(&mut self) -> &mut [f32] {
        &mut self.data
    }

    /// The values, row after row, without a copy.
    pub fn into_data(self) -> Vec<f32> {
        self.data
    }

    /// Row `index`, or `None` from [`rows`](Self::rows) on.
    pub fn row(&self, index: usize) -> Option<&[f32]> {
        if index >= self.rows {
            return None;
        }
        self.data.get(index * self.cols..(index + 1) * self.cols)
    }

    /// The rows from first to last.
    ///
    /// ```
    /// let x = axone::data::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let sums: Vec<f32> = x.iter_rows().map(|row| row.iter().sum()).collect();
    /// assert_eq!(sums, [3.0, 7.0]);
    /// ```
    pub fn iter_rows(&self) -> impl ExactSizeIterator<Item = &[f32]> + '_ {
        (0..self.rows).map(|index| self.row(index).unwrap_or_default())
    }

    /// A matrix of the rows named, in that order; a row may be named more than once.
    ///
    /// # Errors
    /// [`Error::Value`] naming the first index that is not below [`rows`](Self::rows).
    ///
    /// ```
    /// let x = axone::data::Matrix::from([[1.0], [2.0], [3.0]]);
    /// assert_eq!(x.select(&[2, 0])?.data(), [3.0, 1.0]);
    /// assert!(x.select(&[3]).is_err());
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        check_rows("Matrix::select", rows, self.rows)?;
        Ok(self.gather(rows))
    }

    /// `select` of indices known to be in range.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        let mut data = Vec::with_capacity(rows.len() * self.cols);
        rows.iter().filter_map(|&index| self.row(index)).for_each(|row| data.extend_from_slice(row));
        Self { rows: rows.len(), cols: self.cols, data }
    }

    /// Every value through `f`.
    ///
    /// ```
    /// let x = axone::data::Matrix::from([[0.0, 255.0]]).map(|pixel| pixel / 255.0);
    /// assert_eq!(x.data(), [0.0, 1.0]);
    /// ```
    pub fn map(mut self, mut f: impl FnMut(f32) -> f32) -> Self {
        self.data.iter_mut().for_each(|value| *value = f(*value));
        self
    }

    /// Refuses NaN and infinity; `name` says whose values they are.
    ///
    /// # Errors
    /// [`Error::Data`] with the row, the column and the value of the first one.
    ///
    /// ```
    /// let x = axone::data::Matrix::from([[1.0, 2.0], [3.0, f32::NAN]]);
    /// let error = x.check_finite("pixels").unwrap_err();
    /// assert_eq!(error.to_string(), "pixels row 1, column 1: NaN is not a finite number");
    /// ```
    pub fn check_finite(&self, name: &str) -> Result<()> {
        if are_finite(&self.data) {
            return Ok(());
        }
        let Some((index, value)) = self.data.iter().enumerate().find(|(_, value)| !value.is_finite()) else {
            return Ok(());
        };
        // A value exists, so cols > 0.
        let (row, col) = (index / self.cols, index % self.cols);
        Err(Error::data(format!("{name} row {row}, column {col}"), format!("{value} is not a finite number")))
    }
}

/// Whether no value is NaN or infinite.
pub(crate) fn are_finite(values: &[f32]) -> bool {
    struct Largest<'a>(&'a [f32]);

    impl pulp::WithSimd for Largest<'_> {
        type Output = u32;

        /// The largest bits without their sign, of which the compiler looks at a register at a time.
        #[inline(always)]
        fn with_simd<S: pulp::Simd>(self, _: S) -> u32 {
            self.0.iter().fold(0, |largest, value| largest.max(value.to_bits() & 0x7fff_ffff))
        }
    }

    pulp::Arch::new().dispatch(Largest(values)) < f32::INFINITY.to_bits()
}

/// Refuses row indices from `len` on.
pub(crate) fn check_rows(place: &str, rows: &[usize], len: usize) -> Result<()> {
    match rows.iter().enumerate().find(|&(_, &row)| row >= len) {
        Some((at, row)) => {
            Err(Error::value(place, "row index", format!("below {len}"), format!("{row} at position {at}")))
        }
        None => Ok(()),
    }
}

/// Shape and at most the first four rows of eight values: a data set is too long to print.
impl fmt::Debug for Matrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Matrix {} x {} [", self.rows, self.cols)?;
        for (index, row) in self.iter_rows().take(4).enumerate() {
            let more = if row.len() > 8 { ", .." } else { "" };
            let values: Vec<String> = row.iter().take(8).map(f32::to_string).collect();
            write!(f, "{}[{}{more}]", if index > 0 { ", " } else { "" }, values.join(", "))?;
        }
        write!(f, "{}]", if self.rows > 4 { ", .." } else { "" })
    }
}

impl<const N: usize, const M: usize> From<[[f32; N]; M]> for Matrix {
    fn from(rows: [[f32; N]; M]) -> Self {
        Self { rows: M, cols: N, data: rows.into_iter().flatten().collect() }
    }
}

impl<const N: usize> From<Vec<[f32; N]>> for Matrix {
    fn from(rows: Vec<[f32; N]>) -> Self {
        rows.as_slice().into()
    }
}

impl<const N: usize> From<&[[f32; N]]> for Matrix {
    fn from(rows: &[[f32; N]]) -> Self {
        Self { rows: rows.len(), cols: N, data: rows.as_flattened().to_vec() }
    }
}

impl From<&Matrix> for Matrix {
    fn from(matrix: &Matrix) -> Self {
        matrix.clone()
    }
}
