//! What needs no GPU.

mod contract;
mod data;
mod history;
#[cfg(feature = "datasets")]
mod readers;
mod twins;
