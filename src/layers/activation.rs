//! The activation functions a layer can have.

use super::{Apply, Built, Place};
use crate::graph::{Graph, NodeId};
use crate::kernels;
use crate::{Error, Result};
use std::fmt;

/// An activation function. All act on each element but softmax and log-softmax, which act on each row.
///
/// | name | formula |
/// |---|---|
/// | `Identity` | `x` |
/// | `Sigmoid` | `1 / (1 + e⁻ˣ)` |
/// | `Tanh` | `tanh x` |
/// | `Relu` | `max(x, 0)`; derivative 0 at 0 |
/// | `LeakyRelu` | `x` for x > 0, else `slope · x` |
/// | `Elu` | `x` for x > 0, else `alpha (eˣ - 1)` (Clevert et al. 2015) |
/// | `Selu` | `1.0507 · elu(x, 1.6733)` (Klambauer et al. 2017) |
/// | `Silu` | `x · sigmoid(x)`, also called swish |
/// | `Gelu` | `x Φ(x)`, Φ the normal distribution function (Hendrycks & Gimpel 2016) |
/// | `GeluTanh` | its approximation `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))` |
/// | `Softplus` | `ln(1 + eˣ)` |
/// | `Softsign` | `x / (1 + abs(x))` |
/// | `HardSigmoid` | `min(max(x + 3, 0), 6) / 6` |
/// | `Mish` | `x · tanh(softplus(x))` (Misra 2019) |
/// | `Softmax` | `e^(xᵢ) / Σⱼ e^(xⱼ)` |
/// | `LogSoftmax` | `ln softmax(x)` |
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above has each formula")]
pub enum Activation {
    #[default]
    Identity,
    Sigmoid,
    Tanh,
    Relu,
    LeakyRelu {
        slope: f32,
    },
    Elu {
        alpha: f32,
    },
    Selu,
    Silu,
    Gelu,
    GeluTanh,
    Softplus,
    Softsign,
    HardSigmoid,
    Mish,
    Softmax,
    LogSoftmax,
}

impl Activation {
    /// The elementwise function, or `None` for those that act on rows.
    pub fn elementwise(self) -> Option<kernels::Activation> {
        use kernels::Activation as Kernel;
        Some(match self {
            Activation::Identity => Kernel::Identity,
            Activation::Sigmoid => Kernel::Sigmoid,
            Activation::Tanh => Kernel::Tanh,
            Activation::Relu => Kernel::Relu,
            Activation::LeakyRelu { slope } => Kernel::LeakyRelu { slope },
            Activation::Elu { alpha } => Kernel::Elu { alpha },
            Activation::Selu => Kernel::Selu,
            Activation::Silu => Kernel::Silu,
            Activation::Gelu => Kernel::Gelu,
            Activation::GeluTanh => Kernel::GeluTanh,
            Activation::Softplus => Kernel::Softplus,
            Activation::Softsign => Kernel::Softsign,
            Activation::HardSigmoid => Kernel::HardSigmoid,
            Activation::Mish => Kernel::Mish,
            Activation::Softmax | Activation::LogSoftmax => return None,
        })
    }

    /// The name, as in summaries.
    pub fn name(self) -> &'static str {
        match self {
            Activation::Softmax => "softmax",
            Activation::LogSoftmax => "log_softmax",
            other => other.elementwise().map_or("", kernels::Activation::name),
        }
    }

    /// Refuses parameters with which the gradient could not be read from the output's sign.
    pub(crate) fn check(self, place: &str) -> Result<()> {
        let (name, value) = match self {
            Activation::LeakyRelu { slope } => ("slope", slope),
            Activation::Elu { alpha } => ("alpha", alpha),
            _ => return Ok(()),
        };
        if value.is_finite() && value >= 0.0 {
            Ok(())
        } else {
            Err(Error::value(place, name, "finite and at least 0", value))
        }
    }

    /// Appends the function to `graph`; the identity appends nothing.
    pub(crate) fn apply(self, graph: &mut Graph, name: &str, x: NodeId) -> NodeId {
        match (self, self.elementwise()) {
            (Activation::Identity, _) => x,
            (_, Some(function)) => graph.activation(name, function, x),
            (Activation::LogSoftmax, None) => graph.log_softmax(name, x),
            (_, None) => graph.softmax(name, x),
        }
    }
}

impl Activation {
    /// As the end of a layer.
    pub(super) fn built(self, graph: &mut Graph, name: &str, z: NodeId) -> Built {
        Built { value: self.apply(graph, name, z), before: Some((self, z)), penalty: None }
    }
}

impl Apply for Activation {
    fn kind(&self) -> &'static str {
        self.name()
    }

    fn activation(&self) -> Activation {
        *self
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        self.check(name).map(|()| input.to_vec())
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        Ok(self.built(graph, place.name, place.input.value))
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
