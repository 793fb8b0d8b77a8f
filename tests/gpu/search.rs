//! Searches over models on a GPU; the checks are in `tests/common`.

use crate::common::search;
use crate::need_device;

#[test]
fn workers_change_nothing() {
    search::workers_change_nothing(&need_device!());
}

#[test]
fn a_fit_is_watched_and_pruned() {
    search::a_fit_is_watched_and_pruned(&need_device!());
}

#[test]
fn cross_validation_is_the_loop_by_hand() {
    search::cross_validation_is_the_loop_by_hand(&need_device!());
}

#[test]
fn the_best_model_is_trained_on_all_rows() {
    search::the_best_model_is_trained_on_all_rows(&need_device!());
}
