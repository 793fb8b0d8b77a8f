//! Predictors: the numbers of `predict`, from any number of rows and threads.

use super::api::{branched, images};
use super::layers::{everything, table};
use super::{U32, matrix};
use axone::model::Predictor;
use axone::prelude::*;

pub fn chain(device: &Device, widths: &[usize]) -> Model {
    let mut net = Sequential::new(widths[0]);
    for &units in &widths[1..widths.len() - 1] {
        net = net.add(Dense::new(units).activation(Activation::Relu));
    }
    let classes = widths[widths.len() - 1];
    net = net.add(Dense::new(classes).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap()
}

/// Chains of widths that no register divides, whatever the rows: the bits of each row alone, and what `predict` gives.
/// The widest is a sum of 784 numbers, for which the model's own product may begin a second chain.
pub fn a_row_gives_the_same_whatever_comes_with_it(device: &Device) {
    for widths in [&[1, 2][..], &[3, 7, 2], &[5, 33, 17, 10], &[64, 32, 10], &[784, 130, 3]] {
        let mut model = chain(device, widths);
        let predictor = model.predictor().unwrap();
        let x = matrix(5, 200, widths[0]);
        let all = predictor.predict(&x).unwrap();
        for (row, (x, y)) in x.iter_rows().zip(all.iter_rows()).enumerate().step_by(37) {
            let alone = predictor.predict(&Matrix::new(1, x.len(), x.to_vec()).unwrap()).unwrap();
            assert_eq!(alone.data(), y, "{widths:?}, row {row}");
        }
        for rows in [1, 2, 3, 4, 5, 31, 63, 64, 65, 127, 129] {
            let part = Matrix::new(rows, x.cols(), x.data()[..rows * x.cols()].to_vec()).unwrap();
            let got = predictor.predict(&part).unwrap();
            assert_eq!(got.data(), &all.data()[..rows * all.cols()], "{widths:?}, {rows} rows");
        }
        let expected = model.predict(&x).unwrap();
        let worst = all.data().iter().zip(expected.data()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // Probabilities: below 1, and logits of a size of 1 whose sums are of at most 784 products.
        assert!(f64::from(worst) <= 784.0 * U32, "{widths:?}: {worst}");
    }
}

/// Every kind of layer, several inputs and outputs.
pub fn every_layer_is_served(device: &Device) {
    let (mut model, data) = (everything(device), table(70));
    model.fit(&data, &Fit::new().epochs(2).batch_size(8).silent()).unwrap();
    agrees(&mut model, data.inputs());
    agrees(&mut branched(device), images(70).inputs());
    // No kernel at all.
    let mut as_it_is =
        Sequential::new(3).add(Flatten).compile(device.clone(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    agrees(&mut as_it_is, &[matrix(8, 70, 3)]);
}

/// Sums of at most 784 products of numbers near 1, in another order at most.
fn agrees(model: &mut Model, inputs: &[Matrix]) {
    let expected = model.predict_all(inputs).unwrap();
    let got = model.predictor().unwrap().predict_all(inputs).unwrap();
    assert_eq!(expected.len(), got.len());
    for (expected, got) in expected.iter().zip(&got) {
        for (a, b) in expected.data().iter().zip(got.data()) {
            assert!(f64::from((a - b).abs()) <= 784.0 * U32 * f64::from(a.abs().max(1.0)), "{a} {b}");
        }
    }
}

/// A predictor from a file is that of the model in it, and a damaged file is refused as it is for a model.
pub fn a_file_is_served(device: &Device) {
    let path =
        std::env::temp_dir().join(format!("axone-served-{}-{}.safetensors", device.is_gpu(), std::process::id()));
    let (mut model, data) = (everything(device), table(70));
    model.fit(&data, &Fit::new().epochs(2).batch_size(8).silent()).unwrap();
    model.save(&path).unwrap();
    // The file holds f32, whatever the model computes in.
    let mut again = Model::load_from(&path, device.clone()).unwrap();
    let expected = again.predictor().unwrap().predict_all(data.inputs()).unwrap();
    let predictor = Predictor::load(&path, device.clone()).unwrap();
    assert_eq!(predictor.predict_all(data.inputs()).unwrap(), expected);
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() - 4]).unwrap();
    let refused = |error: axone::Error| error.to_string();
    let expected = refused(Model::load_from(&path, device.clone()).map(drop).unwrap_err());
    assert_eq!(refused(Predictor::load(&path, device.clone()).map(drop).unwrap_err()), expected);
    std::fs::remove_file(&path).unwrap();
}

/// Where a number is none is said as `predict` says it, wherever it stands.
pub fn numbers_that_are_none_are_named(device: &Device) {
    let mut model = chain(device, &[5, 8, 3]);
    let predictor = model.predictor().unwrap();
    for (row, column, value) in [(0, 0, f32::NAN), (150, 2, f32::INFINITY), (299, 4, f32::NEG_INFINITY)] {
        let mut data = matrix(9, 300, 5).data().to_vec();
        data[row * 5 + column] = value;
        let x = Matrix::new(300, 5, data).unwrap();
        let error = predictor.predict(&x).unwrap_err().to_string();
        assert_eq!(error, model.predict(&x).unwrap_err().to_string());
        assert!(error.contains(&format!("row {row}, column {column}")), "{error}");
    }
}

/// Threads that predict at a time; the model may train on meanwhile.
pub fn threads_share_it(device: &Device) {
    let mut model = chain(device, &[20, 40, 4]);
    let predictor = model.predictor().unwrap();
    let x = matrix(6, 300, 20);
    let expected = predictor.predict(&x).unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (predictor, x, expected) = (predictor.clone(), &x, &expected);
            scope.spawn(move || {
                for _ in 0..20 {
                    assert_eq!(&predictor.predict(x).unwrap(), expected);
                }
            });
        }
        let labels = super::labels(&x, 4);
        let data = Dataset::new(x.clone(), labels).unwrap();
        model.fit(&data, &Fit::new().epochs(2).silent()).unwrap();
    });
    assert_eq!(predictor.predict(&x).unwrap(), expected);
    assert_ne!(model.predict(&x).unwrap(), expected);
}

pub fn what_does_not_fit_is_refused(device: &Device) {
    let predictor = chain(device, &[3, 2]).predictor().unwrap();
    let wide = predictor.predict(&matrix(1, 2, 4)).unwrap_err();
    assert_eq!(wide.to_string(), "dense_1: expected input (B, 3), got (B, 4)");
    let error = predictor.predict(&Matrix::from([[0.0, f32::NAN, 0.0]])).unwrap_err();
    assert_eq!(error.to_string(), "inputs[0] row 0, column 1: NaN is not a finite number");
    assert!(predictor.predict_all(&[]).is_err());
    assert!(predictor.predict(&Matrix::new(0, 3, Vec::new()).unwrap()).is_err());
}
