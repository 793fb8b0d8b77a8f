//! One dispatch over the whole slab that updates every parameter by a rule of its own: the gradient is clipped, L2 and
//! L1 are added, weight decay shrinks the parameter, and then comes the formula of the optimizer. Where nothing of this
//! is wanted the commonest formulas have a plain form, which reads neither rules nor clipping.
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

/// Writes [`Formula`] from one table: documentation and name of each formula, its shader and which entry point it is
/// there, and the operations on an element.
macro_rules! formulas {
    ($($(#[$doc:meta])* $name:ident: $shader:ident $entry:literal, $flops:literal;)*) => {
        /// How the gradient becomes a step.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Formula { $($(#[$doc])* $name),* }

        impl Formula {
            /// Every formula, for checks.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            const fn row(self) -> (&'static Shader, usize, u64) {
                match self { $(Self::$name => (&$shader, $entry, $flops)),* }
            }
        }
    };
}

formulas! {
    /// Gradient descent.
    Sgd: SGD 0, 2;
    /// Gradient descent with momentum.
    Momentum: SGD 1, 4;
    /// Gradient descent with momentum in Nesterov's form.
    Nesterov: SGD 1, 6;
    /// Adagrad.
    Adagrad: ADAGRAD 0, 7;
    /// Adadelta.
    Adadelta: ADADELTA 0, 15;
    /// RMSprop.
    Rmsprop: RMSPROP 0, 9;
    /// RMSprop with momentum.
    RmspropMomentum: RMSPROP 1, 11;
    // m: 3, v: 4, the step: two roots or quotients, a sum, a quotient, a product, a difference.
    /// Adam.
    Adam: ADAM 0, 13;
    /// Adam with the largest second moment so far.
    Amsgrad: ADAM 1, 14;
    /// Adamax.
    Adamax: ADAMAX 0, 10;
    /// Nadam.
    Nadam: NADAM 0, 16;
}

impl Formula {
    /// The moment slabs it keeps: a mean of gradients is called m, others are means of squares or sizes.
    pub fn moments(self) -> &'static [Binding] {
        let (shader, entry, _) = self.row();
        &shader.entries[entry].bindings[BEFORE_MOMENTS..]
    }

    /// Its form without rules and clipping, where there is one.
    pub fn plain(self) -> Option<&'static Shader> {
        match self {
            Formula::Sgd => Some(&PLAIN_SGD),
            Formula::Adam => Some(&PLAIN_ADAM),
            _ => None,
        }
    }
}

/// The shaders of all formulas.
pub(super) fn shaders() -> impl Iterator<Item = &'static Shader> {
    let first = Formula::ALL.iter().filter(|formula| formula.row().1 == 0);
    first.flat_map(|formula| formula.plain().into_iter().chain([formula.row().0]))
}

/// Bindings that all formulas have.
const BEFORE_MOMENTS: usize = 4;

/// An update of the slab.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Update {
    /// The formula.
    pub formula: Formula,
    /// The uniform.
    pub params: UpdateParams,
    /// Whether it reads rules and clipping. [`Formula::plain`] says which formulas can do without.
    pub by_rules: bool,
}

/// The shader `shaders/NAME.wgsl` behind `lib/update.wgsl`: its entry points, each with its moments.
macro_rules! by_rules {
    ($name:literal $(+ $piece:literal)?, $overrides:expr, $($entry:literal: [$($index:literal $moment:literal),*]),*) => {
        Shader {
            name: $name,
            sources: &[
                include_str!("../../shaders/lib/step.wgsl"),
                include_str!("../../shaders/lib/moment.wgsl"),
                include_str!("../../shaders/lib/update.wgsl"),
                $(include_str!(concat!("../../shaders/lib/", $piece, ".wgsl")),)?
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
/// `shaders/sgd.wgsl`.
const PLAIN_SGD: Shader = Shader {
    name: "sgd",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/sgd.wgsl")],
    overrides: &[],
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "gradient"), Binding::update(2, "parameter")] }],
    ..SGD
};
/// `shaders/adagrad.wgsl`.
pub const ADAGRAD: Shader = by_rules!("adagrad", &[], "main": [5 "s"]);
/// `shaders/adadelta.wgsl`.
pub const ADADELTA: Shader = by_rules!("adadelta", &[], "main": [5 "v", 6 "d"]);
/// `shaders/rmsprop.wgsl`.
pub const RMSPROP: Shader = by_rules!("rmsprop", &[], "main": [5 "v"], "momentum": [5 "v", 6 "m"]);
/// `shaders/adam_ruled.wgsl`.
pub const ADAM: Shader =
    by_rules!("adam_ruled" + "adam", &[], "main": [5 "m", 6 "v"], "amsgrad": [5 "m", 6 "v", 7 "largest"]);
/// `shaders/adam.wgsl`.
const PLAIN_ADAM: Shader = Shader {
    name: "adam",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/moment.wgsl"),
        include_str!("../../shaders/lib/adam.wgsl"),
        include_str!("../../shaders/adam.wgsl"),
    ],
    entries: &[Entry {
        name: "main",
        bindings: &[
            Binding::read(1, "gradient"),
            Binding::update(2, "parameter"),
            Binding::update(3, "m"),
            Binding::update(4, "v"),
        ],
    }],
    ..ADAM
};
/// `shaders/adamax.wgsl`.
pub const ADAMAX: Shader = by_rules!("adamax", &[], "main": [5 "m", 6 "u"]);
/// `shaders/nadam.wgsl`.
pub const NADAM: Shader = by_rules!("nadam", &[], "main": [5 "m", 6 "v"]);

impl Spec for Update {
    fn shader(&self) -> &'static Shader {
        match self.formula.plain() {
            Some(plain) if !self.by_rules => plain,
            _ => self.formula.row().0,
        }
    }

    fn entry(&self) -> &'static Entry {
        &self.shader().entries[self.formula.row().1]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        match self.formula {
            Formula::Momentum => vec![("NESTEROV", 0.0)],
            Formula::Nesterov => vec![("NESTEROV", 1.0)],
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
        let size = |binding: &Binding| match binding.name {
            "clip" => RULE,
            "rules" => n / RULE_BLOCK * RULE,
            _ => n,
        };
        self.entry().bindings.iter().map(size).collect()
    }

    /// Clipping, L2, L1 and decay take 6; then the formula.
    fn flops(&self) -> u64 {
        (6 * u64::from(self.by_rules) + self.formula.row().2) * u64::from(self.params.n)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
