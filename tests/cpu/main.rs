//! What needs no GPU.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod api;
mod bad_input;
mod by_hand;
mod callbacks;
#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod contract;
mod data;
#[cfg(feature = "save")]
mod files;
mod fused;
mod gradients;
mod history;
mod layering;
mod layers;
mod metrics;
mod names;
mod one_dispatch;
mod optimizers;
mod plan;
mod profile;
#[cfg(feature = "datasets")]
mod readers;
mod readme;
#[cfg(feature = "save")]
mod resume;
mod schedules;
mod sizes;
mod tensorboard;
mod twins;
