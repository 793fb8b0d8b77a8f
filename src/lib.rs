//! Dense neural networks on any GPU, and on the CPU.

pub mod cpu;
pub mod data;
mod device;
mod error;
pub mod gpu;
pub mod graph;
mod init;
pub mod kernels;
pub mod layers;
mod losses;
pub mod model;
pub mod optimizers;
pub mod plan;
pub mod prelude;
pub mod random;
pub mod train;

pub use device::{Device, DeviceInfo, DeviceKind, DeviceLimits, SOFTWARE_HINT};
pub use error::{Error, Result};
pub use init::Initializer;
pub use losses::Loss;
