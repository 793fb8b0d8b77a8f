//! What a user can get wrong, and the whole message of each: it names the place and repeats the value.

use crate::common::api::{classifier, samples};
use crate::common::matrix;
use axone::layers::Activation;
use axone::prelude::*;
use axone::train::{RangeTest, Threshold};

fn message<T: std::fmt::Debug>(result: Result<T>) -> String {
    result.unwrap_err().to_string()
}

/// The message of a chain that cannot be made.
fn of_layers(net: Sequential, loss: Loss) -> String {
    message(net.compile(Device::cpu(), loss, Sgd::default()))
}

fn of_fit(settings: Fit) -> String {
    message(classifier(&Device::cpu(), Sgd::default()).fit(&samples(8), &settings.silent()))
}

fn of_optimizer(optimizer: impl Into<Optimizer>) -> String {
    message(Sequential::new(2).add(Dense::new(2)).compile(Device::cpu(), Loss::MeanSquaredError, optimizer))
}

#[test]
fn a_wrong_width() {
    let net = Sequential::new(784).add(Dense::new(10).activation(Activation::Softmax));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap();
    let narrow = matrix(1, 4, 783);
    let wanted = "dense_1: expected input (B, 784), got (B, 783)";
    assert_eq!(message(model.predict(&narrow)), wanted);
    let data = Dataset::new(narrow, vec![0, 1, 2, 3]).unwrap();
    assert_eq!(message(model.fit(&data, &Fit::new().silent())), wanted);
    assert_eq!(message(model.evaluate(&data)), wanted);
}

#[test]
fn a_wrong_number_of_inputs_or_targets() {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    let two = samples(4).with_input(matrix(1, 4, 2)).unwrap();
    assert_eq!(message(model.evaluate(&two)), "inputs: expected 1 inputs, got 2");
    let two = samples(4).with_target([0.5, 0.5, 0.5, 0.5]).unwrap();
    assert_eq!(message(model.evaluate(&two)), "targets: expected 1 targets, got 2");
    let wide = Dataset::new(matrix(1, 4, 5), matrix(2, 4, 2)).unwrap();
    assert_eq!(message(model.evaluate(&wide)), "dense_2: expected targets (B, 3), got (B, 2)");
    // Class numbers as f32, and where rows of numbers are wanted.
    let numbers = Dataset::new(matrix(1, 4, 5), [0.0, 2.0, 1.0, 0.0]).unwrap();
    let wanted =
        "dense_2: expected targets (B, 3), got (B, 1); class numbers are integers (u32, i32, usize, ..), these are f32";
    assert_eq!(message(model.evaluate(&numbers)), wanted);
    let net = Sequential::new(5).add(Dense::new(3));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    let wanted = "dense_1: expected targets (B, 3), got (B, 1); `one_hot` makes rows of class numbers";
    assert_eq!(message(model.evaluate(&samples(4))), wanted);
}

#[test]
fn a_class_that_f32_rounds() {
    let net = Sequential::new(1).add(Dense::new(1));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    let data = |label: u32| Dataset::new([[1.0], [2.0]], [7, label]).unwrap();
    let wanted = "targets[0] row 1: 16777217 is a whole number that f32 rounds to 16777216";
    assert_eq!(message(model.evaluate(&data(16_777_217))), wanted);
    assert!(message(model.evaluate(&data(u32::MAX))).starts_with("targets[0] row 1: 4294967295 is a whole"));
    assert!(model.evaluate(&data(1 << 31)).is_ok());
}

#[test]
fn an_empty_set() {
    let empty = Matrix::new(0, 5, Vec::new()).unwrap();
    assert_eq!(message(Dataset::new(empty.clone(), Vec::<u32>::new())), "inputs[0]: no rows");
    assert_eq!(message(classifier(&Device::cpu(), Sgd::default()).predict(&empty)), "inputs: no rows");
}

#[test]
fn a_label_out_of_range() {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    let data = Dataset::new(matrix(1, 3, 5), [0, 2, 3]).unwrap();
    let wanted = "targets[0] row 2: class 3, but dense_2 tells 3 classes apart (0 to 2)";
    assert_eq!(message(model.fit(&data, &Fit::new().silent())), wanted);
    assert_eq!(message(model.evaluate(&data)), wanted);
}

