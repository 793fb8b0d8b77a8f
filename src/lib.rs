//! Dense neural networks on any GPU, and on the CPU.

pub mod cpu;
mod device;
mod error;
pub mod gpu;
pub mod graph;
pub mod kernels;
pub mod plan;

pub use device::{Device, DeviceInfo, DeviceKind, DeviceLimits, SOFTWARE_HINT};
pub use error::{Error, Result};
