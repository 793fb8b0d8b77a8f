//! A penalty on what a layer puts out.

use super::{Apply, Built, Place};
use crate::graph::{Graph, NodeId};
use crate::kernels::ElementwiseLoss;
use crate::{Error, Result};

/// Passes its input on and adds to the loss of each row `l1 Σ abs(x) + l2 Σ x²`, sums over the row's columns: large
/// activations cost, so that they become sparse (l1) or small (l2). What Keras calls an activity regulariser.
///
/// The penalty is part of the reported loss, in training and evaluation, as in Keras: the mean over the rows, weighted
/// as they are, so it does not depend on the size of the batch. A model of several outputs counts it with the first.
/// The slope of `abs(x)` at 0 is 0.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(1).add(ActivityRegularization::l1_l2(0.5, 0.25)).add(Dense::new(1).weights(Initializer::Zeros));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
/// // The prediction is 0: the loss is the penalty alone, the mean of 0.5 · 2 + 0.25 · 4 and 0.5 · 4 + 0.25 · 16.
/// let loss = model.evaluate(&Dataset::new([[2.0], [-4.0]], [0.0, 0.0])?)?.loss();
/// assert!((loss - 4.0).abs() < 1e-6);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ActivityRegularization {
    pub(crate) l1: f32,
    pub(crate) l2: f32,
}

impl ActivityRegularization {
    /// A penalty of `l1` for each unit of size.
    pub fn l1(l1: f32) -> Self {
        Self { l1, l2: 0.0 }
    }

    /// A penalty of `l2` for each unit of the square.
    pub fn l2(l2: f32) -> Self {
        Self { l1: 0.0, l2 }
    }

    /// Both.
    pub fn l1_l2(l1: f32, l2: f32) -> Self {
        Self { l1, l2 }
    }

    /// The penalty of each row of `x`, `(B, 1)`; `None` where it is 0. The mean error against 0, times the columns.
    fn penalty(&self, graph: &mut Graph, name: &str, x: NodeId) -> Result<Option<NodeId>> {
        let shape = graph.shape(x);
        let mut total = None;
        for (penalty, kind) in [(self.l1, ElementwiseLoss::Mae), (self.l2, ElementwiseLoss::Mse)] {
            if penalty > 0.0 {
                let zeros = graph.fill(name, 0.0, shape);
                let mean = graph.elementwise_loss(name, kind, x, zeros)?;
                let part = graph.scale(name, penalty * shape.cols as f32, mean);
                total = Some(total.map_or(Ok(part), |sum| graph.add(name, sum, part))?);
            }
        }
        Ok(total)
    }
}

impl Apply for ActivityRegularization {
    fn kind(&self) -> &'static str {
        "activity_regularization"
    }

    fn output_shape(&self, name: &str, input: &[usize], _: &[&[usize]]) -> Result<Vec<usize>> {
        for (which, penalty) in [("l1", self.l1), ("l2", self.l2)] {
            if !(penalty.is_finite() && penalty >= 0.0) {
                return Err(Error::value(name, which, "finite and at least 0", penalty));
            }
        }
        Ok(input.to_vec())
    }

    fn build(&self, graph: &mut Graph, place: &Place<'_>) -> Result<Built> {
        Ok(Built { penalty: self.penalty(graph, place.name, place.input.value)?, ..place.same() })
    }
}
