//! What needs a GPU adapter; a software one (lavapipe) will do.
//!
//! Without an adapter these tests say so aloud and pass, unless `AXONE_REQUIRE_GPU=1` asks for one: then they fail, so
//! that a machine that is meant to test GPUs cannot pass by having none. `AXONE_TEST_DEVICE` names another adapter.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod absent;
mod api;
mod by_hand;
mod callbacks;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod derivatives;
mod determinism;
mod formulas;
mod host_loss;
mod inference;
mod joined;
mod kernels;
mod layers;
mod limits;
mod matmul;
mod memory;
mod metrics;
mod minimize;
mod optimizers;
mod partial;
mod precision;
mod predictor;
mod products_of_values;
mod profile;
mod random_networks;
#[cfg(feature = "search")]
mod search;
mod sums;
mod tune;

use axone::Device;
use std::io::Write;
use std::sync::OnceLock;

/// A device of its own, for tests that count what is made on it.
pub fn open() -> axone::Result<Device> {
    match std::env::var("AXONE_TEST_DEVICE") {
        Ok(name) if !name.is_empty() => Device::named(&name),
        _ => Device::software(),
    }
}

/// The device that all tests share, or `None` after a line that says what was skipped.
pub fn device(test: &str) -> Option<Device> {
    static DEVICE: OnceLock<Result<Device, String>> = OnceLock::new();
    match DEVICE.get_or_init(|| open().map_err(|error| error.to_string())) {
        Ok(device) => Some(device.clone()),
        Err(error) => {
            skip(test, error);
            None
        }
    }
}

/// Says that a part of a test did not run, which no adapter of a machine is required to be able to.
pub fn skip_part(part: &str, reason: &str) {
    let line = format!("\nSKIPPED {part}: {reason}\n");
    std::io::stderr().write_all(line.as_bytes()).unwrap();
}

/// Says that `test` did not run. Straight to the terminal: the harness swallows what a passing test prints.
pub fn skip(test: &str, reason: &str) {
    skip_part(test, reason);
    let required = std::env::var("AXONE_REQUIRE_GPU").is_ok_and(|value| value == "1");
    assert!(!required, "AXONE_REQUIRE_GPU=1, but {test} found no adapter: {reason}");
}

/// The shared device (or, if told so, one of its own), or return from the test.
#[macro_export]
macro_rules! need_device {
    () => {
        match $crate::device(&format!("{}:{}", file!(), line!())) {
            Some(device) => device,
            None => return,
        }
    };
    (own) => {{
        $crate::need_device!();
        $crate::open().unwrap()
    }};
}
