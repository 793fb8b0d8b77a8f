//! Every loss, value and gradient, against PyTorch's float64 results.
//!
//! The graph yields the loss of each row; their mean in f64 is compared with PyTorch's, so that the sum over the
//! batch adds no error of its own. The upstream gradient of row r is `1 + r/64`, exact and different for every row.
//! The bounds, with u the unit roundoff, a function counted as 4 u and a division as 5 u (WGSL's 2.5 ulp):
//!
//! - cross-entropy `ln Σ exp(z - m) - Σ t (z - m)`: both terms are at least 0 and add up to the loss L. The first
//!   errs by 16 u (its sum has a relative error of 7 additions, an exponential and at most Σ y |z - m| < 3), the
//!   second by u (1 + 7 + 2) of its size: `u (12 L + 16)`. Gradient `w (y - t)`: y has the relative error `u (|z -
//!   m| + 24)`.
//! - mse, mae, huber: one rounding of `p - t`, the rest are products and a sum of 7 terms of one sign, and a
//!   division: `16 u L`; gradients `16 u |d|`.
//! - binary cross-entropies: the terms are of one sign too, with two functions in a row: `24 u L`. Gradient on logits
//!   `w (sigmoid(p) - t) / C`: where t is 1 it cancels, `8 u w / C`; of probabilities: products and divisions, `24 u
//!   |d|`.

use super::machine::{Machine, plan};
use super::{TINY, U32, U64, differences, fixtures::Tensors};
use axone::graph::{Graph, differentiate};
use axone::kernels::ElementwiseLoss;
use axone::layers::Activation;
use axone::prelude::*;

const ROWS: usize = 33;
const COLS: usize = 7;
/// The smoothing of the fixtures, and as axone holds it.
const SMOOTHING: f64 = 0.1;

enum Kind {
    Entropy { classes: bool, smoothing: f32 },
    Elementwise(ElementwiseLoss),
}

fn kind(name: &str) -> (Kind, &'static str, &'static str) {
    let entropy = |smoothing| Kind::Entropy { classes: true, smoothing };
    match name {
        "categorical_cross_entropy" => (entropy(0.0), "logits", "classes"),
        "categorical_cross_entropy_smoothed" => (entropy(SMOOTHING as f32), "logits", "classes"),
        "binary_cross_entropy_logits" => {
            (Kind::Elementwise(ElementwiseLoss::SigmoidBinaryCrossEntropy), "logits", "bits")
        }
        "binary_cross_entropy" => (Kind::Elementwise(ElementwiseLoss::BinaryCrossEntropy), "probs", "bits"),
        "mse" => (Kind::Elementwise(ElementwiseLoss::Mse), "logits", "target"),
        "mae" => (Kind::Elementwise(ElementwiseLoss::Mae), "logits", "target"),
        "huber" => (Kind::Elementwise(ElementwiseLoss::Huber { delta: 1.0 }), "logits", "target"),
        other => panic!("manifest has a loss that is not tested: {other}"),
    }
}

/// Value and gradient of the fixture. The cross-entropy is linear in its smoothing, so a smoothing rounded to f32
/// moves both by a known amount.
fn expected(file: &Tensors, name: &str) -> (f64, Vec<f64>) {
    let of = |name: &str| (file.get(&format!("{name}.loss"))[0], file.get(&format!("{name}.dpred")).to_vec());
    let (mut loss, mut gradient) = of(name);
    if let Some(plain) = name.strip_suffix("_smoothed") {
        let (plain_loss, plain_gradient) = of(plain);
        let moved = (f64::from(SMOOTHING as f32) - SMOOTHING) / SMOOTHING;
        loss += moved * (loss - plain_loss);
        gradient.iter_mut().zip(plain_gradient).for_each(|(d, plain)| *d += moved * (*d - plain));
    }
    (loss, gradient)
}

