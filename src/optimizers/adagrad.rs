use super::method::{self, Formulated};
use crate::Result;
use crate::kernels::Formula;

/// Adagrad (Duchi, Hazan & Singer 2011), in PyTorch's form:
///
/// `s ← s + g²`, `p ← p - lr · g / (√s + ε)`.
///
/// Defaults: learning rate 0.01, ε = 1e-10; `s` starts at 0.
///
/// ```
/// use axone::optimizers::Adagrad;
/// assert_eq!(Adagrad::new(0.05), Adagrad { learning_rate: 0.05, epsilon: 1e-10 });
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Adagrad {
    /// Learning rate, positive.
    pub learning_rate: f32,
    /// Keeps the division finite, positive.
    pub epsilon: f64,
}

impl Adagrad {
    /// Adagrad with this learning rate.
    pub fn new(learning_rate: f32) -> Self {
        Self { learning_rate, epsilon: 1e-10 }
    }
}

impl Default for Adagrad {
    fn default() -> Self {
        Self::new(0.01)
    }
}

impl Formulated for Adagrad {
    fn check(&self, name: &str) -> Result<()> {
        method::epsilon(name, self.epsilon)
    }

    fn formula(&self) -> Formula {
        Formula::Adagrad
    }

    fn constants(&self) -> (f64, f64, f64) {
        (0.0, 0.0, self.epsilon)
    }
}
