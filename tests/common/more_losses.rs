//! The losses of `generate_losses.py`, value and gradient, against PyTorch's float64 results; rows as in `losses`.
//!
//! Bounds, with u the unit roundoff and a function counted as 4 u, a division as 5 u. A mean over columns and rows of
//! terms adds 7 + 33 roundings of one size: 40 u of the sum of the sizes at most, 8 u where they are independent, and
//! each element adds its own:
//!
//! - hinges, quantile: one rounding of the margin or difference, one or two products: 16 u of the size.
//! - Poisson: a function on each side (and of a rate the rounding of `y + 1e-8`): 16 u of `exp(y) + abs(t y)`, of
//!   `y + t (abs(ln y) + 1)`. Gradients the same of `exp(y) + t`, of `1 + t / y`.
//! - log-cosh: below 1 two functions squared, a sum, a quotient, a function: 24 u of the value; beyond, 16 u of
//!   `2 abs(e)`. Its gradient is one function. PyTorch's reference takes `ln 2` away and so has an error of its own, 4
//!   units of f64.
//! - focal: three functions and products, 24 u, and the exponential's argument `A = gamma softplus` is off by 5 u of A.
//! - divergence: as the cross-entropy `u (12 L + 16)`, with `t ln t`, `z - max` and the sum of t besides: 24 u of `Σ t
//!   (abs(ln t) + max - z)` and of the logarithm of the sum. Gradient as there.
//! - categorical focal: `L = (1 - p)² c` moves with the cross-entropy c, which is off by `u (12 c + 16)`, by at most
//!   twice that (`dL/dc = (1-p)² + 2 (1-p) p c`, and `p c ≤ 1/e`); its own functions add 40 u.
//!   The gradient is that of the cross-entropy times `F = dL/dc`, and `dF/dc` is at most 6.
//! - cosine: a unit vector's element is off by `u` times (8 + 5 + 8 + 5): of the loss `|u - v|² / 2` 52 u of
//!   `Σ abs(u - v) (abs u + abs v)`, and 16 u of itself. PyTorch takes the difference from 1: 8 units of f64.

use super::machine::{Machine, plan};
use super::{TINY, U64, differences, fixtures::Tensors};
use axone::graph::{Graph, NodeId, differentiate};
use axone::kernels::{ElementwiseLoss, EntropyKind};

const ROWS: usize = 33;
const COLS: usize = 7;

/// Every loss of the file.
pub const NAMES: [&str; 11] = [
    "focal",
    "focal_unweighted",
    "categorical_focal",
    "kullback_leibler",
    "hinge",
    "squared_hinge",
    "poisson_log",
    "poisson",
    "quantile",
    "log_cosh",
    "cosine",
];

fn elementwise(name: &str) -> Option<(ElementwiseLoss, &'static str, &'static str)> {
    Some(match name {
        "focal" => (ElementwiseLoss::Focal { gamma: 2.0, positive: 0.25, negative: 0.75 }, "logits", "bits"),
        "focal_unweighted" => (ElementwiseLoss::Focal { gamma: 1.5, positive: 1.0, negative: 1.0 }, "logits", "bits"),
        "hinge" => (ElementwiseLoss::Hinge, "logits", "bits"),
        "squared_hinge" => (ElementwiseLoss::SquaredHinge, "logits", "bits"),
        "poisson_log" => (ElementwiseLoss::PoissonLog, "moderate", "counts"),
        "poisson" => (ElementwiseLoss::Poisson, "rates", "counts"),
        "quantile" => (ElementwiseLoss::Quantile { quantile: 0.75 }, "logits", "target"),
        "log_cosh" => (ElementwiseLoss::LogCosh, "logits", "target"),
        _ => return None,
    })
}

