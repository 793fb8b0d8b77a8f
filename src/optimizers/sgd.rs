use super::method::{self, Formulated};
use crate::kernels::Formula;
use crate::{Error, Result};

/// Stochastic gradient descent (Robbins & Monro 1951), with momentum (Polyak 1964) or Nesterov's (1983; Sutskever et
/// al. 2013), in PyTorch's form:
///
/// `p ← p - lr · g`; with momentum μ `m ← μ m + g`, `p ← p - lr · m`; Nesterov's `p ← p - lr · (g + μ m)`.
///
/// Defaults: learning rate 0.01, no momentum.
///
/// ```
/// use axone::optimizers::Sgd;
///
/// let plain = Sgd::new(0.1);
/// let nesterov = Sgd::new(0.1).momentum(0.9).nesterov();
/// # assert!(nesterov.nesterov && plain.momentum == 0.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Sgd {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// How much of the last step's direction is kept, in `[0, 1)`; 0 for none.
    pub momentum: f64,
    /// Nesterov's form; needs momentum.
    pub nesterov: bool,
}

impl Sgd {
    /// Gradient descent with this learning rate, without momentum.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, momentum: 0.0, nesterov: false }
    }

    /// Keeps this much of the last step's direction: in `[0, 1)`, 0.9 as a rule.
    pub fn momentum(mut self, momentum: f64) -> Self {
        self.momentum = momentum;
        self
    }

    /// Nesterov's form of the momentum.
    pub fn nesterov(mut self) -> Self {
        self.nesterov = true;
        self
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Formulated for Sgd {
    fn check(&self, name: &str) -> Result<()> {
        method::fraction(name, "momentum", self.momentum)?;
        if self.nesterov && self.momentum == 0.0 {
            return Err(Error::value(name, "momentum", "above 0 for Nesterov's form", self.momentum));
        }
        Ok(())
    }

    fn formula(&self) -> Formula {
        match (self.momentum > 0.0, self.nesterov) {
            (false, _) => Formula::Sgd,
            (true, false) => Formula::Momentum,
            (true, true) => Formula::Nesterov,
        }
    }

    fn constants(&self) -> (f64, f64, f64) {
        (self.momentum, 0.0, 0.0)
    }
}
