//! Layers in models on a GPU; the checks are in `tests/common/layers.rs`.

use crate::common::layers;
use crate::need_device;

#[test]
fn every_dispatch_agrees_with_f64() {
    layers::every_dispatch_agrees_with_f64(&need_device!());
}

#[test]
fn a_model_of_every_layer_learns() {
    layers::a_model_of_every_layer_learns(&need_device!());
}

#[test]
fn padding_is_not_measured() {
    layers::padding_is_not_measured(&need_device!());
}

#[test]
fn a_single_row_has_no_variance() {
    layers::a_single_row_has_no_variance(&need_device!());
}

#[test]
fn a_single_row_at_the_end_of_an_epoch() {
    layers::a_single_row_at_the_end_of_an_epoch(&need_device!());
}

#[test]
fn an_activity_penalty_is_part_of_the_loss() {
    layers::an_activity_penalty_is_part_of_the_loss(&need_device!());
}

#[test]
fn a_frozen_batch_norm_stays_as_it_is() {
    layers::a_frozen_batch_norm_stays_as_it_is(&need_device!());
}

#[test]
fn statistics_move_once_a_step_by_hand() {
    layers::statistics_move_once_a_step_by_hand(&need_device!());
}

#[test]
fn inference_uses_the_running_statistics() {
    layers::inference_uses_the_running_statistics(&need_device!());
}

#[cfg(feature = "save")]
#[test]
fn statistics_are_saved() {
    layers::statistics_are_saved(&need_device!(), "gpu");
}
