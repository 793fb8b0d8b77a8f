//! Formulas in models, on any device: arithmetic of values, own activations, own losses.

use super::api::bits;
use super::matrix;
use axone::check::compare;
use axone::prelude::*;

/// Every term and every function, between layers, in an activation and in a loss.
pub fn everything(device: &Device) -> Model {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 6).unwrap(), net.input("b", 6).unwrap());
    let swish = Activation::custom("swish", |x| x * (1.7 * x).sigmoid());
    let hidden = net.apply(Dense::new(6).activation(swish), a).unwrap();
    let other = net.apply(Dense::new(6).activation(Activation::custom("cubic", |x| x.tanh().pow(3.0))), b).unwrap();
    let distance = net.formula("distance", [hidden, other], |[a, b]| (a - b).square().sum().sqrt()).unwrap();
    let joined = net
        .formula("joined", [hidden, other, distance], |[a, b, d]| {
            let wave = a.sin() * b.cos() + (a / (b.abs() + 1.0)).softplus();
            let chosen = a.greater(b).select(a.exp(), -b).clamp(-1.0, 3.0);
            wave + chosen.min(a).max(-2.0) - (d + 1.0).ln() * a.sign() + b.columns(1..2) * a.relu()
        })
        .unwrap();
    let share = net.formula("share", [joined], |[x]| x.softmax(0.5) + 0.1 * x.log_softmax(1.0) + x.mean()).unwrap();
    let y = net.apply(Dense::new(2), share).unwrap();
    net.output(y).unwrap();
    let loss = Loss::custom("asymmetric", |output, target| {
        let error = target - output;
        error.greater(0.0).select(3.0 * error.square(), (output / (target.square() + 0.5)).abs() * 0.1)
    });
    net.compile(device.clone(), loss, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn table(rows: usize) -> Dataset {
    Dataset::new(matrix(31, rows, 6), matrix(32, rows, 2)).unwrap().with_input(matrix(33, rows, 6)).unwrap()
}

pub fn every_dispatch_agrees_with_f64(device: &Device) {
    let report = compare(&mut everything(device), &table(11), 4, 3).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// A batch that is not full has rows of zeros, at which the quotient of these formulas is no number.
pub fn padding_is_not_divided(device: &Device) {
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let inverse = net.formula("inverse", [x], |[x]| x / (x * x)).unwrap();
    let y = net.apply(Dense::new(2).weights(Initializer::Constant(0.1)), inverse).unwrap();
    net.output(y).unwrap();
    let loss = Loss::custom("relative", |output, target| ((output - target) / target).square());
    let mut model = net.compile(device.clone(), loss, Sgd::new(0.01)).unwrap();
    let x = matrix(41, 5, 3).map(|x| x + 2.0 * x.signum());
    let y = matrix(42, 5, 2).map(|y| y + 2.0);
    let history = model.fit(&Dataset::new(x, y).unwrap(), &Fit::new().epochs(2).batch_size(4).silent()).unwrap();
    let (loss, weights) = (history.last("loss").unwrap(), bits(&mut model));
    assert!(loss.is_finite() && weights.iter().all(|bits| f32::from_bits(*bits).is_finite()), "{loss}");
}

#[cfg(feature = "save")]
pub fn formulas_are_saved(device: &Device, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-formulas-{name}-{}.safetensors", std::process::id()));
    let (mut model, data) = (everything(device), table(8));
    model.fit(&data, &Fit::new().epochs(2).batch_size(4).silent()).unwrap();
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, device.clone()).unwrap();
    std::fs::remove_file(path).ok();
    assert_eq!(again.summary().to_string(), model.summary().to_string());
    let losses = [&mut model, &mut again].map(|model| model.evaluate(&data).unwrap().loss().to_bits());
    assert_eq!(losses[0], losses[1]);
}

/// A chain of functions is one dispatch, forward and backward.
pub fn a_chain_is_one_dispatch(device: &Device) {
    let plan = |activation: Activation| {
        let net = Sequential::new(4).add(Dense::new(8).activation(activation)).add(Dense::new(1));
        let model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
        model.program().plan(axone::model::Purpose::Train, 16, &[false], true).unwrap().to_string()
    };
    let own = plan(Activation::custom("swish", |x| x * (1.7 * x).sigmoid()));
    let programs = own.lines().filter(|line| line.contains(" expression.")).count();
    assert_eq!(programs, 2, "{own}");
    let dispatches = |plan: &str| plan.lines().count();
    assert!(dispatches(&own) <= dispatches(&plan(Activation::Silu)) + 2, "{own}");
    // The built-in one has none of its own: it is part of the products.
    let own = plan(Activation::custom("own_relu", |x| x.max(0.0)));
    assert_eq!(dispatches(&own), dispatches(&plan(Activation::Relu)) + 2, "{own}");
}
