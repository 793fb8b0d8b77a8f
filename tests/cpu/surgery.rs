//! Parts of networks with their weights, rate factors of compiled models, and what is watched as a function.

use crate::common::api::{classifier, samples};
use crate::common::shared::siamese;
use crate::common::{derivatives, matrix};
use axone::prelude::*;

fn message<T>(result: Result<T>) -> String {
    result.err().unwrap().to_string()
}

/// What is kept gives the numbers that it gave, wherever it stands: behind branches, shared blocks and derivatives.
#[test]
fn a_part_computes_what_it_did() {
    let (a, b) = (matrix(1, 6, 5), matrix(2, 6, 5));
    let mut whole = siamese(&Device::cpu());
    let values = whole.activations(&[&a, &b]).unwrap();
    let of = |name: &str| &values.iter().find(|(own, _)| own == name).unwrap().1;
    assert_eq!(&whole.up_to("both").unwrap().predict_all(&[&a, &b]).unwrap()[0], of("both"));
    assert_eq!(&whole.up_to("first").unwrap().predict(&a).unwrap(), of("first"));
    // The second tower's parameters are the first's.
    assert_eq!(&whole.up_to("first@2").unwrap().predict_all(&[&a, &b]).unwrap()[0], of("first@2"));

    let mut everything = derivatives::everything(&Device::cpu());
    let (a, b) = (matrix(3, 4, 3), matrix(4, 4, 3));
    let values = everything.activations(&[&a, &b]).unwrap();
    let (mut net, [steep]) = everything.program().network().up_to(["steep"]).unwrap();
    net.output(steep).unwrap();
    let mut part = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap();
    assert!(part.copy_weights(&everything.weights().unwrap()).unwrap().missing.is_empty());
    let got = part.predict_all(&[&a, &b]).unwrap().remove(0);
    assert_eq!(got, values.iter().find(|(name, _)| name == "steep").unwrap().1);
    // The losses of what is still there have come along, that of `bend` has not.
    let data = Dataset::new(a, got).unwrap().with_input(b).unwrap();
    assert_eq!(reported(&mut part, &data), ["loss", "mae", "steep_loss", "gradient_3_loss"]);
}

/// A trained model without its last layer and with another learns a new task, with the file in between.
#[cfg(feature = "save")]
#[test]
fn a_loaded_model_gets_another_head() {
    let path = std::env::temp_dir().join(format!("axone-surgery-{}.safetensors", std::process::id()));
    let mut old = classifier(&Device::cpu(), Adam::new(0.01));
    old.fit(&samples(20), &Fit::new().epochs(5).silent()).unwrap();
    old.save(&path).unwrap();
    let mut loaded = Model::load_from(&path, Device::cpu()).unwrap();
    std::fs::remove_file(path).ok();
    let features = old.up_to("dense_1").unwrap().predict(&samples(20).inputs()[0]).unwrap();

    let (mut net, [body]) = loaded.program().network().up_to(["dense_1"]).unwrap();
    let y = net.apply(Dense::new(1).named("head"), body).unwrap();
    net.output(y).unwrap();
    let mut new = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.05)).unwrap();
    let copied = new.copy_weights(&loaded.weights().unwrap()).unwrap();
    assert_eq!((copied.missing, copied.unused), (names(["head.w", "head.b"]), names(["dense_2.w", "dense_2.b"])));
    new.freeze("dense_1").unwrap();
    let targets: Vec<f32> = features.iter_rows().map(|row| row[0] - row[1]).collect();
    let data = Dataset::new(samples(20).inputs()[0].clone(), targets).unwrap();
    new.fit(&data, &Fit::new().epochs(300).batch_size(20).silent()).unwrap();
    assert!(new.evaluate(&data).unwrap().loss() < 1e-3);
    assert_eq!(new.up_to("dense_1").unwrap().predict(&data.inputs()[0]).unwrap(), features);
}

fn names<const N: usize>(names: [&str; N]) -> Vec<String> {
    names.map(str::to_owned).to_vec()
}

/// Of two heads one goes, with its own input, and losses without a target stay where their values do.
#[test]
fn an_output_is_dropped() {
    let mut net = Network::new();
    let (a, b) = (net.input("a", 3).unwrap(), net.input("b", 2).unwrap());
    let body = net.apply(Dense::new(4).activation(Activation::Tanh).named("body"), a).unwrap();
    let both = net.concat(&[body, b]).unwrap();
    let (first, second) = (
        net.apply(Dense::new(2).named("first"), body).unwrap(),
        net.apply(Dense::new(1).named("second"), both).unwrap(),
    );
    net.output(first).unwrap();
    net.output(second).unwrap();
    let steep = net.gradient(first, a).unwrap();
    let gap = net.formula("gap", [second, body], |[y, x]| y * x.mean()).unwrap();
    net.add_loss(steep, 0.5).unwrap();
    net.add_loss(gap, 0.5).unwrap();
    let one = net.without_output("second").unwrap();
    assert_eq!((one.input_shapes(), one.output_shapes()), (vec![("a", &[3][..])], vec![("first", &[2][..])]));
    let mut model = one.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new(matrix(1, 5, 3), matrix(2, 5, 2)).unwrap();
    assert_eq!(reported(&mut model, &data), ["loss", "mae", "gradient_1_loss"]);
    model.train_on_batch(&data).unwrap();

    assert_eq!(
        message(net.without_output("body")),
        "without_output: output must be one of the outputs (first, second), got \"body\""
    );
    assert_eq!(
        message(one.without_output("first")),
        "without_output: output must be one of several (first), got \"first\""
    );
    let wanted = "must be one of a, b, body, concat_1, first, second, gradient_1, gap, got \"tail\"";
    assert_eq!(message(net.up_to(["tail"])), format!("up_to: name {wanted}"));
    assert_eq!(message(net.find("tail")), format!("find: name {wanted}"));
    let found = net.find("body").unwrap();
    assert_eq!(found, body);
    net.output(found).unwrap();
}

