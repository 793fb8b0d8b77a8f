//! What a model does, on any device: the same checks run on the CPU and on the GPU.
//!
//! Where results in f32 are held against the f64 oracle: weights, inputs and mean gradients here are at most about 1
//! in size; a step of training rounds each number it touches some 16 times, and a learning rate of 0.1 lets no error
//! grow. So after s steps the two differ by at most 16 s u (`ROUNDINGS`), u = 2⁻²⁴.

use super::{U32, assert_none, differences, labels, matrix};
use axone::layers::Activation;
use axone::model::Weight;
use axone::prelude::*;

const ROUNDINGS: f64 = 16.0;

/// All numbers of `weights`, in order.
pub fn flat(weights: Vec<Weight>) -> Vec<f32> {
    weights.into_iter().flat_map(|weight| weight.data).collect()
}

/// Their bits: what "the same" means between two runs.
pub fn bits(model: &mut Model) -> Vec<u32> {
    flat(model.weights().unwrap()).into_iter().map(f32::to_bits).collect()
}

fn wide(model: &mut Model) -> Vec<f64> {
    flat(model.weights().unwrap()).into_iter().map(f64::from).collect()
}

/// A classifier of three classes on five inputs.
pub fn classifier(device: &Device, optimizer: impl Into<Optimizer>) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap()
}

/// `rows` rows for it.
pub fn samples(rows: usize) -> Dataset {
    let x = matrix(5, rows, 5);
    let y = labels(&x, 3);
    Dataset::new(x, y).unwrap()
}

fn settings() -> Fit {
    Fit::new().epochs(3).batch_size(4).seed(11).silent()
}

