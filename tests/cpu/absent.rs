//! Rows of weight 0 on the CPU; the checks are in `tests/common/absent.rs`.

use crate::common::absent;
use axone::Device;

#[test]
fn every_loss_passes_over_rows_of_weight_zero() {
    absent::every_loss_passes_over_rows_of_weight_zero(&Device::cpu());
}

#[test]
fn metrics_pass_over_rows_of_weight_zero() {
    absent::metrics_pass_over_rows_of_weight_zero(&Device::cpu());
}

#[test]
fn a_class_of_weight_zero_is_passed_over() {
    absent::a_class_of_weight_zero_is_passed_over(&Device::cpu());
}

#[test]
fn rows_of_weight_zero_agree_with_f64() {
    absent::rows_of_weight_zero_agree_with_f64(&Device::cpu());
}

#[test]
fn batch_norm_measures_rows_of_weight_zero() {
    absent::batch_norm_measures_rows_of_weight_zero(&Device::cpu());
}

#[test]
fn a_range_test_passes_over_batches_of_weight_zero() {
    absent::a_range_test_passes_over_batches_of_weight_zero(&Device::cpu());
}
