//! Predictors on a GPU; the checks are in `tests/common/predictor.rs`.

use crate::common::predictor;
use crate::need_device;

#[test]
fn a_row_gives_the_same_whatever_comes_with_it() {
    predictor::a_row_gives_the_same_whatever_comes_with_it(&need_device!());
}

#[test]
fn every_layer_is_served() {
    predictor::every_layer_is_served(&need_device!());
}

#[test]
fn threads_share_it() {
    predictor::threads_share_it(&need_device!());
}

#[test]
fn what_does_not_fit_is_refused() {
    predictor::what_does_not_fit_is_refused(&need_device!());
}
