//! Dropout, and the dropout that goes with selu.

use super::{Apply, Built, Place};
use crate::Result;
use crate::graph::{Graph, check_rate};

/// Sets each element to 0 with probability `rate` while training and scales the rest by `1 / (1 - rate)`;
/// does nothing otherwise (Srivastava et al. 2014). The mask is a function of (seed, step, layer, element),
/// the same on every device.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(4).add(Dense::new(16).activation(Activation::Relu)).add(Dropout::new(0.2)).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// let x = [[0.1, 0.2, 0.3, 0.4]].into();
/// assert_eq!(model.predict(&x)?, model.predict(&x)?);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct Dropout {
    pub(crate) rate: f32,
}

impl Dropout {
    /// Drops with probability `rate`, at least 0 and less than 1.
    pub fn new(rate: f32) -> Self {
        Self { rate }
    }
}

/// Dropout that keeps mean 0 and variance 1, for networks of [`Selu`](super::Activation::Selu) layers that start as
/// [`LecunNormal`](crate::Initializer::LecunNormal) (Klambauer et al. 2017).
///
/// While training, each element becomes `α' = -1.7581`, the limit of selu for small inputs, with probability `rate`;
/// then every element goes through `a x + b`, where `a = (q + α'² q (1 - q))^(-1/2)`, `b = -a (1 - q) α'`,
/// `q = 1 - rate`. Otherwise it does nothing. The mask is that of [`Dropout`]: a function of (seed, step, layer, element).
///
/// ```
/// use axone::prelude::*;
///
/// let hidden = || Dense::new(16).activation(Activation::Selu).weights(Initializer::LecunNormal);
/// let net = Sequential::new(4).add(hidden()).add(AlphaDropout::new(0.1)).add(hidden()).add(Dense::new(1));
/// let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// assert_eq!(model.parameters(), 4 * 16 + 16 + 16 * 16 + 16 + 16 + 1);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct AlphaDropout {
    pub(crate) rate: f32,
}

impl AlphaDropout {
    /// Drops with probability `rate`, at least 0 and less than 1.
    pub fn new(rate: f32) -> Self {
        Self { rate }
    }
}

/// Both, by name and by the operation that they append.
macro_rules! dropouts {
    ($($layer:ident is $kind:ident),*) => {$(
        impl Apply for $layer {
            fn kind(&self) -> &'static str {
                stringify!($kind)
            }

            fn shown(&self) -> String {
                format!("{} {}", self.kind(), self.rate)
            }

            fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
                check_rate(name, self.rate).map(|()| input.to_vec())
            }

            fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
                if !(place.training && self.rate > 0.0) {
                    return Ok(place.same());
                }
                graph.$kind(place.name, self.rate, place.stream, place.input.value).map(Built::from)
            }
        }
    )*};
}

dropouts!(Dropout is dropout, AlphaDropout is alpha_dropout);
