//! Automatic differentiation against central differences, in f64, for every operation of the graph.
//!
//! `(8 (L(p + h) - L(p - h)) - (L(p + 2h) - L(p - 2h))) / 12h` differs from the derivative by `h⁴ |L⁽⁵⁾| / 30` and by the
//! rounding of L, `1.5 ε |L| / h`. The samples' values lie in [-2, 2] and their functions are smooth there, with fifth
//! derivatives of at most some hundreds of thousands of the gradient's own size (those of a quotient's second derivative), and
//! L is a sum of a few dozen products: 64 stands for the second, and leaves room for the first. With h = 1e-4,
//! `64 (h⁴ + ε / h)` is 1.5e-10 of the larger of 1, |L| and the largest gradient. A wrong rule errs by some tenths.

use crate::common::differentiable::{BATCH, DIFFERENTIABLE, GRADIENTS, Sample, cases, operations};
use crate::common::machine::{Machine, plan, whole_batch};
use crate::common::{assert_none, differences};
use axone::cpu::CpuExecutor;
use axone::graph::{NodeId, Role, differentiate};
use axone::plan::{Buffer, Executor, Lowering, Slab, lower};
use std::collections::BTreeSet;

const H: f64 = 1e-4;

/// The parameters as one slab.
fn slab(sample: &Sample) -> Vec<f64> {
    let layout = Slab::new(sample.graph.parameters());
    let mut all = vec![0.0; layout.len()];
    for (i, values) in sample.parameters.iter().enumerate() {
        all[layout.range(Buffer::Parameters, i).offset..][..values.len()].copy_from_slice(values);
    }
    all
}

/// Gradients by differentiation, each parameter after the other; the loss may leave one out, whose gradient is then 0.
fn analytic(sample: &Sample, loss: NodeId, fused: bool) -> Vec<f64> {
    let mut graph = sample.graph.clone();
    let parameters = graph.parameter_nodes();
    let found = differentiate(&mut graph, loss, &parameters).unwrap();
    let gradients: Vec<_> = found.into_iter().enumerate().filter_map(|(i, node)| Some((i, node?))).collect();
    let what = Lowering {
        name: "gradients",
        batch: BATCH,
        gather: false,
        fused,
        half: false,
        outputs: &[],
        logs: &[],
        gradients: &gradients,
        update: None,
    };
    let plan = lower(&graph, &what).unwrap();
    let mut executor = CpuExecutor::<f64>::new();
    let id = executor.load(&plan).unwrap();
    executor.write_real(id, Buffer::Parameters, 0, &slab(sample)).unwrap();
    for (range, values) in plan.inputs.iter().zip(&sample.inputs) {
        if let Some(range) = range {
            executor.write_real(id, range.buffer, 0, values).unwrap();
        }
    }
    executor.run(id, &[whole_batch(&plan)]).unwrap();
    let layout = Slab::new(graph.parameters());
    let ranges = (0..parameters.len()).map(|i| layout.range(Buffer::Gradients, i));
    ranges.flat_map(|range| executor.read_real(id, range).unwrap()).collect()
}

/// The loss, and its gradients by central differences.
fn numeric(sample: &Sample, loss: NodeId) -> (f64, Vec<f64>) {
    let forward = plan(&sample.graph, &[loss], BATCH, false);
    let inputs: Vec<&[f64]> = sample.inputs.iter().map(Vec::as_slice).collect();
    let (mut machine, start) = (Machine::oracle(), slab(sample));
    let mut at = |slab: &[f64]| machine.run(&forward, &inputs, slab)[0][0];
    let layout = Slab::new(sample.graph.parameters());
    let mut gradients = Vec::new();
    for (i, values) in sample.parameters.iter().enumerate() {
        if sample.graph.parameters()[i].role == Role::Statistic {
            // Gathered, not trained: whatever depends on it, it has no gradient.
            gradients.extend(vec![0.0; values.len()]);
            continue;
        }
        let first = layout.range(Buffer::Parameters, i).offset;
        for element in first..first + values.len() {
            let mut moved = |step: f64| {
                let mut slab = start.clone();
                slab[element] += step;
                at(&slab)
            };
            let (near, far) = (moved(H) - moved(-H), moved(2.0 * H) - moved(-2.0 * H));
            gradients.push((8.0 * near - far) / (12.0 * H));
        }
    }
    (at(&start), gradients)
}

/// Everything in which `analytic` differs from `numeric` by more than allowed.
fn violations(name: &str, analytic: &[f64], (loss, numeric): &(f64, Vec<f64>)) -> Vec<String> {
    let size = numeric.iter().fold(loss.abs().max(1.0), |size, g| size.max(g.abs()));
    differences(name, analytic, numeric, |_| size * 64.0 * (H.powi(4) + f64::EPSILON / H))
}

#[test]
fn every_operation_in_the_middle_of_a_graph() {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, build) in cases() {
        let mut sample = Sample::default();
        let middle = build(&mut sample);
        let loss = sample.reduce(middle);
        seen.extend(operations(&sample.graph));
        let numeric = numeric(&sample, loss);
        assert!(numeric.1.iter().any(|g| g.abs() > 1e-3), "{name}: no gradient to compare");
        for fused in [false, true] {
            found.extend(violations(&format!("{name}, fused {fused}"), &analytic(&sample, loss, fused), &numeric));
        }
    }
    assert_none(&found);
    let missing: Vec<_> = DIFFERENTIABLE.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// What depends on all the first gradients of `loss`, each element with a weight of its own.
