//! Full-batch training by L-BFGS, on any device. `tests/fixtures/lbfgs/make.py` says where the numbers are from.

use super::fixtures::folder;
use super::{matrix, numbers};
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use axone::train::Run;
use serde_json::Value;
use std::sync::{Arc, Mutex};

fn fixture() -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder().join("lbfgs/lbfgs.json")).unwrap()).unwrap()
}

fn list(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn floats(value: &Value) -> Vec<f32> {
    list(value).into_iter().map(|x| x as f32).collect()
}

/// Iris, standardised, and a softmax regression on it that starts at 0.
fn regression(device: &Device, case: &Value) -> (Model, Dataset) {
    let x = floats(&case["x"]);
    let y: Vec<u32> = list(&case["y"]).into_iter().map(|class| class as u32).collect();
    let data = Dataset::new(Matrix::new(y.len(), 4, x).unwrap(), y).unwrap();
    let layer = Dense::new(3).activation(Activation::Softmax).weights(Initializer::Zeros);
    let net = Sequential::new(4).add(layer);
    (net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap(), data)
}

/// Softmax regression ends where SciPy's L-BFGS-B ends: by no more than a gradient of this size allows where the
/// curvature is at least that of the penalty.
pub fn regression_finds_what_scipy_finds(device: &Device) {
    let fixture = fixture();
    let case = &fixture["regression"];
    let (mut model, data) = regression(device, case);
    let alpha = case["alpha"].as_f64().unwrap();
    let settings = Lbfgs::new().alpha(alpha).tolerance(2e-6).loss_tolerance(0.0).max_iterations(300).silent();
    let history = model.minimize(&data, &settings).unwrap();
    let gradient = history.last("gradient").unwrap();
    assert!(gradient <= 2e-6, "{:?} after {} iterations", history.stopped, history.epochs.len());
    let weights = model.weights().unwrap();
    let curvature = alpha / data.len() as f64;
    // A gradient in f32 is off by some roundings of its terms, which are at most 3.
    let far = 15f64.sqrt() * (gradient + 16.0 * super::U32) / curvature;
    for (got, wanted) in weights[0].data.iter().zip(list(&case["w"])) {
        assert!((f64::from(*got) - wanted).abs() <= far, "{got}, SciPy {wanted}, allowed {far}");
    }
    // A number added to all biases changes nothing.
    let theirs = list(&case["b"]);
    let between = |b: &[f64]| [b[1] - b[0], b[2] - b[0]];
    let ours: Vec<f64> = weights[1].data.iter().map(|b| f64::from(*b)).collect();
    for (got, wanted) in between(&ours).into_iter().zip(between(&theirs)) {
        assert!((got - wanted).abs() <= 2.0 * far, "{got}, SciPy {wanted}, allowed {far}");
    }
    let (objective, wanted) = (history.last("objective").unwrap(), case["objective"].as_f64().unwrap());
    assert!((objective - wanted).abs() <= gradient * far + 1e-6 * wanted, "{objective}, SciPy {wanted}");
}

/// From scikit-learn's start the objective falls as in scikit-learn, iteration by iteration: the same directions and the
/// same steps, but for rounding.
pub fn iterations_are_those_of_scikit_learn(device: &Device) {
    for case in fixture()["classifiers"].as_array().unwrap() {
        let name = case["activation"].as_str().unwrap();
        let activation = match name {
            "relu" => Activation::Relu,
            "tanh" => Activation::Tanh,
            _ => Activation::Sigmoid,
        };
        let net = Sequential::new(64)
            .add(Dense::new(12).activation(activation))
            .add(Dense::new(10).activation(Activation::Softmax));
        let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap();
        let mut weights = model.weights().unwrap();
        for (weight, start) in weights.iter_mut().zip(case["start"].as_array().unwrap()) {
            weight.data = floats(start);
        }
        model.set_weights(&weights).unwrap();
        let digits = digits(case["rows"].as_u64().unwrap() as usize);
        let wanted = list(&case["objectives"]);
        let settings = Lbfgs::new().alpha(case["alpha"].as_f64().unwrap()).max_iterations(wanted.len()).silent();
        let history = model.minimize(&digits, &settings).unwrap();
        let got = history.get("objective");
        assert_eq!(got.len(), wanted.len(), "{name}: {:?}", history.stopped);
        for (i, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
            assert!((got - wanted).abs() <= 1e-4 * wanted, "{name}, iteration {}: {got}, scikit-learn {wanted}", i + 1);
        }
    }
}

/// The first rows of the digits, from 0 to 1.
fn digits(rows: usize) -> Dataset {
    let rows: Vec<usize> = (0..rows).collect();
    axone::data::digits().unwrap().select(&rows).unwrap().with_input_shape(&[64]).unwrap()
}

/// Three classes that can nearly be told apart, with weights of the rows.
fn clouds(rows: usize) -> Dataset {
    let x = matrix(40, rows, 6);
    let noise = numbers(41, rows);
    let class = |(row, noise): (&[f32], &f32)| match row[0] + row[1] * row[2] + 0.3 * noise {
        score if score < -0.3 => 0,
        score if score < 0.4 => 1,
        _ => 2,
    };
    let labels: Vec<u32> = x.iter_rows().zip(&noise).map(class).collect();
    let weights: Vec<f32> = (0..rows as u32).map(|i| 0.5 + uniform(threefry2x32([9, 9], [i, 0])[0])).collect();
    Dataset::new(x, labels).unwrap().with_weights(weights).unwrap()
}

fn network(device: &Device) -> Model {
    let net = Sequential::new(6)
        .add(Dense::new(9).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap()
}

/// What does not fit at once is computed in parts, and is the same to rounding.
pub fn parts_are_the_whole(device: &Device) {
    let data = clouds(301);
    let settings = Lbfgs::new().alpha(0.1).max_iterations(6).silent();
    let whole = network(device).minimize(&data, &settings).unwrap();
    // A row of data has 8 numbers: 50 rows at once.
    let parts = network(device).minimize(&data, &settings.clone().data_budget(50 * 32)).unwrap();
    assert_eq!(whole.get("evaluations"), parts.get("evaluations"));
    for name in ["loss", "accuracy", "objective"] {
        for (whole, parts) in whole.get(name).into_iter().zip(parts.get(name)) {
            assert!((whole - parts).abs() <= 1e-4 * whole, "{name}: {whole} at once, {parts} in parts");
        }
    }
}

/// A frozen layer keeps every bit, and the optimizer what it has gathered; the rest of the model finds its minimum.
pub fn frozen_layers_and_moments_stay(device: &Device) {
    let data = clouds(64);
    let mut model = network(device);
    model.fit(&data, &Fit::new().epochs(2).silent()).unwrap();
    model.freeze("dense_1").unwrap();
    let (before, steps) = (model.weights().unwrap(), model.steps_done());
    // The penalty of a frozen layer would move it.
    let history = model.minimize(&data, &Lbfgs::new().alpha(1.0).tolerance(1e-3).silent()).unwrap();
    assert!(history.last("gradient").unwrap() <= 1e-3, "{:?}", history.stopped);
    let after = model.weights().unwrap();
    assert_eq!((&before[..2], steps), (&after[..2], model.steps_done()));
    assert!(before[2] != after[2] && before[3] != after[3]);
    let evaluated = model.evaluate(&data).unwrap();
    let (loss, reported) = (evaluated.loss(), history.last("loss").unwrap());
    assert!((loss - reported).abs() < 1e-6, "evaluates to {loss}, reported {reported}");
    // Without its penalty it has gone on as if nothing had been between.
    model.unfreeze("dense_1").unwrap();
    model.fit(&data, &Fit::new().epochs(1).silent()).unwrap();
}

/// A layer's own `l2` takes the place of `alpha`, and `alpha` is over the weight of the rows.
pub fn penalties_are_those_of_the_layers(device: &Device) {
    let data = clouds(64);
    let weight = f64::from(data.weights().unwrap().iter().sum::<f32>());
    let net = |own: Option<f32>| {
        let layer = Dense::new(3).activation(Activation::Softmax);
        let net = Sequential::new(6).add(match own {
            Some(own) => layer.l2(own),
            None => layer,
        });
        net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap()
    };
    let settings = Lbfgs::new().max_iterations(3).silent();
    let by_layer = net(Some((0.5 / weight) as f32)).minimize(&data, &settings).unwrap();
    let mut model = net(None);
    let general = model.minimize(&data, &settings.alpha(0.5)).unwrap();
    assert_eq!(by_layer.get("objective"), general.get("objective"));
    let squares: f64 = model.weights().unwrap()[0].data.iter().map(|w| f64::from(*w).powi(2)).sum();
    let penalty = general.last("objective").unwrap() - general.last("loss").unwrap();
    let wanted = 0.5 * 0.5 / weight * squares;
    assert!((penalty - wanted).abs() < 1e-5 * wanted, "{penalty}, of the weights {wanted}");
}

/// Notes what it sees, disturbs what it can, and ends the run.
#[derive(Default)]
struct Meddler {
    seen: Vec<f64>,
    refused: String,
}

impl axone::train::Callback for Meddler {
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.seen.push(run.value("meddler", "gradient")?);
        self.refused = run.set_learning_rate(0.1).unwrap_err().to_string();
        let loss = run.value("meddler", "loss")?;
        let evaluated = run.model().evaluate(&clouds(64))?.loss();
        assert!((loss - evaluated).abs() < 1e-6, "reported {loss}, evaluates to {evaluated}");
        let mut weights = run.model().weights()?;
        weights.iter_mut().flat_map(|weight| &mut weight.data).for_each(|x| *x += 1.0);
        if run.epoch() < 4 {
            run.model().compute_gradients(&clouds(64))?;
            run.model().set_weights(&weights)?;
        } else {
            run.stop("enough");
        }
        Ok(())
    }
}

/// Callbacks see every iteration, and what they write between two is written over.
pub fn callbacks_see_iterations(device: &Device) {
    let data = clouds(64);
    let settings = Lbfgs::new().tolerance(0.0).validation(&data).silent();
    let alone = network(device).minimize(&data, &settings.clone().max_iterations(4)).unwrap();
    let meddler = Arc::new(Mutex::new(Meddler::default()));
    let history = network(device).minimize(&data, &settings.callback(Arc::clone(&meddler))).unwrap();
    assert_eq!((history.epochs.len(), history.stopped.as_deref()), (4, Some("enough")));
    for name in ["loss", "val_loss", "gradient", "evaluations"] {
        assert_eq!(history.get(name), alone.get(name), "{name}");
    }
    let meddler = meddler.lock().unwrap();
    assert_eq!(meddler.seen, alone.get("gradient"));
    assert_eq!(meddler.refused, "minimize: learning_rate must be left alone: a line search finds the steps, got 0.1");
}

/// Raises a flag in an iteration of its choice.
struct Stopper(StopFlag, usize);

impl axone::train::Callback for Stopper {
    fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        if run.epoch() == self.1 {
            self.0.raise();
        }
        Ok(())
    }
}

