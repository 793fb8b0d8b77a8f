//! Layer normalisation.

use super::{Apply, Built, Place, one_dimension};
use crate::Result;
use crate::graph::{Graph, Role, check_epsilon};
use crate::init::Initializer;

/// Normalises each row by its own mean and (biased) variance, then scales and shifts its columns by numbers that are
/// learnt (Ba, Kiros & Hinton 2016): `y = scale (x - mean) / √(variance + ε) + shift`. `x` and `y` are `(B, K)`, scale
/// and shift `(1, K)`. No row depends on another, so training and inference are the same.
///
/// Defaults (PyTorch's `LayerNorm`): ε 1e-5, scale 1, shift 0. Keras has ε 1e-3.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(4).add(LayerNorm::new());
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
/// let y = model.predict(&[[1.0, 2.0, 3.0, 4.0]].into())?;
/// // The mean is 2.5, the variance 1.25.
/// assert!((y.data()[0] + 1.5 / 1.25f32.sqrt()).abs() < 1e-5);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct LayerNorm {
    pub(crate) epsilon: f32,
    pub(crate) scale: Initializer,
    pub(crate) shift: Initializer,
    pub(crate) name: Option<String>,
}

impl Default for LayerNorm {
    fn default() -> Self {
        Self { epsilon: 1e-5, scale: Initializer::Constant(1.0), shift: Initializer::Zeros, name: None }
    }
}

impl LayerNorm {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Added to the variance; positive.
    pub fn epsilon(mut self, epsilon: f32) -> Self {
        self.epsilon = epsilon;
        self
    }

    /// How the scale starts; 1 if not told.
    pub fn scale(mut self, initializer: Initializer) -> Self {
        self.scale = initializer;
        self
    }

    /// How the shift starts; 0 if not told.
    pub fn shift(mut self, initializer: Initializer) -> Self {
        self.shift = initializer;
        self
    }

    /// A name for messages and files; `layer_norm_1`, `layer_norm_2`, … if not told.
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }
}

impl Apply for LayerNorm {
    fn kind(&self) -> &'static str {
        "layer_norm"
    }

    fn given_name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        check_epsilon(name, self.epsilon)?;
        one_dimension(name, input).map(|width| vec![width])
    }

    fn initializers(&self) -> Vec<Initializer> {
        vec![self.scale, self.shift]
    }

    fn parameters(&self, width: usize) -> (usize, usize) {
        (2 * width, 0)
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        let (name, x) = (place.name, place.input.value);
        let cols = graph.shape(x).cols;
        let mut parameter = |kind: &str| graph.parameter(&format!("{name}.{kind}"), Role::Norm, 1, cols);
        let (scale, shift) = (parameter("scale")?, parameter("shift")?);
        graph.layer_norm(name, x, scale, shift, self.epsilon).map(Built::from)
    }
}
