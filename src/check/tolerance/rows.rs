//! What works on whole rows: softmax, log-softmax and their gradients.

use super::{ARGUMENT, FUNCTION, U, ULP, sum_bound};
use crate::kernels::Kernel;

/// Of one row of logits: `z - max`, the probabilities, the log of the sum, and the relative bound of the sum.
pub(super) struct Softmax {
    pub shifted: Vec<f64>,
    pub probability: Vec<f64>,
    pub log_sum: f64,
    pub sum_bound: f64,
}

impl Softmax {
    /// `z - max` is rounded, so each exponential is off by `u abs(z - max)` of itself; the sum averages that.
    pub fn of(z: &[f64]) -> Self {
        let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shifted: Vec<f64> = z.iter().map(|z| z - max).collect();
        let sum: f64 = shifted.iter().map(|d| d.exp()).sum();
        let probability: Vec<f64> = shifted.iter().map(|d| d.exp() / sum).collect();
        let each = probability.iter().zip(&shifted).map(|(p, d)| p * (U * d.abs() + FUNCTION * ULP)).sum::<f64>();
        Self { probability, log_sum: sum.ln(), sum_bound: each + sum_bound(z.len(), 1.0), shifted }
    }

    /// Bound of probability `i`.
    pub fn bound(&self, i: usize) -> f64 {
        self.probability[i] * (self.sum_bound + U * self.shifted[i].abs() + 2.0 * FUNCTION * ULP)
    }

    pub fn log_sum_bound(&self) -> f64 {
        self.sum_bound + FUNCTION * ULP * self.log_sum.abs()
    }
}

pub(super) fn rows(kernel: &Kernel, reads: &[Vec<f64>], y: &[f64]) -> Vec<f64> {
    let cols = match kernel {
        Kernel::Softmax(p) => p.cols,
        Kernel::LogSoftmax(p) => p.cols,
        Kernel::SoftmaxGrad(p) => p.cols,
        Kernel::LogSoftmaxGrad(p) => p.cols,
        _ => 1,
    } as usize;
    let mut bounds = Vec::with_capacity(y.len());
    for (row, y) in y.chunks_exact(cols).enumerate() {
        let part = |i: usize| &reads[i][row * cols..(row + 1) * cols];
        match kernel {
            Kernel::Softmax(_) => {
                let softmax = Softmax::of(part(0));
                bounds.extend((0..cols).map(|i| softmax.bound(i)));
            }
            Kernel::LogSoftmax(_) => {
                let softmax = Softmax::of(part(0));
                let bound = |(d, y): (&f64, &f64)| softmax.log_sum_bound() + ULP * (d.abs() + y.abs());
                bounds.extend(softmax.shifted.iter().zip(y).map(bound));
            }
            Kernel::SoftmaxGrad(_) => {
                let (p, dy) = (part(0), part(1));
                let size: f64 = p.iter().zip(dy).map(|(p, dy)| (p * dy).abs()).sum();
                let dot: f64 = p.iter().zip(dy).map(|(p, dy)| p * dy).sum();
                let sum = sum_bound(cols, size) + ULP * size;
                bounds.extend(p.iter().zip(dy).map(|(p, dy)| p.abs() * (sum + 2.0 * ULP * (dy.abs() + dot.abs()))));
            }
            _ => {
                let (log_p, dy) = (part(0), part(1));
                let size: f64 = dy.iter().map(|dy| dy.abs()).sum();
                let total: f64 = dy.iter().sum();
                let bound = |(log_p, dy): (&f64, &f64)| {
                    let function = (FUNCTION + ARGUMENT * log_p.abs()) * ULP;
                    2.0 * ULP * dy.abs() + log_p.exp() * (sum_bound(cols, size) + function * total.abs())
                };
                bounds.extend(log_p.iter().zip(dy).map(bound));
            }
        }
    }
    bounds
}
