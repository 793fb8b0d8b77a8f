//! One dispatch over the whole slab that updates every parameter by a rule of its own: the gradient is clipped, L2 and
//! L1 are added, weight decay shrinks the parameter, and then comes the formula of the optimizer.
//!
//! `rules` holds four numbers for each block of 64 elements, and a parameter begins at a block: the rate factor, L2, L1,
//! and weight decay. A block with rate factor 0 is frozen: its parameters and moments keep their bits.
//! `clip` holds the factor of every gradient, the largest size it may have (0 for any), and whether the step is to be
//! skipped: then parameters and moments keep their bits.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

/// Elements that share a rule.
pub const RULE_BLOCK: usize = 64;
/// Numbers of a rule.
pub const RULE: usize = 4;

params! {
    /// What the formulas have in common; learning rate and bias corrections are those of the step.
    pub struct UpdateParams {
        /// Parameters, padding included: a multiple of 64.
        n: u32,
        /// Decay of the first moment: β₁, or the momentum.
        decay1: f32,
        /// Decay of the second moment: β₂, ρ, α.
        decay2: f32,
        /// `1 - decay1`, computed in f64: in f32 it would lose digits.
        rest1: f32,
        /// `1 - decay2`.
        rest2: f32,
        /// Keeps the division finite.
        epsilon: f32,
    }
}

impl UpdateParams {
    /// Parameters for a slab of `n` elements.
    pub fn new(n: u32, decay1: f64, decay2: f64, epsilon: f64) -> Self {
        let (rest1, rest2) = ((1.0 - decay1) as f32, (1.0 - decay2) as f32);
        Self { n, decay1: decay1 as f32, decay2: decay2 as f32, rest1, rest2, epsilon: epsilon as f32 }
    }
}

/// How the gradient becomes a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Formula {
    /// Gradient descent.
    Sgd,
    /// Gradient descent with momentum.
    Momentum {
        /// Nesterov's form.
        nesterov: bool,
    },
    /// Adagrad.
    Adagrad,
    /// Adadelta.
    Adadelta,
    /// RMSprop.
    Rmsprop,
    /// RMSprop with momentum.
    RmspropMomentum,
    /// Adam.
    Adam,
    /// Adam with the largest second moment so far.
    Amsgrad,
    /// Adamax.
    Adamax,
    /// Nadam.
    Nadam,
}

impl Formula {
    /// Every formula, for checks.
    pub const ALL: [Formula; 11] = [
        Formula::Sgd,
        Formula::Momentum { nesterov: false },
        Formula::Momentum { nesterov: true },
        Formula::Adagrad,
        Formula::Adadelta,
        Formula::Rmsprop,
        Formula::RmspropMomentum,
        Formula::Adam,
        Formula::Amsgrad,
        Formula::Adamax,
        Formula::Nadam,
    ];

    /// Moment slabs it keeps.
    pub fn moments(self) -> usize {
        match self {
            Formula::Sgd => 0,
            Formula::Momentum { .. } | Formula::Adagrad | Formula::Rmsprop => 1,
            Formula::Adadelta | Formula::RmspropMomentum | Formula::Adam | Formula::Adamax | Formula::Nadam => 2,
            Formula::Amsgrad => 3,
        }
    }

    /// Operations for a parameter.
    fn flops(self) -> u64 {
        match self {
            Formula::Sgd => 2,
            Formula::Momentum { nesterov } => 4 + 2 * u64::from(nesterov),
            Formula::Adagrad => 7,
            Formula::Adadelta => 15,
            Formula::Rmsprop => 9,
            Formula::RmspropMomentum => 11,
            Formula::Adam => 13,
            Formula::Amsgrad => 14,
            Formula::Adamax => 10,
            Formula::Nadam => 16,
        }
    }
}

/// An update by rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The formula.
    pub formula: Formula,
    /// The uniform.
    pub params: UpdateParams,
}

/// The shader `shaders/NAME.wgsl` behind `lib/update.wgsl`: its entry points, each with its moments.
macro_rules! by_rules {
    ($name:literal, $overrides:expr, $($entry:literal: [$($index:literal $moment:literal),*]),*) => {
        Shader {
            name: $name,
            sources: &[
                include_str!("../../shaders/lib/step.wgsl"),
                include_str!("../../shaders/lib/moment.wgsl"),
                include_str!("../../shaders/lib/update.wgsl"),
                include_str!(concat!("../../shaders/", $name, ".wgsl")),
            ],
            params: UpdateParams::MEMBERS,
            overrides: $overrides,
            workgroup_size: 256,
            uses_step: true,
            entries: &[$(Entry {
                name: $entry,
                bindings: &[
                    Binding::read(1, "gradient"),
                    Binding::read(2, "clip"),
                    Binding::read(3, "rules"),
                    Binding::update(4, "parameter"),
                    $(Binding::update($index, $moment)),*
                ],
            }),*],
        }
    };
}

/// `shaders/sgd_ruled.wgsl`.
pub const SGD: Shader = by_rules!("sgd_ruled", &["NESTEROV"], "main": [], "momentum": [5 "m"]);
/// `shaders/adagrad.wgsl`.
pub const ADAGRAD: Shader = by_rules!("adagrad", &[], "main": [5 "s"]);
/// `shaders/adadelta.wgsl`.
pub const ADADELTA: Shader = by_rules!("adadelta", &[], "main": [5 "v", 6 "d"]);
/// `shaders/rmsprop.wgsl`.
pub const RMSPROP: Shader = by_rules!("rmsprop", &[], "main": [5 "v"], "momentum": [5 "v", 6 "m"]);
/// `shaders/adam_ruled.wgsl`.
pub const ADAM: Shader = by_rules!("adam_ruled", &[], "main": [5 "m", 6 "v"], "amsgrad": [5 "m", 6 "v", 7 "largest"]);
/// `shaders/adamax.wgsl`.
pub const ADAMAX: Shader = by_rules!("adamax", &[], "main": [5 "m", 6 "u"]);
/// `shaders/nadam.wgsl`.
pub const NADAM: Shader = by_rules!("nadam", &[], "main": [5 "m", 6 "v"]);

impl Spec for Update {
    fn shader(&self) -> &'static Shader {
        match self.formula {
            Formula::Sgd | Formula::Momentum { .. } => &SGD,
            Formula::Adagrad => &ADAGRAD,
            Formula::Adadelta => &ADADELTA,
            Formula::Rmsprop | Formula::RmspropMomentum => &RMSPROP,
            Formula::Adam | Formula::Amsgrad => &ADAM,
            Formula::Adamax => &ADAMAX,
            Formula::Nadam => &NADAM,
        }
    }

    fn entry(&self) -> &'static Entry {
        let second = matches!(self.formula, Formula::Momentum { .. } | Formula::RmspropMomentum | Formula::Amsgrad);
        &self.shader().entries[usize::from(second)]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        match self.formula {
            Formula::Momentum { nesterov } => vec![("NESTEROV", f64::from(u8::from(nesterov)))],
            _ => Vec::new(),
        }
    }

    fn workgroups(&self) -> u64 {
        groups(self.params.n as usize, 1024)
    }

    fn element_bytes(&self) -> u64 {
        16
    }

    fn sizes(&self) -> Vec<usize> {
        let n = self.params.n as usize;
        let slabs = 1 + self.formula.moments();
        [n, RULE, n / RULE_BLOCK * RULE].into_iter().chain(std::iter::repeat_n(n, slabs)).collect()
    }

    /// Clipping, L2, L1 and decay take 6; then the formula.
    fn flops(&self) -> u64 {
        (6 + self.formula.flops()) * u64::from(self.params.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
