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

fn agrees(plan: &Plan, device: &Device, dispatches: usize) {
    let (together, joined) = trained(device, plan, at_once);
    let (alone, _) = trained(device, plan, one_by_one);
    assert_eq!(joined, dispatches, "{plan}");
    assert!(
        together[0]
            .iter()
            .zip(&together[1])
            .all(|(p, g)| f32::from_bits(*p).is_finite() && f32::from_bits(*g).is_finite())
    );
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
