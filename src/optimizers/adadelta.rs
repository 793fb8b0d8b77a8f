use super::method::{self, Formulated};
use crate::Result;
use crate::kernels::Formula;

/// Adadelta (Zeiler 2012), in PyTorch's form:
///
/// `v ← ρ v + (1 - ρ) g²`, `δ = √(d + ε) / √(v + ε) · g`, `d ← ρ d + (1 - ρ) δ²`, `p ← p - lr · δ`.
///
/// Defaults: learning rate 1 (the paper has none), ρ = 0.9, ε = 1e-6.
///
/// ```
/// use axone::optimizers::Adadelta;
/// assert_eq!(Adadelta::default(), Adadelta { learning_rate: 1.0, rho: 0.9, epsilon: 1e-6 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Adadelta {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of both means of squares, in `[0, 1)`.
    pub rho: f64,
    /// Starts the first steps and keeps the division finite, positive.
    pub epsilon: f64,
}

impl Adadelta {
    /// Adadelta with this learning rate.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, rho: 0.9, epsilon: 1e-6 }
    }
}

impl Default for Adadelta {
    fn default() -> Self {
        Self::new(1.0)
    }
}

impl Formulated for Adadelta {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "rho", self.rho)?;
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        Formula::Adadelta
    }

    fn constants(&self) -> (f64, f64, f64) {
        (0.0, self.rho, self.epsilon)
    }
}
