//! Arrays of the crate `ndarray`, in and out.

use super::{Matrix, Targets};
use crate::Error;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

impl Matrix {
    /// A view of the values as `(rows, cols)`, without a copy.
    ///
    /// ```
    /// let x = axone::data::Matrix::from([[1.0, 2.0], [3.0, 4.0]]);
    /// assert_eq!(x.view().column(1).sum(), 6.0);
    /// ```
    pub fn view(&self) -> ArrayView2<'_, f32> {
        let view = ArrayView2::from_shape((self.rows(), self.cols()), self.data());
        view.unwrap_or_else(|_| ArrayView2::from(&[[0.0; 0]; 0]))
    }
}

/// A copy in row-major order, whatever the strides.
///
/// ```
/// use axone::data::{Dataset, Matrix};
/// let x = ndarray::array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]];
/// assert_eq!(Matrix::from(x.t()).data(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
/// let set = Dataset::new(x.view(), ndarray::array![0_i64, 1, 1].view())?;
/// assert_eq!((set.len(), set.classes()), (3, Some(2)));
/// # Ok::<(), axone::Error>(())
/// ```
impl From<ArrayView2<'_, f32>> for Matrix {
    fn from(view: ArrayView2<'_, f32>) -> Self {
        let (rows, cols) = view.dim();
        // As many values as rows times columns, so it cannot fail.
        Matrix::new(rows, cols, view.iter().copied().collect()).unwrap_or_default()
    }
}

/// A copy in row-major order.
impl From<&Array2<f32>> for Matrix {
    fn from(array: &Array2<f32>) -> Self {
        array.view().into()
    }
}

/// A copy in row-major order.
impl From<Array2<f32>> for Matrix {
    fn from(array: Array2<f32>) -> Self {
        array.view().into()
    }
}

/// The values, without a copy.
impl From<Matrix> for Array2<f32> {
    fn from(matrix: Matrix) -> Self {
        let shape = (matrix.rows(), matrix.cols());
        Array2::from_shape_vec(shape, matrix.into_data()).unwrap_or_default()
    }
}

/// Numbers, as many a row as there are columns.
impl From<ArrayView2<'_, f32>> for Targets {
    fn from(view: ArrayView2<'_, f32>) -> Self {
        Targets::Values(view.into())
    }
}

/// One number a row.
impl From<ArrayView1<'_, f32>> for Targets {
    fn from(view: ArrayView1<'_, f32>) -> Self {
        view.to_vec().into()
    }
}

/// One number a row.
impl From<Array1<f32>> for Targets {
    fn from(array: Array1<f32>) -> Self {
        array.to_vec().into()
    }
}

macro_rules! labels {
    ($($label:ty)*) => {$(
        /// Class numbers.
        impl TryFrom<ArrayView1<'_, $label>> for Targets {
            type Error = Error;

            fn try_from(view: ArrayView1<'_, $label>) -> Result<Self, Error> {
                view.to_vec().try_into().map_err(Error::from)
            }
        }

        /// Class numbers.
        impl TryFrom<Array1<$label>> for Targets {
            type Error = Error;

            fn try_from(array: Array1<$label>) -> Result<Self, Error> {
                array.view().try_into()
            }
        }
    )*};
}

labels!(bool u8 u16 u32 u64 usize i8 i16 i32 i64 isize);