#[test]
fn nan_and_infinity_in_the_data() {
    for (value, name) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let mut numbers = matrix(1, 2, 5).into_data();
        numbers[7] = value;
        let x = Matrix::new(2, 5, numbers).unwrap();
        let wanted = format!("inputs[0] row 1, column 2: {name} is not a finite number");
        assert_eq!(message(Dataset::new(x.clone(), [0, 1])), wanted);
        assert_eq!(message(classifier(&Device::cpu(), Sgd::default()).predict(&x)), wanted);
        let wanted = format!("targets[0] row 1, column 0: {name} is not a finite number");
        assert_eq!(message(Dataset::new(matrix(1, 2, 5), [0.0, value])), wanted);
    }
}

#[test]
fn zero_units() {
    let net = Sequential::new(4).add(Dense::new(3)).add(Dense::new(0));
    assert_eq!(of_layers(net, Loss::MeanSquaredError), "dense_2: units must be at least 1, got 0");
    let net = Sequential::new(0).add(Dense::new(3));
    assert_eq!(of_layers(net, Loss::MeanSquaredError), "input: shape must be sides of at least 1, got [0]");
}

#[test]
fn an_unknown_device() {
    let names: Vec<_> = Device::list().iter().map(|info| format!("\"{}\"", info.name)).collect();
    let wanted = format!("no device named \"Abacus 9000\"; there is {}", names.join(", "));
    assert_eq!(message(Device::named("Abacus 9000")), wanted);
    // Every name contains nothing.
    for name in ["", " "] {
        assert_eq!(message(Device::named(name)), wanted.replace("Abacus 9000", name));
    }
}

#[test]
fn settings_of_fit() {
    assert_eq!(of_fit(Fit::new().batch_size(0)), "fit: batch_size must be at least 1, got 0");
    assert_eq!(of_fit(Fit::new().epochs(0)), "fit: epochs must be at least 1, got 0");
    for fraction in [0.0, 1.0] {
        let wanted = format!("validation_split: fraction must be above 0 and below 1, got {fraction}");
        assert_eq!(of_fit(Fit::new().validation_split(fraction)), wanted);
    }
}

#[test]
fn settings_of_schedules() {
    let of = |schedule: Schedule| of_fit(Fit::new().epochs(3).batch_size(4).schedule(schedule));
    assert_eq!(of(StepDecay::new(0, 0.5).into()), "step_decay: every must be at least 1, got 0");
    assert_eq!(of(StepDecay::new(1, 1.0).into()), "step_decay: factor must be above 0 and below 1, got 1");
    for (beta, got) in [(1.0, "1"), (0.0, "0"), (-0.5, "-0.5"), (f64::NAN, "NaN")] {
        let wanted = format!("exponential_decay: beta must be above 0 and below 1, got {got}");
        assert_eq!(of(ExponentialDecay::new(beta).into()), wanted);
    }
    let wanted = "piecewise_constant: factor must be positive and finite, got NaN";
    assert_eq!(of(PiecewiseConstant::new([(1, f64::NAN)]).into()), wanted);
    let wanted = "piecewise_constant: epoch must be larger than the one before, got 3 after 3";
    assert_eq!(of(PiecewiseConstant::new([(3, 0.1), (3, 0.2)]).into()), wanted);
    let wanted = "polynomial_decay: power must be positive and finite, got 0";
    assert_eq!(of(PolynomialDecay::new(0.0).into()), wanted);
    let wanted = "polynomial_decay: floor must be at least 0 and below 1, got -0.1";
    assert_eq!(of(PolynomialDecay::new(1.0).floor(-0.1).into()), wanted);
    // Three epochs of two steps.
    let wanted = "cosine_decay: warmup must be less than the 6 steps, got 6";
    assert_eq!(of(CosineDecay::new().warmup(6).into()), wanted);
    let wanted = "cosine_decay: warmup_from must be at least 0 and below 1, got 1";
    assert_eq!(of(CosineDecay::new().warmup(2).warmup_from(1.0).into()), wanted);
    assert_eq!(of(CosineDecay::new().steps(0).into()), "cosine_decay: steps must be at least 1, got 0");
    assert_eq!(of(OneCycle::new().rising(1.0).into()), "one_cycle: rising must be above 0 and below 1, got 1");
    let wanted = "one_cycle: division must be at least 1 and finite, got inf";
    assert_eq!(of(OneCycle::new().division(f64::INFINITY).into()), wanted);
}