/// The same losses as users name them, by `evaluate` of a model whose one layer is the identity matrix: so
/// prediction, target and reduction go through the whole library. `activation` is the last layer's, or none, which
/// means logits.
///
/// The logits are exact (one product of 1, the rest of 0); what is computed in f64 from them is read as f32, row by
/// row or as a mean, and losses are not negative: u of the result, and as much for a weight of 1/33 that may be an
/// f32.
pub fn violations_of_models(device: &Device) -> Vec<String> {
    let file = Tensors::read("losses.safetensors");
    let matrix = |name: &str| Matrix::new(ROWS, COLS, file.exact(name)).unwrap();
    let labels: Vec<u32> = file.get("classes").iter().map(|class| *class as u32).collect();
    let (softmax, sigmoid, none) = (Activation::Softmax, Activation::Sigmoid, Activation::Identity);
    let cases: [(&str, Loss, &[Activation]); 6] = [
        ("categorical_cross_entropy", Loss::CategoricalCrossEntropy, &[softmax, none]),
        ("categorical_cross_entropy_smoothed", Loss::SmoothedCrossEntropy(SMOOTHING as f32), &[softmax, none]),
        ("binary_cross_entropy_logits", Loss::BinaryCrossEntropy, &[sigmoid, none]),
        ("mse", Loss::MeanSquaredError, &[none]),
        ("mae", Loss::MeanAbsoluteError, &[none]),
        ("huber", Loss::Huber(1.0), &[none]),
    ];
    let mut found = Vec::new();
    for (name, loss, activations) in cases {
        let (_, prediction, target) = kind(name);
        let targets: Vec<Targets> = match target {
            "classes" => vec![labels.clone().into(), matrix("onehot").into()],
            other => vec![matrix(other).into()],
        };
        let (want, _) = expected(&file, name);
        for (activation, targets) in activations.iter().flat_map(|a| targets.iter().map(move |t| (*a, t.clone()))) {
            let net = Sequential::new(COLS).add(Dense::new(COLS).activation(activation).without_bias());
            let mut model = net.compile(device.clone(), loss, Sgd::default()).unwrap();
            let mut weights = model.weights().unwrap();
            weights[0].data = (0..COLS * COLS).map(|i| f32::from(u8::from(i % (COLS + 1) == 0))).collect();
            model.set_weights(&weights).unwrap();
            let data = Dataset::new(matrix(prediction), targets).unwrap();
            let got = model.evaluate(&data).unwrap().loss();
            found.extend(differences(&format!("{name} after {activation}"), &[got], &[want], |_| 2.0 * U32 * want));
        }
    }
    found
}

/// Everything in which `machine` differs from the fixtures by more than allowed. `one_hot`: cross-entropies against
/// distributions instead of class indices.
pub fn violations(machine: &mut Machine, name: &str, one_hot: bool) -> Vec<String> {
    let file = Tensors::read("losses.safetensors");
    let (kind, prediction, mut target) = kind(name);
    let entropy = matches!(kind, Kind::Entropy { .. });
    if entropy && one_hot {
        target = "onehot";
    }
    let (p, t) = (file.get(prediction), file.get(target));
    let weights: Vec<f64> = (0..ROWS).map(|row| 1.0 + row as f64 / 64.0).collect();
    let mut graph = Graph::new();
    let x = graph.input("p", COLS).unwrap();
    let goal = graph.input("t", t.len() / ROWS).unwrap();
    let w = graph.input("w", 1).unwrap();
    let rows = match kind {
        Kind::Entropy { classes, smoothing } => {
            graph.softmax_cross_entropy("loss", x, goal, classes && !one_hot, smoothing).unwrap()
        }
        Kind::Elementwise(loss) => graph.elementwise_loss("loss", loss, x, goal).unwrap(),
    };
    let sum = graph.weighted_sum("sum", rows, w).unwrap();
    let dx = differentiate(&mut graph, sum, &[x]).unwrap()[0].unwrap();
    let (want, want_gradient) = expected(&file, name);
    let want_gradient: Vec<f64> =
        want_gradient.iter().enumerate().map(|(i, d)| d * ROWS as f64 * weights[i / COLS]).collect();
    let u = machine.roundoff() * if matches!(machine, Machine::F64(_)) { 2.0 } else { 1.0 };
    let bits = file.get("bits");
    let one_hot_targets = file.get("onehot");
    let mut found = Vec::new();
    for fused in [false, true] {
        let results = machine.run(&plan(&graph, &[rows, dx], ROWS, fused), &[p, t, &weights], &[]);
        let mean = results[0].iter().sum::<f64>() / ROWS as f64;
        let smoothing = if name.ends_with("_smoothed") { f64::from(SMOOTHING as f32) } else { 0.0 };
        let allowed_loss = match kind {
            Kind::Entropy { .. } => u * (12.0 * want + 16.0),
            Kind::Elementwise(ElementwiseLoss::BinaryCrossEntropy | ElementwiseLoss::SigmoidBinaryCrossEntropy) => {
                24.0 * u * want
            }
            Kind::Elementwise(_) => 16.0 * u * want,
        };
        // The mean over the rows, taken here in f64: one rounding a row.
        let allowed_loss = allowed_loss + ROWS as f64 * U64 * want;
        found.extend(differences(&format!("{name}.loss, fused {fused}"), &[mean], &[want], |_| allowed_loss));
        let allowed = |i: usize| {
            let (w, d) = (weights[i / COLS], want_gradient[i]);
            let row = &p[i / COLS * COLS..][..COLS];
            let top = row.iter().copied().fold(f64::MIN, f64::max);
            let bound = match kind {
                Kind::Entropy { .. } => {
                    let t = (1.0 - smoothing) * one_hot_targets[i] + smoothing / COLS as f64;
                    let y = d / w + t;
                    w * (y * (top - p[i] + 24.0) + 4.0 * t)
                }
                Kind::Elementwise(ElementwiseLoss::SigmoidBinaryCrossEntropy) => {
                    24.0 * d.abs() + 8.0 * w * bits[i] / COLS as f64
                }
                Kind::Elementwise(ElementwiseLoss::BinaryCrossEntropy) => 24.0 * d.abs(),
                Kind::Elementwise(_) => 16.0 * d.abs(),
            };
            u * bound + TINY
        };
        found.extend(differences(&format!("{name}.dpred, fused {fused}"), &results[1], &want_gradient, allowed));
    }
    found
}

