//! Dense neural networks on any GPU, and on the CPU.

pub mod cpu;
mod error;
pub mod kernels;

pub use error::{Error, Result};
