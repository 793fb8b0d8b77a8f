//! Random networks on a GPU against the f64 twin; their gradients are held against differences in `tests/cpu`.

use crate::common::random_networks;
use crate::need_device;

#[test]
fn some_are_right() {
    random_networks::all_are_right(&need_device!(), 0..12, false);
}

/// `cargo test --test gpu -- --ignored thousands_are_right`.
#[test]
#[ignore = "four minutes of one core on a software device"]
fn thousands_are_right() {
    random_networks::all_are_right(&need_device!(), 12..2000, false);
}
