//! Gradient descent: `p -= lr · g` over the whole slab of parameters in one dispatch.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// One step of gradient descent; the learning rate is that of the step.
    pub struct Sgd {
        /// Parameters, padding included: a multiple of 4.
        n: u32,
    }
}

/// `shaders/sgd.wgsl`.
pub const SHADER: Shader = Shader {
    name: "sgd",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/sgd.wgsl")],
    params: Sgd::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "gradient"), Binding::update(2, "parameter")] }],
};

impl Spec for Sgd {
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
        2 * u64::from(self.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
