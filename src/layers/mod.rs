//! The layers a model is made of.

mod activation;
mod dense;

pub use activation::Activation;
pub use dense::Dense;

use crate::graph::{Graph, NodeId, Role, Shape};
use crate::init::Initializer;
use crate::optimizers::LayerRule;
use crate::{Error, Result};

/// Sets each element to 0 with probability `rate` while training and scales the rest by `1 / (1 - rate)`;
/// does nothing otherwise (Srivastava et al. 2014). The mask is a function of (seed, step, layer, element),
/// the same on every device.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Dropout {
    pub(crate) rate: f32,
}

impl Dropout {
    /// Drops with probability `rate`, at least 0 and less than 1.
    pub fn new(rate: f32) -> Self {
        Self { rate }
    }
}

/// Turns the rows of an image or grid into one row of numbers: `(B, h, w)` becomes `(B, h·w)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub struct Flatten;

/// Any layer.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Layer {
    /// See [`Dense`].
    Dense(Dense),
    /// An activation as a layer of its own.
    Activation(Activation),
    /// See [`Dropout`].
    Dropout(Dropout),
    /// See [`Flatten`].
    Flatten,
    /// The sum of several values of one shape.
    Add,
    /// Several values side by side.
    Concat,
}

impl From<Dense> for Layer {
    fn from(layer: Dense) -> Self {
        Layer::Dense(layer)
    }
}

impl From<Activation> for Layer {
    fn from(layer: Activation) -> Self {
        Layer::Activation(layer)
    }
}

impl From<Dropout> for Layer {
    fn from(layer: Dropout) -> Self {
        Layer::Dropout(layer)
    }
}

impl From<Flatten> for Layer {
    fn from(_: Flatten) -> Self {
        Layer::Flatten
    }
}

/// What a layer leaves in the graph.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Built {
    /// The layer's value.
    pub value: NodeId,
    /// The value its activation was applied to: losses that contain the activation start there.
    pub before: Option<(Activation, NodeId)>,
}

impl Layer {
    /// The kind, as in `dense_1`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Layer::Dense(_) => "dense",
            Layer::Activation(activation) => activation.name(),
            Layer::Dropout(_) => "dropout",
            Layer::Flatten => "flatten",
            Layer::Add => "add",
            Layer::Concat => "concat",
        }
    }

    /// The name the user gave it.
    pub(crate) fn given_name(&self) -> Option<&str> {
        match self {
            Layer::Dense(dense) => dense.name.as_deref(),
            _ => None,
        }
    }

    /// The shape of one row of the result, from the shapes of one row of each input.
    pub(crate) fn output_shape(&self, name: &str, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let first =
            inputs.first().copied().ok_or_else(|| Error::value(name, "inputs", "at least one value", "none"))?;
        let list = |shape: &[usize]| format!("{shape:?}");
        let batch_of = |shape: &[usize]| {
            let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
            format!("(B, {})", sides.join(", "))
        };
        match self {
            Layer::Dense(dense) if dense.units == 0 => Err(Error::value(name, "units", "at least 1", 0)),
            Layer::Dense(dense) => match first {
                [_] => dense.activation.check(name).and(dense.rule.check(name)).map(|()| vec![dense.units]),
                grid => Err(Error::shape(name, "rows of one dimension (put Flatten in front)", list(grid))),
            },
            Layer::Activation(activation) => activation.check(name).map(|()| first.to_vec()),
            Layer::Dropout(Dropout { rate }) if !(0.0..1.0).contains(rate) => {
                Err(Error::value(name, "rate", "at least 0 and less than 1", rate))
            }
            Layer::Dropout(_) => Ok(first.to_vec()),
            Layer::Flatten => Ok(vec![first.iter().product()]),
            Layer::Add => match inputs.iter().find(|shape| **shape != first) {
                Some(other) => Err(Error::shape(name, batch_of(first), batch_of(other))),
                None => Ok(first.to_vec()),
            },
            Layer::Concat => match inputs.iter().find(|shape| shape.len() != 1) {
                Some(grid) => Err(Error::shape(name, "rows of one dimension (put Flatten in front)", list(grid))),
                None => Ok(vec![inputs.iter().map(|shape| shape[0]).sum()]),
            },
        }
    }

    /// How its parameters start, in the order in which [`Layer::build`] declares them.
    pub(crate) fn initializers(&self) -> Vec<Initializer> {
        match self {
            Layer::Dense(dense) if dense.bias => vec![dense.weights, dense.bias_start],
            Layer::Dense(dense) => vec![dense.weights],
            _ => Vec::new(),
        }
    }

    /// What it says of the update of its parameters.
    pub(crate) fn rule(&self) -> LayerRule {
        match self {
            Layer::Dense(dense) => dense.rule,
            _ => LayerRule::default(),
        }
    }

    /// Appends the layer to `graph`. `stream` tells the random numbers of this layer from the others'.
    pub(crate) fn build(
        &self,
        graph: &mut Graph,
        name: &str,
        inputs: &[Built],
        training: bool,
        stream: u32,
    ) -> Result<Built> {
        let values: Vec<NodeId> = inputs.iter().map(|input| input.value).collect();
        let first = *values.first().ok_or_else(|| Error::value(name, "inputs", "at least one value", "none"))?;
        let plain = |value| Built { value, before: None };
        Ok(match self {
            Layer::Dense(dense) => {
                let Shape { cols, .. } = graph.shape(first);
                let w = graph.parameter(&format!("{name}.w"), Role::Weight, cols, dense.units)?;
                let mut z = graph.matmul(name, first, w)?;
                if dense.bias {
                    let b = graph.parameter(&format!("{name}.b"), Role::Bias, 1, dense.units)?;
                    z = graph.bias_add(name, z, b)?;
                }
                activated(graph, name, dense.activation, z)
            }
            Layer::Activation(activation) => activated(graph, name, *activation, first),
            Layer::Dropout(Dropout { rate }) if training && *rate > 0.0 => {
                plain(graph.dropout(name, *rate, stream, first)?)
            }
            Layer::Dropout(_) | Layer::Flatten => inputs.first().copied().unwrap_or(plain(first)),
            Layer::Add => {
                let sum = values[1..].iter().try_fold(first, |sum, &value| graph.add(name, sum, value))?;
                plain(sum)
            }
            Layer::Concat => plain(graph.concat(name, &values)?),
        })
    }
}

fn activated(graph: &mut Graph, name: &str, activation: Activation, z: NodeId) -> Built {
    Built { value: activation.apply(graph, name, z), before: Some((activation, z)) }
}
