//! What the layers do in a model, on any device: the same checks run on the CPU and on the GPU.

use super::api::bits;
use super::{U32, assert_none, differences, labels, matrix};
use axone::check::compare;
use axone::layers::Activation;
use axone::prelude::*;

/// Every kind of layer with parameters or random numbers of its own, on an input of numbers and one of categories.
pub fn everything(device: &Device) -> Model {
    let mut net = Network::new();
    let (numbers, categories) = (net.input("numbers", 5).unwrap(), net.input("categories", 2).unwrap());
    let own = net.apply(Embedding::per_column([3, 7], 4), categories).unwrap();
    let shared = net.apply(Embedding::new(7, 3).named("shared"), categories).unwrap();
    let all = net.concat(&[numbers, own, shared]).unwrap();
    let mut x = net.apply(Dense::new(12).without_bias(), all).unwrap();
    x = net.apply(BatchNorm::new().momentum(0.25), x).unwrap();
    x = net.apply(Activation::Silu, x).unwrap();
    x = net.apply(ActivityRegularization::l1_l2(0.01, 0.02), x).unwrap();
    let block = Residual::new()
        .add(LayerNorm::new())
        .add(Dense::new(12).activation(Activation::Selu).weights(Initializer::LecunNormal))
        .add(AlphaDropout::new(0.2))
        .add(Dense::new(12));
    x = net.apply(block, x).unwrap();
    let y = net.apply(Dense::new(3).activation(Activation::Softmax), x).unwrap();
    net.output(y).unwrap();
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn table(rows: usize) -> Dataset {
    let numbers = matrix(21, rows, 5);
    let picked = |row: usize| [row % 3, row * row % 7].map(|category| category as f32);
    let categories = Matrix::from_rows((0..rows).map(picked)).unwrap();
    let y = labels(&numbers, 3);
    Dataset::new(numbers, y).unwrap().with_input(categories).unwrap()
}

fn settings() -> Fit {
    Fit::new().epochs(3).batch_size(8).seed(5).silent()
}

/// A model of one batch normalisation behind a dense layer.
pub fn normalised(device: &Device) -> Model {
    let net = Sequential::new(5)
        .add(Dense::new(6).activation(Activation::Tanh))
        .add(BatchNorm::new())
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap()
}

fn weight(model: &mut Model, name: &str) -> Vec<f32> {
    model.weights().unwrap().into_iter().find(|weight| weight.name == name).unwrap().data
}

/// Every dispatch of training and evaluation, fused and unfused, the last batch padded; and the weights afterwards.
pub fn every_dispatch_agrees_with_f64(device: &Device) {
    // 21 rows in batches of 8: the last has 5.
    let report = compare(&mut everything(device), &table(21), 8, 5).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
    let kernels = ["batch_norm.train", "batch_norm_grad.all_three", "running_statistics", "layer_norm.train"];
    let more = ["layer_norm_scale_grad.scale_and_shift", "embedding", "embedding_grad", "alpha_dropout"];
    for kernel in kernels.iter().chain(&more) {
        assert!(report.rows.iter().any(|row| row.kernel == *kernel), "no {kernel} in\n{report}");
    }
}

pub fn a_model_of_every_layer_learns(device: &Device) {
    let (data, mut model) = (table(64), everything(device));
    let before = model.evaluate(&data).unwrap().loss();
    let history = model.fit(&data, &settings().epochs(60)).unwrap();
    let after = model.evaluate(&data).unwrap();
    assert!(after.loss() < 0.5 * before, "{before} became {after:?}");
    assert!(after.get("accuracy").unwrap() > 0.9, "{after:?}");
    assert!(history.get("loss").iter().all(|loss| loss.is_finite()));
}

/// Rows that fill up a last batch count neither in the statistics nor in the gradients.
pub fn padding_is_not_measured(device: &Device) {
    let data = table(10);
    let labels = data.targets()[0].labels().unwrap();
    let once = settings().epochs(1).batch_size(4).without_shuffle();
    let part = |rows: &[usize]| {
        let own: Vec<u32> = rows.iter().map(|row| labels[*row]).collect();
        Dataset::new(data.inputs()[0].select(rows).unwrap(), own).unwrap()
    };
    let mut whole = normalised(device);
    whole.fit(&part(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), &once).unwrap();
    // One fit a batch, the last with a plan for two rows: other tiles and lanes, the same order of every sum.
    let mut parts = normalised(device);
    for rows in [&[0, 1, 2, 3][..], &[4, 5, 6, 7], &[8, 9]] {
        parts.fit(&part(rows), &once).unwrap();
    }
    let close =
        |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() <= 64.0 * f32::EPSILON * a.abs().max(1.0));
    for (a, b) in whole.weights().unwrap().iter().zip(parts.weights().unwrap()) {
        // A matrix product may choose another tile for a smaller batch; 64 roundings of numbers near 1.
        assert!(close(&a.data, &b.data), "{}: {:?} and {:?}", a.name, a.data, b.data);
    }
}

