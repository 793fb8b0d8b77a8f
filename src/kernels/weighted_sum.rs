//! `out = Σ values · weights`: the loss of a batch.
//!
//! One workgroup, a fixed tree: the order of the sum depends on `n` alone.

use super::spec::{Binding, Entry, Shader, Spec, params};

params! {
    /// Sums one batch into one number.
    pub struct WeightedSum {
        /// Elements of `values` and `weights`.
        n: u32,
    }
}

/// `shaders/weighted_sum.wgsl`.
pub const SHADER: Shader = Shader {
    name: "weighted_sum",
    sources: &[include_str!("../../shaders/weighted_sum.wgsl")],
    params: WeightedSum::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "values"), Binding::read(2, "weights"), Binding::write(3, "out")],
    }],
};

impl Spec for WeightedSum {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        1
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize, self.n as usize, 1]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.n)
    }
}
