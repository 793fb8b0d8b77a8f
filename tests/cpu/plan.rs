//! What a plan looks like, and that its buffers are safe: no dispatch reads what it writes, and no value is overwritten
//! while it is still to be read.
//!
//! The last is shown by running: a plan whose every value is an output keeps every value, so nothing is reused there.
//! The same steps with reuse must write the same bits, step by step.

use crate::common::assert_none;
use crate::common::differentiable::{BATCH, Sample, cases};
use crate::common::fixtures::folder;
use crate::common::machine::{plan, plan_in, whole_batch};
use axone::cpu::CpuExecutor;
use axone::graph::{NodeId, differentiate};
use axone::kernels::{Activation as Function, Epilogue, Kernel};
use axone::layers::Activation;
use axone::model::{Program, Purpose};
use axone::plan::{Buffer, BufferRange, Executor, Plan, Storage};
use axone::prelude::*;
use std::collections::BTreeSet;

fn classifier() -> Program {
    let net = Sequential::new(4)
        .add(Dense::new(6).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    let model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
    model.program().clone()
}

/// `AXONE_UPDATE_SNAPSHOTS=1` rewrites the files; look at what changed before you commit it.
#[test]
fn snapshots() {
    let program = classifier();
    let plans = [
        ("plan_train.txt", program.plan(Purpose::Train, 8, &[true], true)),
        ("plan_train_unfused.txt", program.plan(Purpose::Train, 8, &[true], false)),
        ("plan_evaluate.txt", program.plan(Purpose::Evaluate, 8, &[true], true)),
        ("plan_predict.txt", program.plan(Purpose::Predict, 8, &[], true)),
        ("plan_train_f16.txt", classifier().in_precision(Precision::F16).plan(Purpose::Train, 8, &[true], true)),
    ];
    for (file, plan) in plans {
        let (path, printed) = (folder().join(file), plan.unwrap().to_string());
        let printed: String = printed.lines().map(|line| format!("{}\n", line.trim_end())).collect();
        if std::env::var("AXONE_UPDATE_SNAPSHOTS").is_ok_and(|value| value == "1") {
            std::fs::write(&path, &printed).unwrap();
        }
        let stored = std::fs::read_to_string(&path).unwrap().replace('\r', "");
        assert!(stored == printed, "{file} has\n{stored}\nthe plan is now\n{printed}");
    }
}

/// Steps that read a buffer they also write.
fn aliased(plan: &Plan) -> Vec<String> {
    let reads = |step: &axone::plan::PlanStep| step.reads().map(|range| range.buffer).collect::<BTreeSet<_>>();
    let clash = |step: &&axone::plan::PlanStep| step.writes().any(|range| reads(step).contains(&range.buffer));
    plan.steps.iter().filter(clash).map(|step| format!("{}: {step:?}", plan.name)).collect()
}

/// A model with everything that makes plans branch.
fn branched() -> Program {
    let mut net = Network::new();
    let (a, b) = (net.input("a", [2, 3]).unwrap(), net.input("b", 5).unwrap());
    let a = net.apply(Flatten, a).unwrap();
    let left = net.apply(Dense::new(8).activation(Activation::Gelu), a).unwrap();
    let right = net.apply(Dense::new(8).activation(Activation::Tanh), b).unwrap();
    let sum = net.add(&[left, right, left]).unwrap();
    let drop = net.apply(Dropout::new(0.25), sum).unwrap();
    let both = net.concat(&[drop, right]).unwrap();
    for (units, activation) in [(3, Activation::Softmax), (2, Activation::Identity)] {
        let y = net.apply(Dense::new(units).activation(activation), both).unwrap();
        net.output(y).unwrap();
    }
    let losses = [Loss::CategoricalCrossEntropy, Loss::Huber(0.5)];
    net.compile(Device::cpu(), losses, Adam::default()).unwrap().program().clone()
}

#[test]
fn no_step_reads_what_it_writes() {
    for purpose in [Purpose::Train, Purpose::Evaluate, Purpose::Predict] {
        for fused in [false, true] {
            let layers = crate::common::layers::everything(&Device::cpu()).program().clone();
            let all = [(classifier(), vec![true]), (branched(), vec![true, false]), (layers, vec![true])];
            for (program, classes) in all {
                assert_none(&aliased(&program.plan(purpose, 8, &classes, fused).unwrap()));
            }
        }
    }
    let mut wrong = classifier().plan(Purpose::Train, 8, &[true], true).unwrap();
    let step = wrong.steps.iter().position(|step| step.operands.len() > 1).unwrap();
    let last = *wrong.steps[step].operands.last().unwrap();
    wrong.steps[step].operands[0] = last;
    assert_eq!(aliased(&wrong).len(), 1, "a step that was made to read its output");
}

fn load(sample: &Sample, plan: &Plan) -> (CpuExecutor<f64>, axone::plan::PlanId) {
    let mut executor = CpuExecutor::new();
    let id = executor.load(plan).unwrap();
    let layout = axone::plan::Slab::new(sample.graph.parameters());
    for (i, values) in sample.parameters.iter().enumerate() {
        let at = layout.range(Buffer::Parameters, i).offset;
        executor.write_real(id, Buffer::Parameters, at, values).unwrap();
    }
    for (range, values) in plan.inputs.iter().zip(&sample.inputs) {
        if let Some(range) = range {
            executor.write_real(id, range.buffer, 0, values).unwrap();
        }
    }
    (executor, id)
}

/// The first step after which `reusing` has written other bits than `keeping`, which keeps every value.
fn first_difference(sample: &Sample, keeping: &Plan, reusing: &Plan) -> Option<String> {
    if keeping.steps.len() != reusing.steps.len() {
        return Some(format!("{} steps against {}", keeping.steps.len(), reusing.steps.len()));
    }
    let ((mut one, one_id), (mut two, two_id)) = (load(sample, keeping), load(sample, reusing));
    for (i, (a, b)) in keeping.steps.iter().zip(&reusing.steps).enumerate() {
        if let Err(error) =
            one.run_one(one_id, i, &whole_batch(keeping)).and(two.run_one(two_id, i, &whole_batch(reusing)))
        {
            return Some(error.to_string());
        }
        for (a, b) in a.writes().zip(b.writes()) {
            // The parts of a concatenation are written one after the other: the value is there after the last.
            if keeping.steps[i + 1..].iter().any(|later| later.writes().any(|range| range == a)) {
                continue;
            }
            let mut bits = |range: &BufferRange, first: bool| -> Vec<u64> {
                let values = if first { one.read_real(one_id, *range) } else { two.read_real(two_id, *range) };
                values.unwrap().into_iter().map(f64::to_bits).collect()
            };
            if bits(a, true) != bits(b, false) {
                return Some(format!("step {i} wrote other values\n{keeping}\n{reusing}"));
            }
        }
    }
    None
}

/// `wanted` and everything they are computed from.
fn ancestors(sample: &Sample, wanted: &[NodeId]) -> Vec<NodeId> {
    let (mut all, mut open) = (BTreeSet::new(), wanted.to_vec());
    while let Some(id) = open.pop() {
        if all.insert(id) {
            open.extend(&sample.graph.node(id).inputs);
        }
    }
    all.into_iter().collect()
}

/// A chain of layers: where buffers are there to be reused.
fn chain(sample: &mut Sample) -> NodeId {
    let mut x = sample.rows(6);
    for _ in 0..6 {
        let (w, b) = (sample.parameter(6, 6), sample.parameter(1, 6));
        x = sample.graph.matmul("layer", x, w).unwrap();
        x = sample.graph.bias_add("layer", x, b).unwrap();
        x = sample.graph.activation("layer", Function::Silu, x);
    }
    x
}

#[test]
fn live_values_never_overlap() {
    let mut builds = cases();
    builds.push(("chain".to_owned(), Box::new(chain)));
    for (name, build) in builds {
        let mut sample = Sample::default();
        let middle = build(&mut sample);
        let loss = sample.reduce(middle);
        let parameters = sample.graph.parameter_nodes();
        let found = differentiate(&mut sample.graph, loss, &parameters).unwrap();
        let wanted: Vec<NodeId> = found.into_iter().flatten().chain([loss]).collect();
        let everything = ancestors(&sample, &wanted);
        let (keeping, reusing) =
            (plan(&sample.graph, &everything, BATCH, false), plan(&sample.graph, &wanted, BATCH, false));
        assert_eq!(first_difference(&sample, &keeping, &reusing), None, "{name}");
        // The twins do not round to f16: where values lie must not change what they compute.
        let half = plan_in(&sample.graph, &wanted, BATCH, false, true);
        assert_eq!(first_difference(&sample, &keeping, &half), None, "{name} in f16");
        if name == "chain" {
            let (kept, used) = (keeping.temporaries.len(), reusing.temporaries.len());
            assert!(used < kept, "{used} buffers for {kept} values");
            let mut caught = 0;
            for victim in 1..used {
                let mut wrong = reusing.clone();
                for range in wrong.steps.iter_mut().flat_map(|step| &mut step.operands) {
                    if range.buffer == Buffer::Temporary(victim) {
                        range.buffer = Buffer::Temporary(victim - 1);
                    }
                }
                let most = wrong.temporaries.iter().map(|storage| storage.len).max().unwrap();
                wrong.temporaries.fill(Storage::full(most));
                caught += usize::from(first_difference(&sample, &keeping, &wrong).is_some());
            }
            // The odd pair may hold values whose lives do not touch; most do not.
            assert!(2 * caught > used, "of {used} buffers, {caught} could not be merged with their neighbour");
        }
    }
}

/// In f16 is what only kernels touch that say they can; nothing that the host reads or writes, nothing in a slab.
#[test]
fn only_what_every_kernel_can_take_is_f16() {
    let mut halves = 0;
    for (purpose, classes) in [(Purpose::Train, [true, false]), (Purpose::Evaluate, [true, false])] {
        let full = branched().plan(purpose, 8, &classes, true).unwrap();
        let plan = branched().in_precision(Precision::F16).plan(purpose, 8, &classes, true).unwrap();
        assert!(full.temporaries.iter().all(|storage| !storage.half));
        assert_none(&aliased(&plan));
        for step in &plan.steps {
            for (binding, range) in step.bindings() {
                assert!(binding.half || !plan.is_half(range.buffer), "{} in {plan}", binding.name);
                halves += usize::from(plan.is_half(range.buffer));
            }
        }
    }
    assert!(halves > 10, "{halves} operands in f16");
    let plan = branched().in_precision(Precision::F16).plan(Purpose::Predict, 8, &[], true).unwrap();
    assert!(plan.temporaries.iter().any(|storage| storage.half), "{plan}");
    for range in plan.inputs.iter().flatten().chain(&plan.outputs) {
        assert!(!plan.is_half(range.buffer), "{range} in {plan}");
    }
}

/// A training plan needs fewer buffers than it has values, fused or not.
#[test]
fn buffers_are_reused() {
    for fused in [false, true] {
        let plan = branched().plan(Purpose::Train, 8, &[true, false], fused).unwrap();
        let is_temporary = |range: &&BufferRange| matches!(range.buffer, Buffer::Temporary(_));
        let values = plan.steps.iter().flat_map(|step| step.writes().filter(is_temporary)).count();
        assert!(plan.temporaries.len() < values, "{} buffers for {values} values", plan.temporaries.len());
    }
}

/// A long sum with few outputs is computed in parts, by shape alone: the weight gradient of a large batch, and a layer of
/// many inputs and few outputs, which has the same parts for one row as for many.
#[test]
fn long_sums_are_computed_in_parts() {
    let parts = |plan: &Plan| -> Vec<String> {
        let split = |step: &axone::plan::PlanStep| match &step.kernel {
            Kernel::Matmul(p) => matches!(p.epilogue, Epilogue::InParts { .. })
                .then(|| format!("{} parts of {}", p.parts(), p.params.part)),
            _ => None,
        };
        plan.steps.iter().filter_map(split).collect()
    };
    let train = |batch: usize| classifier().plan(Purpose::Train, batch, &[true], true).unwrap();
    assert_eq!(parts(&train(2047)), [""; 0]);
    assert_eq!(parts(&train(4096)), ["8 parts of 512"; 2]);
    let plan = train(4096);
    let first =
        plan.steps.iter().position(|step| !parts(&Plan { steps: vec![step.clone()], ..plan.clone() }).is_empty());
    let pair = &plan.steps[first.unwrap()..first.unwrap() + 2];
    assert_eq!(pair[1].kernel_name(), "sum_rows");
    assert_eq!(pair[0].writes().collect::<Vec<_>>(), pair[1].reads().collect::<Vec<_>>());
    assert_none(&aliased(&plan));

    let net = |inputs: usize, units: usize| {
        let net = Sequential::new(inputs).add(Dense::new(units));
        let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
        [1, 100].map(|rows| parts(&model.program().plan(Purpose::Predict, rows, &[], true).unwrap()))
    };
    assert_eq!(net(20_000, 3), [["9 parts of 2240"], ["9 parts of 2240"]]);
    assert_eq!(net(8191, 3), [[""; 0]; 2]);
    assert_eq!(net(20_000, 33), [[""; 0]; 2]);
}
