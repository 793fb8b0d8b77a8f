//! What works on whole slabs: the updates of the parameters, and blending.

use super::{Shape, numbers};
use crate::kernels::{
    Blend, FACTORS_AT, Formula, GradientNorm, Kernel, Lbfgs, PARTIALS_AT, RULE, RULE_BLOCK, SCALE_AT, Update,
    UpdateParams,
};

/// Slabs are whole numbers of [`crate::plan::ALIGNMENT`] elements.
pub(super) fn optimizers(s: &mut Shape) {
    let n = s.n().next_multiple_of(crate::plan::ALIGNMENT);
    let [gradient, parameter] = [2, 1].map(|stream| numbers(stream, n, -2.0, 2.0));
    s.update(Kernel::Blend(Blend { n: n as u32 }), vec![gradient.clone()], vec![parameter.clone()]);
    for &formula in Formula::ALL {
        let params = UpdateParams::new(n as u32, 0.9, 0.999, 1e-6);
        let kernel = |by_rules| Kernel::Update(Update { formula, params, by_rules });
        // A mean of gradients has both signs, a mean of squares or sizes has none.
        let lowest = |name| if name == "m" { -1.0 } else { 0.0 };
        let moments = formula.moments().iter().zip(20..).map(|(of, stream)| moment(stream, n, lowest(of.name)));
        let writes: Vec<_> = std::iter::once(parameter.clone()).chain(moments).collect();
        if formula.plain().is_some() {
            s.update(kernel(false), vec![gradient.clone()], writes.clone());
        }
        s.update(kernel(true), vec![gradient.clone(), clip(formula), rules(n)], writes);
    }
    let params = UpdateParams::new(n as u32, 0.9, 0.999, 1e-6);
    let skipped = Update { formula: Formula::Adam, params, by_rules: true };
    let writes = vec![parameter, moment(13, n, -1.0), moment(11, n, 0.0)];
    s.update(Kernel::Update(skipped), vec![gradient.clone(), vec![0.75, 0.0, 1.0, 0.0], rules(n)], writes);
    let [partials, factor] = GradientNorm::both(n as u32, 3.0);
    let mut clip = vec![0.5; PARTIALS_AT];
    clip.extend(numbers(14, partials.params.partials as usize, 0.0, 4.0));
    s.update(Kernel::GradientNorm(partials), vec![gradient, rules(n)], vec![clip.clone()]);
    s.update(Kernel::GradientNorm(factor), vec![], vec![clip.clone()]);
    let [_, scaled] = GradientNorm::both_scaled(n as u32, 3.0);
    let state = |numbers: [f32; 3]| [vec![0.5; SCALE_AT], numbers.to_vec()].concat();
    // A good step, one after which the scale grows, one that overflowed, and one at the smallest scale.
    s.update(Kernel::GradientNorm(scaled), vec![], vec![clip.clone(), state([0.5, 7.0, 2.0])]);
    s.update(Kernel::GradientNorm(scaled), vec![], vec![clip.clone(), state([8.0, 1999.0, 2.0])]);
    for (sum, scale) in [(f32::INFINITY, 8.0), (f32::NAN, 1.0)] {
        let mut clip = clip.clone();
        clip.iter_mut().skip(PARTIALS_AT).take(1).for_each(|partial| *partial = sum);
        s.update(Kernel::GradientNorm(scaled), vec![], vec![clip, state([scale, 1999.0, 2.0])]);
    }
}

fn moment(stream: u32, n: usize, lowest: f32) -> Vec<f32> {
    numbers(stream, n, lowest, 1.0)
}

/// A factor, and for some a largest size.
fn clip(formula: Formula) -> Vec<f32> {
    let limit = if formula.moments().len() == 1 { 0.0 } else { 0.7 };
    vec![0.75, limit, 0.0, 0.0]
}

/// The vectors of L-BFGS: a new direction and one that is kept; all slots in use and some.
pub(super) fn lbfgs(s: &mut Shape) {
    let n = s.n().next_multiple_of(crate::plan::ALIGNMENT);
    for (slots, slot, used, is_new) in [(1, 0, 1, 1.0), (3, 1, 2, 0.0), (3, 2, 3, 1.0)] {
        let [advance, measure, accept] = Lbfgs::all(n as u32, slots);
        let mut coefficients = vec![0.75, slot as f32, is_new, used as f32, -0.5, 0.0, 0.0, 0.0];
        coefficients.extend(numbers(30, 2 * slots as usize, -1.0, 1.0));
        // A slot that is not in use has no factor.
        (used..slots)
            .for_each(|j| [j, slots + j].into_iter().for_each(|j| coefficients[FACTORS_AT + j as usize] = 0.0));
        let memory = numbers(31, advance.memory_len(), -2.0, 2.0);
        let [parameter, gradient] = [1, 2].map(|stream| numbers(stream, n, -2.0, 2.0));
        let penalty: Vec<f32> = (0..n / RULE_BLOCK).map(|block| [0.25, 0.0][block % 2]).collect();
        let sums = vec![f32::NAN; measure.params.partials as usize * measure.sums_width()];
        s.update(Kernel::Lbfgs(advance), vec![coefficients.clone()], vec![memory.clone(), vec![f32::NAN; n]]);
        let writes = vec![gradient.clone(), memory.clone(), sums];
        s.update(Kernel::Lbfgs(measure), vec![coefficients, penalty, parameter.clone()], writes);
        s.update(Kernel::Lbfgs(accept), vec![parameter], vec![gradient, memory]);
    }
}

/// In turn: as it is, everything at once, frozen, another rate.
fn rules(n: usize) -> Vec<f32> {
    let kinds: [[f32; RULE]; 4] =
        [[1.0, 0.0, 0.0, 0.0], [0.5, 0.03, 0.02, 0.1], [0.0, 0.03, 0.02, 0.1], [2.0, 0.0, 0.5, 0.0]];
    (0..n / RULE_BLOCK).flat_map(|block| kinds[block % kinds.len()]).collect()
}
