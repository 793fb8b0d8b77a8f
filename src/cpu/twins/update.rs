//! Twins of the optimizers: `shaders/lib/update.wgsl` and what stands upon it, and the plain forms `sgd` and `adam`.

use super::Real;
use crate::kernels::{Formula, RULE, RULE_BLOCK, Step, Update};
use std::ops::{Add, Div, Mul, Neg, Sub};

/// What a formula asks of a number: f32 and f64 have it, and so has the number that carries its error, on which
/// `src/check` runs the same formulas.
pub trait Number:
    Copy
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
{
    /// The constant `value`.
    fn of(value: f64) -> Self;
    /// The root.
    fn sqrt(self) -> Self;
    /// The size.
    fn abs(self) -> Self;
    /// `self` where it is above `other`, which is returned where it is NaN.
    fn or_above(self, other: Self) -> Self;
    /// `self` where it is below `other`, which is returned where it is NaN.
    fn or_below(self, other: Self) -> Self;
    /// As in `shaders/lib/moment.wgsl`: below the smallest normal f32 a moment is 0, in f64 too.
    fn faded(self) -> Self;
}

impl<T: Real> Number for T {
    #[inline(always)]
    fn of(value: f64) -> Self {
        Real::of(value)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        num_traits::Float::sqrt(self)
    }
    #[inline(always)]
    fn abs(self) -> Self {
        num_traits::Float::abs(self)
    }
    #[inline(always)]
    fn or_above(self, other: Self) -> Self {
        if self > other { self } else { other }
    }
    #[inline(always)]
    fn or_below(self, other: Self) -> Self {
        if self < other { self } else { other }
    }
    #[inline(always)]
    fn faded(self) -> Self {
        if Number::abs(self) < Number::of(f32::MIN_POSITIVE.into()) { T::zero() } else { self }
    }
}

/// A gradient and a parameter, ready for the formula.
#[derive(Clone, Copy)]
struct Ready<T> {
    /// The gradient, clipped, with L2 and L1 added.
    g: T,
    /// The parameter after its decay.
    p: T,
    /// The learning rate of its block.
    rate: T,
}

/// Gives every block to the formula that is not frozen; false where the buffers are not those of the formula.
#[inline(always)]
pub fn update<T: Number>(
    p: &Update,
    reads: &[&[T]],          // gradient (n); by rules: clip (4), rules (n / 64, 4)
    writes: &mut [&mut [T]], // parameter, moments: (n) each
    step: &Step,
) -> bool {
    let of = |value: f32| T::of(value.into());
    let u = &p.params;
    let (decay1, decay2, rest1, rest2) = (of(u.decay1), of(u.decay2), of(u.rest1), of(u.rest2));
    let (epsilon, rate_of_step) = (of(u.epsilon), of(step.learning_rate));
    let (correction1, root2) = (of(step.correction1), of(step.correction2).sqrt());
    let (gradient_share, moment_share) = (of(step.gradient_share), of(step.moment_share));
    let square = |g: T, v: T| (decay2 * v + rest2 * g * g).faded();
    let mean = |g: T, m: T| (decay1 * m + rest1 * g).faded();
    let adam = |x: Ready<T>, m: T, v: T| x.p - x.rate / correction1 * m / (v.sqrt() / root2 + epsilon);
    let all = Slabs { reads, rate: rate_of_step };
    match p.formula {
        Formula::Sgd => all.each(
            writes,
            #[inline(always)]
            |x, []| (x.p - x.rate * x.g, []),
        ),
        Formula::Momentum | Formula::Nesterov => all.each(
            writes,
            #[inline(always)]
            |x, [m]| {
                let m = (decay1 * m + x.g).faded();
                let direction = if p.formula == Formula::Nesterov { x.g + decay1 * m } else { m };
                (x.p - x.rate * direction, [m])
            },
        ),
        Formula::Adagrad => all.each(
            writes,
            #[inline(always)]
            |x, [s]| {
                let s = s + x.g * x.g;
                (x.p - x.rate * x.g / (s.sqrt() + epsilon), [s])
            },
        ),
        Formula::Adadelta => all.each(
            writes,
            #[inline(always)]
            |x, [v, d]| {
                let v = square(x.g, v);
                let delta = (d + epsilon).sqrt() / (v + epsilon).sqrt() * x.g;
                (x.p - x.rate * delta, [v, square(delta, d)])
            },
        ),
        Formula::Rmsprop => all.each(
            writes,
            #[inline(always)]
            |x, [v]| {
                let v = square(x.g, v);
                (x.p - x.rate * (x.g / (v.sqrt() + epsilon)), [v])
            },
        ),
        Formula::RmspropMomentum => all.each(
            writes,
            #[inline(always)]
            |x, [v, m]| {
                let v = square(x.g, v);
                let m = (decay1 * m + x.g / (v.sqrt() + epsilon)).faded();
                (x.p - x.rate * m, [v, m])
            },
        ),
        Formula::Adam => all.each(
            writes,
            #[inline(always)]
            |x, [m, v]| {
                let (m, v) = (mean(x.g, m), square(x.g, v));
                (adam(x, m, v), [m, v])
            },
        ),
        Formula::Amsgrad => all.each(
            writes,
            #[inline(always)]
            |x, [m, v, largest]| {
                let (m, v) = (mean(x.g, m), square(x.g, v));
                let largest = v.or_above(largest);
                (adam(x, m, largest), [m, v, largest])
            },
        ),
        Formula::Adamax => all.each(
            writes,
            #[inline(always)]
            |x, [m, u]| {
                let m = mean(x.g, m);
                let u = (decay2 * u).or_above(x.g.abs() + epsilon);
                (x.p - x.rate / correction1 * m / u, [m, u])
            },
        ),
        Formula::Nadam => all.each(
            writes,
            #[inline(always)]
            |x, [m, v]| {
                let (m, v) = (mean(x.g, m), square(x.g, v));
                let direction = gradient_share * x.g + moment_share * m;
                (x.p - x.rate * direction / (v.sqrt() / root2 + epsilon), [m, v])
            },
        ),
    }
}