/// Prediction, target, and the loss of each row in a graph.
fn build(name: &str, one_hot: bool, graph: &mut Graph, file: &Tensors) -> (Vec<f64>, Vec<f64>, NodeId) {
    let (prediction, target) = match name {
        "categorical_focal" => ("logits", if one_hot { "onehot" } else { "classes" }),
        "kullback_leibler" => ("logits", "distribution"),
        "cosine" => ("logits", "target"),
        _ => elementwise(name).map(|(_, prediction, target)| (prediction, target)).unwrap(),
    };
    let (p, t) = (file.get(prediction).to_vec(), file.get(target).to_vec());
    let (x, goal) = (graph.input("p", COLS).unwrap(), graph.input("t", t.len() / ROWS).unwrap());
    let rows = match (name, elementwise(name)) {
        (_, Some((loss, ..))) => graph.elementwise_loss("loss", loss, x, goal),
        ("categorical_focal", _) => graph.entropy_loss("loss", EntropyKind::Focal { gamma: 2.0 }, x, goal, !one_hot),
        ("kullback_leibler", _) => graph.entropy_loss("loss", EntropyKind::Divergence, x, goal, false),
        _ => graph.cosine_loss("loss", x, goal),
    };
    (p, t, rows.unwrap())
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// Bounds of an element of an elementwise loss and of its gradient, in units of u; and what the reference is off by.
fn of_element(loss: ElementwiseLoss, y: f64, t: f64, slope: f64) -> (f64, f64, f64) {
    let e = (y - t).abs();
    match loss {
        ElementwiseLoss::Focal { gamma, positive, negative } => {
            let side = |weight: f32, x: f64| {
                let argument = f64::from(gamma) * softplus(x);
                let (size, sigmoid) = (f64::from(weight) * (-argument).exp(), 1.0 / (1.0 + (-x).exp()));
                let slope = f64::from(gamma) * sigmoid * softplus(-x) + 1.0 - sigmoid;
                let own = 24.0 + 5.0 * argument;
                (size * softplus(-x) * own, size * slope * own)
            };
            let (value, slope) = if t > 0.5 { side(positive, y) } else { side(negative, -y) };
            (value, slope, 0.0)
        }
        ElementwiseLoss::PoissonLog => (16.0 * (y.exp() + (t * y).abs()), 16.0 * (y.exp() + t), 0.0),
        ElementwiseLoss::Poisson => (16.0 * (y + t * (y.ln().abs() + 1.0)), 16.0 * (1.0 + t / y), 0.0),
        ElementwiseLoss::LogCosh if e < 1.0 => (24.0 * e.cosh().ln(), 16.0 * slope.abs(), 4.0),
        ElementwiseLoss::LogCosh => (32.0 * e, 16.0 * slope.abs(), 4.0),
        ElementwiseLoss::SquaredHinge => (16.0 * (1.0 + y.abs()).powi(2), 16.0 * slope.abs(), 0.0),
        ElementwiseLoss::Hinge => (16.0 * (1.0 + y.abs()), 16.0 * slope.abs(), 0.0),
        _ => (16.0 * e, 16.0 * slope.abs(), 0.0),
    }
}

/// Bounds of a row's loss and of its gradient, in units of u; and what the reference is off by. `slope` has no weight.
fn of_row(name: &str, y: &[f64], t: &[f64], slope: &[f64]) -> (f64, Vec<f64>, f64) {
    if let Some((loss, ..)) = elementwise(name) {
        let c = COLS as f64;
        let each: Vec<_> = (0..COLS).map(|i| of_element(loss, y[i], t[i], slope[i] * c)).collect();
        let slopes = each.iter().map(|bounds| bounds.1 / c).collect();
        return (each.iter().map(|bounds| bounds.0).sum::<f64>() / c, slopes, each[0].2);
    }
    let top = y.iter().copied().fold(f64::MIN, f64::max);
    let sum: f64 = y.iter().map(|y| (y - top).exp()).sum();
    let p = |i: usize| (y[i] - top).exp() / sum;
    match name {
        "cosine" => {
            let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt();
            let (a, b) = (length(y), length(t));
            let units: Vec<_> = y.iter().zip(t).map(|(y, t)| (y / a, t / b)).collect();
            let loss: f64 = units.iter().map(|(u, v)| (u - v) * (u - v) / 2.0).sum();
            let bound =
                52.0 * units.iter().map(|(u, v)| (u - v).abs() * (u.abs() + v.abs())).sum::<f64>() + 16.0 * loss;
            let slope = |(u, v): &(f64, f64)| (64.0 * (u.abs() * (1.0 + loss) + v.abs()) + bound * u.abs()) / a;
            (bound, units.iter().map(slope).collect(), 8.0)
        }
        "kullback_leibler" => {
            let size = |i: usize| if t[i] > 0.0 { t[i] * (t[i].ln().abs() + top - y[i]) } else { 0.0 };
            let bound = 24.0 * ((0..COLS).map(size).sum::<f64>() + sum.ln()) + 16.0;
            let slope = |i: usize| p(i) * (top - y[i] + 32.0) + 4.0 * t[i];
            (bound, (0..COLS).map(slope).collect(), 4.0)
        }
        _ => {
            let class = if t.len() == 1 { t[0] as usize } else { t.iter().position(|t| *t == 1.0).unwrap() };
            let entropy = sum.ln() + top - y[class];
            let off = 12.0 * entropy + 16.0;
            let rest = -(-entropy).exp_m1();
            let factor = rest * rest + 2.0 * rest * (-entropy).exp() * entropy;
            let slope = |i: usize| {
                let own = p(i) * (top - y[i] + 24.0) + if i == class { 4.0 } else { 0.0 };
                let plain = (p(i) - if i == class { 1.0 } else { 0.0 }).abs();
                factor * own + plain * (6.0 * off + 40.0 * factor)
            };
            (2.0 * off + 40.0 * rest * rest * entropy, (0..COLS).map(slope).collect(), 4.0)
        }
    }
}

/// Everything in which `machine` differs from the fixtures by more than allowed. `one_hot`: a categorical loss against
/// rows of a single 1 instead of class indices.
pub fn violations(machine: &mut Machine, name: &str, one_hot: bool) -> Vec<String> {
    let file = Tensors::read("more_losses.safetensors");
    let mut graph = Graph::new();
    let (p, t, rows) = build(name, one_hot, &mut graph, &file);
    let w = graph.input("w", 1).unwrap();
    let sum = graph.weighted_sum("sum", rows, w).unwrap();
    let x = graph.node(rows).inputs[0];
    let dx = differentiate(&mut graph, sum, &[x]).unwrap()[0].unwrap();
    let weights: Vec<f64> = (0..ROWS).map(|row| 1.0 + row as f64 / 64.0).collect();
    let want = file.get(&format!("{name}.loss"))[0];
    let slopes: Vec<f64> = file.get(&format!("{name}.dpred")).iter().map(|d| d * ROWS as f64).collect();
    let want_gradient: Vec<f64> = slopes.iter().enumerate().map(|(i, d)| d * weights[i / COLS]).collect();
    // In f64 the reference has the same errors again.
    let u = machine.roundoff() * if matches!(machine, Machine::F64(_)) { 2.0 } else { 1.0 };
    let (mut loss_bound, mut bounds) = (0.0, Vec::new());
    for row in 0..ROWS {
        let (part, target) = (row * COLS..(row + 1) * COLS, t.len() / ROWS);
        let (own, slope, off) = of_row(name, &p[part.clone()], &t[row * target..][..target], &slopes[part]);
        loss_bound += (u * own + U64 * off) / ROWS as f64;
        bounds.extend(slope.iter().map(|slope| weights[row] * (u * slope + U64 * off) + TINY));
    }
    let mut found = Vec::new();
    for fused in [false, true] {
        let results = machine.run(&plan(&graph, &[rows, dx], ROWS, fused), &[&p, &t, &weights], &[]);
        let mean = results[0].iter().sum::<f64>() / ROWS as f64;
        found.extend(differences(&format!("{name}.loss, fused {fused}"), &[mean], &[want], |_| loss_bound));
        let what = format!("{name}.dpred, fused {fused}");
        found.extend(differences(&what, &results[1], &want_gradient, |i| bounds[i] + u * want_gradient[i].abs()));
    }
    found
}
