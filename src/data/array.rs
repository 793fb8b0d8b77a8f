//! Arrays of any number of sides, as files have them.

use super::Matrix;
use crate::{Error, Result, size};

/// The array of a file: numbers in row-major order, and the sides they are laid out by.
///
/// ```
/// use axone::data::Array;
/// let images = Array { shape: vec![2, 1, 3], data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
/// assert_eq!(images.into_matrix()?.row(1), Some(&[4.0, 5.0, 6.0][..]));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    /// Its sides, such as `[60000, 28, 28]`.
    pub shape: Vec<usize>,
    /// Its values in row-major order. An f64 is rounded to the nearest f32; an integer that f32 does not hold is an error.
    pub data: Vec<f32>,
}

impl Array {
    /// A matrix of one row for each index of the first side.
    ///
    /// # Errors
    /// [`Error::Shape`] where shape and data do not agree, which no reader returns.
    pub fn into_matrix(self) -> Result<Matrix> {
        let (rows, sides) = self.shape.split_first().map_or((1, &[][..]), |(rows, sides)| (*rows, sides));
        let cols = size::product(sides);
        let cols = cols.ok_or_else(|| Error::shape("Array", "a shape that fits memory", format!("{sides:?}")))?;
        Matrix::new(rows, cols, self.data)
    }

    /// Class labels.
    ///
    /// # Errors
    /// [`Error::Shape`] unless there is one side; [`Error::Data`] for a value that is no label, with its row.
    pub fn to_labels(&self) -> Result<Vec<u32>> {
        if self.shape.len() != 1 {
            return Err(Error::shape("labels", "one side, [rows]", format!("{:?}", self.shape)));
        }
        let label = |(row, &value): (usize, &f32)| {
            // Every label that no other is rounded to.
            if (0.0..16_777_216.0).contains(&value) && value.fract() == 0.0 {
                return Ok(value as u32);
            }
            Err(Error::data(format!("labels row {row}"), format!("{value} is not a class label")))
        };
        self.data.iter().enumerate().map(label).collect()
    }
}
