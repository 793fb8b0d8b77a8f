//! Derivatives and losses without a target on the CPU backend (`tests/common/derivatives.rs`), and what they refuse.

use crate::common::derivatives;
use axone::prelude::*;

#[test]
fn in_models() {
    let device = Device::cpu();
    derivatives::every_dispatch_agrees_with_f64(&device);
    derivatives::values_are_those_of_the_textbook(&device);
    derivatives::what_weighs_nothing_trains_nothing(&device);
}

#[test]
fn in_training() {
    let device = Device::cpu();
    derivatives::a_gradient_penalty_trains(&device);
    derivatives::a_differential_equation_is_solved(&device);
}

#[cfg(feature = "save")]
#[test]
fn derivatives_are_saved() {
    derivatives::derivatives_are_saved(&Device::cpu(), "cpu");
}

#[test]
fn gradients_of_a_model_of_derivatives() {
    let report =
        axone::check::gradient_check(&mut derivatives::everything(&Device::cpu()), &derivatives::table(6)).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// A division that meets 0.
#[test]
fn what_is_not_finite_is_named() {
    let mut net = Network::new();
    let x = net.input("x", 1).unwrap();
    let scaled = net.apply(Dense::new(1).named("scaled"), x).unwrap();
    let inverse = net.formula("inverse", [scaled], |[x]| 1.0 / x).unwrap();
    net.output(inverse).unwrap();
    let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1)).unwrap();
    let data = Dataset::new([[1.0], [0.0]], [1.0, 1.0]).unwrap();
    let fit = Fit::new().epochs(2).without_shuffle().callback(TerminateOnNonFinite::new()).silent();
    let stopped = model.fit(&data, &fit).unwrap().stopped.unwrap_or_default();
    assert!(stopped.starts_with("epoch 1, step 1: inf arose in inverse"), "{stopped}");
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(
        derivatives::refused(),
        [
            "gradient_1: derivative must be made of layers that keep rows apart (LayerNorm does), got batch_norm_1, a \
             batch normalisation",
            "gradient_1: derivative must be made of layers that keep rows apart (LayerNorm does), got batch_norm_1, a \
             batch normalisation",
            "gradient_1: derivative must be by numbers, got the categories of embedding_1",
            "gradient_1: input must be a value of this network, got value 0 of another, where \"x\" stands here",
            "gradient_1: input must be a value of this network, got value 0 of another, where \"x\" stands here",
            "gradient_1: inputs must be two values, got 1",
            "add_loss: value must be one without a loss of its own yet, got \"mixed\" twice",
            "x: loss weight must be finite, got NaN",
            "add_loss: value must be a value of this network, got value 0 of another, where \"x\" stands here",
        ]
    );
}

#[test]
fn double_backward_is_that_of_pytorch() {
    derivatives::double_backward_is_that_of_pytorch();
}
