use super::method::{self, Formulated};
use crate::Result;
use crate::kernels::{Formula, Step};

/// Adamax (Kingma & Ba 2014, section 7.1: Adam with the infinity norm), in PyTorch's form:
///
/// `m ← β₁ m + (1 - β₁) g`, `u ← max(β₂ u, |g| + ε)`, `p ← p - lr / (1 - β₁ᵗ) · m / u`.
///
/// Defaults: learning rate 0.002, β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
///
/// ```
/// use axone::optimizers::Adamax;
/// assert_eq!(Adamax::default().learning_rate, 0.002);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Adamax {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the infinity norm, in `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
}

impl Adamax {
    /// Adamax with this learning rate and the default moments.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Default for Adamax {
    fn default() -> Self {
        Self::new(0.002)
    }
}

impl Formulated for Adamax {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "beta1", self.beta1)?;
        method::fraction(name, "beta2", self.beta2)?;
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        Formula::Adamax
    }

    fn constants(&self) -> (f64, f64, f64) {
        (self.beta1, self.beta2, self.epsilon)
    }

    fn fill(&self, t: u64, step: &mut Step) {
        step.correction1 = method::correction(self.beta1, t);
    }
}
