//! What works on whole slabs: the updates of the parameters and of their moments, and blending.

use super::ULP;
use crate::kernels::{self as k, Step};

pub(super) fn adam(
    p: &k::Adam,
    gradient: &[f64],
    before: &[Vec<f64>],
    expected: &[Vec<f64>],
    step: &Step,
) -> Vec<Vec<f64>> {
    let [parameter, m, v] = expected else { return Vec::new() };
    let [_, m_before, _] = before else { return Vec::new() };
    let (c1, c2) = (f64::from(step.correction1), f64::from(step.correction2));
    let rate = f64::from(step.learning_rate) / c1;
    let mut bounds = vec![Vec::new(), Vec::new(), Vec::new()];
    for i in 0..gradient.len() {
        let m_terms = (f64::from(p.beta1) * m_before[i]).abs() + (f64::from(p.one_minus_beta1) * gradient[i]).abs();
        let m_bound = 2.0 * ULP * m_terms;
        let denominator = (v[i].max(0.0) / c2).sqrt() + f64::from(p.epsilon);
        let update = (rate * m[i] / denominator).abs();
        // Two square roots and two divisions at 2.5 to 4.5 ulp each, and v is off by 2 ulp.
        bounds[0].push(ULP * (parameter[i].abs() + 16.0 * update) + rate * m_bound / denominator);
        bounds[1].push(m_bound);
        bounds[2].push(3.0 * ULP * v[i].abs());
    }
    bounds
}

/// `1 - share` is rounded, then its product with `y`, that of `share` and `x` (where it is not fused), and the sum:
/// three roundings of the first term, two of the second.
pub(super) fn blend(x: &[f64], before: &[Vec<f64>], step: &Step) -> Vec<Vec<f64>> {
    let share = f64::from(step.share);
    let bound = |(y, x): (&f64, &f64)| 1.5 * ULP * ((1.0 - share) * y).abs() + ULP * (share * x).abs();
    before.iter().map(|y| y.iter().zip(x).map(bound).collect()).collect()
}
