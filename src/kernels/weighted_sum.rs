//! `out[slot] = Σ values · weights`: the loss or a metric of a batch, written to the log of the epoch.
//!
//! One workgroup, a fixed tree: the order of the sum depends on `n` alone.

use super::spec::{Binding, Entry, Shader, Spec, params};

params! {
    /// Sums one batch into one number.
    pub struct WeightedSum {
        /// Elements of `values` and `weights`.
        n: u32,
        /// Column of the log.
        slot: u32,
        /// Columns of the log, whose row is `step.log_row`; 0 to write `out[0]`.
        slots: u32,
    }
}

/// `shaders/weighted_sum.wgsl`.
pub const SHADER: Shader = Shader {
    name: "weighted_sum",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/weighted_sum.wgsl")],
    params: WeightedSum::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "values"), Binding::read(2, "weights"), Binding::update(3, "out")],
    }],
};

impl Spec for WeightedSum {
    fn shader(&self) -> &'static Shader {
        &SHADER
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        1
    }

    /// The log may have any number of rows; the least, one row, is given.
    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize, self.n as usize, self.slots.max(1) as usize]
    }
}