/// Losses as functions of matrices are those of a model: of one whose only layer passes its inputs on, to the bit, and
/// their gradients are the gradients of that model's loss by its inputs.
pub fn losses_are_functions() {
    use super::matrix;
    use axone::prelude::*;

    let kinked = Loss::custom("kinked", |y, t| (y - t).greater(0.0).select(3.0 * (y - t), t - y));
    let one_hot = Matrix::from([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]);
    let answers = matrix(8, 4, 3).map(|x| f32::from(x > 0.0));
    let numbers = matrix(9, 4, 3);
    let classes = || Targets::from(vec![2u32, 0, 1, 1]);
    let cases: [(Loss, Targets); 18] = [
        (Loss::CategoricalCrossEntropy, classes()),
        (Loss::CategoricalCrossEntropy, one_hot.clone().into()),
        (Loss::SmoothedCrossEntropy(0.1), classes()),
        (Loss::CategoricalFocal(2.0), classes()),
        (Loss::KullbackLeibler, one_hot.clone().map(|t| 0.8 * t + 0.2 / 3.0).into()),
        (Loss::BinaryCrossEntropy, answers.clone().into()),
        (Loss::Focal { gamma: 2.0, alpha: Some(0.25) }, answers.clone().into()),
        (Loss::Hinge, answers.clone().into()),
        (Loss::SquaredHinge, answers.map(|t| 2.0 * t - 1.0).into()),
        (Loss::MeanSquaredError, numbers.clone().into()),
        (Loss::MeanAbsoluteError, numbers.clone().into()),
        (Loss::Huber(0.3), numbers.clone().into()),
        (Loss::LogCosh, numbers.clone().into()),
        (Loss::Quantile(0.9), numbers.clone().into()),
        (Loss::Poisson, numbers.clone().map(f32::abs).into()),
        (Loss::Cosine, numbers.clone().into()),
        (kinked, numbers.into()),
        (Loss::custom("constant slope", |y, t| y.mean() + 0.0 * t.mean()), one_hot.into()),
    ];
    let outputs = matrix(7, 4, 3).map(|x| 2.0 * x);
    for (loss, targets) in cases {
        let net = Sequential::new(3).add(Dense::new(3).without_bias());
        let mut model = net.compile(Device::cpu(), loss, Sgd::default()).unwrap();
        model.set_weight("dense_1.w", [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]).unwrap();
        let (values, slopes) = (loss.value(&outputs, &targets).unwrap(), loss.gradient(&outputs, &targets).unwrap());
        assert_eq!((values.len(), slopes.rows(), slopes.cols()), (4, 4, 3));
        let all = Dataset::new(outputs.clone(), targets).unwrap();
        for (row, value) in values.iter().enumerate() {
            let one = all.select(&[row]).unwrap();
            let dx = model.input_gradients_of_loss(&one).unwrap().remove(0);
            assert_eq!(model.last_evaluation().unwrap().loss(), f64::from(*value), "{loss:?} of row {row}");
            assert_eq!(dx.data(), slopes.row(row).unwrap(), "slopes of {loss:?} in row {row}");
        }
        assert!(slopes.data().iter().any(|g| *g != 0.0), "{loss:?}");
    }
}
