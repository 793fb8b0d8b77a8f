//! The public face of a model on the CPU backend; the checks are in `tests/common/api.rs`.

use crate::common::api::{self, branched, classifier, samples};
use axone::model::Weight;
use axone::prelude::*;

fn devices() -> [Device; 2] {
    [Device::cpu(), Device::cpu_f64()]
}

#[test]
fn evaluate_is_the_mean_over_the_rows() {
    devices().iter().for_each(api::evaluate_is_the_mean_over_the_rows);
}

#[test]
fn a_partial_batch_counts_its_rows() {
    devices().iter().for_each(api::a_partial_batch_counts_its_rows);
}

#[test]
fn steps_count_on() {
    devices().iter().for_each(api::steps_count_on);
}

#[test]
fn a_weight_is_a_repetition() {
    devices().iter().for_each(api::a_weight_is_a_repetition);
}

#[test]
fn streaming_changes_no_bit() {
    devices().iter().for_each(api::streaming_changes_no_bit);
}

#[test]
fn several_inputs_and_outputs() {
    devices().iter().for_each(api::several_inputs_and_outputs);
}

#[test]
fn weights_by_name() {
    devices().iter().for_each(api::weights_by_name);
}

#[cfg(feature = "save")]
#[test]
fn save_and_load() {
    api::save_and_load(&Device::cpu(), "cpu");
}

#[cfg(feature = "datasets")]
#[test]
fn digits_are_read() {
    api::digits_are_read(&Device::cpu());
}

#[test]
fn the_summary_is_a_table() {
    let wanted = "\
layer                    kind           output       parameters
---------------------------------------------------------------
image                    input          (B, 28, 28)           0
extra                    input          (B, 3)                0
flatten_1                flatten        (B, 784)              0
dense_1                  dense, relu    (B, 8)            6,280
side                     dense, silu    (B, 8)               32
add_1 <- dense_1, side   add            (B, 8)                0
dropout_1                dropout 0.25   (B, 8)                0
concat_1 <- dropout_1, extra  concat    (B, 11)               0";
    let printed = branched(&Device::cpu()).summary().to_string();
    println!("{printed}");
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<_> = printed.lines().map(words).collect();
    for line in wanted.lines().filter(|line| !line.starts_with('-')) {
        assert!(lines.contains(&words(line)), "no line like `{line}` in\n{printed}");
    }
    assert_eq!(printed.lines().last(), Some("6,382 trainable parameters"));
    let width = printed.lines().next().unwrap().chars().count();
    assert!(
        printed.lines().skip(2).take(10).all(|line| line.chars().count() == width),
        "columns do not line up\n{printed}"
    );
}

#[test]
fn weights_go_out_and_in() {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    let mut weights = model.weights().unwrap();
    let shapes: Vec<_> = weights.iter().map(|w| (w.name.as_str(), w.shape)).collect();
    assert_eq!(shapes, [("dense_1.w", (5, 8)), ("dense_1.b", (1, 8)), ("dense_2.w", (8, 3)), ("dense_2.b", (1, 3))]);
    weights.iter_mut().flat_map(|w| &mut w.data).zip(1..).for_each(|(x, i)| *x = i as f32 / 64.0);
    model.set_weights(&weights).unwrap();
    assert_eq!(model.weights().unwrap(), weights);

    let error = |wrong: &[Weight], model: &mut Model| model.set_weights(wrong).unwrap_err().to_string();
    assert_eq!(error(&weights[1..], &mut model), "weights: expected 4 parameters, got 3");
    let mut wrong = weights.clone();
    wrong[2].name = "other".to_owned();
    assert_eq!(error(&wrong, &mut model), "weights: name must be \"dense_2.w\", got \"other\"");
    let mut wrong = weights.clone();
    wrong[1].data.pop();
    assert_eq!(error(&wrong, &mut model), "dense_1.b: expected (1, 8), got (1, 8) with 7 numbers");
    let mut wrong = weights.clone();
    wrong[0].data[9] = f32::NAN;
    assert_eq!(error(&wrong, &mut model), "dense_1.w row 1, column 1: NaN");
    assert_eq!(model.weights().unwrap(), weights, "a refused set of weights changes nothing");
}

/// The CPU backend computes in f32, and says so before anything changes.
#[test]
fn f16_is_refused() {
    for device in devices() {
        let net = Sequential::new(2).add(Dense::new(3)).add(Dense::new(1));
        let mut model = net.compile(device, Loss::MeanSquaredError, Sgd::default()).unwrap();
        let error = model.set_precision(Precision::F16).unwrap_err();
        assert!(matches!(&error, Error::Unsupported { what, .. } if what == "Precision::F16"), "{error}");
        assert_eq!((model.precision(), model.loss_scale().unwrap()), (Precision::F32, None));
        model.set_precision(Precision::F32).unwrap();
        model.fit(&Dataset::new([[1.0, 2.0]], [[1.0]]).unwrap(), &Fit::new().epochs(1).silent()).unwrap();
    }
}

#[test]
fn reset_draws_anew_and_forgets() {
    let mut model = classifier(&Device::cpu(), Adam::default());
    let (data, settings) = (samples(12), Fit::new().epochs(2).batch_size(4).silent());
    let start = model.weights().unwrap();
    model.fit(&data, &settings).unwrap();
    let trained = model.weights().unwrap();
    assert_ne!(trained, start);
    model.reset(0).unwrap();
    assert_eq!(model.weights().unwrap(), start);
    model.fit(&data, &settings).unwrap();
    assert_eq!(model.weights().unwrap(), trained, "Adam remembered something");
    model.reset(1).unwrap();
    assert_ne!(model.weights().unwrap(), start);
}

#[test]
fn history_names_what_it_holds() {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    let settings = Fit::new().epochs(3).batch_size(4).validation_split(0.25).silent();
    let history = model.fit(&samples(20), &settings).unwrap();
    assert_eq!(history.epochs.len(), 3);
    assert_eq!(history.names(), ["loss", "accuracy", "val_loss", "val_accuracy"]);
    assert!(history.get("val_loss").iter().all(|loss| loss.is_finite()));
}

/// Large products are shared out between the threads of one pool. Models that train at once share those threads, be it
/// from threads of the caller's or from within the pool, and each gets the bits that it gets alone.
#[test]
fn models_train_at_once() {
    let train = || {
        let net = Sequential::new(5).add(Dense::new(256).activation(Activation::Relu));
        let net = net.add(Dense::new(256).activation(Activation::Relu)).add(Dense::new(3));
        let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
        model.fit(&samples(200), &Fit::new().epochs(4).batch_size(64).silent()).unwrap();
        model.weights().unwrap()
    };
    let alone = train();
    let at_once: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..3).map(|_| scope.spawn(train)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (left, (middle, right)) = rayon::join(train, || rayon::join(train, train));
    for weights in at_once.into_iter().chain([left, middle, right]) {
        assert_eq!(weights, alone);
    }
}
