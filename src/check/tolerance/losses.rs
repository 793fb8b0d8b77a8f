//! The losses and their gradients.

use super::rows::Softmax;
use super::{FUNCTION, Judged, SMALLEST, ULP, sum_bound};
use crate::kernels::{self as k, ElementwiseLoss, EntropyKind, LossPart};

/// The bounds of a loss kernel's outputs. A loss that goes to the log touches nothing there but its own place (and
/// that of the hits, which are exact).
pub(super) fn by_part(
    part: LossPart,
    loss: Vec<f64>,
    slope: Vec<f64>,
    (stride, at): (u32, u32),
    judged: &Judged<'_>,
) -> Vec<Vec<f64>> {
    let log = || {
        let expected = judged.expected.first().map_or(&[][..], Vec::as_slice);
        let mut all = vec![0.0; expected.len()];
        let first = (judged.step.log_row * stride + at) as usize;
        for ((all, loss), y) in all[first..].iter_mut().zip(loss).zip(&expected[first..]) {
            *all = loss + ULP * y.abs();
        }
        all
    };
    match part {
        LossPart::Loss => vec![log()],
        LossPart::Grad => vec![slope],
        LossPart::LossAndGrad => vec![log(), slope],
    }
}

pub(super) fn cross_entropy(
    p: &k::SoftmaxCrossEntropy,
    logits: &[f64],
    target: &[f64],
    drow: Option<&Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let cols = p.params.cols as usize;
    let smoothing = f64::from(p.params.smoothing);
    let (mut losses, mut slopes) = (Vec::new(), Vec::new());
    for (row, z) in logits.chunks_exact(cols).enumerate() {
        let softmax = Softmax::of(z);
        let t: Vec<f64> = (0..cols)
            .map(|i| {
                let own = match p.classes {
                    true => f64::from(u8::from(target[row] == i as f64)),
                    false => target[row * cols + i],
                };
                (1.0 - smoothing) * own + smoothing / cols as f64
            })
            .collect();
        let (total, size): (f64, f64) = (t.iter().sum(), t.iter().map(|t| t.abs()).sum());
        let total_bound = sum_bound(cols, size) + FUNCTION * ULP * size;
        let crossed: f64 = t.iter().zip(&softmax.shifted).map(|(t, d)| (t * d).abs()).sum();
        let dot = sum_bound(cols, crossed) + FUNCTION * ULP * crossed;
        let log_sum = softmax.log_sum.abs();
        let entropy = total.abs() * (softmax.log_sum_bound() + 2.0 * ULP * log_sum) + total_bound * log_sum + dot;
        let upstream = drow.map_or(0.0, |drow| drow[row].abs());
        let (loss_bound, factor, factor_bound) = match p.kind {
            EntropyKind::Focal { gamma } => {
                let value = total * softmax.log_sum - t.iter().zip(&softmax.shifted).map(|(t, d)| t * d).sum::<f64>();
                focal(f64::from(gamma), value, entropy)
            }
            EntropyKind::Divergence => {
                // log t and its distance from the logit are rounded.
                let log =
                    |t: f64, d: f64| if t > 0.0 { t * t.ln().abs() * FUNCTION + t * (d - t.ln()).abs() } else { 0.0 };
                let size: f64 = t.iter().zip(&softmax.shifted).map(|(t, d)| log(*t, *d)).sum();
                (entropy + ULP * size + sum_bound(cols, size), 1.0, 0.0)
            }
            EntropyKind::CrossEntropy { .. } => (entropy, 1.0, 0.0),
        };
        losses.push(loss_bound);
        for (i, t) in t.iter().enumerate() {
            let p = softmax.probability[i];
            let terms = p * total.abs() + t.abs();
            let own = total.abs() * softmax.bound(i) + p * total_bound + FUNCTION * ULP * terms;
            slopes.push(upstream * (factor * own + factor_bound * (p * total - t).abs()));
        }
    }
    (losses, slopes)
}

