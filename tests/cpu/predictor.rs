//! Predictors on the CPU; the checks are in `tests/common/predictor.rs`.

use crate::common::predictor;
use axone::prelude::*;

#[test]
fn a_row_gives_the_same_whatever_comes_with_it() {
    for device in [Device::cpu(), Device::cpu_one_thread(), Device::cpu_f64()] {
        predictor::a_row_gives_the_same_whatever_comes_with_it(&device);
    }
}

#[test]
fn every_layer_is_served() {
    predictor::every_layer_is_served(&Device::cpu());
}

#[test]
fn threads_share_it() {
    predictor::threads_share_it(&Device::cpu());
}

#[test]
fn what_does_not_fit_is_refused() {
    predictor::what_does_not_fit_is_refused(&Device::cpu());
}

#[test]
fn a_file_is_served() {
    for device in [Device::cpu(), Device::cpu_f64()] {
        predictor::a_file_is_served(&device);
    }
}

#[test]
fn numbers_that_are_none_are_named() {
    for device in [Device::cpu(), Device::cpu_one_thread()] {
        predictor::numbers_that_are_none_are_named(&device);
    }
}
