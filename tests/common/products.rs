//! Losses of the program's own, on any device: the gradients that `backward` and `input_gradients` make of those of the
//! outputs are those of the built-in losses, of finite differences, and of the f64 twins. Tolerances as in
//! `by_hand.rs`.

use super::api::{branched, flat, images};
use super::by_hand::{ROUNDINGS, differ, gradients};
use super::{U32, assert_none, differences, matrix};
use axone::layers::Activation;
use axone::prelude::*;

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
    hand.clear_gradients();
    hand.backward(data.inputs(), &given).unwrap();
    let (got, want) = (gradients(&mut hand), gradients(&mut built_in));
    // The probability passes through one more function and a quotient, on the host.
    assert_none(&differences("gradient", &got, &want, |_| 3.0 * ROUNDINGS * U32));
    assert!(differ(&got, &vec![0.0; got.len()]));
    // An output with zeros has no part in it.
    let without = [Matrix::new(12, 4, vec![0.0; 48]).unwrap(), given[1].clone()];
    hand.clear_gradients();
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

/// A batch normalisation sees a batch once: `forward` leaves its running statistics, `backward` moves them as a step
/// does, and a frozen one keeps them and uses them.
pub fn statistics_move_once(device: &Device) {
    let make = || {
        let net = Sequential::new(5).add(Dense::new(4)).add(BatchNorm::new()).add(Dense::new(2));
        net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap()
    };
    let statistics = |model: &mut Model| {
        let weights = model.weights().unwrap().into_iter();
        let of_norm = weights.filter(|w| ["batch_norm_1.mean", "batch_norm_1.variance"].contains(&w.name.as_str()));
        flat(of_norm.collect())
    };
    let data = Dataset::new(matrix(1, 6, 5), matrix(2, 6, 2)).unwrap();
    let (mut step, mut hand) = (make(), make());
    let start = statistics(&mut hand);
    assert_eq!(start.len(), 8);
    let outputs = hand.forward(data.inputs()).unwrap();
    assert_eq!(statistics(&mut hand), start);
    assert_ne!(outputs, hand.predict_all(data.inputs()).unwrap(), "the statistics of the batch are not used");
    hand.backward(data.inputs(), &[matrix(3, 6, 2)]).unwrap();
    step.train_on_batch(&data).unwrap();
    let moved = statistics(&mut hand);
    assert_ne!(moved, start);
    assert_eq!(moved, statistics(&mut step));

    hand.freeze("batch_norm_1").unwrap();
    let numbers =
        |outputs: Vec<Matrix>| -> Vec<f64> { outputs.iter().flat_map(|y| y.data()).map(|y| f64::from(*y)).collect() };
    let got = numbers(hand.forward(data.inputs()).unwrap());
    let want = numbers(hand.predict_all(data.inputs()).unwrap());
    // Outputs are up to 4 in size; the two plans may cut a product differently.
    assert_none(&differences("with a frozen normalisation", &got, &want, |_| 4.0 * 2.0 * ROUNDINGS * U32));
    let before = hand.weights().unwrap();
    hand.train_on_batch(&data).unwrap();
    let after = hand.weights().unwrap();
    let changed: Vec<&str> = before.iter().zip(&after).filter(|(a, b)| a != b).map(|(a, _)| a.name.as_str()).collect();
    assert_eq!(changed, ["dense_1.w", "dense_1.b", "dense_2.w", "dense_2.b"]);
}

/// Passes add up until a step or `clear_gradients`: those of two losses are that of their sum, behind the gradients of the
/// model's own loss too, and nothing comes to frozen layers.
pub fn passes_add_up(device: &Device) {
    let data = images(9);
    let mut model = branched(device);
    let given: Vec<[Matrix; 2]> =
        (0..3).map(|i| [matrix(20 + i, 9, 4), matrix(30 + i, 9, 2)].map(|dy| dy.map(|x| x / 9.0))).collect();
    let sum: Vec<Matrix> = (0..2).map(|i| (&(&given[0][i] + &given[1][i]).unwrap() + &given[2][i]).unwrap()).collect();
    let close = |got: &[f64], want: &[f64]| {
        // Three passes instead of one, and two sums.
        assert_none(&differences("gradient", got, want, |_| (4.0 * ROUNDINGS + 2.0) * U32));
    };
    model.backward(data.inputs(), &sum).unwrap();
    let (want, own) = (gradients(&mut model), {
        model.compute_gradients(&data).unwrap();
        gradients(&mut model)
    });
    assert!(differ(&want, &vec![0.0; want.len()]));
    model.clear_gradients();
    given.iter().for_each(|dy| model.backward(data.inputs(), dy).unwrap());
    close(&gradients(&mut model), &want);
    // In place of those of before: a step, and a pass anew.
    model.compute_gradients(&data).unwrap();
    model.backward_to_inputs(data.inputs(), &sum).unwrap();
    let both: Vec<f64> = own.iter().zip(&want).map(|(a, b)| a + b).collect();
    close(&gradients(&mut model), &both);
    model.clear_gradients();
    model.backward(data.inputs(), &sum).unwrap();
    assert_eq!(gradients(&mut model), want);

    model.freeze("digit").unwrap();
    for _ in 0..2 {
        model.backward(data.inputs(), &sum).unwrap();
    }
    let of_frozen = model.gradient("digit.w").unwrap().data;
    assert!(of_frozen.iter().all(|g| *g == 0.0), "{of_frozen:?}");
    let before = model.weight("digit.w").unwrap();
    model.apply_gradients().unwrap();
    assert_eq!(model.weight("digit.w").unwrap(), before);
}

