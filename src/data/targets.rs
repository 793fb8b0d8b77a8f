//! What a model is to predict: a class a row, or numbers a row.
//!
//! The two stay apart up to the loss, because class labels are indices: stored as `u32` they cost 4 bytes a row
//! instead of a one-hot row, and no rounding can turn one class into another.

use super::Matrix;
use crate::{Error, Result};
use std::fmt::Display;

/// The targets of one output, one row a sample.
///
/// Whatever converts into it can be given to [`Dataset::new`](super::Dataset::new): integers of any width and `bool`
/// become [`Classes`](Targets::Classes), f32 become [`Values`](Targets::Values), even where they are whole. An integer
/// below 0 or beyond `u32` is an error.
///
/// ```
/// use axone::data::Targets;
/// assert_eq!(Targets::from(vec![0, 2, 1]).classes(), Some(3));
/// assert_eq!(Targets::from(vec![0.5, 1.5]).width(), 1);
/// assert_eq!(Targets::from([[0.5, 1.5]]).width(), 2);
/// assert_eq!(Targets::from([false, true]).labels(), Some(&[0, 1][..]));
/// let error = Targets::try_from(vec![3_i64, -1]).unwrap_err();
/// assert_eq!(error.to_string(), "targets row 1: -1 is no class number (0 to 4294967295); as a value it must be f32");
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Targets {
    /// One class index a row, counted from 0; the model that is trained on them checks their range.
    Classes(Vec<u32>),
    /// One row of numbers a sample, `(rows, outputs)`: regression, or several yes/no answers as 0 and 1.
    Values(Matrix),
}

impl Targets {
    /// Number of rows.
    pub fn len(&self) -> usize {
        match self {
            Targets::Classes(labels) => labels.len(),
            Targets::Values(values) => values.rows(),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers a row: 1 for classes, the columns of the matrix for values.
    pub fn width(&self) -> usize {
        match self {
            Targets::Classes(_) => 1,
            Targets::Values(values) => values.cols(),
        }
    }

    /// Largest label + 1, the least number of classes that fits; `None` for values or without rows.
    pub fn classes(&self) -> Option<usize> {
        match self {
            Targets::Classes(labels) => labels.iter().max().map(|&label| (label as usize).saturating_add(1)),
            Targets::Values(_) => None,
        }
    }

    /// The labels, or `None` for values.
    pub fn labels(&self) -> Option<&[u32]> {
        match self {
            Targets::Classes(labels) => Some(labels),
            Targets::Values(_) => None,
        }
    }

    /// The values, or `None` for classes.
    pub fn values(&self) -> Option<&Matrix> {
        match self {
            Targets::Classes(_) => None,
            Targets::Values(values) => Some(values),
        }
    }

    /// The rows named, whose indices are known to be in range.
    pub(crate) fn gather(&self, rows: &[usize]) -> Self {
        match self {
            Targets::Classes(labels) => {
                Targets::Classes(rows.iter().filter_map(|&index| labels.get(index).copied()).collect())
            }
            Targets::Values(values) => Targets::Values(values.gather(rows)),
        }
    }
}

/// The class numbers `labels`, each checked.
fn checked<T: Copy + Display>(labels: &[T]) -> Result<Targets>
where
    u32: TryFrom<T>,
{
    let check = |(row, label): (usize, &T)| {
        u32::try_from(*label).map_err(|_| {
            let problem = format!("{label} is no class number (0 to {}); as a value it must be f32", u32::MAX);
            Error::data(format!("targets row {row}"), problem)
        })
    };
    labels.iter().enumerate().map(check).collect::<Result<_>>().map(Targets::Classes)
}

macro_rules! checked {
    ($($integer:ty)*) => {$(
        /// Class numbers.
        impl TryFrom<&[$integer]> for Targets {
            type Error = Error;

            fn try_from(labels: &[$integer]) -> Result<Self> {
                checked(labels)
            }
        }

        /// Class numbers.
        impl TryFrom<Vec<$integer>> for Targets {
            type Error = Error;

            fn try_from(labels: Vec<$integer>) -> Result<Self> {
                checked(&labels)
            }
        }

        /// Class numbers.
        impl<const N: usize> TryFrom<[$integer; N]> for Targets {
            type Error = Error;

            fn try_from(labels: [$integer; N]) -> Result<Self> {
                checked(&labels)
            }
        }
    )*};
}

// u8 and u16 cannot fail, but a `From` of theirs would leave the type of `Targets::from(vec![0, 1])` open.
checked!(u8 u16 u64 usize i8 i16 i32 i64 isize);

/// Class 0 for `false`, 1 for `true`.
impl From<&[bool]> for Targets {
    fn from(answers: &[bool]) -> Self {
        Targets::Classes(answers.iter().copied().map(u32::from).collect())
    }
}

/// Class 0 for `false`, 1 for `true`.
impl From<Vec<bool>> for Targets {
    fn from(answers: Vec<bool>) -> Self {
        answers.as_slice().into()
    }
}

/// Class 0 for `false`, 1 for `true`.
impl<const N: usize> From<[bool; N]> for Targets {
    fn from(answers: [bool; N]) -> Self {
        answers.as_slice().into()
    }
}

impl From<Vec<u32>> for Targets {
    fn from(labels: Vec<u32>) -> Self {
        Targets::Classes(labels)
    }
}

impl From<&[u32]> for Targets {
    fn from(labels: &[u32]) -> Self {
        Targets::Classes(labels.to_vec())
    }
}

impl<const N: usize> From<[u32; N]> for Targets {
    fn from(labels: [u32; N]) -> Self {
        Targets::Classes(labels.to_vec())
    }
}

impl From<Matrix> for Targets {
    fn from(values: Matrix) -> Self {
        Targets::Values(values)
    }
}

/// One number a row.
impl From<Vec<f32>> for Targets {
    fn from(values: Vec<f32>) -> Self {
        Targets::Values(Matrix::column(values))
    }
}

/// One number a row.
impl<const N: usize> From<[f32; N]> for Targets {
    fn from(values: [f32; N]) -> Self {
        Targets::Values(Matrix::column(values.to_vec()))
    }
}

impl<const N: usize> From<Vec<[f32; N]>> for Targets {
    fn from(rows: Vec<[f32; N]>) -> Self {
        Targets::Values(rows.into())
    }
}

impl<const N: usize, const M: usize> From<[[f32; N]; M]> for Targets {
    fn from(rows: [[f32; N]; M]) -> Self {
        Targets::Values(rows.into())
    }
}
