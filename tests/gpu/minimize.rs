//! Full-batch training by L-BFGS on a GPU; the checks are in `tests/common/minimize.rs`.

use crate::common::minimize;
use crate::need_device;

#[test]
fn regression_finds_what_scipy_finds() {
    minimize::regression_finds_what_scipy_finds(&need_device!());
}

#[test]
fn iterations_are_those_of_scikit_learn() {
    minimize::iterations_are_those_of_scikit_learn(&need_device!());
}

#[test]
fn parts_are_the_whole() {
    minimize::parts_are_the_whole(&need_device!());
}

#[test]
fn frozen_layers_and_moments_stay() {
    minimize::frozen_layers_and_moments_stay(&need_device!());
}

#[test]
fn penalties_are_those_of_the_layers() {
    minimize::penalties_are_those_of_the_layers(&need_device!());
}

#[test]
fn callbacks_see_iterations() {
    minimize::callbacks_see_iterations(&need_device!());
}

#[test]
fn a_flag_ends_it() {
    minimize::a_flag_ends_it(&need_device!());
}

#[test]
fn runs_are_repeatable() {
    minimize::runs_are_repeatable(&need_device!());
}
