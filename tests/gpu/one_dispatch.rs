//! One dispatch in place of a plan's: the same bits as those give, one by one.

use crate::common::numbers;
use crate::common::one_dispatch::{chain, program, train};
use crate::need_device;
use axone::Device;
use axone::kernels::Step;
use axone::layers::Activation;
use axone::plan::{Buffer, Executor, OneDispatch, Plan, PlanId, Range};
use axone::prelude::*;

const STEPS: usize = 5;

/// `plan` on a device with a data set of `rows` rows, random weights and moments of a past.
fn loaded(device: &Device, plan: &Plan, rows: usize) -> (Box<dyn Executor>, PlanId) {
    let one = OneDispatch::of(plan).unwrap_or_else(|| panic!("no one dispatch for\n{plan}"));
    let (inputs, classes) = (one.kernel.params.inputs as usize, one.kernel.params.outputs as f32);
    let mut executor = device.executor();
    let id = executor.load(plan).unwrap();
    executor.bind_data(id, rows, STEPS).unwrap();
    let labels: Vec<f32> =
        numbers(1, rows).iter().map(|x| ((x + 1.0) * 0.5 * classes).floor().min(classes - 1.0)).collect();
    let weights: Vec<f32> = numbers(2, rows).iter().map(|x| 1.5 + x).collect();
    let order: Vec<u32> = (0..rows as u32).rev().collect();
    executor.write(id, Buffer::DataInput(0), 0, &numbers(3, rows * inputs)).unwrap();
    executor.write(id, Buffer::DataTarget(0), 0, &labels).unwrap();
    executor.write(id, Buffer::DataWeights, 0, &weights).unwrap();
    executor.write_order(id, &order).unwrap();
    // Padding is 0, as everywhere.
    for range in plan.steps.iter().flat_map(|step| step.reads()).filter(|range| range.buffer == Buffer::Parameters) {
        let scale = |x: &f32| 0.5 * x;
        let values: Vec<f32> = numbers(4, range.len).iter().map(scale).collect();
        executor.write(id, Buffer::Parameters, range.offset, &values).unwrap();
        for moment in 0..plan.moments {
            let values: Vec<f32> = values.iter().map(|x| 0.1 * x * x).collect();
            executor.write(id, Buffer::Moment(moment), range.offset, &values).unwrap();
        }
    }
    (executor, id)
}

/// Steps over `rows` rows; the last batch is not whole.
fn steps(batch: usize, rows: usize) -> Vec<Step> {
    let step = |i: usize| Step {
        learning_rate: 0.05,
        step: 3 + i as u32,
        start: (i * batch) as u32,
        valid: batch.min(rows - i * batch) as u32,
        inverse_weight: 1.0 / batch as f32,
        log_row: i as u32,
        correction1: 0.3 + 0.1 * i as f32,
        correction2: 0.003 + 0.001 * i as f32,
        ..Step::default()
    };
    (0..STEPS).map(step).collect()
}

/// The slabs and the log, and whether an activation buffer has been written.
fn state(executor: &mut dyn Executor, id: PlanId, plan: &Plan) -> (Vec<(Buffer, Vec<u32>)>, bool) {
    let moments = (0..plan.moments).map(Buffer::Moment);
    let slabs = [Buffer::Parameters, Buffer::Gradients].into_iter().chain(moments);
    let ranges = slabs.map(|buffer| Range::of(buffer, plan.slab)).chain([Range::whole(Buffer::Log)]);
    let mut read = |range: Range| executor.read(id, range).unwrap().into_iter().map(f32::to_bits).collect();
    let bits = ranges.map(|range| (range.buffer, read(range))).collect();
    let activations =
        plan.activations.iter().enumerate().map(|(i, storage)| Range::of(Buffer::Activation(i), storage.len));
    let touched =
        activations.map(|range| executor.read(id, range).unwrap()).any(|values| values.iter().any(|x| *x != 0.0));
    (bits, touched)
}

