//! `y = value` everywhere.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Sets every element to the same number.
    pub struct Fill {
        /// Elements.
        n: u32,
        /// The number.
        value: f32,
    }
}

/// `shaders/fill.wgsl`.
pub const SHADER: Shader = Shader {
    name: "fill",
    sources: &[include_str!("../../shaders/fill.wgsl")],
    params: Fill::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::write(1, "y")] }],
};

impl Spec for Fill {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize]
    }
}
