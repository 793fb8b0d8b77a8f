use super::method::{self, Formulated};
use super::{Method, Optimizer};
use crate::Result;
use crate::kernels::{Formula, Step};

/// Adam (Kingma & Ba 2014), in PyTorch's form:
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
/// `p ← p - lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// AMSGrad (Reddi, Kale & Kumar 2018) takes the largest `v` so far for `v̂`.
///
/// Defaults: learning rate 0.001, β₁ = 0.9, β₂ = 0.999, ε = 1e-8, no AMSGrad.
///
/// ```
/// use axone::optimizers::Adam;
///
/// let quick = Adam { beta2: 0.99, ..Adam::new(0.003) };
/// let amsgrad = Adam::new(0.003).amsgrad();
/// # assert!(amsgrad.amsgrad && quick.beta1 == 0.9);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Adam {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
    /// Divides by the root of the largest second moment so far: AMSGrad.
    pub amsgrad: bool,
}

impl Adam {
    /// Adam with this learning rate and the default moments.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, amsgrad: false }
    }

    /// Divides by the root of the largest second moment so far (AMSGrad).
    pub fn amsgrad(mut self) -> Self {
        self.amsgrad = true;
        self
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self::new(0.001)
    }
}

impl Formulated for Adam {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "beta1", self.beta1)?;
        method::fraction(name, "beta2", self.beta2)?;
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        if self.amsgrad { Formula::Amsgrad } else { Formula::Adam }
    }

    fn constants(&self) -> (f64, f64, f64) {
        (self.beta1, self.beta2, self.epsilon)
    }

    fn fill(&self, t: u64, step: &mut Step) {
        step.correction1 = method::correction(self.beta1, t);
        step.correction2 = method::correction(self.beta2, t);
    }
}

/// AdamW (Loshchilov & Hutter 2019): [`Adam`] with weight decay apart from the gradient, `p ← p - lr · λ p` before the
/// step of Adam. It is the same as `Adam::new(lr).weight_decay(λ)`.
///
/// Defaults: as [`Adam`], and λ = 0.01 (PyTorch's; it decays biases too, which here needs
/// [`decay_biases`](super::OptimizerExt::decay_biases)).
///
/// ```
/// use axone::prelude::*;
///
/// let gentle = AdamW { weight_decay: 1e-3, ..AdamW::new(0.003) };
/// let same: Optimizer = Adam::new(0.003).weight_decay(1e-3);
/// assert_eq!(Optimizer::from(gentle), same);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct AdamW {
    /// Adam and its settings, learning rate included.
    pub adam: Adam,
    /// λ, at least 0.
    pub weight_decay: f32,
}

impl AdamW {
    /// AdamW with this learning rate and the default moments and decay.
    pub fn new(learning_rate: f32) -> Self {
        Self { adam: Adam::new(learning_rate), weight_decay: 0.01 }
    }
}

impl Default for AdamW {
    fn default() -> Self {
        Self::new(0.001)
    }
}

impl From<AdamW> for Optimizer {
    fn from(AdamW { adam, weight_decay }: AdamW) -> Self {
        let plain = Optimizer::from(Method::Adam(adam));
        Self { weight_decay, ..plain }
    }
}
