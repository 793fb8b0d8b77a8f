//! Targets with weights of their own: rows that have answers for some of the outputs only, on any device.

use super::api::flat;
use super::by_hand::{ROUNDINGS, differ, gradients};
use super::{U32, assert_none, differences, matrix};
use axone::check::{compare, gradient_check};
use axone::prelude::*;

const LOSSES: [(Loss, f32); 2] = [(Loss::CategoricalCrossEntropy, 1.0), (Loss::MeanSquaredError, 0.5)];

fn model(device: &Device) -> Model {
    let mut net = Network::new();
    let x = net.input("x", 4).unwrap();
    let body = net.apply(Dense::new(6).activation(Activation::Tanh), x).unwrap();
    let kind = net.apply(Dense::new(3).activation(Activation::Softmax).named("kind"), body).unwrap();
    let size = net.apply(Dense::new(2).named("size"), body).unwrap();
    net.output(kind).unwrap();
    net.output(size).unwrap();
    net.compile(device.clone(), LOSSES, Sgd::new(0.125)).unwrap()
}

/// Eight rows, of which two have no kind, three no size, and one neither; rows weigh differently, too.
const KINDS: [f32; 8] = [1.0, 1.0, 0.0, 0.5, 1.0, 0.0, 2.0, 1.0];
const SIZES: [f32; 8] = [0.0, 1.0, 0.0, 1.0, 0.25, 1.0, 1.0, 0.0];
const ROWS: [f32; 8] = [1.0, 1.0, 1.0, 2.0, 1.0, 0.5, 1.0, 0.5];

fn rows() -> Dataset {
    let data = Dataset::new(matrix(1, 8, 4), vec![0u32, 1, 2, 0, 1, 2, 2, 1]).unwrap();
    data.with_target(matrix(2, 8, 2)).unwrap().with_weights(ROWS.to_vec()).unwrap()
}

fn partial() -> Dataset {
    let data = rows().with_target_weights(0, KINDS.to_vec()).unwrap();
    data.with_target_weights(1, SIZES.to_vec()).unwrap()
}

/// The loss, the gradients and the reports are those of the definition, computed by hand from outputs and losses of rows,
/// and what stands in place of a missing target counts for nothing.
pub fn missing_targets_count_for_nothing(device: &Device) {
    let (mut model, data) = (model(device), partial());
    let total: f32 = ROWS.iter().sum();
    let outputs = model.predict_all(data.inputs()).unwrap();
    let logits = outputs[0].clone().map(|p| p.ln());
    let by_row = [
        LOSSES[0].0.value(&logits, &data.targets()[0]).unwrap(),
        LOSSES[1].0.value(&outputs[1], &data.targets()[1]).unwrap(),
    ];
    let sum = |values: &[f32], own: &[f32; 8]| -> f64 {
        (0..8).map(|row| f64::from(values[row]) * f64::from(ROWS[row]) * f64::from(own[row])).sum()
    };
    let over = |own: &[f32; 8]| sum(&[1.0; 8], own);
    let scores = model.evaluate(&data).unwrap();
    let close = |name: &str, want: f64| {
        let got = scores.get(name).unwrap();
        assert!((got - want).abs() < 4.0 * ROUNDINGS * U32, "{name}: {got}, want {want}");
    };
    close("kind_loss", sum(&by_row[0], &KINDS) / over(&KINDS));
    close("size_loss", sum(&by_row[1], &SIZES) / over(&SIZES));
    close("loss", (sum(&by_row[0], &KINDS) + 0.5 * sum(&by_row[1], &SIZES)) / f64::from(total));
    let labels = data.targets()[0].labels().unwrap();
    let right: Vec<f32> = outputs[0].argmax().iter().zip(labels).map(|(p, l)| f32::from(*p == *l as usize)).collect();
    close("kind_accuracy", sum(&right, &KINDS) / over(&KINDS));

    // Gradients: by `backward`, from those of the rows' own losses.
    model.compute_gradients(&data).unwrap();
    let got = gradients(&mut model);
    let dp = LOSSES[0].0.gradient(&logits, &data.targets()[0]).unwrap();
    let dy = LOSSES[1].0.gradient(&outputs[1], &data.targets()[1]).unwrap();
    let share = |gradient: &Matrix, own: &[f32; 8], weight: f32| {
        let cols = gradient.cols();
        let values = gradient.data().iter().enumerate();
        let values = values.map(|(at, g)| g * weight * ROWS[at / cols] * own[at / cols] / total);
        Matrix::new(8, cols, values.collect()).unwrap()
    };
    // From logits to probabilities: p times what `ln p` receives gives the same gradient at the logits.
    let dp = share(&dp, &KINDS, 1.0);
    let dp: Vec<f32> = dp.data().iter().zip(outputs[0].data()).map(|(d, p)| d / p).collect();
    let given = [Matrix::new(8, 3, dp).unwrap(), share(&dy, &SIZES, 0.5)];
    model.clear_gradients();
    model.backward(data.inputs(), &given).unwrap();
    let want = gradients(&mut model);
    // A logarithm and a quotient on the host come to what the model rounds.
    assert_none(&differences("gradient", &got, &want, |_| 8.0 * ROUNDINGS * U32));
    assert!(differ(&got, &vec![0.0; got.len()]));

    // Another label and another number where none is known.
    let mut labels = data.targets()[0].labels().unwrap().to_vec();
    (labels[2], labels[5]) = (0, 0);
    let mut sizes = data.targets()[1].values().unwrap().clone().into_data();
    for row in [0, 2, 7] {
        sizes[2 * row..2 * row + 2].fill(1e30);
    }
    let other = Dataset::new(data.inputs()[0].clone(), labels).unwrap();
    let other = other.with_target(Matrix::new(8, 2, sizes).unwrap()).unwrap().with_weights(ROWS.to_vec()).unwrap();
    let other = other.with_target_weights(0, KINDS.to_vec()).unwrap().with_target_weights(1, SIZES.to_vec()).unwrap();
    assert_eq!(model.evaluate(&other).unwrap(), scores);
    model.compute_gradients(&other).unwrap();
    assert_eq!(gradients(&mut model), got);
    // Without the weights it would not be so.
    model.compute_gradients(&rows()).unwrap();
    assert!(differ(&gradients(&mut model), &got));
}

