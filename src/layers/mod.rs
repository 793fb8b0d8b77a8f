//! The layers a model is made of.

mod activity;
mod batch_norm;
mod dense;
mod dropout;
mod embedding;
mod layer_norm;
mod residual;

pub use crate::kernels::Activation;
pub use activity::ActivityRegularization;
pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub use dropout::{AlphaDropout, Dropout};
pub use embedding::Embedding;
pub use layer_norm::LayerNorm;
pub use residual::Residual;

use crate::graph::{Graph, NodeId, Role, Shape, check_rate};
use crate::init::Initializer;
use crate::optimizers::LayerRule;
use crate::{Error, Result};

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
    /// See [`AlphaDropout`].
    AlphaDropout(AlphaDropout),
    /// See [`BatchNorm`].
    BatchNorm(BatchNorm),
    /// See [`LayerNorm`].
    LayerNorm(LayerNorm),
    /// See [`Embedding`].
    Embedding(Embedding),
    /// See [`ActivityRegularization`].
    ActivityRegularization(ActivityRegularization),
    /// See [`Residual`]: a network applies its layers one by one, so none holds this variant.
    Residual(Residual),
    /// See [`Flatten`].
    Flatten,
    /// The sum of several values of one shape.
    Add,
    /// Several values side by side.
    Concat,
}

macro_rules! from_each {
    ($($layer:ident),*) => {
        $(impl From<$layer> for Layer {
            fn from(layer: $layer) -> Self {
                Layer::$layer(layer)
            }
        })*
    };
}

from_each!(Dense, Activation, Dropout, AlphaDropout, BatchNorm, LayerNorm, Embedding, ActivityRegularization, Residual);

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
    /// What the layer adds to the loss of each row, `(B, 1)`.
    pub penalty: Option<NodeId>,
}

/// The width of rows of one dimension.
fn one_dimension(name: &str, shape: &[usize]) -> Result<usize> {
    match shape {
        &[width] => Ok(width),
        grid => Err(Error::shape(name, "rows of one dimension (put Flatten in front)", format!("{grid:?}"))),
    }
}

