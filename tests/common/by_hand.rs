//! Training by hand, on any device: the pieces of a step give what the whole step gives.
//!
//! Where gradients in f32 are held against each other: the weights, inputs and mean gradients of these models are at
//! most about 1 in size, and forward and backward round each number they touch some 16 times (`ROUNDINGS`, as in
//! `api.rs`). So two ways to the same gradient differ by at most 2 · 16 u, u = 2⁻²⁴, and each blend adds 3 u.

use super::api::{bits, branched, classifier, flat, images, samples};
use super::{U32, assert_none, differences, matrix};
use axone::kernels::{Blend, Kernel, Step};
use axone::layers::Activation;
use axone::model::Weight;
use axone::plan::{Buffer, Plan, PlanStep, Range};
use axone::prelude::*;

const ROUNDINGS: f64 = 16.0;

fn wide(weights: Vec<Weight>) -> Vec<f64> {
    flat(weights).into_iter().map(f64::from).collect()
}

fn gradients(model: &mut Model) -> Vec<f64> {
    wide(model.gradients().unwrap())
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
fn differ(a: &[f64], b: &[f64]) -> bool {
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

/// The built-in losses, by their derivatives: the same gradients, dropout masks included.
pub fn a_loss_by_hand_is_the_loss(device: &Device) {
    let data = images(12);
    let (mut built_in, mut hand) = (branched(device), branched(device));
    // A larger batch before, so that these rows are padded and rows of another batch lie behind them.
    let more = images(20);
    hand.forward(more.inputs()).unwrap();
    built_in.compute_gradients(&more).unwrap();
    built_in.compute_gradients(&data).unwrap();
    let outputs = hand.forward(data.inputs()).unwrap();
    assert_ne!(outputs, hand.predict_all(data.inputs()).unwrap(), "dropout changes nothing");
    let rows = data.len() as f32;
    let labels = data.targets()[0].labels().unwrap();
    let mut digit = vec![0.0; outputs[0].data().len()];
    for (row, (p, label)) in outputs[0].iter_rows().zip(labels).enumerate() {
        let p = p[*label as usize];
        assert!(p > 1.0 / 16.0, "a quotient by {p} is no longer of size 1");
        digit[row * 4 + *label as usize] = -1.0 / (p * rows);
    }
    let targets = data.targets()[1].values().unwrap().data();
    let size = outputs[1].data().iter().zip(targets).map(|(y, t)| 2.0 * (y - t) / (2.0 * rows)).collect();
    let given = [Matrix::new(12, 4, digit).unwrap(), Matrix::new(12, 2, size).unwrap()];
    let larger: Vec<Matrix> = [(4, 1), (2, 2)].map(|(cols, stream)| matrix(stream, 20, cols)).into();
    hand.backward(more.inputs(), &larger).unwrap();
    hand.backward(data.inputs(), &given).unwrap();
    let (got, want) = (gradients(&mut hand), gradients(&mut built_in));
    // The probability passes through one more function and a quotient, on the host.
    assert_none(&differences("gradient", &got, &want, |_| 3.0 * ROUNDINGS * U32));
    assert!(differ(&got, &vec![0.0; got.len()]));
    // An output with zeros has no part in it.
    let without = [Matrix::new(12, 4, vec![0.0; 48]).unwrap(), given[1].clone()];
    hand.backward(data.inputs(), &without).unwrap();
    assert!(hand.gradient("digit.w").unwrap().data.iter().all(|g| *g == 0.0));
    assert_eq!(flat(vec![hand.gradient("size.w").unwrap()]).len(), 22);
    hand.apply_gradients().unwrap();
}

fn smooth(device: &Device) -> Model {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 2).unwrap());
    let left = net.apply(Dense::new(4).activation(Activation::Tanh), a).unwrap();
    let right = net.apply(Dense::new(4).activation(Activation::Softmax), b).unwrap();
    let sum = net.add(&[left, right]).unwrap();
    let first = net.apply(Dense::new(2).activation(Activation::Sigmoid), sum).unwrap();
    let second = net.apply(Dense::new(1), first).unwrap();
    net.output(first).unwrap();
    net.output(second).unwrap();
    net.compile(device.clone(), [Loss::MeanSquaredError, Loss::MeanSquaredError], Sgd::default()).unwrap()
}

/// `L = Σ c sin(3 y)` over all outputs, and its gradient.
fn loss_and_gradients(outputs: &[Matrix]) -> (f64, Vec<Matrix>) {
    let factor = |i: usize| 1.0 - 0.25 * i as f64;
    let mut loss = 0.0;
    let mut gradients = Vec::new();
    for y in outputs {
        loss += y.data().iter().enumerate().map(|(i, y)| factor(i) * (3.0 * f64::from(*y)).sin()).sum::<f64>();
        let dy = y.data().iter().enumerate().map(|(i, y)| (factor(i) * 3.0 * (3.0 * f64::from(*y)).cos()) as f32);
        gradients.push(Matrix::new(y.rows(), y.cols(), dy.collect()).unwrap());
    }
    (loss, gradients)
}

