//! Arrays of `ndarray`, in and out.

use axone::data::{Dataset, Matrix, Targets};
use ndarray::{Array2, array, s};

#[test]
fn arrays_go_in_and_out() {
    let x = array![[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
    let matrix = Matrix::from(&x);
    assert_eq!((matrix.view(), Array2::from(matrix.clone())), (x.view(), x.clone()));
    assert_eq!(Matrix::from(x.slice(s![.., ..;-2])), Matrix::from([[3.0, 1.0], [6.0, 4.0]]));
    assert_eq!(Matrix::from(x.t().to_owned()).data(), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    let empty = Matrix::from(Array2::<f32>::zeros((0, 3)));
    assert_eq!((empty.rows(), empty.cols(), empty.view().dim()), (0, 3, (0, 3)));
}

#[test]
fn targets_come_from_arrays() {
    let x = || array![[1.0_f32], [2.0]];
    for set in [
        Dataset::new(x(), array![0_u8, 1].view()),
        Dataset::new(x(), array![0_i64, 1]),
        Dataset::new(x(), array![false, true]),
        Dataset::new(x(), array![0_u32, 1].view()),
    ] {
        assert_eq!(set.unwrap().targets()[0].labels(), Some(&[0, 1][..]));
    }
    assert_eq!(Targets::from(array![0.5_f32, 1.5]).values(), Some(&Matrix::from([[0.5], [1.5]])));
    assert_eq!(Targets::from(x().view()).values(), Some(&Matrix::from([[1.0], [2.0]])));
    let error = Dataset::new(x(), array![0_i32, -1]).unwrap_err().to_string();
    assert_eq!(error, "targets row 1: -1 is no class number (0 to 4294967295); as a value it must be f32");
}
