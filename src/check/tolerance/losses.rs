//! The losses and their gradients.

use super::rows::Softmax;
use super::{FUNCTION, Judged, ULP, sum_bound};
use crate::kernels::{self as k, ElementwiseLoss, Part};

/// The bounds of a loss kernel's outputs. A loss that goes to the log touches nothing there but its own place (and
/// that of the hits, which are exact).
pub(super) fn by_part(
    part: Part,
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
        Part::Loss => vec![log()],
        Part::Grad => vec![slope],
        Part::LossAndGrad => vec![log(), slope],
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
        losses.push(total.abs() * (softmax.log_sum_bound() + 2.0 * ULP * log_sum) + total_bound * log_sum + dot);
        let upstream = drow.map_or(0.0, |drow| drow[row].abs());
        for (i, t) in t.iter().enumerate() {
            let p = softmax.probability[i];
            let terms = p * total.abs() + t.abs();
            slopes.push(upstream * (total.abs() * softmax.bound(i) + p * total_bound + FUNCTION * ULP * terms));
        }
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
    }
}