/// The gradients of the inputs are those of the pass, with its masks: for a linear network `Σ dx x = Σ dy y`, and a
/// dropout in front leaves out what its mask does.
pub fn inputs_have_the_gradients_of_the_pass(device: &Device) {
    let net = Sequential::new(6).add(Dropout::new(0.5)).add(Dense::new(3).without_bias());
    let mut model = net.compile(device.clone(), Losses::none(), Sgd::new(0.1)).unwrap();
    let (x, dy) = (matrix(1, 8, 6), matrix(2, 8, 3));
    let sum = |a: &Matrix, b: &Matrix| -> f64 {
        a.data().iter().zip(b.data()).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    for _ in 0..3 {
        let y = model.forward(&[&x]).unwrap().remove(0);
        let dx = model.backward_to_inputs(&[&x], std::slice::from_ref(&dy)).unwrap().remove(0);
        let dropped = dx.data().iter().filter(|dx| **dx == 0.0).count();
        assert!((12..36).contains(&dropped), "{dropped} of 48");
        // 24 and 48 products of numbers of size 2.
        assert!((sum(&dx, &x) - sum(&dy, &y)).abs() < 2.0 * 72.0 * ROUNDINGS * U32);
        model.apply_gradients().unwrap();
    }
    // In prediction there is no mask.
    let dx = model.input_gradients(&[&x], std::slice::from_ref(&dy)).unwrap().remove(0);
    assert!(dx.data().iter().all(|dx| *dx != 0.0));
}

/// The model's own loss by its inputs: what `input_gradients` makes of the gradients of the losses, both outputs together.
pub fn the_loss_has_gradients_by_its_inputs(device: &Device) {
    let net = |last: Dense| {
        let mut net = Network::new();
        let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 2).unwrap());
        let left = net.apply(Dense::new(4).activation(Activation::Tanh), a).unwrap();
        let left = net.apply(Dropout::new(0.5), left).unwrap();
        let right = net.apply(Dense::new(4).activation(Activation::Silu), b).unwrap();
        let sum = net.add(&[left, right]).unwrap();
        let (class, size) = (net.apply(last, sum).unwrap(), net.apply(Dense::new(2), sum).unwrap());
        net.output(class).unwrap();
        net.output(size).unwrap();
        net
    };
    let losses = [(Loss::CategoricalCrossEntropy, 1.0), (Loss::Huber(0.5), 0.25)];
    let mut model = net(Dense::new(3)).compile(device.clone(), losses, Sgd::new(0.1)).unwrap();
    let weights: Vec<f32> = vec![1.0, 0.5, 0.0, 2.0, 0.5];
    let data = Dataset::new(matrix(1, 5, 3), vec![0u32, 2, 1, 1, 0]).unwrap().with_input(matrix(2, 5, 2)).unwrap();
    let data = data.with_target(matrix(3, 5, 2)).unwrap().with_weights(weights.clone()).unwrap();
    let gathered = gradients(&mut model);
    let got = model.input_gradients_of_loss(&data).unwrap();
    let (report, loss) = (model.last_evaluation().unwrap(), model.evaluate(&data).unwrap().loss());
    assert!((report.loss() - loss).abs() < ROUNDINGS * U32, "{report:?}");
    assert_eq!(gradients(&mut model), gathered);

    let outputs = model.predict_all(data.inputs()).unwrap();
    let dy: Vec<Matrix> = (0..2)
        .map(|i| {
            let (loss, weight) = losses[i];
            let by_row = loss.gradient(&outputs[i], &data.targets()[i]).unwrap();
            let cols = by_row.cols();
            let values = by_row.data().iter().enumerate().map(|(at, g)| g * weight * weights[at / cols] / 4.0);
            Matrix::new(5, cols, values.collect()).unwrap()
        })
        .collect();
    let want = model.input_gradients(data.inputs(), &dy).unwrap();
    let wide = |all: &[Matrix]| -> Vec<f64> { all.iter().flat_map(Matrix::data).map(|x| f64::from(*x)).collect() };
    assert_none(&differences("dL/dx", &wide(&got), &wide(&want), |_| 3.0 * ROUNDINGS * U32));
    assert!(got[0].row(2).unwrap().iter().all(|dx| *dx == 0.0), "a row without weight has no part");
    assert!(differ(&wide(&got), &[0.0; 25]));
}
