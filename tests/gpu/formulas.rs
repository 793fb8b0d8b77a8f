//! Formulas in models on a GPU; the checks are in `tests/common/formulas.rs`.

use crate::common::formulas;
use crate::need_device;

#[test]
fn every_dispatch_agrees_with_f64() {
    formulas::every_dispatch_agrees_with_f64(&need_device!());
}

#[test]
fn padding_is_not_divided() {
    formulas::padding_is_not_divided(&need_device!());
}
