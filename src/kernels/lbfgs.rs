//! The vectors of L-BFGS (Liu & Nocedal 1989). They stay on the device; the host sees sums of products alone, from which
//! the factors of the next direction follow (`src/train/minimize`).
//!
//! All lie in one buffer, `memory`, in rows as long as the slab: the point `x` that the search stands on, the gradient `g`
//! there, [`Lbfgs::slots`] directions `d` and as many changes `y` of the gradient along them.

use super::gradient_norm::NORM_CHUNK;
use super::spec::{Binding, Entry, Shader, Spec, groups, params};
use super::update::RULE_BLOCK;

/// Where the factors of the directions begin in `coefficients`: in front of them stand the length of the step, the slot,
/// whether the direction is new, how many slots are in use, and the factor of the gradient.
pub const FACTORS_AT: usize = 8;
/// Sums of products for each slot: `d y`, `d g`, `y_j y`, `y_j g`.
pub const SUMS_OF_SLOT: usize = 4;

params! {
    /// The sizes.
    pub struct LbfgsParams {
        /// Parameters, padding included: a multiple of 64.
        n: u32,
        /// Directions that are kept, with the one that is tried.
        slots: u32,
        /// Partial sums, each over 4096 neighbours.
        partials: u32,
    }
}

/// What a dispatch does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LbfgsPart {
    /// `d = Σ factors · rows` if it is new, then parameters = `x + t d`.
    Advance,
    /// Adds the penalty to the gradient, keeps its change `y`, and sums the products.
    Measure,
    /// Parameters and gradient become `x` and `g`.
    Accept,
}

/// One of the three dispatches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Lbfgs {
    /// The uniform.
    pub params: LbfgsParams,
    /// Which one.
    pub part: LbfgsPart,
}

impl Lbfgs {
    /// The dispatches for a slab of `n` parameters and `slots` directions.
    pub fn all(n: u32, slots: u32) -> [Self; 3] {
        let params = LbfgsParams { n, slots, partials: n.div_ceil(NORM_CHUNK as u32) };
        [LbfgsPart::Advance, LbfgsPart::Measure, LbfgsPart::Accept].map(|part| Self { params, part })
    }

    /// Directions that are kept.
    pub fn slots(&self) -> usize {
        self.params.slots as usize
    }

    /// Elements of `memory`.
    pub fn memory_len(&self) -> usize {
        (2 + 2 * self.slots()) * self.params.n as usize
    }

    /// Elements of `coefficients`.
    pub fn coefficients_len(&self) -> usize {
        FACTORS_AT + 2 * self.slots()
    }

    /// Sums of a chunk: those of the slots, then `d g` with the gradient before, the penalty's `Σ λ p²`, `g g`, and the
    /// largest size of an element of `g`.
    pub fn sums_width(&self) -> usize {
        SUMS_OF_SLOT * self.slots() + 4
    }
}

const COEFFICIENTS: Binding = Binding::read(1, "coefficients");
const PARAMETER: Binding = Binding::read(3, "parameter");
const GRADIENT: Binding = Binding::update(4, "gradient");
const MEMORY: Binding = Binding::update(5, "memory");

/// `shaders/lbfgs.wgsl`.
pub const SHADER: Shader = Shader {
    name: "lbfgs",
    sources: &[include_str!("../../shaders/lbfgs.wgsl")],
    params: LbfgsParams::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[
        Entry { name: "advance", bindings: &[COEFFICIENTS, MEMORY, Binding::write(7, "moved")] },
        Entry {
            name: "measure",
            bindings: &[
                COEFFICIENTS,
                Binding::read(2, "penalty"),
                PARAMETER,
                GRADIENT,
                MEMORY,
                Binding::write(6, "sums"),
            ],
        },
        Entry { name: "accept", bindings: &[PARAMETER, GRADIENT, MEMORY] },
    ],
};

impl Spec for Lbfgs {
    fn entry(&self) -> &'static Entry {
        &SHADER.entries[self.part as usize]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn workgroups(&self) -> u64 {
        match self.part {
            LbfgsPart::Measure => groups(self.params.n as usize, NORM_CHUNK),
            LbfgsPart::Advance | LbfgsPart::Accept => groups(self.params.n as usize, 1024),
        }
    }

    fn binding_bytes(&self, binding: &Binding) -> u64 {
        if matches!(binding.name, "coefficients" | "penalty" | "sums") { 4 } else { 16 }
    }

    fn sizes(&self) -> Vec<usize> {
        let (n, memory, factors) = (self.params.n as usize, self.memory_len(), self.coefficients_len());
        match self.part {
            LbfgsPart::Advance => vec![factors, memory, n],
            LbfgsPart::Measure => {
                let sums = self.params.partials as usize * self.sums_width();
                vec![factors, n / RULE_BLOCK, n, n, memory, sums]
            }
            LbfgsPart::Accept => vec![n, n, memory],
        }
    }

    fn flops(&self) -> u64 {
        let slots = u64::from(self.params.slots);
        let each = match self.part {
            // A product and a sum for each row, and for the step.
            LbfgsPart::Advance => 4 * slots + 3,
            // The penalty, its square, the change, four sums of products a slot, two more, the largest.
            LbfgsPart::Measure => 8 * slots + 11,
            LbfgsPart::Accept => 0,
        };
        each * u64::from(self.params.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }
}
