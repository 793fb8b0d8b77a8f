//! Training by hand, on any device: the pieces of a step give what the whole step gives.
//!
//! Where gradients in f32 are held against each other: the weights, inputs and mean gradients of these models are at
//! most about 1 in size, and forward and backward round each number they touch some 16 times (`ROUNDINGS`, as in
//! `api.rs`). So two ways to the same gradient differ by at most 2 · 16 u, u = 2⁻²⁴, and each blend adds 3 u.

use super::api::{bits, classifier, flat, samples};
use super::{U32, assert_none, differences, matrix};
use axone::kernels::{Blend, Kernel, Step};
use axone::layers::Activation;
use axone::plan::{Buffer, BufferRange, Plan, PlanStep};
use axone::prelude::*;

pub const ROUNDINGS: f64 = 16.0;

/// All gradients, in order.
pub fn gradients(model: &mut Model) -> Vec<f64> {
    flat(model.gradients().unwrap()).into_iter().map(f64::from).collect()
}

/// Rows `from..to` of `data`.
fn part(data: &Dataset, from: usize, to: usize) -> Dataset {
    data.select(&(from..to).collect::<Vec<_>>()).unwrap()
}

/// The classifier with dropout in it.
fn with_dropout(device: &Device, optimizer: impl Into<Optimizer>) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(16).activation(Activation::Tanh))
        .add(Dropout::new(0.5))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer).unwrap()
}

/// `a` and `b` differ by more than any rounding.
pub fn differ(a: &[f64], b: &[f64]) -> bool {
    a.iter().zip(b).any(|(a, b)| (a - b).abs() > 1e-3)
}

/// Batch after batch, the last one half full: the bits of `fit`, and its loss.
pub fn steps_are_those_of_fit(device: &Device) {
    let data = samples(10).with_weights((0..10).map(|row| 0.5 + row as f32 / 8.0).collect()).unwrap();
    let once = Fit::new().epochs(1).batch_size(4).seed(11).without_shuffle().silent();
    let runs: [fn(&Device) -> Model; 2] = [|d| with_dropout(d, Adam::new(0.01)), |d| with_dropout(d, Sgd::new(0.1))];
    for make in runs {
        let (mut whole, mut hand, mut queued, mut pieces) = (make(device), make(device), make(device), make(device));
        let start = bits(&mut whole);
        let history = whole.fit(&data, &once).unwrap();
        let (mut sum, mut total) = (0.0, 0.0);
        for model in [&mut hand, &mut queued, &mut pieces] {
            model.set_seed(11);
        }
        for (from, to) in [(0, 4), (4, 8), (8, 10)] {
            let batch = part(&data, from, to);
            let weight: f64 = batch.weights().unwrap().iter().map(|w| f64::from(*w)).sum();
            let report = hand.train_on_batch(&batch).unwrap();
            sum += weight * report.loss();
            total += weight;
            queued.queue_step(&batch).unwrap();
            pieces.compute_gradients(&batch).unwrap();
            pieces.apply_gradients().unwrap();
            assert_eq!(pieces.last_evaluation().unwrap(), report);
            assert_eq!(queued.last_evaluation().unwrap(), report);
        }
        let trained = bits(&mut whole);
        assert_ne!(trained, start);
        for model in [&mut hand, &mut queued, &mut pieces] {
            assert_eq!(bits(model), trained);
            assert_eq!(model.steps_done(), 3);
        }
        // The same sum in f64, in another order.
        assert!((sum / total - history.last("loss").unwrap()).abs() < 1e-12);
        hand.set_seed(12);
        whole.queue_step(&data).unwrap();
        hand.queue_step(&data).unwrap();
        assert_ne!(bits(&mut whole), bits(&mut hand), "the seed draws no masks");
    }
}

