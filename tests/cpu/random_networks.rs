//! Random networks on the CPU backend (`tests/common/random_networks.rs`).

use crate::common::random_networks;
use axone::prelude::*;

#[test]
fn hundreds_are_right() {
    random_networks::drawing_and_shrinking();
    random_networks::all_are_right(&Device::cpu(), 0..400, true);
}

/// `cargo test --test cpu -- --ignored thousands_are_right`.
#[test]
#[ignore = "minutes"]
fn thousands_are_right() {
    random_networks::all_are_right(&Device::cpu(), 400..5000, true);
}
