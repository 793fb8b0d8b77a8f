//! The factor `min(1, max_norm / (‖g‖ + 1e-6))` for clipping by the norm of all gradients (Pascanu et al. 2013, in
//! PyTorch's form): two dispatches, partial sums of squares and then their join, both in a fixed order.
//!
//! Where the loss is scaled so that small gradients survive in f16 (Micikevicius et al. 2018), the norm tells as well
//! whether one of them overflowed. Then the step is passed over and the scale halved; after [`GROWTH_INTERVAL`] good
//! steps in a row it is doubled.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};
use super::update::{RULE, RULE_BLOCK};

/// Elements of a partial sum.
pub const NORM_CHUNK: usize = 4096;
/// Where the partial sums begin in `clip`; the factor is its first element.
pub const PARTIALS_AT: usize = 64;
/// Elements of `loss_scale`: what an update reads in place of `clip` (factor, largest size, whether to pass this step
/// over, the scale its gradients carry), and the state from [`SCALE_AT`] on: the scale of the next step, good steps in
/// a row, steps passed over.
pub const LOSS_SCALE_LEN: usize = SCALE_AT + 3;
/// Where the state begins in `loss_scale`.
pub const SCALE_AT: usize = 64;
/// Good steps in a row after which the loss scale is doubled.
pub const GROWTH_INTERVAL: u32 = 2000;
/// The loss scale stays from 1 to this.
pub const LARGEST_SCALE: f32 = 16_777_216.0;

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

/// What a dispatch computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GradientNormPart {
    /// The partial sums.
    Partials,
    /// The factor, from them.
    Factor,
    /// The factor, and what becomes of the step and of the loss scale.
    ScaledFactor,
}

/// One of the two dispatches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GradientNorm {
    /// The uniform.
    pub params: GradientNormParams,
    /// Which one.
    pub part: GradientNormPart,
}

impl GradientNorm {
    /// The two dispatches for a slab of `n` gradients.
    pub fn both(n: u32, max_norm: f32) -> [Self; 2] {
        let params = GradientNormParams { n, partials: n.div_ceil(NORM_CHUNK as u32), max_norm };
        [GradientNormPart::Partials, GradientNormPart::Factor].map(|part| Self { params, part })
    }

    /// The two dispatches for a slab of `n` gradients of a scaled loss; `max_norm` is that of the true gradients.
    pub fn both_scaled(n: u32, max_norm: f32) -> [Self; 2] {
        let [partials, factor] = Self::both(n, max_norm);
        [partials, Self { part: GradientNormPart::ScaledFactor, ..factor }]
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
        Entry { name: "scaled_factor", bindings: &[Binding::update(3, "clip"), Binding::update(4, "loss_scale")] },
    ],
};

impl Spec for GradientNorm {
    fn entry(&self) -> &'static Entry {
        &SHADER.entries[self.part as usize]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn workgroups(&self) -> u64 {
        match self.part {
            GradientNormPart::Partials => groups(self.params.n as usize, NORM_CHUNK),
            GradientNormPart::Factor | GradientNormPart::ScaledFactor => 1,
        }
    }

    fn element_bytes(&self) -> u64 {
        16
    }

    fn sizes(&self) -> Vec<usize> {
        let n = self.params.n as usize;
        match self.part {
            GradientNormPart::Partials => vec![n, n / RULE_BLOCK * RULE, self.clip_len()],
            GradientNormPart::Factor => vec![self.clip_len()],
            GradientNormPart::ScaledFactor => vec![self.clip_len(), LOSS_SCALE_LEN],
        }
    }

    fn flops(&self) -> u64 {
        match self.part {
            GradientNormPart::Partials => 2 * u64::from(self.params.n),
            GradientNormPart::Factor | GradientNormPart::ScaledFactor => self.params.partials.into(),
        }
    }
}
