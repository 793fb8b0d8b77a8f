//! Predictions and evaluations on the CPU backend; the checks are in `tests/common/inference.rs`.

use crate::common::inference;
use axone::Device;

#[test]
fn no_batch_changes_a_bit() {
    inference::no_batch_changes_a_bit(&Device::cpu());
}

#[test]
fn no_rows_are_no_batch() {
    inference::no_rows_are_no_batch(&Device::cpu());
}

#[test]
fn data_leave_the_device() {
    inference::data_leave_the_device(&Device::cpu());
}

#[test]
fn classes_are_those_of_the_accuracy() {
    inference::classes_are_those_of_the_accuracy(&Device::cpu());
}

#[test]
fn yes_or_no() {
    inference::yes_or_no(&Device::cpu());
}

#[test]
fn what_has_no_classes_says_so() {
    inference::what_has_no_classes_says_so(&Device::cpu());
}

#[test]
fn nan_is_no_predicted_class() {
    inference::nan_is_no_predicted_class(&Device::cpu());
}
