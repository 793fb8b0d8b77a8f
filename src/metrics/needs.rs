//! What metrics need of each row, and the nodes that log it.

use super::Metric;
use crate::Result;
use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{ElementwiseLoss, RankKind};
use crate::losses::{LossNodes, Task};

/// What is logged of each row, for one or several metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// The predicted class.
    Predicted,
    /// How many classes come before the true one.
    Rank,
    /// The mean of the squared errors of the columns.
    Squares,
    /// Every column: scores of yes or no, probabilities of classes, or numbers.
    Columns,
}

/// What `metrics` need of an output, each once, in a fixed order.
pub(crate) fn needs(metrics: &[Metric], task: Task) -> Vec<Need> {
    let of = |metric: &Metric| match metric {
        Metric::Accuracy | Metric::MeanAbsoluteError => None,
        Metric::TopK(_) => Some(Need::Rank),
        Metric::Precision(_) | Metric::Recall(_) | Metric::F1(_) | Metric::ConfusionMatrix => {
            Some(if task == Task::Classes { Need::Predicted } else { Need::Columns })
        }
        Metric::MeanSquaredError | Metric::RootMeanSquaredError => Some(Need::Squares),
        Metric::RocAuc | Metric::MeanAbsolutePercentageError | Metric::R2 => Some(Need::Columns),
    };
    let wanted = |need: &Need| metrics.iter().any(|metric| of(metric) == Some(*need));
    [Need::Predicted, Need::Rank, Need::Squares, Need::Columns].into_iter().filter(wanted).collect()
}

impl Need {
    /// Slots of the log that it takes for an output of `cols` columns.
    pub fn slots(self, cols: usize) -> usize {
        if self == Need::Columns { cols } else { 1 }
    }

    /// Appends what is logged. `output` is the model's output, `classes` whether its target is a class index.
    pub fn build(
        self,
        graph: &mut Graph,
        nodes: &LossNodes,
        output: NodeId,
        task: Task,
        classes: bool,
    ) -> Result<NodeId> {
        let (prediction, target) = (nodes.prediction, nodes.target);
        match self {
            Need::Predicted if classes => graph.rank("predicted", RankKind::Predicted, prediction, target),
            // The kernel reads no target here; any column does.
            Need::Predicted => {
                let column = graph.slice("predicted", target, 0, 1)?;
                graph.rank("predicted", RankKind::Predicted, prediction, column)
            }
            Need::Rank => {
                let kind = if classes { RankKind::OfClass } else { RankKind::OfOneHot };
                graph.rank("rank", kind, prediction, target)
            }
            Need::Squares => graph.elementwise_loss("mse", ElementwiseLoss::Mse, prediction, target),
            Need::Columns if task == Task::Classes && graph.node(output).op != Op::Softmax => {
                Ok(graph.softmax("scores", prediction))
            }
            Need::Columns if task == Task::Classes => Ok(output),
            Need::Columns => Ok(prediction),
        }
    }
}
