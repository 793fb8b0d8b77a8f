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
mod derivatives;
mod failures;
#[cfg(feature = "save")]
mod files;
mod folds;
mod formulas;
mod fused;
mod gradients;
mod history;
mod host_loss;
mod inference;
mod layering;
mod layers;
mod memory;
mod metrics;
mod minimize;
mod names;
mod optimizers;
mod partial;
#[cfg(feature = "plot")]
mod pictures;
mod plan;
mod predictor;
mod products_of_values;
mod profile;
mod race;
mod random_networks;
#[cfg(feature = "datasets")]
mod readers;
mod readme;
#[cfg(feature = "save")]
mod resume;
mod schedules;
#[cfg(all(feature = "datasets", feature = "save"))]
mod schema;
#[cfg(feature = "search")]
mod search;
#[cfg(feature = "search")]
mod search_log;
mod shared;
mod sizes;
#[cfg(feature = "datasets")]
mod stream;
mod sums;
mod surgery;
#[cfg(feature = "datasets")]
mod tables;
#[cfg(feature = "datasets")]
mod tables_alike;
mod tensorboard;
mod twins;
mod usage;
