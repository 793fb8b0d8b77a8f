//! The factor `min(1, max_norm / (‖g‖ + 1e-6))` for clipping by the norm of all gradients (Pascanu et al. 2013, in
//! PyTorch's form): two dispatches, partial sums of squares and then their join, both in a fixed order.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};
use super::update::{RULE, RULE_BLOCK};

/// Elements of a partial sum.
pub const NORM_CHUNK: usize = 4096;
/// Where the partial sums begin in `clip`; the factor is its first element.
pub const PARTIALS_AT: usize = 64;

params! {
    /// The norm of a slab of gradients.
    pub struct GradientNormParams {
        /// Gradients, padding included: a multiple of 64.
        n: u32,
        /// Partial sums.
        partials: u32,
        /// The largest norm that is left as it is.
        max_norm: f32,
    }
}

/// One of the two dispatches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNorm {
    /// The uniform.
    pub params: GradientNormParams,
    /// Whether it joins the partial sums; otherwise it computes them.
    pub join: bool,
}

impl GradientNorm {
    /// The two dispatches for a slab of `n` gradients.
    pub fn both(n: u32, max_norm: f32) -> [Self; 2] {
        let params = GradientNormParams { n, partials: n.div_ceil(NORM_CHUNK as u32), max_norm };
        [false, true].map(|join| Self { params, join })
    }

    /// Elements of `clip`.
    pub fn clip_len(&self) -> usize {
        PARTIALS_AT + self.params.partials as usize
    }
}

/// `shaders/gradient_norm.wgsl`.
pub const SHADER: Shader = Shader {
    name: "gradient_norm",
    sources: &[include_str!("../../shaders/gradient_norm.wgsl")],
    params: GradientNormParams::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[
        Entry {
            name: "partials",
            bindings: &[Binding::read(1, "gradient"), Binding::read(2, "rules"), Binding::update(3, "clip")],
        },
        Entry { name: "factor", bindings: &[Binding::update(3, "clip")] },
    ],
};

impl Spec for GradientNorm {
    fn shader(&self) -> &'static Shader {
        &SHADER
    }

    fn entry(&self) -> &'static Entry {
        &SHADER.entries[usize::from(self.join)]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn workgroups(&self) -> u64 {
        if self.join { 1 } else { groups(self.params.n as usize, NORM_CHUNK) }
    }

    fn element_bytes(&self) -> u64 {
        16
    }

    fn sizes(&self) -> Vec<usize> {
        let n = self.params.n as usize;
        if self.join { vec![self.clip_len()] } else { vec![n, n / RULE_BLOCK * RULE, self.clip_len()] }
    }
}
