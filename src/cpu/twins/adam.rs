//! Twin of `shaders/adam.wgsl`.

use super::Real;
use super::update::faded;
use crate::kernels::{Adam, Step};

/// `p -= lr / c1 · m / (√v / √c2 + ε)` with the moments brought up to date first.
#[inline(always)]
pub fn adam<T: Real>(
    p: &Adam,
    gradient: &[T],      // (n)
    parameter: &mut [T], // (n)
    m: &mut [T],         // (n)
    v: &mut [T],         // (n)
    step: &Step,
) {
    let of = |value: f32| T::of(value.into());
    let (beta1, beta2, rest1, rest2) = (of(p.beta1), of(p.beta2), of(p.one_minus_beta1), of(p.one_minus_beta2));
    let rate = of(step.learning_rate) / of(step.correction1);
    let root = of(step.correction2).sqrt();
    let epsilon = of(p.epsilon);
    for (((parameter, g), m), v) in parameter.iter_mut().zip(gradient).zip(m).zip(v) {
        *m = faded(beta1 * *m + rest1 * *g);
        *v = faded(beta2 * *v + rest2 * *g * *g);
        *parameter -= rate * *m / (v.sqrt() / root + epsilon);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// After one step `m / c1 = g` and `v / c2 = g²`, so the parameter moves by lr, whatever the gradient.
    #[test]
    fn the_first_step_is_the_learning_rate() {
        let (p, mut m, mut v) = (Adam::new(3, 0.9, 0.999, 1e-8), [0.0; 3], [0.0; 3]);
        let mut parameter = [1.0f64, 1.0, 1.0];
        let step = Step {
            learning_rate: 0.125,
            correction1: p.one_minus_beta1,
            correction2: p.one_minus_beta2,
            ..Step::default()
        };
        adam(&p, &[1e3, -2.0, 0.0], &mut parameter, &mut m, &mut v, &step);
        for (got, want) in parameter.iter().zip([0.875, 1.125, 1.0]) {
            assert!((got - want).abs() < 1e-8, "{got}, {want}");
        }
    }
}