/// What is read.
struct Slabs<'a, T> {
    reads: &'a [&'a [T]],
    rate: T,
}

impl<T: Number> Slabs<'_, T> {
    /// Replaces every parameter and its moments by what `formula` makes of them.
    #[inline(always)]
    fn each<const M: usize>(&self, writes: &mut [&mut [T]], formula: impl Fn(Ready<T>, [T; M]) -> (T, [T; M])) -> bool {
        let ([gradient, settings @ ..], [parameter, moments @ ..]) = (self.reads, writes) else { return false };
        let Ok(moments) = <&mut [&mut [T]; M]>::try_from(moments) else { return false };
        let (zero, one) = (T::of(0.0), T::of(1.0));
        let (gradients, _) = gradient.as_chunks::<RULE_BLOCK>();
        let (parameters, _) = parameter.as_chunks_mut::<RULE_BLOCK>();
        let mut moments = moments.each_mut().map(|moment| moment.as_chunks_mut::<RULE_BLOCK>().0);
        let blocks = gradients.iter().zip(parameters).enumerate();
        let (factor, limit, rules) = match settings {
            [] => {
                for (at, (gradient, parameter)) in blocks {
                    block(
                        gradient,
                        parameter,
                        moments.each_mut().map(|moment| &mut moment[at]),
                        #[inline(always)]
                        |g, p| Ready { g, p, rate: self.rate },
                        &formula,
                    );
                }
                return true;
            }
            [[_, _, skip, ..], _] if *skip != zero => return true,
            [[factor, limit, ..], rules] => (*factor, *limit, rules.as_chunks::<RULE>().0),
            _ => return false,
        };
        for ((at, (gradient, parameter)), [factor_of_rate, l2, l1, decay]) in blocks.zip(rules) {
            if *factor_of_rate == zero {
                continue;
            }
            let rate = *factor_of_rate * self.rate;
            block(
                gradient,
                parameter,
                moments.each_mut().map(|moment| &mut moment[at]),
                #[inline(always)]
                |g, p| {
                    let mut g = factor * g;
                    if limit > zero {
                        // Not `min` and `max`: they would turn NaN into a number.
                        g = (-limit).or_above(limit.or_below(g));
                    }
                    let sign = if p > zero {
                        one
                    } else if p < zero {
                        -one
                    } else {
                        zero
                    };
                    Ready { g: g + *l2 * p + *l1 * sign, p: p - rate * *decay * p, rate }
                },
                &formula,
            );
        }
        true
    }
}

/// The elements of one block.
#[inline(always)]
fn block<T: Number, const M: usize>(
    gradient: &[T; RULE_BLOCK],
    parameter: &mut [T; RULE_BLOCK],
    mut moments: [&mut [T; RULE_BLOCK]; M],
    ready: impl Fn(T, T) -> Ready<T>,
    formula: &impl Fn(Ready<T>, [T; M]) -> (T, [T; M]),
) {
    for i in 0..RULE_BLOCK {
        let (p, updated) = formula(ready(gradient[i], parameter[i]), moments.each_ref().map(|moment| moment[i]));
        parameter[i] = p;
        moments.iter_mut().zip(updated).for_each(|(moment, updated)| moment[i] = updated);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::UpdateParams;

    /// Clipping must not hide that a run has gone astray.
    #[test]
    fn a_gradient_that_is_no_number_is_not_clipped_to_one() {
        let p = Update { formula: Formula::Sgd, params: UpdateParams::new(64, 0.0, 0.0, 0.0), by_rules: true };
        let (mut gradient, mut parameter) = ([3.0f32; 64], [1.0f32; 64]);
        gradient[5] = f32::NAN;
        let step = Step { learning_rate: 1.0, ..Step::default() };
        let rules = [1.0, 0.0, 0.0, 0.0];
        assert!(update(&p, &[&gradient, &[1.0, 0.5, 0.0, 0.0], &rules], &mut [&mut parameter], &step));
        assert!(parameter[5].is_nan());
        assert_eq!((parameter[4], parameter[6]), (0.5, 0.5));
    }

    /// After one step of Adam `m / c1 = g` and `v / c2 = g²`, so the parameter moves by lr, whatever the gradient.
    #[test]
    fn the_first_step_is_the_learning_rate() {
        let params = UpdateParams::new(64, 0.9, 0.999, 1e-8);
        let p = Update { formula: Formula::Adam, params, by_rules: false };
        let (mut parameter, mut m, mut v) = ([1.0f64; 64], [0.0; 64], [0.0; 64]);
        let mut gradient = [0.0; 64];
        (gradient[0], gradient[1]) = (1e3, -2.0);
        let step =
            Step { learning_rate: 0.125, correction1: params.rest1, correction2: params.rest2, ..Step::default() };
        assert!(update(&p, &[&gradient], &mut [&mut parameter, &mut m, &mut v], &step));
        for (got, want) in parameter.iter().zip([0.875, 1.125, 1.0]) {
            assert!((got - want).abs() < 1e-8, "{got}, {want}");
        }
    }
}