/// Steps in parts are the step as a whole; `fit` in batches, streamed or not, takes the steps by hand; every dispatch is
/// right, and the gradients are those of differences.
pub fn partial_targets_train_everywhere(device: &Device) {
    let data = partial();
    let (mut whole, mut parts) = (model(device), model(device));
    whole.compute_gradients(&data).unwrap();
    for cut in [[0, 1, 2].as_slice(), &[3], &[4, 5, 6, 7]] {
        parts.accumulate_gradients(&data.select(cut).unwrap()).unwrap();
    }
    let (got, want) = (gradients(&mut parts), gradients(&mut whole));
    assert_none(&differences("parts", &got, &want, |_| (2.0 * ROUNDINGS + 9.0) * U32));

    let fit = || Fit::new().epochs(2).batch_size(3).without_shuffle().silent();
    let (mut fitted, mut streamed, mut hand) = (model(device), model(device), model(device));
    let history = fitted.fit(&data, &fit().validation(&data)).unwrap();
    let also = streamed.fit(&data, &fit().validation(&data).data_budget(1)).unwrap();
    for _ in 0..2 {
        for rows in [&[0, 1, 2], [3, 4, 5].as_slice(), &[6, 7]] {
            hand.train_on_batch(&data.select(rows).unwrap()).unwrap();
        }
    }
    let weights = flat(fitted.weights().unwrap());
    assert_eq!(weights, flat(streamed.weights().unwrap()));
    assert_eq!(weights, flat(hand.weights().unwrap()));
    assert_eq!(history.get("size_loss"), also.get("size_loss"));
    assert!(history.last("val_loss").unwrap() < history.get("val_loss")[0]);

    let report = compare(&mut model(device), &data, 3, 3).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    let report = gradient_check(&mut model(device), &data).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// Some of the outputs, on data that have targets for these alone.
pub fn some_outputs_are_evaluated(device: &Device) {
    let mut model = model(device);
    let whole = model.evaluate(&rows()).unwrap();
    let data = rows();
    let of = |target: usize| {
        let set = match target {
            0 => Dataset::new(data.inputs()[0].clone(), data.targets()[0].labels().unwrap().to_vec()).unwrap(),
            _ => Dataset::new(data.inputs()[0].clone(), data.targets()[1].values().unwrap().clone()).unwrap(),
        };
        set.with_weights(ROWS.to_vec()).unwrap()
    };
    for (output, name, weight) in [(0, "kind", 1.0), (1, "size", 0.5)] {
        let some = model.evaluate_outputs(&[name], &of(output)).unwrap();
        let own = format!("{name}_loss");
        assert_eq!(some.values.len(), 3);
        assert_eq!(some.get(&own), whole.get(&own));
        assert!((some.loss() - weight * whole.get(&own).unwrap()).abs() < 1e-12);
    }
    // Both, the other way round.
    let both = of(1).with_target(data.targets()[0].labels().unwrap().to_vec()).unwrap();
    assert_eq!(model.evaluate_outputs(&["size", "kind"], &both).unwrap(), whole);
    let message = |found: Result<_>| found.map(|_: axone::train::Evaluation| ()).unwrap_err().to_string();
    let wanted = "evaluate_outputs: output must be one of kind, size, got";
    assert_eq!(message(model.evaluate_outputs(&["age"], &of(0))), format!("{wanted} \"age\""));
    assert_eq!(message(model.evaluate_outputs(&["kind", "kind"], &both)), format!("{wanted} \"kind\" twice"));
    assert_eq!(message(model.evaluate_outputs(&["kind"], &both)), "targets: expected 1 targets, got 2");
}
