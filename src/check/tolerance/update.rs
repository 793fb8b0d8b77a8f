//! Updates by rules, and the norm that clips them.
//!
//! Bounds are carried through the formula: the gradient comes with that of its own roundings (clipping, L2, L1), each
//! moment with what the gradient's does to it, and the step with both. A root is bounded by
//! `|√a - √b| ≤ min(d / √max(a, b), √d)` for `d = |a - b|`, which holds down to 0. WGSL's division may be 2.5 ulp off
//! and its root is a quotient of 1 and an inverse root of 2 ulp: 5 ulp.

use super::{Judged, SMALLEST, ULP, sum_bound};
use crate::kernels::{
    Formula, GradientNorm, GradientNormPart, NORM_CHUNK, PARTIALS_AT, RULE, RULE_BLOCK, SCALE_AT, Update,
};

const DIVISION: f64 = 2.5 * ULP;
const ROOT: f64 = 5.0 * ULP;

/// A number with what it may be off by.
#[derive(Clone, Copy)]
struct Near {
    x: f64,
    off: f64,
}

impl Near {
    /// The root, `self` being at least 0.
    fn root(self) -> Self {
        let off = self.off + SMALLEST;
        let x = self.x.max(0.0).sqrt();
        let moved = if x > 0.0 { (off / x).min(off.sqrt()) } else { off.sqrt() };
        Self { x, off: moved + ROOT * x }
    }

    /// `self` over a positive `other`.
    fn over(self, other: Self) -> Self {
        let x = self.x / other.x;
        Self { x, off: self.off / other.x + x.abs() * other.off / other.x + DIVISION * x.abs() }
    }

    /// Plus a positive constant.
    fn plus(self, constant: f64) -> Self {
        let x = self.x + constant;
        Self { x, off: self.off + ULP * x }
    }

    fn times(self, factor: f64) -> Self {
        let x = self.x * factor;
        Self { x, off: self.off * factor.abs() + ULP * x.abs() }
    }
}

/// `decay · old + share · new`: two products and a sum.
fn blend(decay: f64, old: f64, share: f64, new: Near) -> Near {
    let (faded, added) = (decay * old, share * new.x);
    Near { x: faded + added, off: share * new.off + 2.0 * ULP * (faded.abs() + added.abs()) }
}

fn square(g: Near) -> Near {
    Near { x: g.x * g.x, off: 2.0 * g.x.abs() * g.off + g.off * g.off + ULP * g.x * g.x }
}

pub(super) fn update(p: &Update, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    let ([gradient, clip, rules], Some(parameter)) = (judged.reads, judged.before.first()) else { return Vec::new() };
    let mut bounds: Vec<Vec<f64>> = judged.before.iter().map(|buffer| vec![0.0; buffer.len()]).collect();
    for i in 0..gradient.len() {
        let rule = &rules[i / RULE_BLOCK * RULE..][..RULE];
        // A frozen block keeps its bits.
        if rule[0] == 0.0 {
            continue;
        }
        let (before, factor) = (parameter[i], clip[0]);
        let scaled = if clip[1] > 0.0 { (factor * gradient[i]).clamp(-clip[1], clip[1]) } else { factor * gradient[i] };
        let (l2, l1) = (rule[1] * before, rule[2] * before.signum() * f64::from(before != 0.0));
        let terms = scaled.abs() + l2.abs() + l1.abs();
        let g = Near { x: scaled + l2 + l1, off: 2.0 * ULP * terms };
        let moment = |at: usize| judged.before.get(1 + at).map_or(0.0, |moment| moment[i]);
        let (step, moments) = formula(p, judged, g, moment);
        let rate = rule[0] * f64::from(judged.step.learning_rate);
        let (decay, moved) = (rate * rule[3] * before, step.times(rate));
        bounds[0][i] = moved.off + ULP * (before.abs() + 2.0 * decay.abs() + 2.0 * moved.x.abs());
        for (bound, moment) in bounds[1..].iter_mut().zip(moments) {
            bound[i] = moment.off;
        }
    }
    bounds
}

