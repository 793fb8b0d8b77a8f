//! What needs no GPU.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod absent;
mod api;
mod bad_input;
mod by_hand;
mod callbacks;
mod check;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod contract;
#[cfg(all(unix, feature = "ctrl-c"))]
mod ctrl_c;
mod data;
mod failures;
#[cfg(feature = "save")]
mod files;
mod folds;
mod fused;
mod gradients;
mod history;
mod inference;
mod layering;
mod layers;
mod memory;
mod metrics;
mod minimize;
mod names;
#[cfg(feature = "onnx")]
mod onnx;
mod optimizers;
mod plan;
mod profile;
#[cfg(feature = "datasets")]
mod readers;
mod readme;
#[cfg(feature = "save")]
mod resume;
mod schedules;
#[cfg(feature = "search")]
mod search;
#[cfg(feature = "search")]
mod search_log;
mod sizes;
mod sums;
#[cfg(feature = "datasets")]
mod tables;
#[cfg(feature = "datasets")]
mod tables_alike;
mod tensorboard;
#[cfg(feature = "torch")]
mod torch;
mod twins;
mod usage;
