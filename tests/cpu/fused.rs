//! The fused and the unfused plan of one graph compute the same numbers.
//!
//! Fusion changes where a value is stored, not how it is computed, up to the order of a few sums. In f64 each of the
//! 12 steps makes errors of some 100 roundings (ε = 2.2e-16) of numbers of size 1; the learning rate of 0.01 keeps
//! them from growing: 12 · 100 · 2.2e-16 = 2.6e-13, below 1e-12.

use crate::common::{assert_none, differences, labels, matrix};
use axone::cpu::CpuExecutor;
use axone::data::Targets;
use axone::kernels::Step;
use axone::layers::Activation;
use axone::model::Purpose;
use axone::plan::{Buffer, Executor, Plan};
use axone::prelude::*;

const ROWS: usize = 48;
const BATCH: usize = 16;

fn network(middle: Activation, dropout: f32) -> Sequential {
    Sequential::new(7)
        .add(Dense::new(12).activation(Activation::Relu))
        .add(Dropout::new(dropout))
        .add(Dense::new(9).activation(middle))
        .add(Dense::new(4).activation(Activation::Softmax))
}

/// Parameters, gradients, moments and log after 12 steps in f64.
fn train(plan: &Plan, start: &[f32]) -> Vec<f64> {
    let mut executor = CpuExecutor::<f64>::new();
    let id = executor.load(plan).unwrap();
    let x = matrix(1, ROWS, 7);
    let y = labels(&x, 4).into_iter().map(|label| label as f32).collect::<Vec<_>>();
    let weights: Vec<f32> = (0..ROWS).map(|row| 0.5 + row as f32 / 64.0).collect();
    executor.bind_data(id, ROWS, 12).unwrap();
    executor.write(id, Buffer::Parameters, 0, start).unwrap();
    executor.write(id, Buffer::DataInput(0), 0, x.data()).unwrap();
    executor.write(id, Buffer::DataTarget(0), 0, &y).unwrap();
    executor.write(id, Buffer::DataWeights, 0, &weights).unwrap();
    executor.write_order(id, &(0..ROWS as u32).rev().collect::<Vec<_>>()).unwrap();
    let steps = (0..12).map(|i| Step {
        learning_rate: 0.01,
        step: i + 1,
        start: i % 3 * BATCH as u32,
        // The last of three batches has three rows less.
        valid: BATCH as u32 - 3 * u32::from(i % 3 == 2),
        inverse_weight: 0.0625,
        log_row: i,
        correction1: 1.0 - 0.9f32.powi(i as i32 + 1),
        correction2: 1.0 - 0.999f32.powi(i as i32 + 1),
        ..Step::default()
    });
    // No row beyond the last is asked for: `valid` ends the last batch.
    executor.run(id, &steps.collect::<Vec<_>>()).unwrap();
    let slabs = [Buffer::Parameters, Buffer::Gradients, Buffer::Moment(0), Buffer::Moment(1), Buffer::Log];
    slabs.iter().flat_map(|slab| executor.read_real(id, axone::plan::BufferRange::whole(*slab)).unwrap()).collect()
}

#[test]
fn fused_and_unfused_plans_agree() {
    for (middle, dropout) in [(Activation::Tanh, 0.0), (Activation::Gelu, 0.25), (Activation::Identity, 0.0)] {
        let net = network(middle, dropout);
        let mut model = net.compile(Device::cpu(), Loss::SmoothedCrossEntropy(0.125), Adam::default()).unwrap();
        let [fused, unfused] =
            [true, false].map(|fused| model.program().plan(Purpose::Train, BATCH, &[true], fused).unwrap());
        assert!(fused.steps.len() < unfused.steps.len(), "{fused}\n{unfused}");
        let mut start = vec![0.0; fused.slab];
        let mut at = 0;
        for weight in model.weights().unwrap() {
            start[at..at + weight.data.len()].copy_from_slice(&weight.data);
            at = (at + weight.data.len()).next_multiple_of(axone::plan::ALIGNMENT);
        }
        let (one, two) = (train(&fused, &start), train(&unfused, &start));
        assert!(
            one.iter().zip(&start).any(|(now, start)| (now - f64::from(*start)).abs() > 1e-3),
            "nothing was learnt"
        );
        assert_none(&differences("fused", &one, &two, |i| 1e-12 * two[i].abs().max(1.0)));
    }
}

/// Through the whole library, and with targets that are distributions.
#[test]
fn one_hot_targets_train_as_classes_do() {
    let x = matrix(1, ROWS, 7);
    let classes = labels(&x, 4);
    let rows: Vec<Vec<f32>> =
        classes.iter().map(|class| (0..4).map(|c| f32::from(u8::from(c == *class))).collect()).collect();
    let one_hot: Targets = Matrix::from_rows(rows).unwrap().into();
    let run = |targets: Targets| {
        let net = network(Activation::Tanh, 0.0);
        let mut model = net.compile(Device::cpu_f64(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap();
        let data = Dataset::new(x.clone(), targets).unwrap();
        let history = model.fit(&data, &Fit::new().epochs(2).batch_size(BATCH).silent()).unwrap();
        let weights = model.weights().unwrap().into_iter().flat_map(|w| w.data).map(f64::from);
        [history.get("loss"), history.get("accuracy"), weights.collect()].concat()
    };
    let (one, two) = (run(classes.into()), run(one_hot));
    // Read as f32, and logged sums are f64: an ulp of f32 apart at most.
    assert_none(&differences("one-hot", &one, &two, |i| 1.2e-7 * two[i].abs()));
}