/// A last batch of one row is normalised by the running statistics, which it leaves as they are.
pub fn a_single_row_has_no_variance(device: &Device) {
    let (x, y) = (matrix(5, 9, 5), labels(&matrix(5, 9, 5), 3));
    let first = Dataset::new(x.select(&[0, 1, 2, 3, 4, 5, 6, 7]).unwrap(), y[..8].to_vec()).unwrap();
    let last = Dataset::new(x.select(&[8]).unwrap(), y[8..].to_vec()).unwrap();
    let once = settings().epochs(1).without_shuffle();
    let mut model = normalised(device);
    model.fit(&first, &once).unwrap();
    let names = ["batch_norm_1.mean", "batch_norm_1.variance"];
    let before = names.map(|name| weight(&mut model, name));
    assert!(before[0].iter().any(|mean| mean.abs() > 1e-3), "{before:?}");
    let trained = bits(&mut model);
    // What evaluation says of the row is what training says: both use the running statistics.
    let wanted = model.evaluate(&last).unwrap().loss();
    let got = model.fit(&last, &once).unwrap().last("loss").unwrap();
    assert!((got - wanted).abs() <= 16.0 * f64::from(f32::EPSILON) * wanted.max(1.0), "{got}, want {wanted}");
    assert_eq!(names.map(|name| weight(&mut model, name)), before);
    assert_ne!(bits(&mut model), trained, "the row taught nothing");
    assert!(model.weights().unwrap().iter().all(|weight| weight.data.iter().all(|x| x.is_finite())));
}

/// The same row as the padded end of a longer epoch.
pub fn a_single_row_at_the_end_of_an_epoch(device: &Device) {
    let (x, y) = (matrix(5, 9, 5), labels(&matrix(5, 9, 5), 3));
    let once = settings().epochs(1).without_shuffle();
    let mut whole = normalised(device);
    whole.fit(&Dataset::new(x.clone(), y.clone()).unwrap(), &once).unwrap();
    let mut first = normalised(device);
    first.fit(&Dataset::new(x.clone(), y).unwrap().take(8).unwrap(), &once).unwrap();
    for name in ["batch_norm_1.mean", "batch_norm_1.variance"] {
        assert_eq!(weight(&mut whole, name), weight(&mut first, name), "{name}");
    }
    assert_ne!(bits(&mut whole), bits(&mut first), "the row taught nothing");
}

/// The loss of a row and `l1 Σ abs(y) + l2 Σ y²`, weighted as the rows are, in training and in evaluation.
pub fn an_activity_penalty_is_part_of_the_loss(device: &Device) {
    let (x, target) = (matrix(5, 10, 5), matrix(6, 10, 3));
    let weights: Vec<f32> = (0..10).map(|row| 0.5 + row as f32 / 8.0).collect();
    let data = Dataset::new(x.clone(), target.clone()).unwrap().with_weights(weights.clone()).unwrap();
    let net = Sequential::new(5).add(Dense::new(3)).add(ActivityRegularization::l1_l2(0.5, 0.25));
    let mut model = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let y = model.predict(&x).unwrap();
    let (mut loss, mut total) = (0.0, 0.0);
    for ((y, target), weight) in y.iter_rows().zip(target.iter_rows()).zip(weights) {
        let wide = || y.iter().map(|y| f64::from(*y));
        let error: f64 = wide().zip(target).map(|(y, t)| (y - f64::from(*t)).powi(2)).sum::<f64>() / 3.0;
        let penalty = 0.5 * wide().map(f64::abs).sum::<f64>() + 0.25 * wide().map(|y| y * y).sum::<f64>();
        loss += f64::from(weight) * (error + penalty);
        total += f64::from(weight);
    }
    // Some 16 roundings of numbers near 1 in each row.
    let allowed = 16.0 * U32 * 4.0;
    let evaluated = model.evaluate(&data).unwrap().loss();
    // One batch: it sees the weights that `predict` saw.
    let once = settings().epochs(1).batch_size(10).without_shuffle();
    let trained = model.fit(&data, &once).unwrap().last("loss").unwrap();
    assert_none(&differences("loss", &[evaluated, trained], &[loss / total; 2], |_| allowed));
    let history = model.fit(&data, &settings().epochs(20).batch_size(4)).unwrap();
    let after = model.predict(&x).unwrap();
    let size = |m: &Matrix| m.data().iter().map(|y| f64::from(y.abs())).sum::<f64>();
    assert!(size(&after) < 0.5 * size(&y), "{} became {}, {:?}", size(&y), size(&after), history.get("loss"));
}