/// A run that is stopped from outside leaves the weights of its last whole iteration.
pub fn a_flag_ends_it(device: &Device) {
    let data = clouds(301);
    // In parts, so that it can be stopped within an evaluation.
    let settings = Lbfgs::new().tolerance(0.0).data_budget(50 * 32).silent();
    let mut wanted = network(device);
    wanted.minimize(&data, &settings.clone().max_iterations(3)).unwrap();
    let (flag, mut model) = (StopFlag::new(), network(device));
    let stopping = settings.stop_flag(&flag).callback(Stopper(flag.clone(), 3));
    let history = model.minimize(&data, &stopping).unwrap();
    assert_eq!(history.stopped.as_deref(), Some("stopped from outside in iteration 4"));
    assert_eq!((history.epochs.len(), model.weights().unwrap()), (3, wanted.weights().unwrap()));
}

/// The same bits twice, and from a model that has done something else before.
pub fn runs_are_repeatable(device: &Device) {
    let data = clouds(301);
    let settings = Lbfgs::new().max_iterations(12).silent();
    let mut first = network(device);
    first.minimize(&data, &settings).unwrap();
    let mut second = network(device);
    second.minimize(&clouds(40), &settings.clone().history(3)).unwrap();
    second.reset(0).unwrap();
    second.minimize(&data, &settings).unwrap();
    assert_eq!(first.weights().unwrap(), second.weights().unwrap());
}
