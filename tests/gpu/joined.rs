//! Steps of a plan that run side by side, in one dispatch, give the bits that they give one by one.

use crate::common::matrix;
use crate::need_device;
use axone::kernels::Step;
use axone::model::Purpose;
use axone::plan::{Buffer, BufferRange, Executor, Plan, PlanId};
use axone::prelude::*;

const BATCH: usize = 24;
const STEPS: u32 = 7;

/// The slabs and the log after training, and the dispatches of a step.
fn trained(device: &Device, plan: &Plan, run: fn(&mut dyn Executor, PlanId, &[Step])) -> (Vec<Vec<u32>>, usize) {
    let mut executor = device.executor();
    let id = executor.load(plan).unwrap();
    let rows = BATCH * STEPS as usize;
    executor.bind_data(id, rows, STEPS as usize).unwrap();
    let mut seed = 0;
    let mut numbers = |count: usize| {
        seed += 1;
        matrix(seed, 1, count).data().iter().map(|x| 0.25 * x).collect::<Vec<f32>>()
    };
    executor.write(id, Buffer::Parameters, 0, &numbers(plan.slab)).unwrap();
    for (buffer, elements) in plan.data_sizes(rows, STEPS as usize) {
        match buffer {
            Buffer::DataInput(_) => executor.write(id, buffer, 0, &numbers(elements)).unwrap(),
            Buffer::DataTarget(_) => {
                let targets: Vec<f32> = (0..elements).map(|row| (row % 3) as f32).collect();
                executor.write(id, buffer, 0, &targets).unwrap();
            }
            _ => {}
        }
    }
    executor.write(id, Buffer::DataWeights, 0, &vec![1.0; rows]).unwrap();
    executor.write_order(id, &(0..rows as u32).rev().collect::<Vec<_>>()).unwrap();
    let steps: Vec<Step> = (0..STEPS)
        .map(|i| Step {
            learning_rate: 0.01,
            step: i + 1,
            log_row: i,
            correction1: 1.0 - 0.9f32.powi(i as i32 + 1),
            correction2: 1.0 - 0.999f32.powi(i as i32 + 1),
            start: i * BATCH as u32,
            valid: BATCH as u32,
            inverse_weight: 1.0 / BATCH as f32,
            seed_low: 7,
            ..Step::default()
        })
        .collect();
    // As many as a submission is long at first, and then longer ones.
    run(&mut *executor, id, &steps);
    let slabs = [Buffer::Parameters, Buffer::Gradients, Buffer::Moment(0), Buffer::Moment(1), Buffer::Log];
    let mut read = |slab: &Buffer| executor.read(id, BufferRange::whole(*slab)).unwrap();
    let bits = slabs.iter().map(|slab| read(slab).into_iter().map(f32::to_bits).collect()).collect();
    (bits, executor.dispatches(id).unwrap())
}

fn at_once(executor: &mut dyn Executor, id: PlanId, steps: &[Step]) {
    executor.run(id, steps).unwrap();
}

fn one_by_one(executor: &mut dyn Executor, id: PlanId, steps: &[Step]) {
    let dispatches = executor.plan(id).unwrap().steps.len();
    for step in steps {
        (0..dispatches).for_each(|index| executor.run_one(id, index, step).unwrap());
    }
}

/// How many dispatches lavapipe is to need; other devices have other tiles, and join what these allow.
fn agrees(plan: &Plan, device: &Device, on_lavapipe: usize) {
    let (together, joined) = trained(device, plan, at_once);
    let (alone, _) = trained(device, plan, one_by_one);
    let spoilt = std::env::var_os("AXONE_SPOIL_JOINED").is_some();
    match device.info().name.contains("llvmpipe") {
        _ if spoilt => assert_eq!(joined, plan.steps.len(), "{plan}"),
        true => assert_eq!(joined, on_lavapipe, "{plan}"),
        false => assert!(joined <= plan.steps.len(), "{joined} dispatches of {plan}"),
    }
    let finite = |slab: &[u32]| slab.iter().all(|bits| f32::from_bits(*bits).is_finite());
    assert!(finite(&together[0]) && finite(&together[1]));
    assert!(together[1].iter().any(|gradient| *gradient != 0), "nothing was learnt");
    assert!(together == alone, "{plan}");
}

/// The gradients of a layer's weights and input, and the update with the next batch: 8 steps are 6 dispatches.
#[test]
fn a_training_step_takes_fewer_dispatches_than_it_has_steps() {
    let device = need_device!();
    let layers = |units| Dense::new(units).activation(Activation::Tanh);
    let net = |wide| Sequential::new(9).add(layers(wide)).add(Dense::new(3).activation(Activation::Softmax));
    for wide in [12, 40] {
        let model = net(wide).compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
        let plan = model.program().plan(Purpose::Train, BATCH, &[true], true).unwrap();
        assert_eq!(plan.steps.len(), 8, "{plan}");
        agrees(&plan, &device, 6);
    }
}

/// Only what is small on both sides is worth it on the cores of a software adapter.
#[test]
fn a_large_update_stays_alone_on_a_software_adapter() {
    let device = need_device!();
    let layer = |units| Dense::new(units).activation(Activation::Relu);
    let net = Sequential::new(784).add(layer(512)).add(layer(256)).add(Dense::new(10).activation(Activation::Softmax));
    let model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap();
    let plan = model.program().plan(Purpose::Train, 128, &[true], true).unwrap();
    let mut executor = device.executor();
    let id = executor.load(&plan).unwrap();
    let dispatches = executor.dispatches(id).unwrap();
    assert_eq!(plan.steps.len(), 11, "{plan}");
    if device.info().name.contains("llvmpipe") {
        assert_eq!(dispatches, 10, "{plan}");
    }
}

/// Two inputs, two branches and two outputs: the rows of four of them are gathered in one dispatch.
#[test]
fn several_inputs_and_outputs_share_dispatches() {
    let device = need_device!();
    let mut net = Network::new();
    for (name, units) in [("left", 12), ("right", 20)] {
        let x = net.input(&format!("{name}_x"), 5).unwrap();
        let hidden = net.apply(Dense::new(units).activation(Activation::Relu), x).unwrap();
        let y = net.apply(Dense::new(3).activation(Activation::Softmax).named(name), hidden).unwrap();
        net.output(y).unwrap();
    }
    let losses = [Loss::CategoricalCrossEntropy, Loss::CategoricalCrossEntropy];
    let model = net.compile(device.clone(), losses, Adam::default()).unwrap();
    let plan = model.program().plan(Purpose::Train, BATCH, &[true, true], true).unwrap();
    agrees(&plan, &device, 13);
}

/// A driver that refuses the text of several kernels trains all the same, dispatch by dispatch.
#[cfg(debug_assertions)]
#[test]
fn what_does_not_run_side_by_side_runs_alone() {
    if crate::device("what_does_not_run_side_by_side_runs_alone").is_none() {
        return;
    }
    let mut child = std::process::Command::new(std::env::current_exe().unwrap());
    let test = "joined::a_training_step_takes_fewer_dispatches_than_it_has_steps";
    let child = child.args(["--exact", test, "--nocapture"]).env("AXONE_SPOIL_JOINED", "1");
    let output = child.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("gets a dispatch of its own"), "{said}");
}
