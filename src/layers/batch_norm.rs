//! Batch normalisation.

use super::{Apply, Built, Place, one_dimension};
use crate::Result;
use crate::graph::{Graph, Role, check_epsilon, check_momentum};
use crate::init::Initializer;

/// Normalises each column by its mean and variance over the batch, then scales and shifts it by numbers that are
/// learnt (Ioffe & Szegedy 2015): `y = scale (x - mean) / √(variance + ε) + shift`. `x` and `y` are `(B, K)`, the rest
/// `(1, K)`.
///
/// While training, mean and (biased) variance are those of the batch, and the running ones follow:
/// `running ← (1 - momentum) running + momentum · batch`, with the unbiased variance. Otherwise the running ones are
/// used, and a row's result does not depend on the other rows. Padding of a last batch is not counted; weights of
/// rows are not either: they weigh the loss alone. A batch of a single row has no variance: it is normalised by the
/// running statistics, which stay as they are.
///
/// Defaults, all PyTorch's (`BatchNorm1d`): ε 1e-5, momentum 0.1; scale and running variance start at 1, shift and
/// running mean at 0. Keras has ε 1e-3, calls `1 - momentum` momentum (0.99) and keeps the biased variance. PyTorch
/// refuses a single row. The parameters are called `scale`, `shift`, `mean` and `variance`; the last two are saved with
/// the model and not trained.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(3)
///     .add(Dense::new(8).without_bias())
///     .add(BatchNorm::new())
///     .add(Activation::Relu)
///     .add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// let data = Dataset::new([[0.0, 10.0, 500.0], [1.0, 30.0, 200.0]], [[1.0], [0.0]])?;
/// model.fit(&data, &Fit::new().epochs(5).silent())?;
/// let running: Vec<_> = model.weights()?.into_iter().filter(|w| w.name == "batch_norm_1.mean").collect();
/// assert!(running[0].data.iter().any(|mean| *mean != 0.0));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct BatchNorm {
    pub(crate) epsilon: f32,
    pub(crate) momentum: f32,
    pub(crate) scale: Initializer,
    pub(crate) shift: Initializer,
    pub(crate) name: Option<String>,
}

impl Default for BatchNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5, momentum: 0.1, scale: Initializer::Constant(1.0), shift: Initializer::Zeros, name: None }
    }
}

impl BatchNorm {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Added to the variance; positive.
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// Share of each batch in the running statistics, from 0 to 1.
    pub fn momentum(mut self, momentum: f32) -> Self {
        self.momentum = momentum;
        self
    }

    /// How the scale starts; 1 if not told. [`Initializer::Zeros`] lets a residual block begin as the identity.
    pub fn scale(mut self, initializer: Initializer) -> Self {
        self.scale = initializer;
        self
    }

    /// How the shift starts; 0 if not told.
    pub fn shift(mut self, initializer: Initializer) -> Self {
        self.shift = initializer;
        self
    }

    /// A name for messages and files; `batch_norm_1`, `batch_norm_2`, … if not told.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Apply for BatchNorm {
    fn kind(&self) -> &'static str {
        "batch_norm"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        check_epsilon(name, self.epsilon)?;
        check_momentum(name, self.momentum)?;
        one_dimension(name, input).map(|width| vec![width])
    }

    fn initializers(&self) -> Vec<Initializer> {
        vec![self.scale, self.shift, Initializer::Zeros, Initializer::Constant(1.0)]
    }

    fn parameters(&self, width: usize) -> (usize, usize) {
        (2 * width, 2 * width)
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let (name, x) = (place.name, place.input.value);
        let cols = graph.shape(x).cols;
        let mut parameter = |kind: &str, role| graph.parameter(&format!("{name}.{kind}"), role, 1, cols);
        let (scale, shift) = (parameter("scale", Role::Norm)?, parameter("shift", Role::Norm)?);
        let (mean, variance) = (parameter("mean", Role::Statistic)?, parameter("variance", Role::Statistic)?);
        let parameters = [scale, shift, mean, variance];
        let y = if place.training {
            graph.batch_norm(name, x, parameters, self.epsilon, self.momentum)
        } else {
            graph.batch_norm_inference(name, x, parameters, self.epsilon)
        };
        y.map(Built::from)
    }
}
