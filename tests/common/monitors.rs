//! What is watched over the epochs, on any device: which values are the better ones, and moments that are not finite.

use super::api::{bits, flat, samples};
use super::callbacks::Recorder;
use super::matrix;
use axone::layers::Activation;
use axone::prelude::*;
use std::sync::{Arc, Mutex};

/// Two outputs with names that say the opposite of their metrics: classes called `error`, numbers called `accuracy`.
fn model(device: &Device) -> Model {
    let mut net = Network::new();
    let x = net.input("x", 5).unwrap();
    let hidden = net.apply(Dense::new(8).activation(Activation::Tanh), x).unwrap();
    let error = net.apply(Dense::new(3).activation(Activation::Softmax).named("error"), hidden).unwrap();
    let accuracy = net.apply(Dense::new(1).named("accuracy"), hidden).unwrap();
    net.output(error).unwrap();
    net.output(accuracy).unwrap();
    let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    let mut model = net.compile(device.clone(), losses, Adam::new(0.05)).unwrap();
    model.set_metrics_of("error", [Metric::F1(Average::Macro)]).unwrap();
    model.set_metrics_of("accuracy", [Metric::R2, Metric::MeanSquaredError]).unwrap();
    model
}

fn rows(count: usize) -> Dataset {
    samples(count).with_target(matrix(9, count, 1)).unwrap()
}

pub fn metrics_know_their_direction(device: &Device) {
    let recorder = Arc::new(Mutex::new(Recorder::default()));
    let stopping = EarlyStopping::new("val_error_accuracy").patience(100).restore_best();
    let plateau = || ReduceOnPlateau::new("accuracy_mae").factor(0.5).patience(0);
    let fit = Fit::new().epochs(12).batch_size(4).validation(&rows(20)).callback(Arc::clone(&recorder)).silent();
    let mut trained = model(device);
    let history = trained.fit(&rows(40), &fit.callback(stopping).callback(plateau())).unwrap();
    let names = history.names().into_iter().map(str::to_owned).collect::<Vec<_>>();
    for name in ["error_accuracy", "error_f1_macro", "accuracy_r2"].map(|name| [name.to_owned(), format!("val_{name}")])
    {
        name.iter().for_each(|name| assert_eq!(history.best(name), history.max(name), "{name}"));
    }
    for name in names.iter().filter(|name| name.ends_with("loss") || name.ends_with("mae") || name.ends_with("mse")) {
        assert_eq!(history.best(name), history.min(name), "{name}");
    }
    assert_eq!(names.len(), 16, "{names:?}");
    // The best epoch, which is not the worst one, has given its weights back.
    let (best, _) = history.max("val_error_accuracy").unwrap();
    assert_ne!(history.max("val_error_accuracy").unwrap().1, history.min("val_error_accuracy").unwrap().1);
    assert_eq!(bits(&mut trained), recorder.lock().unwrap().weights[best - 1]);
    // An error that falls is no plateau.
    let (mut replayed, mut rate) = (plateau().minimize(), 0.05f64);
    for epoch in &history.epochs {
        assert!((f64::from(epoch.learning_rate) - rate).abs() < 1e-6, "{history}");
        rate = replayed.step(epoch.get("accuracy_mae").unwrap(), rate);
    }
}

/// The square of a gradient overflows: the second moment is infinite and its weight no longer moves, which no loss
/// shows.
pub fn a_moment_that_is_not_finite_is_named(device: &Device) {
    let net = Sequential::new(1).add(Dense::new(1).without_bias().named("line"));
    let data = Dataset::new([[100.0]], [[1e19]]).unwrap();
    let fit = |epochs| Fit::new().epochs(epochs).silent();
    let compile = || net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.1)).unwrap();
    let plain = compile().fit(&data, &fit(3)).unwrap();
    assert!(plain.get("loss").iter().all(|loss| loss.is_finite()), "{plain}");
    let mut model = compile();
    let start = flat(model.weights().unwrap());
    let history = model.fit(&data, &fit(3).callback(TerminateOnNonFinite::new())).unwrap();
    assert_eq!(history.epochs.len(), 1);
    let reason = history.stopped.unwrap();
    assert!(reason.starts_with("epoch 1, step 1: inf arose in update ("), "{reason}");
    assert!(reason.ends_with("line.w row 0, column 0 of moment1)"), "{reason}");
    assert_eq!(flat(model.weights().unwrap()), start);
}
