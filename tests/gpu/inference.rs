//! Predictions and evaluations on a GPU; the checks are in `tests/common/inference.rs`.

use crate::common::inference;
use crate::need_device;

#[test]
fn no_batch_changes_a_bit() {
    inference::no_batch_changes_a_bit(&need_device!());
}

#[test]
fn no_rows_are_no_batch() {
    inference::no_rows_are_no_batch(&need_device!());
}

#[test]
fn data_leave_the_device() {
    inference::data_leave_the_device(&need_device!());
}

#[test]
fn classes_are_those_of_the_accuracy() {
    inference::classes_are_those_of_the_accuracy(&need_device!());
}

#[test]
fn yes_or_no() {
    inference::yes_or_no(&need_device!());
}

#[test]
fn what_has_no_classes_says_so() {
    inference::what_has_no_classes_says_so(&need_device!());
}

#[test]
fn nan_is_no_predicted_class() {
    inference::nan_is_no_predicted_class(&need_device!());
}
