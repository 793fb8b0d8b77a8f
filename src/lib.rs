//! Dense neural networks on any GPU, and on the CPU.

pub mod cpu;
pub mod kernels;
