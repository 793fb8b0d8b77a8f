//! Formulas and shared blocks in models on a GPU; the checks are in `tests/common`.

use crate::common::{formulas, shared};
use crate::need_device;

#[test]
fn every_dispatch_agrees_with_f64() {
    formulas::every_dispatch_agrees_with_f64(&need_device!());
}

#[test]
fn padding_is_not_divided() {
    formulas::padding_is_not_divided(&need_device!());
}

#[test]
fn shared_blocks() {
    let device = need_device!();
    shared::every_dispatch_agrees_with_f64(&device);
    shared::gradients_add_up(&device);
    shared::penalties_count_once(&device);
}
