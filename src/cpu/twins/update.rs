//! Twins of the optimizers with rules: `shaders/lib/update.wgsl` and what stands upon it.

use super::Real;
use crate::kernels::{Formula, RULE, RULE_BLOCK, Step, Update};

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

/// As in `shaders/lib/moment.wgsl`: below the smallest normal f32 a moment is 0, in f64 too.
#[inline(always)]
pub(super) fn faded<T: Real>(moment: T) -> T {
    if moment.abs() < T::of(f32::MIN_POSITIVE.into()) { T::zero() } else { moment }
}

/// Gives every block to the formula that is not frozen; false where the buffers are not those of the formula.
#[inline(always)]
pub fn update<T: Real>(
    p: &Update,
    reads: &[&[T]],          // gradient (n), clip (4), rules (n / 64, 4)
    writes: &mut [&mut [T]], // parameter, moments: (n) each
    step: &Step,
) -> bool {
    let &[gradient, clip, rules] = reads else { return false };
    let of = |value: f32| T::of(value.into());
    let u = &p.params;
    let (decay1, decay2, rest1, rest2) = (of(u.decay1), of(u.decay2), of(u.rest1), of(u.rest2));
    let (epsilon, rate_of_step) = (of(u.epsilon), of(step.learning_rate));
    let (correction1, root2) = (of(step.correction1), of(step.correction2).sqrt());
    let (gradient_share, moment_share) = (of(step.gradient_share), of(step.moment_share));
    let square = |g: T, v: T| faded(decay2 * v + rest2 * g * g);
    let mean = |g: T, m: T| faded(decay1 * m + rest1 * g);
    let all = Slabs { gradient, clip, rules, rate: rate_of_step };
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
                let m = faded(decay1 * m + x.g);
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
                let m = faded(decay1 * m + x.g / (v.sqrt() + epsilon));
                (x.p - x.rate * m, [v, m])
            },
        ),
        Formula::Adam => all.each(
            writes,
            #[inline(always)]
            |x, [m, v]| {
                let (m, v) = (mean(x.g, m), square(x.g, v));
                (x.p - x.rate / correction1 * m / (v.sqrt() / root2 + epsilon), [m, v])
            },
        ),
        Formula::Amsgrad => all.each(
            writes,
            #[inline(always)]
            |x, [m, v, largest]| {
                let (m, v) = (mean(x.g, m), square(x.g, v));
                let largest = if v > largest { v } else { largest };
                (x.p - x.rate / correction1 * m / (largest.sqrt() / root2 + epsilon), [m, v, largest])
            },
        ),
        Formula::Adamax => all.each(
            writes,
            #[inline(always)]
            |x, [m, u]| {
                let (m, size, faded) = (mean(x.g, m), x.g.abs() + epsilon, decay2 * u);
                let u = if faded > size { faded } else { size };
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
    gradient: &'a [T],
    clip: &'a [T],
    rules: &'a [T],
    rate: T,
}

impl<T: Real> Slabs<'_, T> {
    /// Replaces every parameter and its moments by what `formula` makes of them.
    #[inline(always)]
    fn each<const M: usize>(&self, writes: &mut [&mut [T]], formula: impl Fn(Ready<T>, [T; M]) -> (T, [T; M])) -> bool {
        let ([parameter, moments @ ..], [factor, limit, skip, ..]) = (writes, self.clip) else { return false };
        let Ok(moments) = <&mut [&mut [T]; M]>::try_from(moments) else { return false };
        if *skip != T::zero() {
            return true;
        }
        let (gradients, _) = self.gradient.as_chunks::<RULE_BLOCK>();
        let (parameters, _) = parameter.as_chunks_mut::<RULE_BLOCK>();
        let mut moments = moments.each_mut().map(|moment| moment.as_chunks_mut::<RULE_BLOCK>().0);
        let (rules, _) = self.rules.as_chunks::<RULE>();
        for (block, ((gradient, parameter), [factor_of_rate, l2, l1, decay])) in
            gradients.iter().zip(parameters).zip(rules).enumerate()
        {
            if *factor_of_rate == T::zero() {
                continue;
            }
            let rate = *factor_of_rate * self.rate;
            let mut moments = moments.each_mut().map(|moment| &mut moment[block]);
            for i in 0..RULE_BLOCK {
                let p = parameter[i];
                let mut g = *factor * gradient[i];
                if *limit > T::zero() {
                    // Not `min` and `max`: they would turn NaN into a number.
                    g = if g > *limit { *limit } else { g };
                    g = if g < -*limit { -*limit } else { g };
                }
                let sign = if p > T::zero() {
                    T::one()
                } else if p < T::zero() {
                    -T::one()
                } else {
                    T::zero()
                };
                let ready = Ready { g: g + *l2 * p + *l1 * sign, p: p - rate * *decay * p, rate };
                let (p, updated) = formula(ready, moments.each_ref().map(|moment| moment[i]));
                parameter[i] = p;
                moments.iter_mut().zip(updated).for_each(|(moment, updated)| moment[i] = updated);
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::UpdateParams;

    /// Clipping must not hide that a run has gone astray.
    #[test]
    fn a_gradient_that_is_no_number_is_not_clipped_to_one() {
        let p = Update { formula: Formula::Sgd, params: UpdateParams::new(64, 0.0, 0.0, 0.0) };
        let (mut gradient, mut parameter) = ([3.0f32; 64], [1.0f32; 64]);
        gradient[5] = f32::NAN;
        let step = Step { learning_rate: 1.0, ..Step::default() };
        let rules = [1.0, 0.0, 0.0, 0.0];
        let clip = [1.0, 0.5, 0.0, 0.0];
        assert!(update(&p, &[&gradient, &clip, &rules], &mut [&mut parameter], &step));
        assert!(parameter[5].is_nan());
        assert_eq!((parameter[4], parameter[6]), (0.5, 0.5));
    }
}