#[test]
fn settings_of_callbacks() {
    let of = |callback: fn() -> Fit| of_fit(callback());
    let wanted = "early_stopping: patience must be at least 1, got 0";
    assert_eq!(of(|| Fit::new().callback(EarlyStopping::new("loss").patience(0))), wanted);
    for (delta, got) in [(-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let wanted = format!("early_stopping: min_delta must be at least 0 and finite, got {got}");
        assert_eq!(of_fit(Fit::new().callback(EarlyStopping::new("loss").min_delta(delta))), wanted);
    }
    let wanted = "early_stopping: monitor must be one of loss, accuracy, got val_loss";
    assert_eq!(of(|| Fit::new().callback(EarlyStopping::new("val_loss"))), wanted);
    let wanted = "reduce_on_plateau: monitor must be one of loss, accuracy, val_loss, val_accuracy, got f1";
    assert_eq!(of(|| Fit::new().validation_split(0.5).callback(ReduceOnPlateau::new("f1"))), wanted);
    for (factor, got) in [(1.0, "1"), (0.0, "0"), (f64::NAN, "NaN")] {
        let wanted = format!("reduce_on_plateau: factor must be above 0 and below 1, got {got}");
        assert_eq!(of_fit(Fit::new().callback(ReduceOnPlateau::new("loss").factor(factor))), wanted);
    }
    let threshold = Threshold::Relative(f64::NAN);
    let wanted = "reduce_on_plateau: threshold must be at least 0 and finite, got NaN";
    assert_eq!(of_fit(Fit::new().callback(ReduceOnPlateau::new("loss").threshold(threshold))), wanted);
    let wanted = "reduce_on_plateau: floor must be at least 0 and finite, got -1";
    assert_eq!(of(|| Fit::new().callback(ReduceOnPlateau::new("loss").floor(-1.0))), wanted);
    for (rate, got) in [(f64::NAN, "NaN"), (1e300, "1e300"), (1e-60, "1e-60")] {
        let wanted = format!("fit: learning_rate must be positive and finite in f32, got {got}");
        assert_eq!(of_fit(Fit::new().callback(SetsRate(rate))), wanted);
    }
    #[cfg(feature = "save")]
    assert_eq!(
        of(|| Fit::new().checkpoint(Checkpoint::new("never").every(0))),
        "checkpoint: every must be at least 1, got 0"
    );
}

struct SetsRate(f64);

impl Callback for SetsRate {
    fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        run.set_learning_rate(self.0)
    }
}

/// Settings with callbacks serve one run at a time.
#[test]
fn a_callback_in_two_runs() {
    struct Nested(std::sync::Arc<std::sync::Mutex<Option<Fit>>>);
    impl Callback for Nested {
        fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
            let own = self.0.lock().unwrap().clone();
            own.map_or(Ok(()), |fit| run.model().fit(&samples(8), &fit).map(|_| ()))
        }
    }
    let slot = std::sync::Arc::default();
    let fit = Fit::new().epochs(1).callback(Nested(std::sync::Arc::clone(&slot))).silent();
    *slot.lock().unwrap() = Some(fit.clone());
    let wanted = "fit: callback must be free, got one that another run is using at the same time";
    assert_eq!(of_fit(fit), wanted);
}

#[test]
fn settings_of_a_range_test() {
    let of =
        |settings: RangeTest| message(classifier(&Device::cpu(), Sgd::default()).range_test(&samples(8), &settings));
    assert_eq!(of(RangeTest::new().between(0.0, 1.0)), "range_test: from must be positive and finite in f32, got 0");
    assert_eq!(of(RangeTest::new().between(0.1, 0.1)), "range_test: to must be above 0.1 and finite in f32, got 0.1");
    assert_eq!(of(RangeTest::new().steps(9)), "range_test: steps must be at least 10, got 9");
    assert_eq!(of(RangeTest::new().batch_size(0)), "range_test: batch_size must be at least 1, got 0");
    assert_eq!(of(RangeTest::new().smoothing(1.0)), "range_test: smoothing must be at least 0 and below 1, got 1");
}

