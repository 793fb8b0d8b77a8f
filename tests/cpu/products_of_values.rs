//! Products of two values on the CPU backend (`tests/common/products_of_values.rs`), and what they refuse.

use crate::common::products_of_values as products;
use axone::prelude::*;

#[test]
fn in_models() {
    products::every_dispatch_agrees_with_f64(&Device::cpu());
}

#[test]
fn gradients_of_a_model_of_products() {
    let report = axone::check::gradient_check(&mut products::everything(&Device::cpu()), &products::table(6)).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

#[cfg(feature = "save")]
#[test]
fn products_are_saved() {
    products::products_are_saved(&Device::cpu(), "cpu");
}

#[test]
fn what_does_not_fit_is_named() {
    assert_eq!(
        products::refused(),
        [
            "matmul: expected [3, n] on the right of [2, 3], got [2, 3]",
            "matmul: expected [3] on the right of [2, 3], got [4]",
            "matmul: expected [3] on the right of [2, 3], got [4]",
            "matmul: expected [4, n] on the right of [4], got [2, 3]",
            "matmul: expected a vector or matrix in each row of both, got [2, 3] and [2, 3, 4]",
            "matmul: input must be a value of this network, got value 0 of another, where \"a\" stands here",
            "reshape_1: expected rows of 5 numbers for [5], got [2, 3]",
            "reshape_1: sides must be at least one, each at least 1, got [0, 6]",
            "reshape_1: expected rows of more numbers for [18446744073709551615, 3], got [2, 3]",
        ]
    );
}
