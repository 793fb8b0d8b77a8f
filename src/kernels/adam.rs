//! Adam (Kingma & Ba 2015) over the whole slab of parameters in one dispatch, PyTorch's formula:
//! `m = β₁ m + (1 - β₁) g`, `v = β₂ v + (1 - β₂) g²`,
//! `p -= lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)`.
//!
//! `1 - β₂` is computed in f64: in f32 it would lose four of its seven digits.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// One step of Adam; learning rate and bias corrections are those of the step.
    pub struct Adam {
        /// Parameters, padding included: a multiple of 4.
        n: u32,
        /// Decay of the first moment, β₁.
        beta1: f32,
        /// Decay of the second moment, β₂.
        beta2: f32,
        /// `1 - β₁`.
        one_minus_beta1: f32,
        /// `1 - β₂`.
        one_minus_beta2: f32,
        /// Added to the denominator.
        epsilon: f32,
    }
}

impl Adam {
    /// Adam over `n` parameters.
    pub fn new(n: u32, beta1: f64, beta2: f64, epsilon: f64) -> Self {
        Self {
            n,
            beta1: beta1 as f32,
            beta2: beta2 as f32,
            one_minus_beta1: (1.0 - beta1) as f32,
            one_minus_beta2: (1.0 - beta2) as f32,
            epsilon: epsilon as f32,
        }
    }
}

/// `shaders/adam.wgsl`.
pub const SHADER: Shader = Shader {
    name: "adam",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/moment.wgsl"),
        include_str!("../../shaders/adam.wgsl"),
    ],
    params: Adam::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry {
        name: "main",
        bindings: &[
            Binding::read(1, "gradient"),
            Binding::update(2, "parameter"),
            Binding::update(3, "m"),
            Binding::update(4, "v"),
        ],
    }],
};

impl Spec for Adam {
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
        vec![self.n as usize; 4]
    }

    /// m: 3, v: 4, the step: two roots or quotients, a sum, a quotient, a product, a difference.
    fn flops(&self) -> u64 {
        13 * u64::from(self.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
