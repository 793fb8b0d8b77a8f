//! Models of other libraries, in and out.

#[cfg(feature = "onnx")]
pub mod onnx;
#[cfg(feature = "torch")]
pub mod torch;