/// Three batches of different sizes and weights, gathered, are one batch.
pub fn accumulated_batches_are_one_batch(device: &Device) {
    let data = samples(13).with_weights((0..13).map(|row| 0.25 + row as f32 / 4.0).collect()).unwrap();
    let (mut parts, mut whole) = (classifier(device, Adam::new(0.01)), classifier(device, Adam::new(0.01)));
    let cuts = [(0, 5), (5, 6), (6, 13)];
    for round in 0..2 {
        for (from, to) in cuts {
            parts.accumulate_gradients(&part(&data, from, to)).unwrap();
        }
        whole.compute_gradients(&data).unwrap();
        let (got, want) = (gradients(&mut parts), gradients(&mut whole));
        let allowed = (2.0 * ROUNDINGS + 3.0 * cuts.len() as f64) * U32;
        assert_none(&differences("mean of three batches", &got, &want, |_| allowed));
        assert_eq!(parts.steps_done(), round);
        parts.apply_gradients().unwrap();
        whole.apply_gradients().unwrap();
        // Adam may turn a rounding into a step, so the next round starts from the same weights.
        parts.copy_weights_from(&mut whole).unwrap();
    }
    // The weights of the batches matter: the last batch weighs most.
    let mut sum = vec![0.0; gradients(&mut whole).len()];
    for (from, to) in cuts {
        parts.compute_gradients(&part(&data, from, to)).unwrap();
        sum.iter_mut().zip(gradients(&mut parts)).for_each(|(sum, g)| *sum += g / 3.0);
    }
    whole.compute_gradients(&data).unwrap();
    assert!(differ(&sum, &gradients(&mut whole)), "a plain mean of the means would do");
    // Forgotten: the next is the first.
    parts.clear_gradients();
    parts.accumulate_gradients(&data).unwrap();
    assert_eq!(gradients(&mut parts), gradients(&mut whole));
}

/// Each batch of an update has masks of its own; the first has those of a step.
pub fn accumulated_batches_draw_their_own_masks(device: &Device) {
    let data = samples(8);
    let mut model = with_dropout(device, Sgd::new(0.1));
    model.compute_gradients(&data).unwrap();
    let first = gradients(&mut model);
    model.clear_gradients();
    model.accumulate_gradients(&data).unwrap();
    assert_eq!(gradients(&mut model), first);
    model.accumulate_gradients(&data).unwrap();
    assert!(differ(&gradients(&mut model), &first), "twice the same mask");
}

/// `p - lr g`, in numbers that f32 holds exactly.
pub fn given_gradients_are_applied(device: &Device) {
    let mut model = classifier(device, Sgd::new(0.125));
    let mut weights = model.weights().unwrap();
    let mut given = weights.clone();
    for (i, (p, g)) in
        weights.iter_mut().flat_map(|w| &mut w.data).zip(given.iter_mut().flat_map(|g| &mut g.data)).enumerate()
    {
        (*p, *g) = (i as f32 / 64.0, 1.0 - i as f32 / 32.0);
    }
    model.set_weights(&weights).unwrap();
    model.set_gradients(&given).unwrap();
    assert_eq!(model.gradients().unwrap(), given);
    assert_eq!(model.gradient("dense_2.w").unwrap(), given[2]);
    model.apply_gradients().unwrap();
    for (i, got) in flat(model.weights().unwrap()).into_iter().enumerate() {
        assert_eq!(got, i as f32 / 64.0 - 0.125 * (1.0 - i as f32 / 32.0), "parameter {i}");
    }
    model.set_learning_rate(0.25).unwrap();
    model.set_weights(&weights).unwrap();
    model.set_gradients(&given).unwrap();
    model.apply_gradients().unwrap();
    assert_eq!(model.weights().unwrap()[0].data[1], 1.0 / 64.0 - 0.25 * (1.0 - 1.0 / 32.0));
    assert_eq!(model.steps_done(), 2);
}

/// Rows that pad a batch count for nothing, whatever lay there before.
pub fn padding_changes_nothing(device: &Device) {
    let (mut fresh, mut used) = (classifier(device, Sgd::new(0.1)), classifier(device, Sgd::new(0.1)));
    let large = Dataset::new(matrix(5, 8, 5).map(|x| 100.0 * x), vec![2; 8]).unwrap();
    used.compute_gradients(&large).unwrap();
    used.compute_gradients(&samples(5)).unwrap();
    fresh.compute_gradients(&samples(5)).unwrap();
    let (got, want) = (gradients(&mut used), gradients(&mut fresh));
    assert_none(&differences("gradient", &got, &want, |_| 2.0 * ROUNDINGS * U32));
    let (got, want) = (used.last_evaluation().unwrap(), fresh.last_evaluation().unwrap());
    assert!((got.loss() - want.loss()).abs() < 2.0 * ROUNDINGS * U32, "{got:?}, {want:?}");
}

