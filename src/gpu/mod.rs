//! The GPU executor. The name `wgpu` appears in this folder alone.

mod adapter;
mod context;
mod executor;
mod forward;
mod join;
mod loaded;
mod pace;
mod pipelines;
mod profile;
mod readback;
mod tune;

pub use adapter::{Adapter, Queue, RawDevice, adapters, describe};
pub use context::Context;
pub use executor::GpuExecutor;
pub use forward::{Forward, Pending, RawBuffer};
pub use tune::{Race, race};
