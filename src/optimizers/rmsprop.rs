use super::method::{self, Formulated};
use crate::Result;
use crate::kernels::Formula;

/// RMSprop (Tieleman & Hinton 2012, lecture 6.5 of "Neural Networks for Machine Learning"), in PyTorch's form:
///
/// `v ← ρ v + (1 - ρ) g²`, `q = g / (√v + ε)`, `p ← p - lr · q`; with momentum μ `m ← μ m + q`, `p ← p - lr · m`.
///
/// Defaults: learning rate 0.01, ρ = 0.99 (PyTorch's `alpha`), ε = 1e-8, no momentum.
///
/// ```
/// use axone::optimizers::RmsProp;
/// let with_momentum = RmsProp::new(1e-3).momentum(0.9);
/// assert_eq!(with_momentum.rho, 0.99);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct RmsProp {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of the mean of squares, in `[0, 1)`.
    pub rho: f64,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
    /// How much of the last step's direction is kept, in `[0, 1)`; 0 for none.
    pub momentum: f64,
}

impl RmsProp {
    /// RMSprop with this learning rate, without momentum.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, rho: 0.99, epsilon: 1e-8, momentum: 0.0 }
    }

    /// Keeps this much of the last step's direction, in `[0, 1)`.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }
}

impl Default for RmsProp {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Formulated for RmsProp {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "rho", self.rho)?;
        method::fraction(name, "momentum", self.momentum)?;
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        if self.momentum > 0.0 { Formula::RmspropMomentum } else { Formula::Rmsprop }
    }

    fn constants(&self) -> (f64, f64, f64) {
        (self.momentum, self.rho, self.epsilon)
    }
}