/// The step in units of the rate, and the moments after it.
fn formula(p: &Update, judged: &Judged<'_>, g: Near, moment: impl Fn(usize) -> f64) -> (Near, Vec<Near>) {
    let wide = |value: f32| f64::from(value);
    let (u, s) = (&p.params, judged.step);
    let (decay1, decay2, rest1, rest2) = (wide(u.decay1), wide(u.decay2), wide(u.rest1), wide(u.rest2));
    let epsilon = wide(u.epsilon);
    let root2 = Near { x: wide(s.correction2), off: 0.0 }.root();
    let mean = |at: usize| blend(decay1, moment(at), rest1, g);
    let mean_square = |at: usize, x: Near| blend(decay2, moment(at), rest2, square(x));
    let corrected = |m: Near, v: Near| m.over(v.root().over(root2).plus(epsilon)).times(1.0 / wide(s.correction1));
    match p.formula {
        Formula::Sgd => (g, vec![]),
        Formula::Momentum | Formula::Nesterov => {
            let m = blend(decay1, moment(0), 1.0, g);
            let ahead = blend(1.0, g.x, decay1, m);
            (if p.formula == Formula::Nesterov { Near { off: ahead.off + g.off, ..ahead } } else { m }, vec![m])
        }
        Formula::Adagrad => {
            let sum = blend(1.0, moment(0), 1.0, square(g));
            (g.over(sum.root().plus(epsilon)), vec![sum])
        }
        Formula::Adadelta => {
            let v = mean_square(0, g);
            let above = Near { x: moment(1), off: 0.0 }.plus(epsilon).root();
            let ratio = above.over(v.plus(epsilon).root());
            let x = ratio.x * g.x;
            let delta = Near { x, off: ratio.off * g.x.abs() + ratio.x * g.off + ULP * x.abs() };
            (delta, vec![v, mean_square(1, delta)])
        }
        Formula::Rmsprop => {
            let v = mean_square(0, g);
            (g.over(v.root().plus(epsilon)), vec![v])
        }
        Formula::RmspropMomentum => {
            let v = mean_square(0, g);
            let m = blend(decay1, moment(1), 1.0, g.over(v.root().plus(epsilon)));
            (m, vec![v, m])
        }
        Formula::Adam => {
            let (m, v) = (mean(0), mean_square(1, g));
            (corrected(m, v), vec![m, v])
        }
        Formula::Amsgrad => {
            let (m, v) = (mean(0), mean_square(1, g));
            // The larger of two numbers is off by no more than they are; the old one is exact.
            let largest = Near { x: v.x.max(moment(2)), off: v.off };
            (corrected(m, largest), vec![m, v, largest])
        }
        Formula::Adamax => {
            let m = mean(0);
            let size = Near { x: g.x.abs(), ..g }.plus(epsilon);
            let faded = decay2 * moment(1);
            let largest = Near { x: size.x.max(faded), off: size.off.max(ULP * faded) };
            (m.over(largest).times(1.0 / wide(s.correction1)), vec![m, largest])
        }
        Formula::Nadam => {
            let (m, v) = (mean(0), mean_square(1, g));
            let (share_g, share_m) = (wide(s.gradient_share), wide(s.moment_share));
            let blended = blend(share_g, g.x, share_m, m);
            let direction = Near { off: blended.off + share_g.abs() * g.off, ..blended };
            (direction.over(v.root().over(root2).plus(epsilon)), vec![m, v])
        }
    }
}

/// Partial sums of up to 4096 squares, or the factor of their sum; all else stays as it is.
pub(super) fn gradient_norm(p: &GradientNorm, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    let Some(expected) = judged.expected.first() else { return Vec::new() };
    let mut bounds = vec![0.0; expected.len()];
    let partials = &expected[PARTIALS_AT.min(expected.len())..];
    if p.part == GradientNormPart::Partials {
        let sums = bounds.iter_mut().skip(PARTIALS_AT).zip(partials);
        sums.for_each(|(bound, sum)| *bound = sum_bound(NORM_CHUNK, *sum) + ULP * sum);
        return vec![bounds];
    }
    let sum: f64 = partials.iter().sum();
    let scaled = judged.before.get(1);
    let scale = scaled.and_then(|loss_scale| loss_scale.get(SCALE_AT)).copied().unwrap_or(1.0);
    // Scales are powers of two: a quotient by one is exact.
    let norm = Near { x: sum, off: sum_bound(partials.len(), sum) }.root();
    let norm = Near { x: norm.x / scale, off: norm.off / scale }.plus(1e-6);
    let most = Near { x: f64::from(p.params.max_norm), off: 0.0 };
    // What the quotient is off by; where it is well above 1, nothing remains of it.
    let factor = most.over(norm);
    let off = if factor.x - factor.off > 1.0 { 0.0 } else { factor.off };
    let Some(loss_scale) = scaled else {
        bounds[0] = off;
        return vec![bounds];
    };
    let mut state = vec![0.0; loss_scale.len()];
    // The second quotient by the scale is a division as WGSL allows it.
    state[0] = off / scale + DIVISION / scale;
    vec![bounds, state]
}
