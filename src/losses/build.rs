//! A loss and the metric beside it, appended to a graph.

use super::{Loss, Task};
use crate::graph::{Graph, NodeId, Shape};
use crate::kernels::{AccuracyKind, ElementwiseLoss, EntropyKind};
use crate::layers::{Activation, Built};
use crate::{Error, Result};

/// The loss and the metric of an output in a graph, one value a row.
pub(crate) struct LossNodes {
    pub loss: NodeId,
    pub metric: NodeId,
    /// The target, for further metrics.
    pub target: NodeId,
    /// What the loss compares with it: logits, or the output.
    pub prediction: NodeId,
    /// Above it a prediction of a yes-or-no loss means yes.
    pub threshold: f32,
}

/// Where a loss starts: the last activation, what it was applied to, and the output.
#[derive(Clone, Copy)]
struct Last {
    activation: Activation,
    before: NodeId,
    output: NodeId,
}

impl Loss {
    /// Appends the loss and the metric of `output` to `graph`; `classes`: the target is a class index.
    pub(crate) fn build(&self, graph: &mut Graph, output: &Built, name: &str, classes: bool) -> Result<LossNodes> {
        let Shape { cols, .. } = graph.shape(output.value);
        let target = graph.target(&format!("{name} target"), if classes { 1 } else { cols })?;
        let last = self.last(output, name)?;
        let metric = self.metric();
        match self.task() {
            Task::Classes => {
                self.accepts(name, last, &[Activation::Softmax, Activation::LogSoftmax], "softmax or none")?;
                if cols < 2 {
                    return Err(Error::value(name, "units", format!("at least 2 for {}", self.name()), cols));
                }
                let prediction = last.before;
                let loss = graph.entropy_loss(self.name(), self.entropy(), prediction, target, classes)?;
                let kind = if classes { AccuracyKind::Classes } else { AccuracyKind::OneHot };
                let metric = graph.accuracy(metric, kind, prediction, target)?;
                Ok(LossNodes { loss, metric, target, prediction, threshold: 0.0 })
            }
            Task::YesNo => {
                let (kind, prediction, threshold) = self.yes_no(name, last)?;
                let loss = graph.elementwise_loss(self.name(), kind, prediction, target)?;
                let metric = graph.accuracy(metric, AccuracyKind::Binary { threshold }, prediction, target)?;
                Ok(LossNodes { loss, metric, target, prediction, threshold })
            }
            Task::Numbers => {
                let prediction = last.output;
                let loss = match (self, self.of_numbers(name, last)?) {
                    (Loss::Custom(formula), _) => {
                        let loss = graph.formula(self.name(), *formula, &[prediction, target], true)?;
                        if graph.shape(loss).cols == 1 { loss } else { graph.mean_cols(self.name(), loss)? }
                    }
                    (_, Some(kind)) => graph.elementwise_loss(self.name(), kind, prediction, target)?,
                    (_, None) => graph.cosine_loss(self.name(), prediction, target)?,
                };
                let metric = graph.elementwise_loss(metric, ElementwiseLoss::Mae, prediction, target)?;
                Ok(LossNodes { loss, metric, target, prediction, threshold: 0.0 })
            }
        }
    }

    /// A sum or a concatenation of activated values is neither logits nor one activation of them.
    fn last(&self, output: &Built, name: &str) -> Result<Last> {
        let needs_logits =
            self.task() == Task::Classes || matches!(self, Loss::BinaryCrossEntropy | Loss::Focal { .. });
        match output.before {
            Some((activation, before)) => Ok(Last { activation, before, output: output.value }),
            None if needs_logits => {
                let fits = format!("a Dense or Activation layer for {}", self.name());
                Err(Error::value(name, "output", fits, "a layer without an activation of its own"))
            }
            None => Ok(Last { activation: Activation::Identity, before: output.value, output: output.value }),
        }
    }

    /// Refuses a last activation other than none and `fitting`, which `words` says.
    fn accepts(&self, name: &str, last: Last, fitting: &[Activation], words: &str) -> Result<()> {
        if last.activation == Activation::Identity || fitting.contains(&last.activation) {
            return Ok(());
        }
        Err(Error::value(name, "activation", format!("{words} for {}", self.name()), last.activation))
    }

    fn entropy(&self) -> EntropyKind {
        match *self {
            Loss::SmoothedCrossEntropy(smoothing) => EntropyKind::CrossEntropy { smoothing },
            Loss::KullbackLeibler => EntropyKind::Divergence,
            Loss::CategoricalFocal(gamma) if gamma > 0.0 => EntropyKind::Focal { gamma },
            _ => EntropyKind::CrossEntropy { smoothing: 0.0 },
        }
    }

    /// The kernel's loss, what it reads, and the threshold of that.
    fn yes_no(&self, name: &str, last: Last) -> Result<(ElementwiseLoss, NodeId, f32)> {
        use Activation::{HardSigmoid, Sigmoid, Softmax};
        match *self {
            Loss::Focal { gamma, alpha } => {
                self.accepts(name, last, &[Sigmoid], "sigmoid or none")?;
                let (positive, negative) = alpha.map_or((1.0, 1.0), |alpha| (alpha, 1.0 - alpha));
                Ok((ElementwiseLoss::Focal { gamma, positive, negative }, last.before, 0.0))
            }
            Loss::Hinge | Loss::SquaredHinge => {
                self.accepts(name, last, &[], "none")?;
                let squared = *self == Loss::SquaredHinge;
                Ok((if squared { ElementwiseLoss::SquaredHinge } else { ElementwiseLoss::Hinge }, last.output, 0.0))
            }
            _ => {
                let words = "sigmoid, none or one with values from 0 to 1";
                self.accepts(name, last, &[Sigmoid, HardSigmoid, Softmax], words)?;
                Ok(if matches!(last.activation, Sigmoid | Activation::Identity) {
                    (ElementwiseLoss::SigmoidBinaryCrossEntropy, last.before, 0.0)
                } else {
                    (ElementwiseLoss::BinaryCrossEntropy, last.output, 0.5)
                })
            }
        }
    }

    /// The kernel's loss of each element; `None` for one that looks at rows, and for a formula.
    fn of_numbers(&self, name: &str, last: Last) -> Result<Option<ElementwiseLoss>> {
        use Activation::{HardSigmoid, Relu, Sigmoid, Softmax, Softplus};
        Ok(Some(match *self {
            Loss::Cosine | Loss::Custom(_) => return Ok(None),
            Loss::MeanSquaredError => ElementwiseLoss::Mse,
            Loss::Huber(delta) => ElementwiseLoss::Huber { delta },
            Loss::LogCosh => ElementwiseLoss::LogCosh,
            Loss::Quantile(quantile) => ElementwiseLoss::Quantile { quantile },
            Loss::Poisson => {
                let rates = [Softplus, Relu, Sigmoid, HardSigmoid, Softmax];
                self.accepts(name, last, &rates, "none or one with values from 0 up")?;
                let is_log = last.activation == Activation::Identity;
                if is_log { ElementwiseLoss::PoissonLog } else { ElementwiseLoss::Poisson }
            }
            _ => ElementwiseLoss::Mae,
        }))
    }
}
