//! `y = factor · x`.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Multiplies every element by the same number.
    pub struct Scale {
        /// Elements.
        n: u32,
        /// The number.
        factor: f32,
    }
}

/// `shaders/scale.wgsl`.
pub const SHADER: Shader = Shader {
    name: "scale",
    sources: &[include_str!("../../shaders/lib/fours.wgsl"), include_str!("../../shaders/scale.wgsl")],
    params: Scale::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x"), Binding::write(2, "y")] }],
};

impl Spec for Scale {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize; 2]
    }

    fn flops(&self) -> u64 {
        self.n.into()
    }

    fn is_flat(&self) -> bool {
        true
    }
}
