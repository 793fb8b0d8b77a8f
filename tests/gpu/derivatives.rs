//! Derivatives and losses without a target in models on a GPU; the checks are in `tests/common`.

use crate::common::derivatives;
use crate::need_device;

#[test]
fn in_models() {
    let device = need_device!();
    derivatives::every_dispatch_agrees_with_f64(&device);
    derivatives::values_are_those_of_the_textbook(&device);
    derivatives::what_weighs_nothing_trains_nothing(&device);
}

#[test]
fn in_training() {
    let device = need_device!();
    derivatives::a_gradient_penalty_trains(&device);
    derivatives::a_differential_equation_is_solved(&device);
}

#[cfg(feature = "save")]
#[test]
fn derivatives_are_saved() {
    derivatives::derivatives_are_saved(&need_device!(), "gpu");
}