/// A layer at a quarter of the learning rate takes quarter steps, whoever takes them, also where several applications
/// share it, and the factor is saved as that of the description.
#[test]
fn a_layer_learns_slowly() {
    let data = samples(8);
    let mut model = classifier(&Device::cpu(), Sgd::new(0.125));
    let mut other = classifier(&Device::cpu(), Sgd::new(0.125));
    model.train_on_batch(&data).unwrap();
    other.train_on_batch(&data).unwrap();
    model.set_rate_factor("dense_1", 0.25).unwrap();
    let before = model.weights().unwrap();
    model.train_on_batch(&data).unwrap();
    other.train_on_batch(&data).unwrap();
    let (slow, fast) = (model.weights().unwrap(), other.weights().unwrap());
    for i in 0..4 {
        for ((before, slow), fast) in before[i].data.iter().zip(&slow[i].data).zip(&fast[i].data) {
            let factor = if i < 2 { 0.25 } else { 1.0 };
            // Weights of size 1 are rounded by both steps.
            assert!((slow - before - factor * (fast - before)).abs() < 4.0 * f32::EPSILON, "{}", fast);
        }
    }
    assert_ne!(slow[0], before[0]);
    model.set_rate_factor("dense_1", 1.0).unwrap();
    assert_eq!(model.program(), other.program());

    let mut shared = siamese(&Device::cpu());
    shared.set_rate_factor("first", 0.5).unwrap();
    for (layer, got) in [("layer_norm_1", "layer_norm_1"), ("first@2", "first@2"), ("no", "no")] {
        let error = message(shared.set_rate_factor(layer, 0.5));
        assert!(error.starts_with("set_rate_factor: layer must be one of first, "), "{error}");
        assert!(error.ends_with(&format!("got \"{got}\"")), "{error}");
    }
    assert_eq!(message(shared.set_rate_factor("first", 0.0)), "first: rate_factor must be positive and finite, got 0");
    #[cfg(feature = "save")]
    {
        let path = std::env::temp_dir().join(format!("axone-rates-{}.safetensors", std::process::id()));
        shared.save(&path).unwrap();
        assert_eq!(Model::load_from(&path, Device::cpu()).unwrap().program(), shared.program());
        std::fs::remove_file(path).ok();
    }
}

/// What is watched is what a function makes of the reported numbers.
#[test]
fn a_function_is_watched() {
    let data = samples(12);
    let fit = |stopping: EarlyStopping| {
        let mut model = classifier(&Device::cpu(), Adam::new(0.01));
        let fit = Fit::new().epochs(30).batch_size(4).callback(stopping).silent();
        model.fit(&data, &fit).unwrap()
    };
    // Best in the fourth epoch, and of no number in the second.
    let distance = |epoch: &Epoch| if epoch.epoch == 2 { f64::NAN } else { (epoch.epoch as f64 - 4.0).abs() };
    let history = fit(EarlyStopping::by("distance", distance).patience(3));
    assert_eq!(history.stopped.as_deref(), Some("no better distance for 3 epochs than 0.0000 in epoch 4"));
    let history = fit(EarlyStopping::by("distance", distance).maximize().patience(2));
    assert_eq!((history.epochs.len(), history.stopped.is_some()), (3, true));
    // The same as by the name.
    let by_name = fit(EarlyStopping::new("loss").patience(2).min_delta(0.05));
    let by_function = fit(EarlyStopping::by("loss", |epoch| epoch.get("loss").unwrap()).patience(2).min_delta(0.05));
    assert_eq!(by_name.stopped, by_function.stopped);
    assert!(by_name.stopped.is_some());

    #[cfg(feature = "save")]
    {
        let path = std::env::temp_dir().join(format!("axone-watched-{}.safetensors", std::process::id()));
        let checkpoint = Checkpoint::new(path.as_path()).best_by("distance", distance);
        let mut model = classifier(&Device::cpu(), Adam::new(0.01));
        model.fit(&data, &Fit::new().epochs(8).batch_size(4).checkpoint(checkpoint).silent()).unwrap();
        let mut four = classifier(&Device::cpu(), Adam::new(0.01));
        four.fit(&data, &Fit::new().epochs(4).batch_size(4).silent()).unwrap();
        let mut best = Model::load_from(&path, Device::cpu()).unwrap();
        std::fs::remove_file(path).ok();
        assert_eq!(best.weights().unwrap(), four.weights().unwrap());
    }
}

fn reported(model: &mut Model, data: &Dataset) -> Vec<String> {
    model.evaluate(data).unwrap().values.into_iter().map(|(name, _)| name).collect()
}
