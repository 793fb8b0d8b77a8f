//! The fully connected layer.

use super::Activation;
use crate::init::Initializer;

/// `y = f(x W + b)`: every output sees every input. `x (B, K)`, `W (K, units)`, `b (units)`.
///
/// Defaults: no activation, a bias that starts at 0, Glorot-uniform weights.
///
/// ```
/// use axone::layers::{Activation, Dense};
/// use axone::Initializer;
///
/// let layer = Dense::new(128).activation(Activation::Relu).weights(Initializer::HeNormal);
/// assert_eq!(layer.units(), 128);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Dense {
    pub(crate) units: usize,
    pub(crate) activation: Activation,
    pub(crate) bias: bool,
    pub(crate) weights: Initializer,
    pub(crate) bias_start: Initializer,
    pub(crate) name: Option<String>,
}

impl Dense {
    /// A layer of `units` outputs.
    pub fn new(units: usize) -> Self {
        Self {
            units,
            activation: Activation::Identity,
            bias: true,
            weights: Initializer::GlorotUniform,
            bias_start: Initializer::Zeros,
            name: None,
        }
    }

    /// The function applied to the sums.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// Leaves out the bias.
    pub fn without_bias(mut self) -> Self {
        self.bias = false;
        self
    }

    /// How the weights start; Glorot-uniform if not told.
    pub fn weights(mut self, initializer: Initializer) -> Self {
        self.weights = initializer;
        self
    }

    /// How the bias starts; zero if not told.
    pub fn bias(mut self, initializer: Initializer) -> Self {
        self.bias_start = initializer;
        self
    }

    /// A name for messages and files; `dense_1`, `dense_2`, … if not told.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// Number of outputs.
    pub fn units(&self) -> usize {
        self.units
    }
}
