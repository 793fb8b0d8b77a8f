//! The layers a model is made of.

mod activation;
mod activity;
mod batch_norm;
mod dense;
mod dropout;
mod embedding;
mod flatten;
mod formula;
mod gradient;
mod layer_norm;
mod matmul;
mod merge;
mod reshape;
mod residual;

pub use crate::kernels::Activation;
pub use activity::ActivityRegularization;
pub use batch_norm::BatchNorm;
pub use dense::Dense;
pub use dropout::{AlphaDropout, Dropout};
pub use embedding::Embedding;
pub use flatten::Flatten;
use gradient::Gradient;
pub use layer_norm::LayerNorm;
pub use matmul::MatMul;
use merge::{Add, Concat};
pub use reshape::Reshape;
pub use residual::Residual;

use crate::formula::Formula;
use crate::graph::{Graph, NodeId};
use crate::init::Initializer;
use crate::optimizers::LayerRule;
use crate::{Error, Result};

/// Makes the enum of all layers: those with settings, then those without.
macro_rules! layers {
    ($($(#[$about:meta])* $layer:ident,)* ; $($(#[$in_words:meta])* $plain:ident,)*) => {
        /// Any layer.
        #[derive(Debug, Clone, PartialEq)]
        #[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
        #[non_exhaustive]
        pub enum Layer {
            $($(#[$about])* $layer($layer),)*
            $($(#[$in_words])* $plain,)*
        }

        $(impl From<$layer> for Layer {
            fn from(layer: $layer) -> Self {
                Layer::$layer(layer)
            }
        })*

        $(impl From<$plain> for Layer {
            fn from(_: $plain) -> Self {
                Layer::$plain
            }
        })*

        impl Layer {
            /// What it is.
            pub(crate) fn inner(&self) -> &dyn Apply {
                match self {
                    $(Layer::$layer(layer) => layer,)*
                    $(Layer::$plain => &$plain,)*
                }
            }
        }
    };
}

layers! {
    /// See [`Dense`].
    Dense,
    /// An activation as a layer of its own.
    Activation,
    /// See [`Dropout`].
    Dropout,
    /// See [`AlphaDropout`].
    AlphaDropout,
    /// See [`BatchNorm`].
    BatchNorm,
    /// See [`LayerNorm`].
    LayerNorm,
    /// See [`Embedding`].
    Embedding,
    /// See [`ActivityRegularization`].
    ActivityRegularization,
    /// See [`Residual`]: a network applies its layers one by one, so none holds this variant.
    Residual,
    /// See [`Reshape`].
    Reshape,
    /// The product of two values: see [`Network::matmul`](crate::model::Network::matmul).
    MatMul,
    /// A function of values: see [`Network::formula`](crate::model::Network::formula).
    Formula,
    ;
    /// See [`Flatten`].
    Flatten,
    /// The sum of several values of one shape.
    Add,
    /// Several values side by side.
    Concat,
    /// A derivative: see [`Network::gradient`](crate::model::Network::gradient).
    Gradient,
}

impl Layer {
    /// The shape of one row of the result, from the shapes of one row of each input.
    pub(crate) fn output_shape(&self, name: &str, inputs: &[&[usize]]) -> Result<Vec<usize>> {
        let (first, others) = inputs.split_first().ok_or_else(|| no_input(name))?;
        if !others.is_empty() && !self.inner().merges() {
            return Err(Error::value(name, "inputs", "one value", inputs.len()));
        }
        self.inner().output_shape(name, first, others)
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
        let (&input, others) = inputs.split_first().ok_or_else(|| no_input(name))?;
        self.inner().build(graph, &Place { name, input, others, training, stream })
    }
}

fn no_input(name: &str) -> Error {
    Error::value(name, "inputs", "at least one value", "none")
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

impl From<NodeId> for Built {
    fn from(value: NodeId) -> Self {
        Self { value, before: None, penalty: None }
    }
}

/// Where a layer stands in a graph.
pub(crate) struct Place<'a> {
    pub name: &'a str,
    /// Its first input, the only one but of layers that [merge](Apply::merges).
    pub input: Built,
    pub others: &'a [Built],
    pub training: bool,
    /// Tells the random numbers of this layer from the others'.
    pub stream: u32,
}

impl Place<'_> {
    /// The input as it is; its penalty has been counted.
    fn same(&self) -> Built {
        Built { penalty: None, ..self.input }
    }
}

/// What a layer is. Each says it in its own file.
pub(crate) trait Apply {
    /// The kind, as in `dense_1`.
    fn kind(&self) -> &'static str;

    /// What a summary calls it.
    fn shown(&self) -> String {
        self.kind().to_owned()
    }

    /// The name the user gave it.
    fn given_name(&self) -> Option<&str> {
        None
    }

    /// The activation that it ends with.
    fn activation(&self) -> Activation {
        Activation::Identity
    }

    /// Whether it takes several inputs.
    fn merges(&self) -> bool {
        false
    }

    /// The shape of one row of the result, from the shapes of one row of the inputs. Refuses what does not fit, and
    /// settings out of range: files go by it as well.
    fn output_shape(&self, name: &str, input: &[usize], others: &[&[usize]]) -> Result<Vec<usize>>;

    /// How its parameters start, in the order in which [`build`](Self::build) declares them.
    fn initializers(&self) -> Vec<Initializer> {
        Vec::new()
    }

    /// What it says of the update of its parameters.
    fn rule(&self) -> LayerRule {
        LayerRule::default()
    }

    /// How many numbers it trains, and how many it gathers while training, for inputs of `width` columns.
    fn parameters(&self, width: usize) -> (usize, usize) {
        let _ = width;
        (0, 0)
    }

    /// Appends the layer to `graph`: the same parameters whether it trains or not.
    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built>;
}

/// The width of rows of one dimension.
fn one_dimension(name: &str, shape: &[usize]) -> Result<usize> {
    match shape {
        &[width] => Ok(width),
        grid => Err(Error::shape(name, "rows of one dimension (put Flatten in front)", format!("{grid:?}"))),
    }
}