/// Where one dispatch and the plan's own differ, and whether the device ran one dispatch at all.
fn compare(device: &Device, plan: &Plan) -> (Vec<String>, bool) {
    let rows = plan.batch * STEPS - plan.batch / 3;
    let steps = steps(plan.batch, rows);
    let (mut whole, whole_id) = loaded(device, plan, rows);
    whole.run(whole_id, &steps).unwrap();
    let (mut apart, apart_id) = loaded(device, plan, rows);
    for step in &steps {
        for index in 0..plan.steps.len() {
            apart.run_one(apart_id, index, step).unwrap();
        }
    }
    let ((whole, as_whole), (apart, as_apart)) =
        (state(&mut *whole, whole_id, plan), state(&mut *apart, apart_id, plan));
    assert!(as_apart, "the dispatches of the plan leave their activations");
    let mut found = Vec::new();
    for ((buffer, a), (_, b)) in whole.iter().zip(&apart) {
        assert!(b.iter().any(|bits| *bits != 0), "{buffer} was never written");
        if let Some(at) = (0..a.len().max(b.len())).find(|&i| a.get(i) != b.get(i)) {
            let count = a.iter().zip(b).filter(|(a, b)| a != b).count();
            found.push(format!(
                "{buffer}: {count} of {}, the first at {at}: {:?}, want {:?}",
                b.len(),
                a.get(at),
                b.get(at)
            ));
        }
    }
    (found, !as_whole)
}

#[test]
fn it_gives_the_bits_of_the_plan() {
    let device = need_device!();
    let software = device.info().name.contains("llvmpipe");
    // Blocks are 32 rows, 32 columns, 4 steps of k: sizes below, at, above and between.
    let (sgd, adam) = (|| Optimizer::from(Sgd::default()), || Optimizer::from(Adam::default()));
    let (elu, leaky) = (Activation::Elu { alpha: 0.7 }, Activation::LeakyRelu { slope: 0.1 });
    let nets: [(&[usize], usize, Activation, Optimizer); 12] = [
        (&[64, 32, 10], 32, Activation::Relu, adam()),
        (&[64, 32, 10], 1, Activation::Relu, sgd()),
        (&[1, 4, 2], 3, Activation::Relu, sgd()),
        (&[13, 8, 5], 7, Activation::Tanh, adam()),
        (&[70, 40, 4], 33, Activation::Relu, adam()),
        (&[33, 36, 16], 37, leaky, sgd()),
        (&[9, 12, 8], 120, Activation::Relu, sgd()),
        (&[64, 64, 32, 10], 32, Activation::Relu, adam()),
        (&[10, 36, 40, 13], 35, elu, sgd()),
        (&[3, 100, 4, 9], 34, Activation::Tanh, adam()),
        // The most turns of loops: llvmpipe ends every loop after 65,535 turns of all.
        (&[4096, 60, 2], 1, Activation::Relu, sgd()),
        (&[4, 4080, 4], 1, Activation::Relu, sgd()),
    ];
    let mut found = Vec::new();
    for (widths, batch, activation, optimizer) in nets {
        let plan = train(&program(chain(widths, activation), optimizer), batch);
        let (differences, ran) = compare(&device, &plan);
        assert_eq!(ran, software, "{widths:?}: only lavapipe is known to gain");
        found.extend(differences.into_iter().map(|text| format!("{widths:?}, {batch} rows, {activation:?}: {text}")));
    }
    crate::common::assert_none(&found);
}

/// Label smoothing.
#[test]
fn its_loss_is_that_of_the_plan() {
    let device = need_device!();
    let net = chain(&[8, 12, 10], Activation::Relu);
    let model = net.compile(Device::cpu(), Loss::SmoothedCrossEntropy(0.1), Adam::default()).unwrap();
    let plan = train(model.program(), 6);
    assert_eq!(OneDispatch::of(&plan).unwrap().kernel.params.smoothing, 0.1);
    crate::common::assert_none(&compare(&device, &plan).0);
}
