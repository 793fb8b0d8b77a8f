//! What needs no GPU.

#[path = "../common/mod.rs"]
mod common;
mod conformance;
mod gradients;
mod contract;
mod data;
mod history;
#[cfg(feature = "datasets")]
mod readers;
mod readme;
mod twins;
