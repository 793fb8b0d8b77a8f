//! The fully connected layer.

use super::{Activation, Apply, Built, Place, one_dimension};
use crate::graph::{Graph, Role, Shape};
use crate::init::Initializer;
use crate::optimizers::LayerRule;
use crate::{Error, Result};

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
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Dense {
    pub(crate) units: usize,
    pub(crate) activation: Activation,
    pub(crate) bias: bool,
    pub(crate) weights: Initializer,
    pub(crate) bias_start: Initializer,
    #[cfg_attr(feature = "save", serde(default))]
    pub(crate) rule: LayerRule,
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
            rule: LayerRule::default(),
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

    /// Adds `factor · sign(w)` to the gradient of this layer's weights: the penalty `factor · Σ |w|`. It replaces the
    /// optimizer's [`l1`](crate::optimizers::OptimizerExt::l1) and does not show in the loss that is reported.
    pub fn l1(mut self, factor: f32) -> Self {
        self.rule.l1 = Some(factor);
        self
    }

    /// Adds `factor · w` to the gradient of this layer's weights: the penalty `½ factor · Σ w²` (half of what Keras' `l2`
    /// means by the same factor). It replaces the optimizer's [`l2`](crate::optimizers::OptimizerExt::l2) and does not
    /// show in the loss that is reported.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// // The last layer is left out of the penalty.
    /// let net = Sequential::new(4).add(Dense::new(8)).add(Dense::new(1).l2(0.0));
    /// let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1).l2(1e-4))?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn l2(mut self, factor: f32) -> Self {
        self.rule.l2 = Some(factor);
        self
    }

    /// The learning rate of this layer's weights and bias is that of the step times `factor`; positive, 1 if not told.
    pub fn rate_factor(mut self, factor: f32) -> Self {
        self.rule.rate_factor = factor;
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

impl Apply for Dense {
    fn kind(&self) -> &'static str {
        "dense"
    }

    fn shown(&self) -> String {
        format!("dense, {}", self.activation)
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn activation(&self) -> Activation {
        self.activation
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        if self.units == 0 {
            return Err(Error::value(name, "units", "at least 1", 0));
        }
        one_dimension(name, input)?;
        self.activation.check(name).and(self.rule.check(name)).map(|()| vec![self.units])
    }

    fn initializers(&self) -> Vec<Initializer> {
        [self.weights].into_iter().chain(self.bias.then_some(self.bias_start)).collect()
    }

    fn rule(&self) -> LayerRule {
        self.rule
    }

    fn parameters(&self, width: usize) -> (usize, usize) {
        ((width + usize::from(self.bias)).saturating_mul(self.units), 0)
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let (name, x) = (place.name, place.input.value);
        let Shape { cols, .. } = graph.shape(x);
        let w = graph.parameter(&format!("{name}.w"), Role::Weight, cols, self.units)?;
        let mut z = graph.matmul(name, x, w)?;
        if self.bias {
            let b = graph.parameter(&format!("{name}.b"), Role::Bias, 1, self.units)?;
            z = graph.bias_add(name, z, b)?;
        }
        self.activation.built(graph, place, z)
    }
}
