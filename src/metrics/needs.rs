//! What metrics need of each row, and the nodes that log it.

use super::{Metric, Output};
use crate::Result;
use crate::graph::{Graph, NodeId, Op};
use crate::kernels::{ElementwiseLoss, RankKind};
use crate::losses::{LossNodes, Task};
use std::collections::BTreeSet;

/// What a metric reads of the model's answer to each row. A step logs it, 4 bytes a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Need {
    /// The predicted class: of classes, and of yes or no in one column. [`Rows::predicted`](super::Rows::predicted)
    ///
    /// An evaluation then has the confusion matrix.
    Predicted,
    /// How many classes come before the true one: of classes. [`Rows::mean`](super::Rows::mean)
    Rank,
    /// The mean of the squared errors of the columns: of numbers. [`Rows::mean`](super::Rows::mean)
    Squares,
    /// Every column: scores of yes or no, probabilities of classes, or numbers.
    /// [`Rows::column`](super::Rows::column)
    ///
    /// Of yes or no in one column an evaluation then has the ROC curve.
    Columns,
}

/// What `metrics` need of an output, as it is logged: each once, in the order above.
pub(crate) fn needs(metrics: &[Metric], task: Task) -> BTreeSet<Need> {
    let measures: Vec<_> = metrics.iter().map(Metric::measure).collect();
    measures.iter().flat_map(|it| it.needs()).map(|need| need.logged_as(task)).collect()
}

impl Need {
    /// Refuses an output that does not have it.
    pub(super) fn fits(self, output: &Output) -> Result<()> {
        match self {
            Need::Predicted => output.one_answer(),
            Need::Rank => output.classes(),
            Need::Squares => output.numbers(),
            Need::Columns => Ok(()),
        }
    }

    /// What the log has in its place: the class of yes or no follows from the score.
    pub(super) fn logged_as(self, task: Task) -> Self {
        if self == Need::Predicted && task == Task::YesNo { Need::Columns } else { self }
    }

    /// Slots of the log that it takes for an output of `cols` columns.
    pub(crate) fn slots(self, cols: usize) -> usize {
        if self == Need::Columns { cols } else { 1 }
    }

    /// Appends what is logged. `output` is the model's output, `classes` whether its target is a class index.
    pub(crate) fn build(
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
