//! Models of other libraries, in and out.

#[cfg(any(feature = "onnx", feature = "keras"))]
mod imported;
#[cfg(feature = "keras")]
pub mod keras;
#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "torch")]
pub mod torch;

#[cfg(any(feature = "onnx", feature = "keras"))]
pub use imported::{Imported, Output};
