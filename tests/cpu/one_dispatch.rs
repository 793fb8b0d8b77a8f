//! Which plans one dispatch can stand for: a rule of shapes and operations alone.

use crate::common::one_dispatch::{chain, program, train};
use axone::kernels::Spec;
use axone::layers::Activation;
use axone::model::Purpose;
use axone::plan::{Buffer, OneDispatch, Plan, Range, Slab};
use axone::prelude::*;

fn relu(widths: &[usize]) -> Sequential {
    chain(widths, Activation::Relu)
}

fn adam(net: Sequential) -> Plan {
    train(&program(net, Adam::default()), 32)
}

#[test]
fn tiny_classifiers_have_one() {
    for (widths, batch) in [(&[64, 32, 10][..], 32), (&[5, 4, 2], 1), (&[13, 8, 16, 3], 7), (&[64, 64, 32, 10], 32)] {
        for (optimizer, moments) in [(Optimizer::from(Sgd::default()), 0), (Adam::default().into(), 2)] {
            let plan = train(&program(relu(widths), optimizer), batch);
            let one = OneDispatch::of(&plan).unwrap_or_else(|| panic!("none for {widths:?}, {batch} rows\n{plan}"));
            let (params, slab) = (one.kernel.params, plan.slab);
            let hidden2 = if widths.len() == 4 { widths[2] } else { 0 };
            let sizes = [params.rows, params.inputs, params.hidden1, params.hidden2, params.outputs];
            assert_eq!(
                sizes.map(|size| size as usize),
                [batch, widths[0], widths[1], hidden2, widths[widths.len() - 1]]
            );
            assert_eq!((params.n as usize, one.kernel.adam), (slab, moments == 2));
            // Every buffer once, as large as the kernel needs it.
            let bindings = one.kernel.entry().bindings;
            assert_eq!(bindings.len(), one.operands.len());
            for ((binding, range), size) in bindings.iter().zip(&one.operands).zip(one.kernel.sizes()) {
                assert!(range.len == 0 || range.len == size, "{}: {range} for {size}", binding.name);
                assert_eq!(one.operands.iter().filter(|other| other.buffer == range.buffer).count(), 1);
            }
        }
    }
}

/// The places of the parameters are those of the slab.
#[test]
fn parameters_are_found_where_they_lie() {
    let plan = adam(relu(&[13, 8, 16, 3]));
    let p = OneDispatch::of(&plan).unwrap().kernel.params;
    let parameter = |rows: usize, cols: usize| axone::graph::Parameter {
        name: String::new(),
        rows,
        cols,
        role: axone::graph::Role::Weight,
    };
    let sizes = [(13, 8), (1, 8), (8, 16), (1, 16), (16, 3), (1, 3)];
    let slab = Slab::new(&sizes.map(|(rows, cols)| parameter(rows, cols)));
    let places = [p.weight1, p.bias1, p.weight2, p.bias2, p.weight3, p.bias3];
    assert_eq!(places.map(|at| at as usize), std::array::from_fn(|i| slab.range(Buffer::Parameters, i).offset));
}

#[test]
fn others_have_none() {
    let dense = |units: usize| Dense::new(units).activation(Activation::Relu);
    let softmax = || Dense::new(10).activation(Activation::Softmax);
    let nets = [
        ("one layer", relu(&[64, 10])),
        ("four layers", relu(&[64, 16, 16, 16, 10])),
        ("a hidden width that is no multiple of 4", relu(&[64, 30, 10])),
        ("the second one", relu(&[64, 32, 30, 10])),
        ("17 classes", relu(&[64, 32, 17])),
        ("more activations than workgroup memory holds", relu(&[8, 128, 10])),
        ("more work than one workgroup should do", relu(&[400, 32, 10])),
        (
            "another activation in the second layer",
            Sequential::new(64).add(dense(16)).add(Dense::new(16).activation(Activation::Tanh)).add(softmax()),
        ),
        ("an activation whose gradient needs its input", chain(&[64, 32, 10], Activation::Silu)),
        ("no activation", chain(&[64, 32, 10], Activation::Identity)),
        ("no bias", Sequential::new(64).add(dense(32).without_bias()).add(softmax())),
        ("dropout", Sequential::new(64).add(dense(32)).add(Dropout::new(0.5)).add(softmax())),
        ("a normalisation", Sequential::new(64).add(dense(32)).add(BatchNorm::new()).add(softmax())),
    ];
    for (what, net) in nets {
        assert_eq!(OneDispatch::of(&adam(net)), None, "{what}");
    }
    for (what, optimizer) in [
        ("momentum", Optimizer::from(Sgd::new(0.1).momentum(0.9))),
        ("L2", Adam::new(0.1).l2(1e-3)),
        ("clipping", Adam::new(0.1).clip_norm(1.0)),
    ] {
        assert_eq!(OneDispatch::of(&train(&program(relu(&[64, 32, 10]), optimizer), 32)), None, "{what}");
    }
    let tiny = program(relu(&[64, 32, 10]), Adam::default());
    assert_eq!(OneDispatch::of(&train(&tiny, 96)), None, "a batch with more activations than there is room for");
    let mut watched =
        relu(&[64, 32, 10]).compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
    watched.set_metrics([Metric::TopK(3)]).unwrap();
    assert_eq!(OneDispatch::of(&train(watched.program(), 32)), None, "a further metric");
    watched.set_metrics([]).unwrap();
    watched.freeze("dense_1").unwrap();
    assert_eq!(OneDispatch::of(&train(watched.program(), 32)), None, "a frozen layer");
    let wide = program(relu(&[4100, 4, 2]), Adam::default());
    assert_eq!(OneDispatch::of(&train(&wide, 1)), None, "more inputs than the loops have turns for");
    let plan = |purpose, classes, fused| tiny.plan(purpose, 32, &[classes], fused).unwrap();
    assert!(OneDispatch::of(&plan(Purpose::Train, true, true)).is_some());
    for (purpose, classes, fused) in [
        (Purpose::Train, false, true),
        (Purpose::Train, true, false),
        (Purpose::Evaluate, true, true),
        (Purpose::Predict, true, true),
    ] {
        assert_eq!(OneDispatch::of(&plan(purpose, classes, fused)), None, "{purpose:?}, {classes}, {fused}");
    }
}

/// A plan of the right kernels whose buffers are not connected as a network's has none, whichever it is.
#[test]
fn every_connection_counts() {
    let right = adam(relu(&[64, 32, 16, 10]));
    assert!(OneDispatch::of(&right).is_some());
    let mut missed = Vec::new();
    for step in 0..right.steps.len() - 1 {
        for operand in 0..right.steps[step].operands.len() {
            let mut wrong = right.clone();
            let range = &mut wrong.steps[step].operands[operand];
            // What is only taken over (the data set and the log) has no connection within the plan.
            let is_data = !matches!(range.buffer, Buffer::Activation(_) | Buffer::Parameters | Buffer::Gradients);
            *range = Range { buffer: Buffer::BatchGradients, ..*range };
            if !is_data && OneDispatch::of(&wrong).is_some() {
                missed.push(format!("step {step}, operand {operand}"));
            }
        }
    }
    assert_eq!(missed, Vec::<String>::new());
    let mut wanted = right.clone();
    wanted.outputs.push(right.steps[1].operands[3]);
    assert_eq!(OneDispatch::of(&wanted), None, "a value is read afterwards");
}
