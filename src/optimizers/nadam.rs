use super::method::{self, Formulated};
use crate::kernels::{Formula, Step};
use crate::{Error, Result};

/// Nadam (Dozat 2016: Adam with Nesterov's momentum), in PyTorch's form:
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`, `μₜ = β₁ (1 - 0.96^(t ψ) / 2)`, `Mₜ = μ₁ μ₂ … μₜ`,
/// `p ← p - lr · ((1 - μₜ) / (1 - Mₜ) · g + μₜ₊₁ / (1 - Mₜ₊₁) · m) / (√v̂ + ε)` with `v̂ = v / (1 - β₂ᵗ)`.
///
/// Defaults: learning rate 0.002, β₁ = 0.9, β₂ = 0.999, ε = 1e-8, ψ = 0.004.
///
/// ```
/// use axone::optimizers::Nadam;
/// assert_eq!(Nadam::default().momentum_decay, 0.004);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Nadam {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
    /// ψ: how fast the momentum grows from half of β₁ to β₁; at least 0.
    pub momentum_decay: f64,
}

impl Nadam {
    /// Nadam with this learning rate and the default moments.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, momentum_decay: 0.004 }
    }

    /// `μₜ`.
    fn momentum(&self, t: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * 0.96f64.powf(t as f64 * self.momentum_decay))
    }

    /// `Mₜ`, a function of `t` alone, so that a run that is resumed needs no state. Every factor is below 1: the product
    /// stops where `1 - Mₜ` can no longer change.
    fn product(&self, t: u64) -> f64 {
        let mut product = 1.0;
        for factor in (1..=t).map(|t| self.momentum(t)) {
            product *= factor;
            if product < f64::EPSILON / 4.0 {
                break;
            }
        }
        product
    }
}

impl Default for Nadam {
    fn default() -> Self {
        Self::new(0.002)
    }
}

impl Formulated for Nadam {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "beta1", self.beta1)?;
        method::fraction(name, "beta2", self.beta2)?;
        if !(self.momentum_decay.is_finite() && self.momentum_decay >= 0.0) {
            return Err(Error::value(name, "momentum_decay", "at least 0 and finite", self.momentum_decay));
        }
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        Formula::Nadam
    }

    fn constants(&self) -> (f64, f64, f64) {
        (self.beta1, self.beta2, self.epsilon)
    }

    fn fill(&self, t: u64, step: &mut Step) {
        let (product, momentum, next) = (self.product(t), self.momentum(t), self.momentum(t.saturating_add(1)));
        step.gradient_share = ((1.0 - momentum) / (1.0 - product)) as f32;
        step.moment_share = (next / (1.0 - product * next)) as f32;
        step.correction2 = method::correction(self.beta2, t);
    }
}
