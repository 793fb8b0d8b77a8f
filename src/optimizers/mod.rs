//! Optimizers, from gradients to updated parameters: one dispatch over the whole slab.
//!
//! Every optimizer is a small struct of settings and converts into an [`Optimizer`]. What they have in common is set
//! through [`OptimizerExt`], which the prelude has:
//!
//! ```
//! use axone::prelude::*;
//!
//! let net = Sequential::new(4).add(Dense::new(3).activation(Activation::Softmax));
//! let optimizer = Adam::new(1e-3).weight_decay(1e-2).clip_norm(1.0);
//! let model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, optimizer)?;
//! # Ok::<(), axone::Error>(())
//! ```
//!
//! [`Method`] lists them with their formulas.

mod adadelta;
mod adagrad;
mod adam;
mod adamax;
mod method;
mod nadam;
mod rmsprop;
mod rules;
mod settings;
mod sgd;

pub use adam::AdamW;
pub(crate) use rules::{LayerRule, clip, needs_rules, rules};
pub use settings::{Clip, OptimizerExt};

use crate::Result;
use crate::kernels::{self, Kernel, Step, UpdateParams};
use crate::plan::ParameterUpdate;
use crate::random::counter;
use method::Formulated;

/// Writes [`Method`] from one table: of each its documentation, the file of its struct, which has a `learning_rate`,
/// and its name in summaries.
macro_rules! methods {
    ($($(#[$doc:meta])* $file:ident::$name:ident, $text:literal;)*) => {
        $(pub use $file::$name;)*

        /// How gradients become steps.
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Method {
            $($(#[$doc])* $name($name),)*
        }

        impl Method {
            fn formulated(&self) -> &dyn Formulated {
                match self { $(Self::$name(method) => method),* }
            }

            fn name(&self) -> &'static str {
                match self { $(Self::$name(_) => $text),* }
            }

            fn learning_rate(&mut self) -> &mut f32 {
                match self { $(Self::$name(method) => &mut method.learning_rate),* }
            }
        }

        $(impl From<$name> for Optimizer {
            fn from(method: $name) -> Self {
                Method::$name(method).into()
            }
        })*
    };
}

methods! {
    /// `p - lr g`, no moments; with momentum `m = μ m + g`, `p - lr m`, one.
    sgd::Sgd, "sgd";
    /// `s = s + g²`, `p - lr g / (√s + ε)`; one moment.
    adagrad::Adagrad, "adagrad";
    /// `p - lr δ`, the step in units of the last steps; two moments.
    adadelta::Adadelta, "adadelta";
    /// `v = ρ v + (1 - ρ) g²`, `p - lr g / (√v + ε)`; one moment, two with momentum.
    rmsprop::RmsProp, "rmsprop";
    /// `p - lr m̂ / (√v̂ + ε)`; two moments, three with AMSGrad. With weight decay it is [`AdamW`].
    adam::Adam, "adam";
    /// `p - lr m̂ / u`, `u` the largest gradient, fading; two moments.
    adamax::Adamax, "adamax";
    /// Adam with Nesterov's momentum; two moments.
    nadam::Nadam, "nadam";
}

/// Any optimizer: a method, and what is done to every gradient before it. `compile` takes whatever converts into this.
///
/// In this order: the gradient `g` is clipped; `g ← g + λ₂ p + λ₁ sign(p)` (L2, L1); `p ← p - lr · λ p` (weight decay);
/// then the method moves `p` by `g`. The factors are set by [`OptimizerExt`] and act on weights; biases and the scales
/// and shifts of normalisations are spared unless [`decay_biases`](OptimizerExt::decay_biases) is set. The loss that a
/// run reports does not contain the penalties.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Optimizer {
    /// The method.
    pub method: Method,
    /// λ₁: the penalty `λ₁ Σ |p|`.
    pub l1: f32,
    /// λ₂: the penalty `½ λ₂ Σ p²`.
    pub l2: f32,
    /// λ of the decay apart from the gradient.
    pub weight_decay: f32,
    /// Whether L1, L2 and weight decay act on every parameter, biases included.
    pub decay_biases: bool,
    /// How gradients are clipped.
    pub clip: Option<Clip>,
}

impl From<Method> for Optimizer {
    fn from(method: Method) -> Self {
        Self { method, l1: 0.0, l2: 0.0, weight_decay: 0.0, decay_biases: false, clip: None }
    }
}

impl Optimizer {
    /// The name, as in summaries.
    pub fn name(&self) -> &'static str {
        match &self.method {
            Method::Adam(_) if self.weight_decay != 0.0 => "adamw",
            method => method.name(),
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f32 {
        *{ self.method }.learning_rate()
    }

    /// Changes the learning rate; [`Optimizer::check`] refuses what it cannot be.
    pub(crate) fn set_learning_rate(&mut self, rate: f32) {
        *self.method.learning_rate() = rate;
    }

    /// Refuses values outside their range.
    pub(crate) fn check(&self) -> Result<()> {
        let name = self.name();
        method::positive(name, "learning_rate", self.learning_rate())?;
        self.method.formulated().check(name)?;
        for (factor, value) in [("l1", self.l1), ("l2", self.l2), ("weight_decay", self.weight_decay)] {
            method::not_negative(name, factor, value)?;
        }
        match self.clip {
            Some(Clip::Norm(most)) => method::positive(name, "clip_norm", most),
            Some(Clip::Value(most)) => method::positive(name, "clip_value", most),
            None => Ok(()),
        }
    }

    /// The dispatch over a slab of `elements`. Moments lie alike with and without rules, which gradients of a `scaled`
    /// loss need.
    pub(crate) fn update(&self, elements: usize, by_rules: bool, scaled: bool) -> ParameterUpdate {
        let (n, method) = (elements as u32, self.method.formulated());
        let formula = method.formula();
        let (decay1, decay2, epsilon) = method.constants();
        let params = UpdateParams::new(n, decay1, decay2, epsilon);
        let by_rules = by_rules || scaled || formula.plain().is_none();
        let kernel = Kernel::Update(kernels::Update { formula, params, by_rules });
        let max_norm = match self.clip {
            Some(Clip::Norm(most)) => Some(most),
            _ => None,
        };
        ParameterUpdate { kernel, moments: formula.moments().len(), max_norm, scaled }
    }

    /// What step number `t` (1, 2, …) needs of the optimizer: learning rate and bias corrections, computed in f64. All
    /// but the learning rate are functions of `t` alone: a schedule may write another rate over it.
    pub(crate) fn fill(&self, t: u64, step: &mut Step) {
        step.step = counter(t);
        step.learning_rate = self.learning_rate();
        self.method.formulated().fill(t, step);
    }
}
