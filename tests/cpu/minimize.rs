//! Full-batch training by L-BFGS on the CPU, and what it refuses. The checks are in `tests/common/minimize.rs`.

use crate::common::api::{classifier, samples};
use crate::common::minimize;
use axone::prelude::*;

fn both(check: fn(&Device)) {
    check(&Device::cpu());
    check(&Device::cpu_f64());
}

#[test]
fn regression_finds_what_scipy_finds() {
    both(minimize::regression_finds_what_scipy_finds);
}

#[test]
fn iterations_are_those_of_scikit_learn() {
    both(minimize::iterations_are_those_of_scikit_learn);
}

#[test]
fn parts_are_the_whole() {
    both(minimize::parts_are_the_whole);
}

#[test]
fn frozen_layers_and_moments_stay() {
    both(minimize::frozen_layers_and_moments_stay);
}

#[test]
fn penalties_are_those_of_the_layers() {
    both(minimize::penalties_are_those_of_the_layers);
}

#[test]
fn callbacks_see_iterations() {
    both(minimize::callbacks_see_iterations);
}

#[test]
fn a_flag_ends_it() {
    both(minimize::a_flag_ends_it);
}

#[test]
fn runs_are_repeatable() {
    both(minimize::runs_are_repeatable);
}

/// Also of products that the pool would share out: however many threads do so, and but for rounding those of the pool.
#[test]
fn one_thread_gives_the_bits_of_one_thread() {
    let digits = axone::data::digits().unwrap();
    let train = |device: Device| {
        let net = Sequential::new(64)
            .add(Dense::new(70).activation(Activation::Relu))
            .add(Dense::new(10).activation(Activation::Softmax));
        let mut model = net.compile(device, Loss::CategoricalCrossEntropy, Adam::default()).unwrap();
        let history = model.minimize(&digits, &Lbfgs::new().alpha(0.1).max_iterations(5).silent()).unwrap();
        model.fit(&digits, &Fit::new().epochs(1).batch_size(512).silent()).unwrap();
        (history.get("objective"), model.weights().unwrap())
    };
    let alone = train(Device::cpu_one_thread());
    std::thread::scope(|scope| {
        let beside = [(); 3].map(|()| scope.spawn(|| train(Device::cpu_one_thread())));
        for other in beside {
            assert!(other.join().unwrap() == alone, "the weights differ");
        }
    });
    for (pool, alone) in train(Device::cpu()).0.into_iter().zip(alone.0) {
        assert!((pool - alone).abs() <= 1e-4 * alone, "{pool} in the pool, {alone} on one thread");
    }
}

fn of_settings(settings: Lbfgs) -> String {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    model.minimize(&samples(8), &settings.silent()).unwrap_err().to_string()
}

#[test]
fn settings_out_of_range() {
    for (settings, wanted) in [
        (Lbfgs::new().tolerance(-1.0), "tolerance must be at least 0 and finite, got -1"),
        (Lbfgs::new().tolerance(f64::NAN), "tolerance must be at least 0 and finite, got NaN"),
        (Lbfgs::new().loss_tolerance(f64::INFINITY), "loss_tolerance must be at least 0 and finite, got inf"),
        (Lbfgs::new().alpha(-0.5), "alpha must be at least 0 and finite, got -0.5"),
        (Lbfgs::new().history(0), "history must be at least 1, got 0"),
        (Lbfgs::new().max_iterations(0), "max_iterations must be at least 1, got 0"),
        (Lbfgs::new().max_evaluations(0), "max_evaluations must be at least 1, got 0"),
    ] {
        assert_eq!(of_settings(settings), format!("minimize: {wanted}"));
    }
    for pairs in [4096, usize::MAX] {
        assert_eq!(
            of_settings(Lbfgs::new().history(pairs)),
            format!("minimize: history must be at most 4095, got {pairs}")
        );
    }
    let wide = Sequential::new(5).add(Dense::new(50_000)).add(Dense::new(3).activation(Activation::Softmax));
    let mut model = wide.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default()).unwrap();
    let needed = model.minimize(&samples(8), &Lbfgs::new().history(4095).silent()).unwrap_err().to_string();
    assert!(needed.starts_with("the vectors of L-BFGS (history 4095) needs"), "{needed}");
    let most = 4 * u64::from(u32::MAX / 4);
    assert!(needed.ends_with(&format!("bytes, but the kernels' 32-bit index allows {most}")), "{needed}");
}

