//! Derivatives as values of a network, and losses without a target, on any device.

#[cfg(feature = "save")]
use super::comes_back;
use super::{U32, U64, assert_none, differences, matrix};
use axone::check::compare;
use axone::model::Value;
use axone::prelude::*;

/// Derivatives of the first and the second order by an input and by a value on the way, through every smooth activation,
/// a normalisation, a softmax and a shared block, in losses with and without a target.
pub fn everything(device: &Device) -> Model {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 3).unwrap());
    let dense = |units, activation| Dense::new(units).activation(activation);
    let tower = net.share(
        Sequential::new(3)
            .add(dense(5, Activation::Tanh))
            .add(LayerNorm::new())
            .add(Residual::new().add(dense(5, Activation::Silu)).add(Dense::new(5)))
            .add(dense(4, Activation::Gelu)),
    );
    let (left, right) = (net.apply(&tower, a).unwrap(), net.apply(&tower, b).unwrap());
    let mixed = net.formula("mixed", [left, right], |[a, b]| a.sin() * b + (a - b).square()).unwrap();
    let hidden = net.apply(dense(4, Activation::Softplus), mixed).unwrap();
    let rest = [Activation::Sigmoid, Activation::Mish, Activation::GeluTanh, Activation::Elu { alpha: 1.0 }];
    let hidden = rest.into_iter().fold(hidden, |x, activation| net.apply(dense(4, activation), x).unwrap());
    let share = net.apply(dense(3, Activation::Softmax), hidden).unwrap();
    let y = net.apply(Dense::new(2), share).unwrap();
    let slope = net.gradient(y, a).unwrap();
    let bend = net.gradient(slope, b).unwrap();
    let inner = net.gradient(share, mixed).unwrap();
    let steep = net.formula("steep", [slope, inner], |[s, i]| (s.square().sum() + i.square().sum()).sqrt()).unwrap();
    let all = net.concat(&[y, bend]).unwrap();
    net.output(all).unwrap();
    net.output(share).unwrap();
    net.add_loss(steep, 0.5).unwrap();
    net.add_loss(bend, -0.25).unwrap();
    net.add_loss(inner, 0.0).unwrap();
    let losses = [(Loss::MeanSquaredError, 1.0), (Loss::MeanAbsoluteError, 0.0)];
    net.compile(device.clone(), losses, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn table(rows: usize) -> Dataset {
    let data = Dataset::new(matrix(71, rows, 3), matrix(72, rows, 5)).unwrap();
    data.with_input(matrix(73, rows, 3)).unwrap().with_target(matrix(74, rows, 3)).unwrap()
}

pub fn every_dispatch_agrees_with_f64(device: &Device) {
    let report = compare(&mut everything(device), &table(7), 4, 2).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Values of formulas, whose derivatives are known.
pub fn values_are_those_of_the_textbook(device: &Device) {
    let mut net = Network::new();
    let (x, w) = (net.input("x", 2).unwrap(), net.input("w", 2).unwrap());
    let y = net.formula("y", [x, w], |[x, w]| x.sin() * w + x.square().sum()).unwrap();
    let by_x = net.gradient(y, x).unwrap();
    let twice = net.gradient(by_x, x).unwrap();
    let mixed = net.gradient(by_x, w).unwrap();
    let none = net.formula("none", [w], |[w]| w.exp()).unwrap();
    let zero = net.gradient(none, x).unwrap();
    let own = net.gradient(x, x).unwrap();
    for value in [by_x, twice, mixed, zero, own] {
        net.output(value).unwrap();
    }
    let mut model = net.compile(device.clone(), [Loss::MeanSquaredError; 5], Sgd::new(0.1)).unwrap();
    let (x, w) = (matrix(75, 9, 2), matrix(76, 9, 2));
    let got = model.predict_all(&[x.clone(), w.clone()]).unwrap();
    // A handful of operations on numbers up to 5.
    let near = |got: f32, want: f32| assert!((got - want).abs() < 4e-6, "{got}, want {want}");
    for row in 0..9 {
        for col in 0..2 {
            let at = 2 * row + col;
            let (x, w) = (x.data()[at], w.data()[at]);
            // The sum stands in both columns of y.
            near(got[0].data()[at], x.cos() * w + 4.0 * x);
            near(got[1].data()[at], -x.sin() * w + 4.0);
            near(got[2].data()[at], x.cos());
            assert_eq!((got[3].data()[at], got[4].data()[at]), (0.0, 1.0));
        }
    }
    let summary = model.summary().to_string();
    assert!(summary.contains("gradient, 0: none does not depend on x"), "{summary}");
}

/// u″ + 9u = 0 with u(0) = 0 and u′(0) = 3 on [0, 1.5]: sin 3x.
pub fn a_differential_equation_is_solved(device: &Device) {
    let mut net = Network::new();
    let x = net.input("x", 1).unwrap();
    let tanh = |units| Dense::new(units).activation(Activation::Tanh);
    let function = net.share(Sequential::new(1).add(tanh(24)).add(tanh(24)).add(Dense::new(1)));
    let u = net.apply(&function, x).unwrap();
    let du = net.gradient(u, x).unwrap();
    let ddu = net.gradient(du, x).unwrap();
    let equation = net.formula("equation", [u, ddu], |[u, ddu]| (ddu + 9.0 * u).square()).unwrap();
    let start = net.formula("start", [x], |[x]| 0.0 * x).unwrap();
    let at_start = net.apply(&function, start).unwrap();
    let speed = net.gradient(at_start, start).unwrap();
    let conditions = net.formula("conditions", [at_start, speed], |[u, du]| u.square() + (du - 3.0).square()).unwrap();
    net.add_loss(equation, 1.0).unwrap();
    net.add_loss(conditions, 10.0).unwrap();
    net.output(u).unwrap();
    let mut model = net.compile(device.clone(), [(Loss::MeanSquaredError, 0.0)], Adam::new(5e-3)).unwrap();
    let points: Vec<f32> = (0..64).map(|i| 1.5 * i as f32 / 63.0).collect();
    let solution: Vec<f32> = points.iter().map(|x| (3.0 * x).sin()).collect();
    let data = Dataset::new(Matrix::column(points.clone()), solution.clone()).unwrap();
    let fit = Fit::new().epochs(8000).batch_size(64).schedule(CosineDecay::new()).silent();
    model.fit(&data, &fit).unwrap();
    let found = model.predict(&Matrix::column(points)).unwrap();
    let worst = found.data().iter().zip(solution).map(|(u, wanted)| (u - wanted).abs()).fold(0.0, f32::max);
    assert!(worst < 1e-3, "{worst}");
}

/// A critic whose slope is to be 1 along the line between two clouds, of which no row is more than an input.
pub fn a_gradient_penalty_trains(device: &Device) {
    let mut net = Network::new();
    let x = net.input("x", 2).unwrap();
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let score = net.apply(relu(16), x).and_then(|x| net.apply(relu(16), x)).and_then(|x| net.apply(Dense::new(1), x));
    let slope = net.gradient(score.unwrap(), x).unwrap();
    let length = net.formula("length", [slope], |[slope]| slope.square().sum().sqrt()).unwrap();
    let penalty = net.formula("penalty", [length], |[length]| (length - 1.0).square()).unwrap();
    net.add_loss(penalty, 10.0).unwrap();
    net.output(length).unwrap();
    let mut model = net.compile(device.clone(), [(Loss::MeanSquaredError, 0.0)], Adam::new(3e-3)).unwrap();
    // Batches that are not full: the root of a row of zeros has no slope.
    let data = Dataset::new(matrix(77, 50, 2), vec![1.0; 50]).unwrap();
    let history = model.fit(&data, &Fit::new().epochs(40).batch_size(32).silent()).unwrap();
    let (first, last) = (history.epochs[0].get("penalty_loss"), history.last("penalty_loss"));
    assert!(last < first.map(|first| 0.1 * first), "{first:?} {last:?}");
    assert_eq!(history.names(), ["loss", "mae", "penalty_loss"]);
    let total = history.last("loss").unwrap();
    assert!((total - 10.0 * last.unwrap()).abs() < 1e-6 * total, "{total} {last:?}");
}

/// What a loss of weight 0 alone depends on stays as it is, also behind a gradient from elsewhere.
pub fn what_weighs_nothing_trains_nothing(device: &Device) {
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let (left, right) =
        (net.apply(Dense::new(2).named("left"), x).unwrap(), net.apply(Dense::new(2).named("right"), x).unwrap());
    net.output(left).unwrap();
    net.output(right).unwrap();
    let losses = [(Loss::MeanSquaredError, 0.0), (Loss::MeanSquaredError, 1.0)];
    let mut model = net.compile(device.clone(), losses, Sgd::new(0.1)).unwrap();
    let data = Dataset::new(matrix(78, 8, 3), matrix(79, 8, 2)).unwrap().with_target(matrix(80, 8, 2)).unwrap();
    let before = model.weights().unwrap();
    let mut ones = before.clone();
    ones.iter_mut().for_each(|weight| weight.data.fill(1.0));
    model.set_gradients(&ones).unwrap();
    let history = model.fit(&data, &Fit::new().epochs(3).batch_size(4).silent()).unwrap();
    assert_eq!(history.last("loss"), history.last("right_loss"));
    assert!(history.last("left_loss").unwrap() > 0.0);
    let changed: Vec<bool> = model.weights().unwrap().iter().zip(&before).map(|(now, then)| now != then).collect();
    assert_eq!(changed, [false, false, true, true]);
}

#[cfg(feature = "save")]
pub fn derivatives_are_saved(device: &Device, name: &str) {
    comes_back(&mut everything(device), &table(8), &format!("derivatives-{name}"));
}

/// What is refused, in words.
pub fn refused() -> Vec<String> {
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let kinds = net.input("kinds", 1).unwrap();
    let mut other = Network::new();
    let foreign = other.input("c", 3).unwrap();
    let norm = net.apply(BatchNorm::new(), x).unwrap();
    let mixed = net.formula("mixed", [norm], |[x]| x.square()).unwrap();
    let table = net.apply(Embedding::new(4, 2), kinds).unwrap();
    let mut said = Vec::new();
    let mut refuse = |result: Result<Value>| said.push(result.unwrap_err().to_string());
    refuse(net.gradient(mixed, x));
    refuse(net.gradient(norm, x));
    refuse(net.gradient(table, kinds));
    refuse(net.gradient(foreign, x));
    refuse(net.gradient(x, foreign));
    refuse(net.apply(axone::layers::Layer::Gradient, x));
    // Behind the normalisation rows are apart.
    net.gradient(mixed, norm).unwrap();
    net.add_loss(mixed, 1.0).unwrap();
    let losses = [net.add_loss(mixed, 2.0), net.add_loss(x, f32::NAN), net.add_loss(foreign, 1.0)];
    said.extend(losses.into_iter().map(|result| result.unwrap_err().to_string()));
    said
}

/// Values, derivatives, second derivatives, and the gradients of a loss of all three by the parameters, for every
/// activation and a formula, are those of PyTorch's double backward in double precision. In f64 they are right to the
/// rounding of what is read, as f32; how far f32 may be from f64 is the check's to say, dispatch by dispatch.
pub fn double_backward_is_that_of_pytorch() {
    let cases: serde_json::Value =
        serde_json::from_str(include_str!("../fixtures/derivatives/double_backward.json")).unwrap();
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
    };
    let own = Activation::custom("formula", |x| {
        x.sin() * (-x * x).exp() + (x * x + 0.5).ln() + (x * x + 1.0).sqrt() / (2.0 + x.cos())
    });
    let rows = [Activation::Softmax, Activation::LogSoftmax, own];
    let functions: Vec<Activation> = Activation::ELEMENTWISE[1..].iter().copied().chain(rows).collect();
    assert_eq!(cases.as_object().unwrap().len(), functions.len());
    for function in functions {
        let case = &cases[function.name()];
        let mut net = Network::new();
        let x = net.input("x", 2).unwrap();
        let hidden = net.apply(Dense::new(4).activation(function), x).unwrap();
        let u = net.apply(Dense::new(1).named("u"), hidden).unwrap();
        let slope = net.gradient(u, x).unwrap();
        let bend = net.gradient(slope, x).unwrap();
        let of_all = [u, slope, bend];
        let size = net.formula("size", of_all, |[u, s, b]| u.square() + s.square().sum() + b.square().sum()).unwrap();
        net.output(u).unwrap();
        net.add_loss(size, 1.0).unwrap();
        let losses = [(Loss::MeanSquaredError, 0.0)];
        let mut model = net.compile(Device::cpu_f64(), losses, Sgd::new(0.1)).unwrap();
        let mut weights = model.weights().unwrap();
        for (weight, given) in weights.iter_mut().zip(case["parameters"].as_array().unwrap()) {
            weight.data = numbers(given).into_iter().map(|x| x as f32).collect();
        }
        model.set_weights(&weights).unwrap();
        let x = Matrix::new(4, 2, numbers(&case["x"]).into_iter().map(|x| x as f32).collect()).unwrap();
        let close = |what: &str, got: &[f32], want: Vec<f64>| {
            let got: Vec<f64> = got.iter().map(|x| f64::from(*x)).collect();
            // Rounded when read; what f64 itself is off by, a hundred roundings of numbers up to 100, is far below.
            let allowed = |i: usize| want[i].abs() * U32 + 1e4 * U64;
            assert_none(&differences(&format!("{} {what}", function.name()), &got, &want, allowed));
        };
        let values = model.activations(&[&x]).unwrap();
        for (name, want) in ["u", "gradient_1", "gradient_2"].iter().zip(case["values"].as_array().unwrap()) {
            let (_, value) = values.iter().find(|(own, _)| own == name).unwrap();
            close(name, value.data(), numbers(want));
        }
        let data = Dataset::new(x, vec![0.0f32; 4]).unwrap();
        model.compute_gradients(&data).unwrap();
        for (gradient, want) in model.gradients().unwrap().iter().zip(case["gradients"].as_array().unwrap()) {
            close(&gradient.name, &gradient.data, numbers(want));
        }
    }
}
