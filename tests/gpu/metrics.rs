//! The metrics of models on a GPU; the checks are in `tests/common/metrics.rs`.

use crate::common::metrics as common;
use crate::common::own_metrics;
use crate::need_device;

#[test]
fn metrics_of_models() {
    let device = need_device!();
    common::of_classes(&device);
    common::of_answers(&device);
    common::of_numbers(&device);
    common::of_several_outputs(&device);
}

#[test]
fn metrics_change_no_weight() {
    common::metrics_change_no_weight(&need_device!());
}

#[test]
fn a_weighted_loss_takes_larger_steps() {
    common::a_weighted_loss_takes_larger_steps(&need_device!());
}

#[test]
fn nan_is_no_class() {
    common::nan_is_no_class(&need_device!());
}

#[test]
fn metrics_of_a_user() {
    own_metrics::of_users_own(&need_device!());
}
