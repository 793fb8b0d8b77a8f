//! What training makes small, and what it reports beside it.

use crate::graph::{Graph, NodeId, Shape};
use crate::kernels::{AccuracyKind, ElementwiseLoss};
use crate::layers::{Activation, Built};
use crate::{Error, Result};

/// The loss of one output. The batch's loss is the mean over its rows, weighted by the rows' weights.
///
/// | name | loss of a row | last layer | targets |
/// |---|---|---|---|
/// | `CategoricalCrossEntropy` | `-Σ t ln p` | softmax, or none (logits) | class indices, or a distribution a row |
/// | `SmoothedCrossEntropy(s)` | the same with `t ← (1 - s) t + s / C` | the same | the same |
/// | `BinaryCrossEntropy` | mean of `-t ln p - (1 - t) ln(1 - p)` | sigmoid, or none (logits), or probabilities | 0 and 1 |
/// | `MeanSquaredError` | mean of `(y - t)²` | any | numbers |
/// | `MeanAbsoluteError` | mean of `abs(y - t)` | any | numbers |
/// | `Huber(d)` | mean of `e²/2` for abs(e) ≤ d, else `d (abs(e) - d/2)` | any | numbers |
///
/// The two cross-entropies are computed from the logits, the values before softmax or sigmoid, so that no
/// probability is rounded to 0 or 1 before its logarithm is taken.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above has each formula")]
pub enum Loss {
    CategoricalCrossEntropy,
    SmoothedCrossEntropy(f32),
    BinaryCrossEntropy,
    MeanSquaredError,
    MeanAbsoluteError,
    Huber(f32),
}

/// The loss and the metric of an output in a graph, one value a row.
pub(crate) struct LossNodes {
    pub loss: NodeId,
    pub metric: NodeId,
}

impl Loss {
    /// The name, as in summaries.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::CategoricalCrossEntropy => "categorical_cross_entropy",
            Loss::SmoothedCrossEntropy(_) => "smoothed_cross_entropy",
            Loss::BinaryCrossEntropy => "binary_cross_entropy",
            Loss::MeanSquaredError => "mean_squared_error",
            Loss::MeanAbsoluteError => "mean_absolute_error",
            Loss::Huber(_) => "huber",
        }
    }

    /// The metric reported beside it: `accuracy`, `binary_accuracy` or `mae`.
    pub fn metric(&self) -> &'static str {
        match self {
            Loss::CategoricalCrossEntropy | Loss::SmoothedCrossEntropy(_) => "accuracy",
            Loss::BinaryCrossEntropy => "binary_accuracy",
            Loss::MeanSquaredError | Loss::MeanAbsoluteError | Loss::Huber(_) => "mae",
        }
    }

    /// Whether targets may be class indices rather than one number for each output.
    pub(crate) fn takes_classes(&self) -> bool {
        matches!(self, Loss::CategoricalCrossEntropy | Loss::SmoothedCrossEntropy(_))
    }

    /// Whether targets are probabilities.
    pub(crate) fn is_cross_entropy(&self) -> bool {
        self.takes_classes() || *self == Loss::BinaryCrossEntropy
    }

    pub(crate) fn check(&self) -> Result<()> {
        match *self {
            Loss::SmoothedCrossEntropy(s) if !(0.0..1.0).contains(&s) => {
                Err(Error::value(self.name(), "smoothing", "at least 0 and less than 1", s))
            }
            Loss::Huber(d) if !(d.is_finite() && d > 0.0) => {
                Err(Error::value(self.name(), "delta", "positive and finite", d))
            }
            _ => Ok(()),
        }
    }

    /// Appends the loss and the metric of `output` to `graph`; `classes`: the target is a class index.
    pub(crate) fn build(&self, graph: &mut Graph, output: &Built, name: &str, classes: bool) -> Result<LossNodes> {
        let Shape { cols, .. } = graph.shape(output.value);
        let target = graph.target(&format!("{name} target"), if classes { 1 } else { cols })?;
        // A sum or a concatenation of activated values is neither logits nor one activation of them.
        let (last, before) = match output.before {
            Some(before) => before,
            None if self.is_cross_entropy() => {
                let fits = format!("a Dense or Activation layer for {}", self.name());
                return Err(Error::value(name, "output", fits, "a layer without an activation of its own"));
            }
            None => (Activation::Identity, output.value),
        };
        let metric_name = self.metric();
        let (loss, metric) = match *self {
            Loss::CategoricalCrossEntropy | Loss::SmoothedCrossEntropy(_) => {
                if !matches!(last, Activation::Softmax | Activation::LogSoftmax | Activation::Identity) {
                    return Err(Error::value(name, "activation", format!("softmax or none for {}", self.name()), last));
                }
                if cols < 2 {
                    return Err(Error::value(name, "units", format!("at least 2 for {}", self.name()), cols));
                }
                let smoothing = if let Loss::SmoothedCrossEntropy(smoothing) = *self { smoothing } else { 0.0 };
                let kind = if classes { AccuracyKind::Classes } else { AccuracyKind::OneHot };
                let loss = graph.softmax_cross_entropy(self.name(), before, target, classes, smoothing)?;
                (loss, graph.accuracy(metric_name, kind, before, target)?)
            }
            Loss::BinaryCrossEntropy => {
                use Activation::{HardSigmoid, Identity, Sigmoid, Softmax};
                if !matches!(last, Sigmoid | Identity | HardSigmoid | Softmax) {
                    let fits = format!("sigmoid, none or one with values from 0 to 1 for {}", self.name());
                    return Err(Error::value(name, "activation", fits, last));
                }
                let on_logits = matches!(last, Activation::Sigmoid | Activation::Identity);
                let (kind, prediction, threshold) = if on_logits {
                    (ElementwiseLoss::SigmoidBinaryCrossEntropy, before, 0.0)
                } else {
                    (ElementwiseLoss::BinaryCrossEntropy, output.value, 0.5)
                };
                let loss = graph.elementwise_loss(self.name(), kind, prediction, target)?;
                (loss, graph.accuracy(metric_name, AccuracyKind::Binary { threshold }, prediction, target)?)
            }
            Loss::MeanSquaredError | Loss::MeanAbsoluteError | Loss::Huber(_) => {
                let kind = match *self {
                    Loss::MeanSquaredError => ElementwiseLoss::Mse,
                    Loss::Huber(delta) => ElementwiseLoss::Huber { delta },
                    _ => ElementwiseLoss::Mae,
                };
                let loss = graph.elementwise_loss(self.name(), kind, output.value, target)?;
                let mae = graph.elementwise_loss(metric_name, ElementwiseLoss::Mae, output.value, target)?;
                (loss, mae)
            }
        };
        Ok(LossNodes { loss, metric })
    }
}