impl Layer {
    /// The kind, as in `dense_1`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Layer::Dense(_) => "dense",
            Layer::Activation(activation) => activation.name(),
            Layer::Dropout(_) => "dropout",
            Layer::AlphaDropout(_) => "alpha_dropout",
            Layer::BatchNorm(_) => "batch_norm",
            Layer::LayerNorm(_) => "layer_norm",
            Layer::Embedding(_) => "embedding",
            Layer::ActivityRegularization(_) => "activity_regularization",
            Layer::Residual(_) => "residual",
            Layer::Flatten => "flatten",
            Layer::Add => "add",
            Layer::Concat => "concat",
        }
    }

    /// The activation that it ends with.
    pub(crate) fn activation(&self) -> Activation {
        match self {
            Layer::Dense(dense) => dense.activation,
            Layer::Activation(activation) => *activation,
            _ => Activation::Identity,
        }
    }

    /// The name the user gave it.
    pub(crate) fn given_name(&self) -> Option<&str> {
        match self {
            Layer::Dense(dense) => dense.name.as_deref(),
            Layer::BatchNorm(norm) => norm.name.as_deref(),
            Layer::LayerNorm(norm) => norm.name.as_deref(),
            Layer::Embedding(embedding) => embedding.name.as_deref(),
            Layer::Residual(block) => block.name.as_deref(),
            _ => None,
        }
    }

    /// The shape of one row of the result, from the shapes of one row of each input.
    pub(crate) fn output_shape(&self, name: &str, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let first =
            inputs.first().copied().ok_or_else(|| Error::value(name, "inputs", "at least one value", "none"))?;
        if inputs.len() > 1 && !matches!(self, Layer::Add | Layer::Concat) {
            return Err(Error::value(name, "inputs", "one value", inputs.len()));
        }
        let batch_of = |shape: &[usize]| {
            let sides: Vec<_> = shape.iter().map(usize::to_string).collect();
            format!("(B, {})", sides.join(", "))
        };
        match self {
            Layer::Dense(dense) if dense.units == 0 => Err(Error::value(name, "units", "at least 1", 0)),
            Layer::Dense(dense) => {
                one_dimension(name, first)?;
                dense.activation.check(name).and(dense.rule.check(name)).map(|()| vec![dense.units])
            }
            Layer::Activation(activation) => activation.check(name).map(|()| first.to_vec()),
            Layer::Dropout(Dropout { rate }) | Layer::AlphaDropout(AlphaDropout { rate }) => {
                check_rate(name, *rate).map(|()| first.to_vec())
            }
            Layer::BatchNorm(norm) => norm.output_shape(name, first),
            Layer::LayerNorm(norm) => norm.output_shape(name, first),
            Layer::Embedding(embedding) => embedding.output_shape(name, first),
            Layer::ActivityRegularization(penalty) => penalty.check(name).map(|()| first.to_vec()),
            Layer::Residual(_) => Err(unapplied(name)),
            Layer::Flatten => Ok(vec![first.iter().product()]),
            Layer::Add => match inputs.iter().find(|shape| **shape != first) {
                Some(other) => Err(Error::shape(name, batch_of(first), batch_of(other))),
                None => Ok(first.to_vec()),
            },
            Layer::Concat => {
                let widths: Result<Vec<usize>> = inputs.iter().map(|shape| one_dimension(name, shape)).collect();
                Ok(vec![widths?.into_iter().fold(0, usize::saturating_add)])
            }
        }
    }

    /// How its parameters start, in the order in which [`Layer::build`] declares them.
    pub(crate) fn initializers(&self) -> Vec<Initializer> {
        match self {
            Layer::Dense(dense) if dense.bias => vec![dense.weights, dense.bias_start],
            Layer::Dense(dense) => vec![dense.weights],
            Layer::BatchNorm(norm) => norm.initializers(),
            Layer::LayerNorm(norm) => norm.initializers(),
            Layer::Embedding(embedding) => embedding.initializers(),
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

    /// How many numbers it trains, and how many it gathers while training, for inputs of `width` columns.
    pub(crate) fn parameters(&self, width: usize) -> (usize, usize) {
        match self {
            Layer::Dense(dense) => ((width + usize::from(dense.bias)).saturating_mul(dense.units), 0),
            Layer::BatchNorm(_) => (2 * width, 2 * width),
            Layer::LayerNorm(_) => (2 * width, 0),
            Layer::Embedding(embedding) => (embedding.parameters(), 0),
            _ => (0, 0),
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
        let plain = |value| Built { value, before: None, penalty: None };
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
            Layer::AlphaDropout(AlphaDropout { rate }) if training && *rate > 0.0 => {
                plain(graph.alpha_dropout(name, *rate, stream, first)?)
            }
            Layer::Dropout(_) | Layer::AlphaDropout(_) | Layer::Flatten => same(inputs, first),
            Layer::BatchNorm(norm) => plain(norm.build(graph, name, first, training)?),
            Layer::LayerNorm(norm) => plain(norm.build(graph, name, first)?),
            Layer::Embedding(embedding) => plain(embedding.build(graph, name, first)?),
            Layer::ActivityRegularization(penalty) => {
                Built { penalty: penalty.penalty(graph, name, first)?, ..same(inputs, first) }
            }
            Layer::Residual(_) => return Err(unapplied(name)),
            Layer::Add => {
                let sum = values[1..].iter().try_fold(first, |sum, &value| graph.add(name, sum, value))?;
                plain(sum)
            }
            Layer::Concat => plain(graph.concat(name, &values)?),
        })
    }
}

fn activated(graph: &mut Graph, name: &str, activation: Activation, z: NodeId) -> Built {
    let value = match activation {
        Activation::Identity => z,
        Activation::Softmax => graph.softmax(name, z),
        Activation::LogSoftmax => graph.log_softmax(name, z),
        elementwise => graph.activation(name, elementwise, z),
    };
    Built { value, before: Some((activation, z)), penalty: None }
}

/// The input as it is; its penalty has been counted.
fn same(inputs: &[Built], value: NodeId) -> Built {
    Built { value, before: inputs.first().and_then(|input| input.before), penalty: None }
}

fn unapplied(name: &str) -> Error {
    Error::Internal(format!("{name}: a residual block stands in a network layer by layer"))
}