/// Of a focal loss whose cross-entropy is off by `bound`: the bound of the loss, the factor of its gradient and the
/// bound of that.
///
/// Both are functions of the cross-entropy alone, so the first part is how far they move with it (the factor need not
/// be monotonous, but over so short a way it is). The second is their own rounding: with `A = gamma |log(1 - p)|`, the
/// argument of the exponential is off by two functions and a product, `(2 FUNCTION + 1) ulp A`, and six more results
/// are taken (exp, `p`, `1 - p`, a quotient, products), each of at most FUNCTION ulp.
fn focal(gamma: f64, entropy: f64, bound: f64) -> (f64, f64, f64) {
    let at = |entropy: f64| {
        let rest = -(-entropy).exp_m1();
        let (focus, ratio) = (rest.powf(gamma), if rest > 0.0 { entropy / rest } else { 1.0 });
        (focus * entropy, focus * (1.0 + gamma * (-entropy).exp() * ratio))
    };
    let (low, middle, high) = (at((entropy - bound).max(0.0)), at(entropy), at(entropy + bound));
    let argument = gamma * -(-(-entropy).exp_m1()).max(SMALLEST).ln();
    let own = ULP * ((2.0 * FUNCTION + 1.0) * argument + 6.0 * FUNCTION);
    let reach = |low: f64, middle: f64, high: f64| (low - middle).abs().max((high - middle).abs()) + own * middle;
    (reach(low.0, middle.0, high.0), middle.1, reach(low.1, middle.1, high.1))
}

/// An element of a unit vector is off by `own`, a share of itself: the quotient by the largest element, half of what
/// the sum of squares is off by (each square by 7 ulp), a root and a quotient, of 3 ulp each. The loss is the sum of
/// the squares of `u - v`, each off by `2 abs(u - v)` times what u and v are.
pub(super) fn cosine(
    p: &k::CosineLoss,
    prediction: &[f64],
    target: &[f64],
    drow: Option<&Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let cols = p.params.cols as usize;
    let own = ULP * (3.0 + 3.5 + 3.0 + 3.0) + sum_bound(cols, 0.5);
    let (mut losses, mut slopes) = (Vec::new(), Vec::new());
    for (row, (y, t)) in prediction.chunks_exact(cols).zip(target.chunks_exact(cols)).enumerate() {
        let length = |x: &[f64]| x.iter().map(|x| x * x).sum::<f64>().sqrt().max(SMALLEST);
        let (y_length, t_length) = (length(y), length(t));
        let units: Vec<(f64, f64)> = y.iter().zip(t).map(|(y, t)| (y / y_length, t / t_length)).collect();
        let loss = units.iter().map(|(u, v)| 0.5 * (u - v) * (u - v)).sum::<f64>();
        let moved: f64 =
            units.iter().map(|(u, v)| (u - v).abs() * (own * (u.abs() + v.abs()) + ULP * (u - v).abs())).sum();
        let bound = moved + sum_bound(cols, loss) + 2.0 * ULP * loss;
        losses.push(bound);
        let upstream = drow.map_or(0.0, |drow| drow[row].abs()) / y_length;
        slopes.extend(units.iter().map(|(u, v)| {
            let terms = u.abs() + v.abs() + loss * u.abs();
            upstream * (2.0 * own * terms + 4.0 * ULP * terms + bound * u.abs())
        }));
    }
    (losses, slopes)
}

pub(super) fn elementwise_loss(
    p: &k::ElementwiseLossKernel,
    prediction: &[f64],
    target: &[f64],
    drow: Option<&Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let cols = p.params.cols as usize;
    let (mut losses, mut slopes) = (Vec::new(), Vec::new());
    for (row, (y, t)) in prediction.chunks_exact(cols).zip(target.chunks_exact(cols)).enumerate() {
        let (mut size, mut own) = (0.0, 0.0);
        let upstream = drow.map_or(0.0, |drow| drow[row].abs()) / cols as f64;
        for (&y, &t) in y.iter().zip(t) {
            let (terms, extra, slope_terms) = loss_terms(p.loss, y, t);
            size += terms;
            own += FUNCTION * ULP * terms + ULP * extra;
            slopes.push(upstream * 2.0 * FUNCTION * ULP * slope_terms);
        }
        losses.push((sum_bound(cols, size) + own + FUNCTION * ULP * size) / cols as f64);
    }
    (losses, slopes)
}

