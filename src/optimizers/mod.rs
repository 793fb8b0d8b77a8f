//! What turns gradients into better parameters: one dispatch over the whole slab.

use crate::kernels::{self, Kernel, Step};
use crate::plan::Update;
use crate::{Error, Result};

/// Stochastic gradient descent: `p ← p - lr · g` (Robbins & Monro 1951). Default learning rate 0.01.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Sgd {
    /// Learning rate, positive.
    pub learning_rate: f32,
}

impl Sgd {
    /// Gradient descent with this learning rate.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate }
    }
}

impl Default for Sgd {
    fn default() -> Self {
        Self::new(0.01)
    }
}

/// Adam (Kingma & Ba 2014), in PyTorch's form:
///
/// `m ← β₁ m + (1 - β₁) g`, `v ← β₂ v + (1 - β₂) g²`,
/// `p ← p - lr · m̂ / (√v̂ + ε)` with `m̂ = m / (1 - β₁ᵗ)`, `v̂ = v / (1 - β₂ᵗ)`.
///
/// Defaults: learning rate 0.001, β₁ = 0.9, β₂ = 0.999, ε = 1e-8.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Adam {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Decay of the first moment, in `[0, 1)`.
    pub beta1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta2: f64,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
}

impl Adam {
    /// Adam with this learning rate and the default moments.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
    }
}

impl Default for Adam {
    fn default() -> Self {
        Self::new(0.001)
    }
}

/// Any optimizer.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Optimizer {
    /// See [`Sgd`].
    Sgd(Sgd),
    /// See [`Adam`].
    Adam(Adam),
}

impl From<Sgd> for Optimizer {
    fn from(optimizer: Sgd) -> Self {
        Optimizer::Sgd(optimizer)
    }
}

impl From<Adam> for Optimizer {
    fn from(optimizer: Adam) -> Self {
        Optimizer::Adam(optimizer)
    }
}

impl Optimizer {
    /// The name, as in summaries.
    pub fn name(&self) -> &'static str {
        match self {
            Optimizer::Sgd(_) => "sgd",
            Optimizer::Adam(_) => "adam",
        }
    }

    /// The learning rate.
    pub fn learning_rate(&self) -> f32 {
        match self {
            Optimizer::Sgd(sgd) => sgd.learning_rate,
            Optimizer::Adam(adam) => adam.learning_rate,
        }
    }

    /// Changes the learning rate; [`Optimizer::check`] refuses what it cannot be.
    pub(crate) fn set_learning_rate(&mut self, rate: f32) {
        match self {
            Optimizer::Sgd(sgd) => sgd.learning_rate = rate,
            Optimizer::Adam(adam) => adam.learning_rate = rate,
        }
    }

    /// Refuses values outside their range.
    pub(crate) fn check(&self) -> Result<()> {
        let rate = self.learning_rate();
        if !(rate.is_finite() && rate > 0.0) {
            return Err(Error::value(self.name(), "learning_rate", "positive and finite", rate));
        }
        if let Optimizer::Adam(adam) = self {
            for (name, beta) in [("beta1", adam.beta1), ("beta2", adam.beta2)] {
                if !(0.0..1.0).contains(&beta) {
                    return Err(Error::value("adam", name, "at least 0 and less than 1", beta));
                }
            }
            // The kernel adds ε in f32: a smaller one would be 0 there.
            if !(adam.epsilon >= f64::from(f32::MIN_POSITIVE) && adam.epsilon.is_finite()) {
                return Err(Error::value("adam", "epsilon", "positive and finite in f32", adam.epsilon));
            }
        }
        Ok(())
    }

    /// The dispatch over a slab of `elements`.
    pub(crate) fn update(&self, elements: usize) -> Update {
        let n = elements as u32;
        match self {
            Optimizer::Sgd(_) => Update { kernel: Kernel::Sgd(kernels::Sgd { n }), moments: 0 },
            Optimizer::Adam(adam) => {
                let kernel = kernels::Adam::new(n, adam.beta1, adam.beta2, adam.epsilon);
                Update { kernel: Kernel::Adam(kernel), moments: 2 }
            }
        }
    }

    /// What step number `t` (1, 2, …) needs of the optimizer: learning rate and bias corrections, computed in f64.
    pub(crate) fn fill(&self, t: u32, step: &mut Step) {
        step.step = t;
        step.learning_rate = self.learning_rate();
        if let Optimizer::Adam(adam) = self {
            let correction = |beta: f64| (1.0 - beta.powi(t.min(i32::MAX as u32) as i32)) as f32;
            (step.correction1, step.correction2) = (correction(adam.beta1), correction(adam.beta2));
        }
    }
}
