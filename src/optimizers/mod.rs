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
//! | optimizer | formula | moments |
//! |---|---|---|
//! | [`Sgd`] | `p - lr g`; with momentum `m = μ m + g`, `p - lr m` | 0; 1 |
//! | [`Adagrad`] | `s = s + g²`, `p - lr g / (√s + ε)` | 1 |
//! | [`Adadelta`] | `p - lr δ`, the step in units of the last steps | 2 |
//! | [`RmsProp`] | `v = ρ v + (1 - ρ) g²`, `p - lr g / (√v + ε)` | 1; 2 with momentum |
//! | [`Adam`], [`AdamW`] | `p - lr m̂ / (√v̂ + ε)` | 2; 3 with AMSGrad |
//! | [`Adamax`] | `p - lr m̂ / u`, `u` the largest gradient, fading | 2 |
//! | [`Nadam`] | Adam with Nesterov's momentum | 2 |

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

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::{Adam, AdamW};
pub use adamax::Adamax;
pub use nadam::Nadam;
pub use rmsprop::RmsProp;
pub(crate) use rules::{LayerRule, clip, needs_rules, rules};
pub use settings::{Clip, OptimizerExt};
pub use sgd::Sgd;

use crate::Result;
use crate::kernels::{self, Kernel, Step, UpdateParams};
use crate::plan::Update;
use crate::random::counter;
use method::Formulated;

/// How gradients become steps.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Method {
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Adagrad`].
    Adagrad(Adagrad),
    /// See [`Adadelta`].
    Adadelta(Adadelta),
    /// See [`RmsProp`].
    RmsProp(RmsProp),
    /// See [`Adam`]; with weight decay it is [`AdamW`].
    Adam(Adam),
    /// See [`Adamax`].
    Adamax(Adamax),
    /// See [`Nadam`].
    Nadam(Nadam),
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

/// Conversions of a method's struct.
macro_rules! into_optimizer {
    ($($name:ident),*) => {$(
        impl From<$name> for Optimizer {
            fn from(method: $name) -> Self {
                Method::$name(method).into()
            }
        }
    )*};
}

into_optimizer!(Sgd, Adagrad, Adadelta, RmsProp, Adam, Adamax, Nadam);

impl From<Method> for Optimizer {
    fn from(method: Method) -> Self {
        Self { method, l1: 0.0, l2: 0.0, weight_decay: 0.0, decay_biases: false, clip: None }
    }
}

impl Optimizer {
    fn formulated(&self) -> &dyn Formulated {
        match &self.method {
            Method::Sgd(method) => method,
            Method::Adagrad(method) => method,
            Method::Adadelta(method) => method,
            Method::RmsProp(method) => method,
            Method::Adam(method) => method,
            Method::Adamax(method) => method,
            Method::Nadam(method) => method,
        }
    }

    /// The name, as in summaries.
    pub fn name(&self) -> &'static str {
        match &self.method {
            Method::Sgd(_) => "sgd",
            Method::Adagrad(_) => "adagrad",
            Method::Adadelta(_) => "adadelta",
            Method::RmsProp(_) => "rmsprop",
            Method::Adam(_) if self.weight_decay != 0.0 => "adamw",
            Method::Adam(_) => "adam",
            Method::Adamax(_) => "adamax",
            Method::Nadam(_) => "nadam",
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f32 {
        self.formulated().learning_rate()
    }

    /// Changes the learning rate; [`Optimizer::check`] refuses what it cannot be.
    pub(crate) fn set_learning_rate(&mut self, rate: f32) {
        let known = match &mut self.method {
            Method::Sgd(method) => &mut method.learning_rate,
            Method::Adagrad(method) => &mut method.learning_rate,
            Method::Adadelta(method) => &mut method.learning_rate,
            Method::RmsProp(method) => &mut method.learning_rate,
            Method::Adam(method) => &mut method.learning_rate,
            Method::Adamax(method) => &mut method.learning_rate,
            Method::Nadam(method) => &mut method.learning_rate,
        };
        *known = rate;
    }

    /// Refuses values outside their range.
    pub(crate) fn check(&self) -> Result<()> {
        let name = self.name();
        method::positive(name, "learning_rate", self.learning_rate())?;
        self.formulated().check(name)?;
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
    pub(crate) fn update(&self, elements: usize, by_rules: bool, scaled: bool) -> Update {
        let (n, method) = (elements as u32, self.formulated());
        let formula = method.formula();
        let kernel = method.plain(n).filter(|_| !by_rules && !scaled).unwrap_or_else(|| {
            let (decay1, decay2, epsilon) = method.constants();
            Kernel::Update(kernels::Update { formula, params: UpdateParams::new(n, decay1, decay2, epsilon) })
        });
        let max_norm = match self.clip {
            Some(Clip::Norm(most)) => Some(most),
            _ => None,
        };
        Update { kernel, moments: formula.moments(), max_norm, scaled }
    }

    /// What step number `t` (1, 2, …) needs of the optimizer: learning rate and bias corrections, computed in f64. All
    /// but the learning rate are functions of `t` alone: a schedule may write another rate over it.
    pub(crate) fn fill(&self, t: u64, step: &mut Step) {
        step.step = counter(t);
        step.learning_rate = self.learning_rate();
        self.formulated().fill(t, step);
    }
}