/// As [`loss_terms`], of one side of a focal loss, `weight exp(-A) softplus(-x)` with `A = gamma softplus(x)`. The
/// exponential is off by its own FUNCTION ulp and by what its argument is, `A (FUNCTION + 1) ulp`; two more functions
/// and products follow, of which the callers count one (in the gradient two) on what is returned here.
fn focal_side(gamma: f64, weight: f64, x: f64) -> (f64, f64, f64) {
    let softplus = |x: f64| x.max(0.0) + (-x.abs()).exp().ln_1p();
    let sigmoid = |x: f64| 1.0 / (1.0 + (-x).exp());
    let argument = gamma * softplus(x);
    let value = weight * (-argument).exp() * softplus(-x);
    let slope = weight * (-argument).exp() * (gamma * sigmoid(x) * softplus(-x) + sigmoid(-x));
    (value, value * (FUNCTION + (FUNCTION + 1.0) * argument), slope * (2.0 + argument))
}

/// Of one element: the sizes of the terms of its loss, an absolute error in ulps, the sizes of its gradient's terms.
fn loss_terms(loss: ElementwiseLoss, y: f64, t: f64) -> (f64, f64, f64) {
    let e = (y - t).abs();
    match loss {
        ElementwiseLoss::Mse => (e * e, 0.0, 2.0 * e),
        ElementwiseLoss::Mae => (e, 0.0, 1.0),
        ElementwiseLoss::Huber { delta } => {
            let delta = f64::from(delta);
            (if e <= delta { e * e / 2.0 } else { delta * e }, 0.0, e.min(delta))
        }
        ElementwiseLoss::BinaryCrossEntropy => {
            let log = |p: f64| p.ln().max(-100.0).abs();
            // 1 - y is rounded: an absolute error of u in its logarithm.
            (t.abs() * log(y) + (1.0 - t).abs() * log(1.0 - y), (1.0 - t).abs(), e / (y * (1.0 - y)).max(1e-12))
        }
        ElementwiseLoss::SigmoidBinaryCrossEntropy => {
            let sigmoid = 1.0 / (1.0 + (-y).exp());
            (y.max(0.0) + (y * t).abs() + (-y.abs()).exp().ln_1p(), 0.0, sigmoid + t.abs())
        }
        ElementwiseLoss::Focal { gamma, positive, negative } => {
            let sides = [(f64::from(positive) * t, y), (f64::from(negative) * (1.0 - t), -y)];
            let sides = sides.map(|(weight, x)| focal_side(f64::from(gamma), weight.abs(), x));
            sides.into_iter().fold((0.0, 0.0, 0.0), |all, one| (all.0 + one.0, all.1 + one.1, all.2 + one.2))
        }
        ElementwiseLoss::Hinge | ElementwiseLoss::SquaredHinge => {
            let margin = (1.0 - if t > 0.5 { y } else { -y }).max(0.0);
            if loss == ElementwiseLoss::Hinge { (margin, 0.0, 1.0) } else { (margin * margin, 0.0, 2.0 * margin) }
        }
        ElementwiseLoss::PoissonLog => (y.exp() + (t * y).abs(), 0.0, y.exp() + t.abs()),
        ElementwiseLoss::Poisson => {
            // The sum in the logarithm is rounded: an absolute error of u in it.
            let rate = y + 1e-8;
            (y.abs() + (t * rate.ln()).abs(), t.abs(), 1.0 + (t / rate).abs())
        }
        ElementwiseLoss::Quantile { .. } => (e, 0.0, 1.0),
        // Below 1: two squared functions, a sum and a quotient (20 ulp) in the argument of the logarithm, whose share
        // of itself is no larger there than in its result.
        ElementwiseLoss::LogCosh if e < 1.0 => (e.cosh().ln(), 20.0 * e.cosh().ln(), e.tanh()),
        ElementwiseLoss::LogCosh => (2.0 * e, 0.0, e.tanh()),
    }
}
