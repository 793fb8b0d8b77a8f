//! Sizes that the library chooses fit the device. Devices with small limits stand for large models and data on real
//! ones: results are the bits of the device as it is, whatever had to be done in smaller batches or in parts.

use super::api::limited;
use crate::common::api::{bits, flat};
use crate::common::{labels, matrix};
use crate::need_device;
use axone::prelude::*;
use axone::train::RangeTest;

/// A device that binds at most `bytes` of a buffer, on the adapter of `device`.
fn narrow(device: &Device, bytes: u64) -> Device {
    limited(device, |limits| limits.max_storage_buffer_binding_size = bytes).0
}

fn classifier(device: &Device, inputs: usize, classes: usize) -> Result<Model> {
    let net = Sequential::new(inputs).add(Dense::new(classes).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.1))
}

fn samples(rows: usize, inputs: usize, classes: u32) -> Dataset {
    let x = matrix(5, rows, inputs);
    let y = labels(&x, classes);
    Dataset::new(x, y).unwrap()
}

fn too_large<T>(outcome: Result<T>) -> String {
    match outcome {
        Err(Error::TooLarge { what, .. }) => what,
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("nothing was too large"),
    }
}

/// 1,024 rows of 500 columns are 2 MB, where 256 KiB are allowed: as 50,000 units are on lavapipe.
#[test]
fn a_prediction_fits() {
    let device = need_device!();
    let x = matrix(1, 1100, 3);
    let predict = |device: &Device| classifier(device, 3, 500).unwrap().predict(&x).unwrap();
    assert_eq!(predict(&narrow(&device, 1 << 18)).data(), predict(&device).data());
}

/// Of 256 rows, a batch of the evaluation, the logits of 500 classes are 512 KB.
#[test]
fn an_evaluation_fits() {
    let device = need_device!();
    let data = samples(300, 3, 500);
    let evaluate = |device: &Device| classifier(device, 3, 500).unwrap().evaluate(&data).unwrap();
    assert_eq!(evaluate(&narrow(&device, 1 << 18)), evaluate(&device));
    let fit = Fit::new().epochs(1).batch_size(4).validation(&data).silent();
    let train = |device: &Device| classifier(device, 3, 500).unwrap().fit(&data, &fit).unwrap().get("val_loss");
    assert_eq!(train(&narrow(&device, 1 << 18)), train(&device));
}

/// What every row logs may need more than the rows themselves.
#[test]
fn an_evaluation_whose_log_is_wide_fits() {
    let device = need_device!();
    let data = samples(300, 3, 20);
    let evaluate = |device: &Device| {
        let mut model = classifier(device, 3, 20).unwrap();
        model.set_metrics([Metric::RocAuc])?;
        model.evaluate(&data)
    };
    // 22 numbers a row and 256 rows.
    assert_eq!(evaluate(&narrow(&device, 16 * 1024)).unwrap(), evaluate(&device).unwrap());
}

/// A batch of 32, for which `compile` prepares, needs 128 KB here.
#[test]
fn compiling_fits() {
    let device = narrow(&need_device!(), 1 << 16);
    let net = Sequential::new(2).add(Dense::new(1000));
    let mut model = net.compile(device, Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new(matrix(1, 20, 2), matrix(2, 20, 1000)).unwrap();
    model.fit(&data, &Fit::new().epochs(2).batch_size(16).silent()).unwrap();
    // What the program asks for is refused, not changed.
    let what = too_large(model.fit(&data, &Fit::new().epochs(2).batch_size(20).silent()));
    assert!(what.ends_with("of plan train (batch 20)"), "{what}");
}

/// 18 million rows of one column are too long for lavapipe's log; 9,000 for this device's.
#[test]
fn the_log_is_read_in_parts() {
    let device = need_device!();
    let x = matrix(1, 9000, 1);
    let y = x.clone().map(|x| 2.0 * x + 1.0);
    let data = Dataset::new(x, y).unwrap();
    let compile = |device: &Device| {
        let net = Sequential::new(1).add(Dense::new(1));
        net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap()
    };
    let (narrow, fit) = (narrow(&device, 1 << 14), Fit::new().epochs(2).batch_size(16).seed(3).silent());
    let train = |device: &Device| {
        let mut model = compile(device);
        let history = model.fit(&data, &fit.clone().validation(&data)).unwrap();
        (history.get("loss"), history.get("val_mae"), bits(&mut model))
    };
    assert_eq!(train(&narrow), train(&device));
    let curve = |device: &Device| compile(device).range_test(&data, &RangeTest::new().steps(600).batch_size(16));
    assert_eq!(curve(&narrow).unwrap(), curve(&device).unwrap());
}

/// A wide input that no layer reads takes no part in what fits.
#[test]
fn only_what_is_read_counts() {
    let device = need_device!();
    let compile = |device: &Device| {
        let mut net = Network::new();
        let (used, _) = (net.input("used", 50).unwrap(), net.input("unused", 50).unwrap());
        let y = net.apply(Dense::new(1), used).unwrap();
        net.output(y).unwrap();
        net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap()
    };
    let x = matrix(1, 120, 50);
    let data = Dataset::new(x.clone(), matrix(2, 120, 1)).unwrap().with_input(x).unwrap();
    let train = |device: &Device| {
        let mut model = compile(device);
        model.fit(&data, &Fit::new().epochs(1).batch_size(16).silent()).unwrap();
        bits(&mut model)
    };
    assert_eq!(train(&narrow(&device, 1 << 14)), train(&device));
}

/// From the fifth size on, batches by hand are rounded up to powers of two: 300 rows to 512, whose columns do not fit.
#[test]
fn batches_by_hand_fit() {
    let device = need_device!();
    let train = |device: &Device| {
        let mut model = classifier(device, 2, 100).unwrap();
        for rows in [10, 30, 70, 150, 305, 311, 320] {
            model.train_on_batch(&samples(rows, 2, 100)).unwrap();
        }
        flat(model.weights().unwrap())
    };
    let limit = 4 * 100 * 340;
    assert_eq!(train(&narrow(&device, limit)), train(&device));
    let mut model = classifier(&narrow(&device, limit), 2, 100).unwrap();
    let what = too_large(model.train_on_batch(&samples(400, 2, 100)));
    assert!(what.contains("(batch 400)"), "{what}");
}

/// A profile visits eight batches, if they fit.
#[test]
fn a_profile_fits() {
    let device = narrow(&need_device!(), 1 << 14);
    let net = Sequential::new(50).add(Dense::new(1));
    let mut model = net.compile(device, Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new(matrix(1, 200, 50), matrix(2, 200, 1)).unwrap();
    assert_eq!(model.profile(&data, 20).unwrap().batch, 20);
}