/// Parameter gradients, then input gradients, of that loss.
fn analytic(model: &mut Model, inputs: &[Matrix]) -> (Vec<f64>, Vec<f64>) {
    let outputs = model.forward(inputs).unwrap();
    let (_, dy) = loss_and_gradients(&outputs);
    model.backward(inputs, &dy).unwrap();
    let of_inputs = model.input_gradients(inputs, &dy).unwrap();
    let of_inputs = of_inputs.iter().flat_map(|m| m.data()).map(|x| f64::from(*x)).collect();
    (gradients(model), of_inputs)
}

/// Central differences of a loss of the test's own, with outputs that are right to one rounding (the f64 twins, read
/// as f32). They err by `h² abs(L‴) / 6` and by `u abs(L) / h`; third derivatives here are some tens, the loss is a sum
/// of a dozen terms: 64 stands for both. With `h = 2⁻⁷`, `64 (h² + u / h)` is 4e-3; a wrong rule errs by tenths.
pub fn products_are_finite_differences() {
    let (h, mut model) = (1.0 / 128.0, smooth(&Device::cpu_f64()));
    let mut inputs = [matrix(1, 3, 3), matrix(2, 3, 2)];
    let (of_parameters, of_inputs) = analytic(&mut model, &inputs);
    let allowed = 64.0 * (f64::from(h * h) + U32 / f64::from(h));
    let mut weights = model.weights().unwrap();
    let mut numeric = Vec::new();
    for (i, k) in (0..weights.len()).flat_map(|i| (0..weights[i].data.len()).map(move |k| (i, k))).collect::<Vec<_>>() {
        let home = weights[i].data[k];
        let mut at = |x: f32| {
            weights[i].data[k] = x;
            model.set_weights(&weights).unwrap();
            loss_and_gradients(&model.predict_all(&inputs).unwrap()).0
        };
        let rise = at(home + h) - at(home - h);
        numeric.push(rise / (f64::from(home + h) - f64::from(home - h)));
        weights[i].data[k] = home;
    }
    assert!(numeric.iter().any(|g| g.abs() > 0.1));
    assert_none(&differences("dL/dw", &of_parameters, &numeric, |_| allowed));
    model.set_weights(&weights).unwrap();
    let mut numeric = Vec::new();
    for (i, k) in (0..2).flat_map(|i| (0..inputs[i].data().len()).map(move |k| (i, k))).collect::<Vec<_>>() {
        let start = inputs[i].clone();
        let mut at = |step: f32| {
            let mut data = start.data().to_vec();
            data[k] += step;
            let reached = f64::from(data[k]);
            inputs[i] = Matrix::new(start.rows(), start.cols(), data).unwrap();
            (loss_and_gradients(&model.predict_all(&inputs).unwrap()).0, reached)
        };
        let ((above, high), (below, low)) = (at(h), at(-h));
        numeric.push((above - below) / (high - low));
        inputs[i] = start;
    }
    assert!(numeric.iter().any(|g| g.abs() > 0.1));
    assert_none(&differences("dL/dx", &of_inputs, &numeric, |_| allowed));
}

/// The same products on `device` and in f64. The output gradients are up to 3 in size here, their sums up to 10.
pub fn products_are_the_oracles(device: &Device) {
    let inputs = [matrix(1, 3, 3), matrix(2, 3, 2)];
    let (got, got_inputs) = analytic(&mut smooth(device), &inputs);
    let (want, want_inputs) = analytic(&mut smooth(&Device::cpu_f64()), &inputs);
    assert_none(&differences("dL/dw", &got, &want, |_| 10.0 * ROUNDINGS * U32));
    assert_none(&differences("dL/dx", &got_inputs, &want_inputs, |_| 10.0 * ROUNDINGS * U32));
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
    let operands = (0..2).map(|i| Range::of(Buffer::Activation(i), 64)).collect();
    let step = PlanStep { kernel: Kernel::Blend(Blend { n: 64 }), operands, name: "copy".to_owned() };
    let mut executor = device.executor();
    let id = executor.load(&Plan::of_one(step, vec![64, 64])).unwrap();
    executor.write(id, Buffer::Activation(0), 0, &x).unwrap();
    executor.write(id, Buffer::Activation(1), 0, &[f32::NAN; 64]).unwrap();
    let read =
        |executor: &mut dyn axone::plan::Executor| executor.read(id, Range::of(Buffer::Activation(1), 64)).unwrap();
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
