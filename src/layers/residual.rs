//! A block that learns what to add to its input.

use super::{Apply, Built, Layer, Place};
use crate::graph::Graph;
use crate::{Error, Result};

/// `y = x + f(x)`, where `f` is a chain of layers (He et al. 2015): the block learns the difference from its input,
/// and gradients pass it unhindered. `f(x)` has the shape of `x`, or of the `shortcut` of `x`, if there is one.
///
/// In the network the layers of `f` stand one by one, under their own names, and their sum is called `residual_1`,
/// `residual_2`, …
///
/// ```
/// use axone::prelude::*;
///
/// let block = || {
///     Residual::new()
///         .add(Dense::new(16).without_bias())
///         .add(BatchNorm::new())
///         .add(Activation::Relu)
///         .add(Dense::new(16))
/// };
/// let net = Sequential::new(5)
///     .add(Residual::new().add(Dense::new(16).activation(Activation::Relu)).shortcut(Dense::new(16).without_bias()))
///     .add(block())
///     .add(block())
///     .add(Dense::new(3).activation(Activation::Softmax));
/// println!("{}", net.summary()?);
/// let error = Sequential::new(5).add(block()).network().unwrap_err();
/// assert_eq!(error.to_string(), "residual_1: expected (B, 5), got (B, 16)");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Residual {
    pub(crate) layers: Vec<Layer>,
    pub(crate) shortcut: Option<Box<Layer>>,
    pub(crate) name: Option<String>,
}

impl Residual {
    /// A block without layers; at least one is to be added.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer to `f`, behind the others.
    #[allow(clippy::should_implement_trait, reason = "`add` is the name in `Sequential`")]
    pub fn add(mut self, layer: impl Into<Layer>) -> Self {
        self.layers.push(layer.into());
        self
    }

    /// A layer in place of the identity, where `f` changes the width: `y = layer(x) + f(x)`.
    pub fn shortcut(mut self, layer: impl Into<Layer>) -> Self {
        self.shortcut = Some(Box::new(layer.into()));
        self
    }

    /// A name for the sum; `residual_1`, `residual_2`, … if not told.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

/// A network applies its layers one by one, so it stands in none.
impl Apply for Residual {
    fn kind(&self) -> &'static str {
        "residual"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, name: &str, _: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        Err(unapplied(name))
    }

    fn build(&self, _: &mut Graph, place: &Place<'_>) -> Result<Built> {
        Err(unapplied(place.name))
    }
}

fn unapplied(name: &str) -> Error {
    Error::Internal(format!("{name}: a residual block stands in a network layer by layer"))
}
