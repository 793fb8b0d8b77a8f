//! Losses by the host on the CPU backend; the checks are in `tests/common`.

use crate::common::host_loss;
use axone::prelude::*;

#[test]
fn a_loss_by_the_host() {
    host_loss::is_that_of_the_library(&Device::cpu());
    host_loss::runs_as_fit_does(&Device::cpu());
    host_loss::forward_is_what_predict_says(&Device::cpu());
}

#[cfg(feature = "save")]
#[test]
fn resumes_to_the_same_bits() {
    host_loss::resumes_to_the_same_bits(&Device::cpu(), "cpu");
}