/// Two inputs (one an image), branches that are added and joined, dropout, two outputs.
pub fn branched(device: &Device) -> Model {
    let mut net = Network::new();
    let (image, extra) = (net.input("image", [28, 28]).unwrap(), net.input("extra", 3).unwrap());
    let flat = net.apply(Flatten, image).unwrap();
    let left = net.apply(Dense::new(8).activation(Activation::Relu), flat).unwrap();
    let right = net.apply(Dense::new(8).activation(Activation::Silu).named("side"), extra).unwrap();
    let sum = net.add(&[left, right]).unwrap();
    let sum = net.apply(Dropout::new(0.25), sum).unwrap();
    let both = net.concat(&[sum, extra]).unwrap();
    let digit = net.apply(Dense::new(4).activation(Activation::Softmax).named("digit"), both).unwrap();
    let size = net.apply(Dense::new(2).without_bias().named("size"), both).unwrap();
    net.output(digit).unwrap();
    net.output(size).unwrap();
    let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    net.compile(device.clone(), losses, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn images(rows: usize) -> Dataset {
    let (image, extra) = (matrix(1, rows, 784).map(|x| x / 28.0), matrix(2, rows, 3));
    let (digit, size) = (labels(&extra, 4), matrix(3, rows, 2));
    let data = Dataset::new(image, digit).unwrap().with_input_shape(&[28, 28]).unwrap();
    data.with_input(extra).unwrap().with_target(size).unwrap()
}

/// Loss, accuracy and predictions are those of the formulas, from the probabilities that `predict` gives.
pub fn evaluate_is_the_mean_over_the_rows(device: &Device) {
    let data = samples(21).with_weights((0..21).map(|row| 0.5 + row as f32 / 16.0).collect()).unwrap();
    let mut model = classifier(device, Sgd::new(0.1));
    model.fit(&data, &settings()).unwrap();
    let probabilities = model.predict(&data.inputs()[0]).unwrap();
    let (labels, weights) = (data.targets()[0].labels().unwrap(), data.weights().unwrap());
    let (mut loss, mut right, mut total) = (0.0, 0.0, 0.0);
    for ((p, label), weight) in probabilities.iter_rows().zip(labels).zip(weights) {
        assert!((p.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{p:?} does not add up to 1");
        loss -= f64::from(*weight) * f64::from(p[*label as usize]).ln();
        let best = p.iter().zip(0..).max_by(|a, b| a.0.total_cmp(b.0)).map(|(_, class)| class);
        right += f64::from(*weight) * f64::from(u8::from(best == Some(*label)));
        total += f64::from(*weight);
    }
    let got = model.evaluate(&data).unwrap();
    // The logarithm of a probability that is off by 32 u is off by 32 u, and so is the mean; accuracy is a sum of 21
    // weights.
    let allowed = 64.0 * U32;
    let values = [got.loss(), got.get("accuracy").unwrap()];
    assert_none(&differences("loss and accuracy", &values, &[loss / total, right / total], |_| allowed));
}

/// Ten rows in batches of four: the two rows of the last batch count as two rows.
pub fn a_partial_batch_counts_its_rows(device: &Device) {
    let data = samples(10);
    let once = settings().epochs(1).without_shuffle();
    let mut whole = classifier(device, Sgd::new(0.1));
    let history = whole.fit(&data, &once).unwrap();

    // Two more rows of weight 0 fill the last batch: the same bits, whatever these rows hold.
    let (mut x, mut y) = (data.inputs()[0].data().to_vec(), data.targets()[0].labels().unwrap().to_vec());
    x.extend([1e3; 10]);
    y.extend([2, 0]);
    let weights = [vec![1.0; 10], vec![0.0; 2]].concat();
    let filled = Dataset::new(Matrix::new(12, 5, x).unwrap(), y).unwrap().with_weights(weights).unwrap();
    let mut other = classifier(device, Sgd::new(0.1));
    let other_history = other.fit(&filled, &once).unwrap();
    assert_eq!(bits(&mut whole), bits(&mut other));
    assert_eq!(history.get("loss"), other_history.get("loss"));

    // The oracle, one fit for each batch, the last with a batch of two.
    let mut oracle = classifier(&Device::cpu_f64(), Sgd::new(0.1));
    let mut sum = 0.0;
    for rows in [vec![0, 1, 2, 3], vec![4, 5, 6, 7], vec![8, 9]] {
        let labels: Vec<u32> = rows.iter().map(|row| data.targets()[0].labels().unwrap()[*row]).collect();
        let part = Dataset::new(data.inputs()[0].select(&rows).unwrap(), labels).unwrap();
        sum += rows.len() as f64 * oracle.fit(&part, &once).unwrap().last("loss").unwrap();
    }
    let allowed = 3.0 * ROUNDINGS * U32;
    assert_none(&differences("weights", &wide(&mut whole), &wide(&mut oracle), |_| allowed));
    assert_none(&differences("loss", &history.get("loss"), &[sum / 10.0], |_| allowed));
}

/// Three batches in one epoch are three fits of one batch: Adam's step count and the dropout masks go on.
pub fn steps_count_on(device: &Device) {
    let data = samples(12);
    let once = settings().epochs(1).without_shuffle();
    let make = || {
        let net = Sequential::new(5)
            .add(Dense::new(16).activation(Activation::Tanh))
            .add(Dropout::new(0.5))
            .add(Dense::new(3).activation(Activation::Softmax));
        net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap()
    };
    let (mut whole, mut parts) = (make(), make());
    whole.fit(&data, &once).unwrap();
    for first in [0, 4, 8] {
        parts.fit(&data.select(&[first, first + 1, first + 2, first + 3]).unwrap(), &once).unwrap();
    }
    assert_eq!(bits(&mut whole), bits(&mut parts));
}

/// A row of weight 2 counts like the same row twice.
pub fn a_weight_is_a_repetition(device: &Device) {
    let data = samples(6);
    let repeated = data.select(&[0, 1, 1, 2, 3, 4, 4, 4, 5]).unwrap();
    let weighted = data.with_weights(vec![1.0, 2.0, 1.0, 1.0, 3.0, 1.0]).unwrap();
    let run = |data: &Dataset| {
        let mut model = classifier(device, Sgd::new(0.1));
        let history = model.fit(data, &settings().batch_size(9)).unwrap();
        (wide(&mut model), history.get("loss"))
    };
    let ((one, one_loss), (two, two_loss)) = (run(&weighted), run(&repeated));
    let plain = run(&samples(6)).0;
    assert!(plain.iter().zip(&one).any(|(a, b)| (a - b).abs() > 1e-3), "the weights changed nothing");
    let allowed = 2.0 * 3.0 * ROUNDINGS * U32;
    assert_none(&differences("weights", &one, &two, |_| allowed));
    assert_none(&differences("loss", &one_loss, &two_loss, |_| allowed));
}

/// A data set in parts, whatever their size: the same bits as all of it at once.
pub fn streaming_changes_no_bit(device: &Device) {
    let data = samples(50).with_weights((0..50).map(|row| 0.5 + row as f32 / 32.0).collect()).unwrap();
    let run = |budget: u64| {
        let mut model = classifier(device, Adam::new(0.01));
        let history = model.fit(&data, &settings().validation(&data).data_budget(budget)).unwrap();
        (bits(&mut model), history.get("loss"), history.get("val_loss"))
    };
    let resident = run(1 << 20);
    // A row is 28 bytes (five inputs, a label, a weight): less than a batch, four batches, all but a row.
    for budget in [1, 28 * 16, 28 * 49] {
        assert_eq!(run(budget), resident, "{budget} bytes");
    }
}

/// Trains, and learns, with two inputs and two outputs.
pub fn several_inputs_and_outputs(device: &Device) {
    let data = images(40);
    let mut model = branched(device);
    assert_eq!(model.parameters(), (784 * 8 + 8) + (3 * 8 + 8) + (11 * 4 + 4) + 11 * 2);
    let before = model.evaluate(&data).unwrap();
    let history = model.fit(&data, &settings().epochs(30).batch_size(16)).unwrap();
    let after = model.evaluate(&data).unwrap();
    assert!(after.loss() < 0.8 * before.loss(), "{before:?} became {after:?}");
    let names = ["loss", "digit_loss", "digit_accuracy", "size_loss", "size_mae"];
    assert_eq!(history.names(), names);
    let sum = after.get("digit_loss").unwrap() + after.get("size_loss").unwrap();
    assert!((after.loss() - sum).abs() < 1e-12, "{after:?}");

    let outputs = model.predict_all(data.inputs()).unwrap();
    assert_eq!(outputs.iter().map(|m| (m.rows(), m.cols())).collect::<Vec<_>>(), [(40, 4), (40, 2)]);
    // No dropout here: twice the same.
    assert_eq!(model.predict_all(data.inputs()).unwrap(), outputs);

    let mut oracle = branched(&Device::cpu_f64());
    oracle.set_weights(&model.weights().unwrap()).unwrap();
    for (got, want) in outputs.iter().zip(oracle.predict_all(data.inputs()).unwrap()) {
        let numbers = |m: &Matrix| m.data().iter().map(|x| f64::from(*x)).collect::<Vec<_>>();
        // Sums of up to 784 products of size below 1/28, 28 in all: √784 u of that, and some roundings after it.
        assert_none(&differences("prediction", &numbers(got), &numbers(&want), |_| 4.0 * 28.0 * U32));
    }
}

/// A model that was saved predicts and goes on as before.
#[cfg(feature = "save")]
pub fn save_and_load(device: &Device, name: &str) {
    let (data, mut model) = (images(12), branched(device));
    model.fit(&data, &settings()).unwrap();
    let path = std::env::temp_dir().join(format!("axone-{name}-{}.safetensors", std::process::id()));
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, device.clone()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!(bits(&mut again), bits(&mut model));
    assert_eq!(again.weights().unwrap(), model.weights().unwrap());
    assert_eq!(again.program(), model.program());
    assert_eq!(again.summary(), model.summary());
    assert_eq!(again.predict_all(data.inputs()).unwrap(), model.predict_all(data.inputs()).unwrap());
    assert_eq!(again.evaluate(&data).unwrap(), model.evaluate(&data).unwrap());
}

/// A parameter by its name, and all of them in any order.
pub fn weights_by_name(device: &Device) {
    let mut model = classifier(device, Adam::default());
    let before = model.weights().unwrap();
    for weight in &before {
        assert_eq!(&model.weight(&weight.name).unwrap(), weight);
    }
    let bias = Matrix::from([[0.5, -0.5, 0.25]]);
    model.set_weight("dense_2.b", &bias).unwrap();
    let after = model.weights().unwrap();
    assert_eq!((&after[..3], &after[3].data[..]), (&before[..3], bias.data()));
    let refused = |error: Error, wanted: &str| assert_eq!(error.to_string(), wanted);
    let names = "dense_1.w, dense_1.b, dense_2.w, dense_2.b";
    let error = model.set_weight("dense_3.w", &bias).unwrap_err();
    refused(error, &format!("set_weight: name must be one of {names}, got \"dense_3.w\""));
    let error = model.weight("dense_2").unwrap_err();
    refused(error, &format!("weight: name must be one of {names}, got \"dense_2\""));
    let error = model.set_weight("dense_2.w", &bias).unwrap_err();
    refused(error, "dense_2.w: expected (8, 3), got (1, 3) with 3 numbers");
    let error = model.set_weight("dense_2.b", [[0.0, f32::NAN, 0.0]]).unwrap_err();
    refused(error, "dense_2.b row 0, column 1: NaN");
    assert_eq!(model.weights().unwrap(), after);
    let backwards: Vec<Weight> = before.iter().rev().cloned().collect();
    model.set_weights(&backwards).unwrap();
    assert_eq!(model.weights().unwrap(), before);
    let twice = [&before[..3], &before[..1]].concat();
    refused(model.set_weights(&twice).unwrap_err(), "weights: name must be \"dense_2.b\", got \"dense_1.w\" twice");
}

/// What `load_from` would refuse is not written, and the file that was there stays.
#[cfg(feature = "save")]
pub fn what_is_not_finite_is_not_saved(device: &Device, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-finite-{name}-{}.safetensors", std::process::id()));
    let net = Sequential::new(1).add(Dense::new(1));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(1e6)).unwrap();
    model.save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let data = Dataset::new([[0.0], [1.0], [2.0], [3.0]], [[1.0], [3.0], [5.0], [7.0]]).unwrap();
    model.fit(&data, &Fit::new().epochs(12).silent()).unwrap();
    let (weight, bias) = (model.weights().unwrap()[0].data[0], model.weights().unwrap()[1].data[0]);
    assert!(!weight.is_finite() && !bias.is_finite(), "{weight} {bias}");
    let error = model.save(&path).unwrap_err();
    assert!(matches!(error, Error::Data { .. }), "{error:?}");
    assert_eq!(error.to_string(), format!("dense_1.w row 0, column 0: {weight}"));
    assert_eq!(std::fs::read(&path).unwrap(), good);
    Model::load_from(&path, device.clone()).unwrap();
    std::fs::remove_file(&path).unwrap();
}

/// At least 97 % of the digits of a held-out fifth.
#[cfg(feature = "datasets")]
pub fn digits_are_read(device: &Device) {
    let (train, test) = axone::data::digits().unwrap().train_test_split_stratified(0.2, 7).unwrap();
    let mut model = Sequential::new([8, 8])
        .add(Flatten)
        .add(Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.003))
        .unwrap();
    model.fit(&train, &Fit::new().epochs(40).batch_size(32).seed(3).silent()).unwrap();
    let accuracy = model.evaluate(&test).unwrap().get("accuracy").unwrap();
    println!("{accuracy:.4} of {} digits on {}", test.len(), device.info().name);
    assert!(accuracy >= 0.97, "{accuracy} of {} digits", test.len());
}
