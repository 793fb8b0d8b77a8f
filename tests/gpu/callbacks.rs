//! Callbacks and resuming on a GPU; the checks are in `tests/common`.

use crate::common::{callbacks, monitors};
use crate::need_device;

#[test]
fn hooks_are_called_in_order() {
    callbacks::hooks_are_called_in_order(&need_device!());
}

#[test]
fn early_stopping_restores_the_best_weights() {
    callbacks::early_stopping_restores_the_best_weights(&need_device!());
}

#[test]
fn a_callback_may_use_the_model() {
    callbacks::a_callback_may_use_the_model(&need_device!());
}

#[test]
fn a_flag_ends_a_run() {
    callbacks::a_flag_ends_a_run(&need_device!());
}

#[test]
fn a_non_finite_number_is_named() {
    callbacks::a_non_finite_number_is_named(&need_device!());
}

#[test]
fn metrics_know_their_direction() {
    monitors::metrics_know_their_direction(&need_device!());
}

#[test]
fn a_moment_that_is_not_finite_is_named() {
    monitors::a_moment_that_is_not_finite_is_named(&need_device!());
}

#[cfg(feature = "save")]
#[test]
fn a_diverging_run_keeps_the_last_good_file() {
    crate::common::resume::a_diverging_run_keeps_the_last_good_file(&need_device!(), "gpu");
}

#[cfg(feature = "save")]
#[test]
fn counters_pass_2_to_the_32() {
    crate::common::counters::counters_pass_2_to_the_32(&need_device!());
}

#[cfg(feature = "save")]
#[test]
fn ten_epochs_are_four_and_six() {
    crate::common::resume::ten_epochs_are_four_and_six(&need_device!(), "callbacks::child_of_resume");
}

#[cfg(feature = "save")]
#[test]
#[ignore = "needs the files of another process: started by `ten_epochs_are_four_and_six`"]
fn child_of_resume() {
    crate::common::resume::child(&need_device!());
}