/// Weights of another model, whole and in part, in numbers that f32 holds exactly; `other` may be another device.
pub fn weights_move_to_another_model(device: &Device, other: &Device) {
    let (mut target, mut online) = (classifier(device, Adam::new(0.01)), classifier(other, Sgd::new(0.1)));
    let set = |model: &mut Model, scale: f32| {
        let mut weights = model.weights().unwrap();
        weights.iter_mut().flat_map(|w| &mut w.data).zip(0..).for_each(|(x, i)| *x = scale * i as f32 / 64.0);
        model.set_weights(&weights).unwrap();
    };
    set(&mut target, 1.0);
    set(&mut online, -4.0);
    target.blend_weights_from(&mut online, 0.25).unwrap();
    for (i, x) in flat(target.weights().unwrap()).into_iter().enumerate() {
        assert_eq!(x, (0.75 - 1.0) * i as f32 / 64.0, "parameter {i}");
    }
    target.copy_weights_from(&mut online).unwrap();
    assert_eq!(target.weights().unwrap(), online.weights().unwrap());
    // A step of `online` that is still queued is in what is copied.
    online.queue_step(&samples(4)).unwrap();
    target.blend_weights_from(&mut online, 1.0).unwrap();
    assert_eq!(bits(&mut target), bits(&mut online));
    assert_eq!(target.steps_done(), 0);
}

/// A share of 1 copies, even over NaN.
pub fn a_share_of_one_copies(device: &Device) {
    let x: Vec<f32> = (0..64).map(|i| i as f32 - 31.5).collect();
    let operands = (0..2).map(|i| BufferRange::of(Buffer::Temporary(i), 64)).collect();
    let step = PlanStep { kernel: Kernel::Blend(Blend { n: 64 }), operands, name: "copy".to_owned() };
    let mut executor = device.executor();
    let id = executor.load(&Plan::of_one(step, vec![64, 64])).unwrap();
    executor.write(id, Buffer::Temporary(0), 0, &x).unwrap();
    executor.write(id, Buffer::Temporary(1), 0, &[f32::NAN; 64]).unwrap();
    let read = |executor: &mut dyn axone::plan::Executor| {
        executor.read(id, BufferRange::of(Buffer::Temporary(1), 64)).unwrap()
    };
    executor.run(id, &[Step { share: 0.5, ..Step::default() }]).unwrap();
    assert!(read(&mut *executor).iter().all(|y| y.is_nan()));
    executor.run(id, &[Step { share: 1.0, ..Step::default() }]).unwrap();
    assert_eq!(read(&mut *executor), x);
}

/// Frozen layers keep their bits, whoever trains; the others move, and no dispatch computes a gradient in vain.
pub fn frozen_layers_stay(device: &Device) {
    let (data, once) = (samples(8), Fit::new().epochs(1).batch_size(4).silent());
    let mut model = classifier(device, Adam::new(0.01));
    model.fit(&data, &once).unwrap();
    let plan = |model: &Model| model.program().plan(axone::model::Purpose::Train, 4, &[true], true).unwrap();
    let whole = plan(&model);
    let ways: [fn(&mut Model, &Dataset, &Fit); 3] = [
        |model, data, once| drop(model.fit(data, once).unwrap()),
        |model, data, _| drop(model.train_on_batch(data).unwrap()),
        |model, data, _| {
            model.accumulate_gradients(data).unwrap();
            model.accumulate_gradients(data).unwrap();
            model.apply_gradients().unwrap();
        },
    ];
    for way in ways {
        way(&mut model, &data, &once);
        model.freeze("dense_1").unwrap();
        assert_eq!(model.frozen(), ["dense_1"]);
        let before = model.weights().unwrap();
        way(&mut model, &data, &once);
        let after = model.weights().unwrap();
        assert_eq!(before[..2], after[..2]);
        assert!(before[2] != after[2] && before[3] != after[3]);
        let gradients = model.gradients().unwrap();
        assert!(gradients[..2].iter().flat_map(|g| &g.data).all(|g| *g == 0.0), "{gradients:?}");
        assert!(gradients[2].data.iter().any(|g| *g != 0.0));
        let shorter = plan(&model);
        assert!(shorter.steps.len() < whole.steps.len(), "{shorter}");
        model.unfreeze("dense_1").unwrap();
        assert!(model.frozen().is_empty());
        assert_eq!(plan(&model), whole);
        way(&mut model, &data, &once);
        assert_ne!(model.weights().unwrap()[0], before[0]);
    }
    // The last layer frozen: gradients go through it.
    model.freeze("dense_2").unwrap();
    let before = model.weights().unwrap();
    model.train_on_batch(&data).unwrap();
    let after = model.weights().unwrap();
    assert_eq!(before[2..], after[2..]);
    assert_ne!(before[0], after[0]);
    model.freeze("dense_1").unwrap();
    let before = model.weights().unwrap();
    model.train_on_batch(&data).unwrap();
    assert_eq!(model.weights().unwrap(), before);
}
