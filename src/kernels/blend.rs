//! `y = (1 - share) y + share x`: a step of a running mean. It joins the gradients of several batches, each with its
//! share of the weight so far, and moves weights towards those of another model.
//!
//! A share of 1 copies, whatever `y` held before: the first of a mean needs nothing cleared.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Blends one slab into another; the share is that of the step.
    pub struct Blend {
        /// Elements, padding included: a multiple of 4.
        n: u32,
    }
}

/// `shaders/blend.wgsl`.
pub const SHADER: Shader = Shader {
    name: "blend",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/blend.wgsl")],
    params: Blend::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x"), Binding::update(2, "y")] }],
};

impl Spec for Blend {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.n as usize, 1024)
    }

    fn element_bytes(&self) -> u64 {
        16
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize; 2]
    }

    fn flops(&self) -> u64 {
        3 * u64::from(self.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
