//! Sums over many rows, and statistics of columns that lie far from 0, on any device: right to rounding, whatever the
//! number of rows and the mean.

use super::{U32, assert_none, differences, numbers};
use axone::check::compare;
use axone::prelude::*;

/// Rows, and the middle of a column whose variance is 21.3.
const COLUMNS: [(usize, f32); 4] = [(4096, 1e5), (4096, 1e6), (100_000, 1e6), (70_000, -3e4)];

/// `middle`, `middle` + 1, … + 15 in turn: a variance of 255 / 12. Sums of such numbers are rounded towards the same side
/// again and again.
fn column(rows: usize, middle: f32) -> Matrix {
    Matrix::new(rows, 1, (0..rows).map(|row| middle + (row % 16) as f32).collect()).unwrap()
}

/// Mean and biased variance in f64.
fn statistics(x: &Matrix) -> (f64, f64) {
    let wide = || x.data().iter().map(|x| f64::from(*x));
    let count = x.rows() as f64;
    let mean = wide().sum::<f64>() / count;
    (mean, wide().map(|x| (x - mean).powi(2)).sum::<f64>() / count)
}

/// A batch normalisation that keeps the statistics of its last batch.
fn normalised(device: &Device) -> Model {
    let net = Sequential::new(1).add(BatchNorm::new().momentum(1.0));
    net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(1e-3)).unwrap()
}

/// The running mean and variance after one batch of all rows of `x`.
fn measured(device: &Device, x: &Matrix) -> (f64, f64) {
    let data = Dataset::new(x.clone(), vec![0.5; x.rows()]).unwrap();
    let mut model = normalised(device);
    model.fit(&data, &Fit::new().batch_size(x.rows()).silent()).unwrap();
    let weights = model.weights().unwrap();
    let of = |kind: &str| f64::from(weights.iter().find(|weight| weight.name.ends_with(kind)).unwrap().data[0]);
    (of(".mean"), of(".variance"))
}

/// The mean is rounded where it is stored. The variance: a few roundings a term, and sums of squares that pass 64 terms
/// at most before they are joined with others, `2 √64 u`; 24 u together, the unbiased factor included.
pub fn columns_far_from_zero_have_their_variance(device: &Device) {
    for (rows, middle) in COLUMNS {
        let x = column(rows, middle);
        let (mean, variance) = statistics(&x);
        let unbiased = variance * rows as f64 / (rows as f64 - 1.0);
        let got = measured(device, &x);
        let what = format!("{rows} rows around {middle:e}");
        assert_none(&differences(&format!("{what}: mean"), &[got.0], &[mean], |_| 2.0 * U32 * mean.abs()));
        assert_none(&differences(&format!("{what}: variance"), &[got.1], &[unbiased], |_| 24.0 * U32 * variance));
    }
}

pub fn a_constant_column_has_no_variance(device: &Device) {
    for (rows, value) in [(2, 0.1), (4097, 100_000.1), (100_000, -1e6 / 3.0), (70_001, 1e30)] {
        let x = Matrix::new(rows, 1, vec![value; rows]).unwrap();
        assert_eq!(measured(device, &x), (f64::from(value), 0.0), "{rows} rows of {value}");
    }
}

/// What `compare` derives from the order of the sums holds for such columns, too.
pub fn far_columns_agree_with_f64(device: &Device) {
    let rows = 4096;
    let x = Matrix::from_rows(column(rows, 1e5).data().iter().zip(numbers(32, rows)).map(|(far, near)| [*far, near]));
    let data = Dataset::new(x.unwrap(), numbers(33, rows)).unwrap();
    let net = Sequential::new(2).add(BatchNorm::new()).add(LayerNorm::new()).add(Dense::new(1));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let report = compare(&mut model, &data, rows, 2).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Rows of 5,000 numbers around 1e6: what one dense layer sees of them is what f64 makes of them.
pub fn far_rows_have_their_variance(device: &Device) {
    let (rows, cols) = (3, 5000);
    let far = numbers(34, rows * cols).into_iter().map(|x| 1e6 + 8.0 * x).collect();
    let x = Matrix::new(rows, cols, far).unwrap();
    let net = Sequential::new(cols).add(LayerNorm::new());
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let y = model.predict(&x).unwrap();
    for (x, y) in x.iter_rows().zip(y.iter_rows()) {
        let (mean, variance) = statistics(&Matrix::new(cols, 1, x.to_vec()).unwrap());
        let deviation = (variance + 1e-5).sqrt();
        let want: Vec<f64> = x.iter().map(|x| (f64::from(*x) - mean) / deviation).collect();
        let got: Vec<f64> = y.iter().map(|y| f64::from(*y)).collect();
        // The mean is held in f32.
        let mean_bound = U32 * mean.abs() / deviation;
        assert_none(&differences("row", &got, &want, |i| mean_bound + 32.0 * U32 * want[i].abs()));
    }
    let level = model.predict(&Matrix::new(1, cols, vec![1e6 / 3.0; cols]).unwrap()).unwrap();
    assert!(level.data().iter().all(|y| *y == 0.0), "{:?}", &level.data()[..4]);
}

fn gradient(model: &mut Model, data: &Dataset, kind: &str) -> Vec<f64> {
    model.compute_gradients(data).unwrap();
    let found = model.gradients().unwrap().into_iter().find(|gradient| gradient.name.ends_with(kind)).unwrap();
    found.data.iter().map(|x| f64::from(*x)).collect()
}

/// Equal terms are rounded the same way every time, so that a single chain strays by thousands of u.
pub fn equal_bias_gradients_add_up(device: &Device) {
    for (rows, width) in [(100_000, 1), (20_000, 256)] {
        let net = Sequential::new(width).add(Dense::new(width));
        let mut model = net.compile(device.clone(), Loss::MeanAbsoluteError, Sgd::new(0.1)).unwrap();
        let ones = Matrix::new(rows, width, vec![1.0; rows * width]).unwrap();
        let data = Dataset::new(Matrix::new(rows, width, vec![0.0; rows * width]).unwrap(), ones).unwrap();
        // The factor of a row is rounded, and its share of a column.
        let want = vec![-1.0 / width as f64; width];
        let got = gradient(&mut model, &data, ".b");
        let name = format!("{rows} rows of {width}");
        assert_none(&differences(&name, &got, &want, |_| 24.0 * U32 / width as f64));
    }
}

/// The same for the rows of a table that many rows of the batch name, and for scale and shift of a normalisation.
pub fn equal_gradients_of_a_table_add_up(device: &Device) {
    let rows = 60_000;
    let net = Sequential::new(1).add(Embedding::new(3, 1));
    let mut model = net.compile(device.clone(), Loss::MeanAbsoluteError, Sgd::new(0.1)).unwrap();
    let picked = (0..rows).map(|row| [(row % 3) as f32]);
    let data = Dataset::new(Matrix::from_rows(picked).unwrap(), vec![10.0; rows]).unwrap();
    let got = gradient(&mut model, &data, "");
    assert_none(&differences("table", &got, &[-1.0 / 3.0; 3], |_| 24.0 * U32 / 3.0));

    let net = Sequential::new(1).add(BatchNorm::new());
    let mut model = net.compile(device.clone(), Loss::MeanAbsoluteError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new(column(rows, 0.0), vec![10.0; rows]).unwrap();
    assert_none(&differences("shift", &gradient(&mut model, &data, ".shift"), &[-1.0], |_| 24.0 * U32));
}
