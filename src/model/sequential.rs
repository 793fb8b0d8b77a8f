//! Layers in a row.

use super::network::RowShape;
use super::{Losses, Model, Network, Summary};
use crate::Result;
use crate::device::Device;
use crate::layers::Layer;
use crate::optimizers::Optimizer;

/// A chain of layers, from one input to one output.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(784)
///     .add(Dense::new(128).activation(Activation::Relu))
///     .add(Dropout::new(0.2))
///     .add(Dense::new(10).activation(Activation::Softmax));
/// println!("{}", net.summary()?);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Sequential {
    input: RowShape,
    layers: Vec<Layer>,
}

impl Sequential {
    /// A chain whose input has rows of this shape: a width, or `[28, 28]` for an image.
    pub fn new(input: impl Into<RowShape>) -> Self {
        Self { input: input.into(), layers: Vec::new() }
    }

    /// Adds a layer behind the others. What is wrong with it is reported by [`Sequential::compile`].
    #[allow(clippy::should_implement_trait, reason = "`add` is the name that Keras users look for")]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// The shape of its input, and its layers.
    pub(super) fn parts(&self) -> (&RowShape, &[Layer]) {
        (&self.input, &self.layers)
    }

    /// The chain as a network.
    ///
    /// # Errors
    /// Shapes that do not fit and values out of range, naming the layer.
    pub fn network(&self) -> Result<Network> {
        let mut network = Network::new();
        let mut value = network.input("input", self.input.clone())?;
        for layer in &self.layers {
            value = network.apply(layer.clone(), value)?;
        }
        network.output(value)?;
        Ok(network)
    }

    /// Makes a model of the chain: see [`Model::compile`].
    ///
    /// # Errors
    /// As [`Sequential::network`] and [`Model::compile`].
    pub fn compile(&self, device: Device, losses: impl Into<Losses>, optimizer: impl Into<Optimizer>) -> Result<Model> {
        self.network()?.compile(device, losses, optimizer)
    }

    /// A table of the layers with shapes and parameter counts.
    ///
    /// # Errors
    /// As [`Sequential::network`].
    pub fn summary(&self) -> Result<Summary> {
        Ok(self.network()?.summary())
    }
}
