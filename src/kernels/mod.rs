//! The kernels: one WGSL file, one host spec and one CPU twin, all three under the same name.
//!
//! A spec is plain data: which WGSL file, which entry point, the typed `Params` of binding 0, the
//! override constants, and how many workgroups cover the work. It holds no wgpu type, so a plan made
//! of kernels can be printed, compared and run by the CPU twins in [`crate::cpu`].
//! `tests/cpu/contract.rs` reads every WGSL file with naga and holds it against its spec.

mod spec;

pub mod bias_add;

pub use bias_add::BiasAdd;
pub use spec::{Access, Binding, Entry, Shader, Spec, Step};

/// A kernel with the parameters of one dispatch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kernel {
    /// `y = x + bias`, the bias repeated for every row.
    BiasAdd(BiasAdd),
}

impl Kernel {
    /// The host spec of this kernel.
    pub fn spec(&self) -> &dyn Spec {
        match self {
            Kernel::BiasAdd(kernel) => kernel,
        }
    }
}

/// Every WGSL file of the crate, for tests that hold them against their specs.
pub const SHADERS: &[&Shader] = &[&bias_add::SHADER];