#[test]
fn settings_of_optimizers() {
    let wanted = |name: &str, got: &str| format!("{name}: learning_rate must be positive and finite, got {got}");
    for (rate, got) in [(0.0, "0"), (-0.1, "-0.1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        assert_eq!(of_optimizer(Sgd::new(rate)), wanted("sgd", got));
        assert_eq!(of_optimizer(Adagrad::new(rate)), wanted("adagrad", got));
        assert_eq!(of_optimizer(Adadelta::new(rate)), wanted("adadelta", got));
        assert_eq!(of_optimizer(RmsProp::new(rate)), wanted("rmsprop", got));
        assert_eq!(of_optimizer(Adam::new(rate)), wanted("adam", got));
        assert_eq!(of_optimizer(AdamW::new(rate)), wanted("adamw", got));
        assert_eq!(of_optimizer(Adamax::new(rate)), wanted("adamax", got));
        assert_eq!(of_optimizer(Nadam::new(rate)), wanted("nadam", got));
    }
    for (value, got) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN")] {
        let wanted = |place: &str| format!("{place} must be at least 0 and less than 1, got {got}");
        assert_eq!(of_optimizer(Sgd::new(0.1).momentum(value)), wanted("sgd: momentum"));
        assert_eq!(of_optimizer(Adadelta { rho: value, ..Adadelta::default() }), wanted("adadelta: rho"));
        assert_eq!(of_optimizer(RmsProp { rho: value, ..RmsProp::default() }), wanted("rmsprop: rho"));
        assert_eq!(of_optimizer(RmsProp::default().momentum(value)), wanted("rmsprop: momentum"));
        assert_eq!(of_optimizer(Adamax { beta1: value, ..Adamax::default() }), wanted("adamax: beta1"));
        assert_eq!(of_optimizer(Adamax { beta2: value, ..Adamax::default() }), wanted("adamax: beta2"));
        assert_eq!(of_optimizer(Nadam { beta1: value, ..Nadam::default() }), wanted("nadam: beta1"));
        assert_eq!(of_optimizer(Nadam { beta2: value, ..Nadam::default() }), wanted("nadam: beta2"));
    }
    for (epsilon, got) in [(0.0, "0"), (-1e-8, "-0.00000001"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let wanted = |name: &str| format!("{name}: epsilon must be positive and finite in f32, got {got}");
        assert_eq!(of_optimizer(Adagrad { epsilon, ..Adagrad::default() }), wanted("adagrad"));
        assert_eq!(of_optimizer(Adadelta { epsilon, ..Adadelta::default() }), wanted("adadelta"));
        assert_eq!(of_optimizer(RmsProp { epsilon, ..RmsProp::default() }), wanted("rmsprop"));
        assert_eq!(of_optimizer(Adamax { epsilon, ..Adamax::default() }), wanted("adamax"));
        assert_eq!(of_optimizer(Nadam { epsilon, ..Nadam::default() }), wanted("nadam"));
    }
    let wanted = "sgd: momentum must be above 0 for Nesterov's form, got 0";
    assert_eq!(of_optimizer(Sgd::new(0.1).nesterov()), wanted);
    let wanted = "nadam: momentum_decay must be at least 0 and finite, got -1";
    assert_eq!(of_optimizer(Nadam { momentum_decay: -1.0, ..Nadam::default() }), wanted);
    let wanted = "adam: beta1 must be at least 0 and less than 1, got 1";
    assert_eq!(of_optimizer(Adam { beta1: 1.0, ..Adam::default() }), wanted);
    let wanted = "adam: beta2 must be at least 0 and less than 1, got NaN";
    assert_eq!(of_optimizer(Adam { beta2: f64::NAN, ..Adam::default() }), wanted);
    let wanted = "adam: epsilon must be positive and finite in f32, got 0";
    assert_eq!(of_optimizer(Adam { epsilon: 0.0, ..Adam::default() }), wanted);
}

#[test]
fn penalties_and_clipping() {
    let sgd = Sgd::new(0.1);
    for (value, got) in [(-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wanted = |place: &str| format!("{place} must be at least 0 and finite, got {got}");
        assert_eq!(of_optimizer(sgd.l1(value)), wanted("sgd: l1"));
        assert_eq!(of_optimizer(sgd.l2(value)), wanted("sgd: l2"));
        assert_eq!(of_optimizer(sgd.weight_decay(value)), wanted("sgd: weight_decay"));
        let adamw = AdamW { weight_decay: value, ..AdamW::default() };
        assert_eq!(of_optimizer(adamw), wanted("adamw: weight_decay"));
        let net = |layer: Dense| of_layers(Sequential::new(2).add(layer), Loss::MeanSquaredError);
        assert_eq!(net(Dense::new(2).l1(value)), wanted("dense_1: l1"));
        assert_eq!(net(Dense::new(2).l2(value)), wanted("dense_1: l2"));
    }
    for (value, got) in [(0.0, "0"), (-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wanted = |place: &str| format!("{place} must be positive and finite, got {got}");
        assert_eq!(of_optimizer(sgd.clip_norm(value)), wanted("sgd: clip_norm"));
        assert_eq!(of_optimizer(sgd.clip_value(value)), wanted("sgd: clip_value"));
        let net = Sequential::new(2).add(Dense::new(2).rate_factor(value));
        assert_eq!(of_layers(net, Loss::MeanSquaredError), wanted("dense_1: rate_factor"));
    }
}

#[test]
fn a_dropout_that_leaves_nothing() {
    for (rate, got) in [(1.0, "1"), (-0.5, "-0.5"), (f32::NAN, "NaN")] {
        let net = Sequential::new(4).add(Dropout::new(rate)).add(Dense::new(1));
        let wanted = format!("dropout_1: rate must be at least 0 and less than 1, got {got}");
        assert_eq!(of_layers(net, Loss::MeanSquaredError), wanted);
    }
}

#[test]
fn layers_that_do_not_fit() {
    let mut net = Network::new();
    let x = net.input("x", 3).unwrap();
    let (a, b) = (net.apply(Dense::new(4), x).unwrap(), net.apply(Dense::new(5), x).unwrap());
    assert_eq!(message(net.add(&[a, b])), "add_1: expected (B, 4), got (B, 5)");
    assert_eq!(message(net.concat(&[])), "concat_1: inputs must be at least one value, got none");
    let image = net.input("image", [8, 8]).unwrap();
    let wanted = "dense_3: expected rows of one dimension (put Flatten in front), got [8, 8]";
    assert_eq!(message(net.apply(Dense::new(2), image)), wanted);
    let wanted = "image: expected an output of one dimension (put Flatten in front), got [8, 8]";
    assert_eq!(message(net.output(image)), wanted);
    let wanted = "network: name must be different for every layer, got \"x\" twice";
    assert_eq!(message(net.apply(Dense::new(2).named("x"), a)), wanted);
    let wanted = "network: outputs must be at least one (call output), got none";
    assert_eq!(message(net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())), wanted);
    net.output(a).unwrap();
    net.output(b).unwrap();
    let wanted = "compile: losses must be one for each of 2 outputs, got 1";
    assert_eq!(message(net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())), wanted);
}

#[test]
fn losses_that_do_not_fit_the_last_layer() {
    let net = |units, activation| Sequential::new(4).add(Dense::new(units).activation(activation));
    let wanted = "dense_1: units must be at least 2 for categorical_cross_entropy, got 1";
    assert_eq!(of_layers(net(1, Activation::Softmax), Loss::CategoricalCrossEntropy), wanted);
    let wanted = "dense_1: activation must be softmax or none for categorical_cross_entropy, got relu";
    assert_eq!(of_layers(net(3, Activation::Relu), Loss::CategoricalCrossEntropy), wanted);
    // Outside [0, 1] the loss is no number.
    let wanted =
        "dense_1: activation must be sigmoid, none or one with values from 0 to 1 for binary_cross_entropy, got tanh";
    assert_eq!(of_layers(net(1, Activation::Tanh), Loss::BinaryCrossEntropy), wanted);
    let wanted = "huber: delta must be positive and finite, got 0";
    assert_eq!(of_layers(net(1, Activation::Identity), Loss::Huber(0.0)), wanted);
    let wanted = "smoothed_cross_entropy: smoothing must be at least 0 and less than 1, got 1";
    assert_eq!(of_layers(net(3, Activation::Softmax), Loss::SmoothedCrossEntropy(1.0)), wanted);
}

#[test]
fn a_model_larger_than_any_index() {
    let net = Sequential::new(100_000).add(Dense::new(100_000));
    let wanted = "dense_1.w (100000, 100000) at batch 32 needs 40000000000 bytes, \
                  but the kernels' 32-bit index allows 4294967292";
    assert_eq!(of_layers(net, Loss::MeanSquaredError), wanted);
}

#[cfg(feature = "save")]
#[test]
fn files_that_are_no_models() {
    let path = std::env::temp_dir().join(format!("axone-bad-{}.safetensors", std::process::id()));
    let load = || message(Model::load_from(&path, Device::cpu()));
    assert!(load().starts_with(&format!("{}: ", path.display())), "{}", load());
    std::fs::write(&path, b"not a model").unwrap();
    let damaged = load();
    classifier(&Device::cpu(), Sgd::default()).save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::write(&path, &whole[..whole.len() - 4]).unwrap();
    let cut = load();
    std::fs::remove_file(&path).unwrap();
    for message in [damaged, cut] {
        assert!(message.starts_with(&format!("{}: ", path.display())), "{message}");
    }
}

#[test]
fn targets_that_are_no_probabilities() {
    let net = Sequential::new(1).add(Dense::new(2).activation(Activation::Sigmoid));
    let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Sgd::default()).unwrap();
    let data = Dataset::new([[0.0], [1.0]], [[0.0, 1.0], [0.5, 1.5]]).unwrap();
    let error = model.fit(&data, &Fit::new().silent()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "targets[0] row 1, column 1: 1.5 is no probability, which binary_cross_entropy needs"
    );
}