/// A frozen batch normalisation works by its running statistics and keeps every bit; the layer in front of it learns.
pub fn a_frozen_batch_norm_stays_as_it_is(device: &Device) {
    let (x, y) = (matrix(5, 8, 5), labels(&matrix(5, 8, 5), 3));
    let (data, once) = (Dataset::new(x, y).unwrap(), settings().epochs(1).without_shuffle());
    let mut model = normalised(device);
    model.fit(&data, &once).unwrap();
    assert_eq!((model.parameters(), model.summary().non_trainable()), (36 + 12 + 21, 12));
    model.freeze("batch_norm_1").unwrap();
    assert_eq!((model.parameters(), model.summary().non_trainable()), (36 + 21, 12));
    let (before, wanted) = (model.weights().unwrap(), model.evaluate(&data).unwrap().loss());
    let got = model.fit(&data, &once).unwrap().last("loss").unwrap();
    assert!((got - wanted).abs() <= 16.0 * f64::from(f32::EPSILON) * wanted.max(1.0), "{got}, want {wanted}");
    for (before, after) in before.iter().zip(model.weights().unwrap()) {
        assert_eq!(before.data == after.data, before.name.starts_with("batch_norm_1."), "{}", before.name);
    }
    model.unfreeze("batch_norm_1").unwrap();
    model.fit(&data, &once).unwrap();
    assert_ne!(weight(&mut model, "batch_norm_1.mean"), before[4].data, "{}", before[4].name);
}

/// By hand, the backward pass moves the running statistics, once; the forward pass and gradients of inputs do not.
pub fn statistics_move_once_a_step_by_hand(device: &Device) {
    let (x, mut model) = (matrix(5, 8, 5), normalised(device));
    let mut other = normalised(device);
    let mean = |model: &mut Model| weight(model, "batch_norm_1.mean");
    let start = mean(&mut model);
    model.forward(std::slice::from_ref(&x)).unwrap();
    let dy = matrix(6, 8, 3);
    let dx = model.input_gradients(std::slice::from_ref(&x), std::slice::from_ref(&dy)).unwrap().remove(0);
    assert_eq!(mean(&mut model), start);
    assert!(dx.data().iter().all(|dx| dx.is_finite()) && dx.data().iter().any(|dx| dx.abs() > 1e-3), "{dx:?}");
    model.backward(std::slice::from_ref(&x), &[dy]).unwrap();
    other.fit(&Dataset::new(x.clone(), labels(&x, 3)).unwrap(), &settings().epochs(1).without_shuffle()).unwrap();
    assert_ne!(mean(&mut model), start);
    assert_eq!(mean(&mut model), mean(&mut other), "one pass, one move");
}

/// Predictions do not depend on the other rows, and training does not depend on predictions.
pub fn inference_uses_the_running_statistics(device: &Device) {
    let (data, mut model) = (table(24), everything(device));
    model.fit(&data, &settings()).unwrap();
    let trained = bits(&mut model);
    let all = model.predict_all(data.inputs()).unwrap().remove(0);
    for row in [0, 7, 23] {
        let inputs: Vec<Matrix> = data.inputs().iter().map(|input| input.select(&[row]).unwrap()).collect();
        let one = model.predict_all(&inputs).unwrap().remove(0);
        let near = one.data().iter().zip(all.row(row).unwrap()).all(|(a, b)| (a - b).abs() <= 64.0 * f32::EPSILON);
        assert!(near, "row {row}: {one:?}, among others {:?}", all.row(row));
    }
    model.evaluate(&data).unwrap();
    assert_eq!(bits(&mut model), trained);
}

/// Running statistics are saved with the model.
#[cfg(feature = "save")]
pub fn statistics_are_saved(device: &Device, name: &str) {
    let (data, mut model) = (table(16), everything(device));
    model.fit(&data, &settings()).unwrap();
    let path = std::env::temp_dir().join(format!("axone-layers-{name}-{}.safetensors", std::process::id()));
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, device.clone()).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_ne!(weight(&mut again, "batch_norm_1.mean"), vec![0.0; 12]);
    assert_eq!(again.weights().unwrap(), model.weights().unwrap());
    assert_eq!(again.program(), model.program());
    assert_eq!(again.predict_all(data.inputs()).unwrap(), model.predict_all(data.inputs()).unwrap());
}