#[test]
fn models_that_cannot_be_minimized() {
    let of = |hidden: Sequential, optimizer: Optimizer| {
        let net = hidden.add(Dense::new(3).activation(Activation::Softmax));
        let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, optimizer).unwrap();
        model.minimize(&samples(8), &Lbfgs::new().silent()).unwrap_err().to_string()
    };
    let (net, sgd) = (|| Sequential::new(5), || Optimizer::from(Sgd::default()));
    let no_part = "left out for minimize, in which the optimizer has no part (Lbfgs::alpha penalises weights)";
    for (got, wanted) in [
        (of(net(), sgd().l2(0.25)), format!("sgd: l2 must be {no_part}, got 0.25")),
        (of(net(), sgd().l1(0.25)), format!("sgd: l1 must be {no_part}, got 0.25")),
        (of(net(), Adam::default().weight_decay(0.25)), format!("adamw: weight_decay must be {no_part}, got 0.25")),
        (of(net(), sgd().clip_norm(2.0)), format!("sgd: clip_norm must be {no_part}, got 2")),
        (
            of(net().add(Dense::new(4).l1(0.5)), sgd()),
            "dense_1: l1 must be left out for minimize: its slope jumps at 0, got 0.5".to_owned(),
        ),
        (
            of(net().add(Dense::new(4).rate_factor(2.0)), sgd()),
            "dense_1: rate_factor must be 1 for minimize, which has no learning rate, got 2".to_owned(),
        ),
        (
            of(net().add(Dropout::new(0.25)), sgd()),
            "dropout_1: rate must be 0 for minimize: its line search needs one loss for the same weights, got 0.25"
                .to_owned(),
        ),
        (
            of(net().add(AlphaDropout::new(0.25)), sgd()),
            "alpha_dropout_1: rate must be 0 for minimize: its line search needs one loss for the same weights, got 0.25"
                .to_owned(),
        ),
        (
            of(net().add(BatchNorm::new()), sgd()),
            "batch_norm_1: statistics must be frozen for minimize (Model::freeze): its statistics would follow every \
             step that is tried, got those of the batch"
                .to_owned(),
        ),
    ] {
        assert_eq!(got, wanted);
    }
}

/// There is nothing to train.
#[test]
fn a_model_that_is_frozen_whole_is_refused() {
    let mut model = classifier(&Device::cpu(), Sgd::default());
    let layers: Vec<String> = model.weights().unwrap().into_iter().map(|weight| weight.name).collect();
    let mut names: Vec<&str> = layers.iter().map(|name| name.split('.').next().unwrap()).collect();
    names.dedup();
    names.iter().try_for_each(|name| model.freeze(name)).unwrap();
    let error = model.minimize(&samples(8), &Lbfgs::new().silent()).unwrap_err().to_string();
    assert_eq!(error, format!("minimize: layers must be not all frozen, got {}", names.join(", ")));
}

#[test]
fn a_frozen_normalisation_can_be_minimized() {
    let net = Sequential::new(5).add(BatchNorm::new()).add(Dense::new(3).activation(Activation::Softmax));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::new(0.1)).unwrap();
    model.fit(&samples(8), &Fit::new().silent()).unwrap();
    model.freeze("batch_norm_1").unwrap();
    let before = model.weights().unwrap();
    let history = model.minimize(&samples(8), &Lbfgs::new().alpha(1.0).silent()).unwrap();
    assert!(history.last("gradient").unwrap() <= 1e-4, "{:?}", history.stopped);
    let after = model.weights().unwrap();
    let kept = |weights: &[axone::model::Weight]| {
        weights.iter().filter(|weight| weight.name.starts_with("batch_norm_1")).cloned().collect::<Vec<_>>()
    };
    assert_eq!(kept(&before), kept(&after));
}

#[test]
fn a_start_that_is_not_finite_is_refused() {
    let mut model = Sequential::new(1)
        .add(Dense::new(1).without_bias().weights(Initializer::Constant(3e38)))
        .compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())
        .unwrap();
    let data = Dataset::new([[1e10]], [[1.0]]).unwrap();
    let message = model.minimize(&data, &Lbfgs::new().silent()).unwrap_err().to_string();
    assert_eq!(message, "minimize: loss must be finite for the weights it starts from, got inf");
    let message = of_settings(Lbfgs::new().alpha(1e300));
    assert!(message.starts_with("minimize: loss with its penalty must be finite"), "{message}");
}

/// At a minimum there is nothing to do, and that is said.
#[test]
fn a_minimum_is_left_alone() {
    let net = Sequential::new(1).add(Dense::new(1).without_bias().weights(Initializer::Constant(2.0)));
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default()).unwrap();
    let data = Dataset::new([[1.0], [2.0]], [[2.0], [4.0]]).unwrap();
    let history = model.minimize(&data, &Lbfgs::new().silent()).unwrap();
    assert_eq!(history.epochs.len(), 0);
    let reason = history.stopped.unwrap();
    assert_eq!(reason, "converged: no element of the gradient is above 0.000e0 (tolerance 0.0001)");
    assert_eq!(model.weights().unwrap()[0].data, [2.0]);
}