#[test]
fn cross_entropy_of_a_sum_of_activated_values() {
    let mut net = Network::new();
    let x = net.input("x", 2).unwrap();
    let halves = [0, 1].map(|_| net.apply(Dense::new(3).activation(Activation::Sigmoid), x).unwrap());
    let sum = net.add(&halves).unwrap();
    net.output(sum).unwrap();
    let error = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Sgd::default()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "add_1: output must be a Dense or Activation layer for binary_cross_entropy, got a layer without an \
         activation of its own"
    );
}

#[test]
fn slopes_that_turn_the_sign() {
    let net = Sequential::new(2).add(Dense::new(3).activation(Activation::LeakyRelu { slope: -0.1 }));
    let error = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap_err();
    assert_eq!(error.to_string(), "dense_1: slope must be finite and at least 0, got -0.1");
}

#[test]
fn settings_of_layers() {
    let of = |layer: axone::layers::Layer| of_layers(Sequential::new(4).add(layer), Loss::MeanSquaredError);
    for (epsilon, got) in [(0.0, "0"), (-1.0, "-1"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wanted = |name: &str| format!("{name}: epsilon must be positive and finite, got {got}");
        assert_eq!(of(BatchNorm::new().epsilon(epsilon).into()), wanted("batch_norm_1"));
        assert_eq!(of(LayerNorm::new().epsilon(epsilon).into()), wanted("layer_norm_1"));
    }
    for (momentum, got) in [(-0.1, "-0.1"), (1.5, "1.5"), (f32::NAN, "NaN")] {
        let wanted = format!("batch_norm_1: momentum must be at least 0 and at most 1, got {got}");
        assert_eq!(of(BatchNorm::new().momentum(momentum).into()), wanted);
    }
    for (rate, got) in [(1.0, "1"), (-0.5, "-0.5"), (f32::NAN, "NaN")] {
        let wanted = format!("alpha_dropout_1: rate must be at least 0 and less than 1, got {got}");
        assert_eq!(of(AlphaDropout::new(rate).into()), wanted);
    }
    for (penalty, got) in [(-0.5, "-0.5"), (f32::NAN, "NaN"), (f32::INFINITY, "inf")] {
        let wanted =
            |which: &str| format!("activity_regularization_1: {which} must be finite and at least 0, got {got}");
        assert_eq!(of(ActivityRegularization::l1(penalty).into()), wanted("l1"));
        assert_eq!(of(ActivityRegularization::l2(penalty).into()), wanted("l2"));
    }
    let wanted = "embedding_1: categories must be from 1 to 16777216, got 0";
    assert_eq!(of(Embedding::new(0, 3).into()), wanted);
    assert_eq!(of(Embedding::per_column([2, 0, 1, 1], 3).into()), wanted);
    let wanted = "embedding_1: categories must be from 1 to 16777216, got 16777217";
    assert_eq!(of(Embedding::new((1 << 24) + 1, 1).into()), wanted);
    assert_eq!(of(Embedding::new(5, 0).into()), "embedding_1: width must be at least 1, got 0");
    let wanted = "embedding_1: expected input (B, 3), a column a table, got (B, 4)";
    assert_eq!(of(Embedding::per_column([2, 3, 4], 3).into()), wanted);
    let wanted = "embedding_1.w: limit must be positive and finite, got 0";
    assert_eq!(of(Embedding::new(2, 3).weights(Initializer::Uniform(0.0)).into()), wanted);
    let wanted = "embedding_1.w: deviation must be positive and finite, got NaN";
    assert_eq!(of(Embedding::new(2, 3).weights(Initializer::Normal(f32::NAN)).into()), wanted);
    let grid = |layer: axone::layers::Layer| of_layers(Sequential::new([2, 2]).add(layer), Loss::MeanSquaredError);
    let wanted = |name: &str| format!("{name}: expected rows of one dimension (put Flatten in front), got [2, 2]");
    assert_eq!(grid(BatchNorm::new().into()), wanted("batch_norm_1"));
    assert_eq!(grid(LayerNorm::new().into()), wanted("layer_norm_1"));
    assert_eq!(grid(Embedding::new(2, 1).into()), wanted("embedding_1"));
}

#[test]
fn a_residual_block_that_does_not_fit() {
    let mut net = Network::new();
    let x = net.input("x", 4).unwrap();
    let empty = net.apply(Residual::new(), x);
    assert_eq!(message(empty), "residual_1: layers must be at least one, got none");
    let wide = || Residual::new().add(Dense::new(3)).add(Residual::new().add(Dense::new(5)));
    assert_eq!(message(net.apply(wide(), x)), "residual_1: expected (B, 3), got (B, 5)");
    let narrow = Residual::new().add(Dense::new(3)).shortcut(Dense::new(2));
    assert_eq!(message(net.apply(narrow.named("block"), x)), "block: expected (B, 2), got (B, 3)");
    // A refused block leaves nothing behind.
    let y = net.apply(Residual::new().add(Dense::new(4)), x).unwrap();
    net.output(y).unwrap();
    assert_eq!(net.summary().to_string().lines().count(), 2 + 3 + 1, "{}", net.summary());
}

#[test]
fn numbers_that_are_no_categories() {
    let mut net = Network::new();
    let (numbers, kinds) = (net.input("numbers", 1).unwrap(), net.input("kinds", [1, 2]).unwrap());
    let flat = net.apply(Flatten, kinds).unwrap();
    let vectors = net.apply(Embedding::per_column([3, 2], 2).named("kind"), flat).unwrap();
    let all = net.concat(&[numbers, vectors]).unwrap();
    let wanted =
        "embedding_2: input must be an input of the model, which holds the categories, got the result of concat_1";
    assert_eq!(message(net.apply(Embedding::new(3, 1), all)), wanted);
    let y = net.apply(Dense::new(1), all).unwrap();
    net.output(y).unwrap();
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    for (row, got, known) in [
        ([3.0, 0.0], "column 0: 3", "3 (0 to 2)"),
        ([0.0, 2.0], "column 1: 2", "2 (0 to 1)"),
        ([-1.0, 0.0], "column 0: -1", "3 (0 to 2)"),
        ([1.0, 0.5], "column 1: 0.5", "2 (0 to 1)"),
        ([1e30, 0.0], "column 0: 1000000000000000000000000000000", "3 (0 to 2)"),
    ] {
        let (numbers, kinds) = (matrix(1, 2, 1), Matrix::from([[2.0, 1.0], row]));
        let wanted = format!("inputs[1] row 1, {got} is no category of kind, which knows {known}");
        assert_eq!(message(model.predict_all(&[numbers.clone(), kinds.clone()])), wanted);
        let data = Dataset::new(numbers, [0.0, 1.0]).unwrap().with_input(kinds).unwrap();
        assert_eq!(message(model.fit(&data, &Fit::new().silent())), wanted);
        assert_eq!(message(model.evaluate(&data)), wanted);
    }
    let kinds = Matrix::from([[2.0, 1.0], [f32::NAN, 0.0]]);
    let wanted = "inputs[1] row 1, column 0: NaN is no category of kind, which knows 3 (0 to 2)";
    assert_eq!(message(model.predict_all(&[matrix(1, 2, 1), kinds])), wanted);
}