fn of_gradients(sample: &mut Sample, loss: NodeId) -> axone::Result<NodeId> {
    let nodes = sample.graph.parameter_nodes().into_iter().zip(sample.graph.parameters().to_vec());
    let trained: Vec<_> = nodes.filter(|(_, p)| p.role != Role::Statistic).map(|(node, _)| node).collect();
    let found = differentiate(&mut sample.graph, loss, &trained)?;
    let mut total = None;
    for gradient in found.into_iter().flatten() {
        let part = sample.reduce(gradient);
        total = Some(total.map_or(Ok(part), |sum| sample.graph.add("total", sum, part))?);
    }
    Ok(total.expect("a gradient"))
}

/// The gradients of the operations, in the middle of a graph as well: second derivatives of all that has one.
#[test]
fn every_gradient_in_the_middle_of_a_graph() {
    let (mut found, mut seen) = (Vec::new(), BTreeSet::new());
    for (name, build) in cases() {
        let mut sample = Sample::default();
        let middle = build(&mut sample);
        let loss = sample.reduce(middle);
        let second = of_gradients(&mut sample, loss).unwrap();
        seen.extend(operations(&sample.graph));
        if name.starts_with("batch_norm") && !name.contains("inference") {
            let parameters = sample.graph.parameter_nodes();
            let error = differentiate(&mut sample.graph, second, &parameters).unwrap_err().to_string();
            let wanted = "dmiddle: loss must be made of differentiable operations, got batch_norm_";
            assert!(error.starts_with(wanted), "{error}");
            continue;
        }
        let numeric = numeric(&sample, second);
        for fused in [false, true] {
            found.extend(violations(&format!("{name}, fused {fused}"), &analytic(&sample, second, fused), &numeric));
        }
    }
    assert_none(&found);
    let missing: Vec<_> = GRADIENTS.iter().filter(|name| !seen.contains(*name)).collect();
    assert!(missing.is_empty(), "no case for {missing:?}");
}

/// Third derivatives, of what a differential equation of the second order is trained with.
#[test]
fn every_activation_three_times() {
    let mut found = Vec::new();
    for &function in axone::kernels::Activation::ELEMENTWISE {
        let mut sample = Sample::default();
        let x = sample.rows(4);
        let y = sample.graph.activation("middle", function, x);
        let loss = sample.reduce(y);
        let second = of_gradients(&mut sample, loss).unwrap();
        let third = of_gradients(&mut sample, second).unwrap();
        let numeric = numeric(&sample, third);
        let analytic = analytic(&sample, third, true);
        found.extend(violations(function.name(), &analytic, &numeric));
    }
    assert_none(&found);
}

/// Two losses over shared layers, as in a model with two outputs: the total is their sum.
#[test]
fn two_outputs_add_up() {
    let mut sample = Sample::default();
    let shared = sample.rows(4);
    let shared = sample.graph.activation("shared", axone::kernels::Activation::Silu, shared);
    let (left, right) = (sample.fixed(4, 2), sample.fixed(4, 3));
    let left = sample.graph.matmul("left", shared, left).unwrap();
    let right = sample.graph.matmul("right", shared, right).unwrap();
    let right = sample.graph.softmax("right", right);
    let (left, right) = (sample.reduce(left), sample.reduce(right));
    let loss = sample.graph.add("total", left, right).unwrap();
    let numeric = numeric(&sample, loss);
    for fused in [false, true] {
        assert_none(&violations("two outputs", &analytic(&sample, loss, fused), &numeric));
    }
}

/// The comparison must see one wrong element, a sign, a factor and a NaN.
#[test]
fn canaries_turn_red() {
    let mut sample = Sample::default();
    let x = sample.rows(4);
    let y = sample.graph.softmax("middle", x);
    let loss = sample.reduce(y);
    let (right, numeric) = (analytic(&sample, loss, false), numeric(&sample, loss));
    assert_none(&violations("right", &right, &numeric));
    let largest = (0..right.len()).max_by(|a, b| right[*a].abs().total_cmp(&right[*b].abs())).unwrap();
    let wrong: [fn(f64) -> f64; 4] = [|g| g + 1e-6, |g| -g, |g| g * 1.001, |_| f64::NAN];
    for wrong in wrong {
        let mut gradients = right.clone();
        gradients[largest] = wrong(gradients[largest]);
        assert_eq!(violations("wrong", &gradients, &numeric).len(), 1);
    }
    assert_eq!(violations("short", &right[1..], &numeric).first().map(|m| m.contains("numbers, want")), Some(true));
}

#[test]
fn what_has_no_gradient_says_so() {
    let mut sample = Sample::default();
    let (x, target) = (sample.rows(4), sample.rows(4));
    let kind = axone::kernels::AccuracyKind::OneHot;
    let accuracy = sample.graph.accuracy("middle", kind, x, target).unwrap();
    let loss = sample.reduce(accuracy);
    let parameters = sample.graph.parameter_nodes();
    let error = differentiate(&mut sample.graph.clone(), loss, &parameters).unwrap_err();
    assert_eq!(error.to_string(), "middle: loss must be made of differentiable operations, got accuracy");
    let error = differentiate(&mut sample.graph.clone(), x, &parameters).unwrap_err();
    assert_eq!(error.to_string(), "before: expected a scalar loss (1, 1), got (B, 4)");

    let entropy = sample.graph.softmax_cross_entropy("middle", x, target, false, 0.0).unwrap();
    let loss = sample.reduce(entropy);
    let error = differentiate(&mut sample.graph, loss, &parameters).unwrap_err();
    let wanted = "before: target must be independent of the parameters, got a value that depends on them";
    assert_eq!(error.to_string(), wanted);
}
