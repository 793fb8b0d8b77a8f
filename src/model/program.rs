//! From a network and its losses to the plans that train, evaluate and predict.

use super::Network;
use crate::graph::{Graph, NodeId, Role, differentiate};
use crate::losses::Loss;
use crate::optimizers::Optimizer;
use crate::plan::{Lowering, Plan, Slab, lower};
use crate::{Error, Result};

/// What a plan is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// Forward, loss, backward, update.
    Train,
    /// Forward, loss, metric.
    Evaluate,
    /// Forward.
    Predict,
}

impl Purpose {
    fn name(self) -> &'static str {
        match self {
            Purpose::Train => "train",
            Purpose::Evaluate => "evaluate",
            Purpose::Predict => "predict",
        }
    }
}

/// Everything that is needed to lower a model, on any device.
#[derive(Debug, Clone, PartialEq)]
pub struct Program {
    pub(crate) network: Network,
    pub(crate) losses: Vec<Loss>,
    pub(crate) optimizer: Optimizer,
    /// Parameters that are not trained, by index; what is missing at the end is trained.
    pub(crate) frozen: Vec<bool>,
}

/// A graph with the nodes that matter.
pub(crate) struct Built {
    pub graph: Graph,
    pub outputs: Vec<NodeId>,
    /// Loss of each output, then metric of each output, one value a row.
    pub logs: Vec<NodeId>,
    /// The sum over the outputs of the mean loss.
    pub loss: Option<NodeId>,
}

impl Program {
    pub(crate) fn new(network: Network, losses: Vec<Loss>, optimizer: Optimizer) -> Result<Self> {
        network.check()?;
        optimizer.check()?;
        losses.iter().try_for_each(Loss::check)?;
        let outputs = network.outputs().len();
        if losses.len() != outputs {
            return Err(Error::value("compile", "losses", format!("one for each of {outputs} outputs"), losses.len()));
        }
        Ok(Self { network, losses, optimizer, frozen: Vec::new() })
    }

    /// The graph for `purpose`. `classes[i]`: the targets of output `i` are class indices.
    pub(crate) fn build(&self, purpose: Purpose, classes: &[bool]) -> Result<Built> {
        let mut graph = Graph::new();
        let (outputs, penalties) = self.network.build(&mut graph, purpose == Purpose::Train, &self.frozen)?;
        let values = outputs.iter().map(|output| output.value).collect();
        if purpose == Purpose::Predict {
            return Ok(Built { graph, outputs: values, logs: Vec::new(), loss: None });
        }
        let row_scale = graph.row_scale();
        let (mut logs, mut metrics, mut total) = (Vec::new(), Vec::new(), None);
        for (i, (output, loss)) in outputs.iter().zip(&self.losses).enumerate() {
            let name = self.network.outputs().nth(i).map_or_else(String::new, |value| value.name.clone());
            let nodes = loss.build(&mut graph, output, &name, classes.get(i).copied().unwrap_or(false))?;
            // What layers ask for their activations is part of the loss, and stands in the log with the first output's.
            let penalties = if i == 0 { penalties.as_slice() } else { &[] };
            let rows = penalties.iter().try_fold(nodes.loss, |sum, &penalty| graph.add("penalty", sum, penalty))?;
            let mean = graph.weighted_sum("loss", rows, row_scale)?;
            total = Some(total.map_or(Ok(mean), |sum| graph.add("loss", sum, mean))?);
            logs.push(rows);
            metrics.push(nodes.metric);
        }
        logs.extend(metrics);
        Ok(Built { graph, outputs: values, logs, loss: total })
    }

    /// The plan for `purpose` at batch size `batch`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the network does not fit its losses; [`Error::TooLarge`] where a value is larger than
    /// the kernels' indices.
    pub fn plan(&self, purpose: Purpose, batch: usize, classes: &[bool], fused: bool) -> Result<Plan> {
        self.lowered(purpose, batch, classes, fused, purpose == Purpose::Train)
    }

    /// The training plan without its update: the gradients stay in their slab.
    pub(crate) fn gradient_plan(&self, batch: usize, classes: &[bool]) -> Result<Plan> {
        self.lowered(Purpose::Train, batch, classes, true, false)
    }

    /// The parameters that training changes: their indices and their nodes.
    pub(super) fn trained(&self, graph: &Graph) -> (Vec<usize>, Vec<NodeId>) {
        let nodes = graph.parameter_nodes().into_iter().enumerate();
        let frozen = |i: usize| self.frozen.get(i) == Some(&true);
        nodes.filter(|(i, _)| graph.parameters()[*i].role != Role::Statistic && !frozen(*i)).unzip()
    }

    fn lowered(&self, purpose: Purpose, batch: usize, classes: &[bool], fused: bool, update: bool) -> Result<Plan> {
        let Built { mut graph, outputs, logs, loss } = self.build(purpose, classes)?;
        let mut gradients = Vec::new();
        if let (Purpose::Train, Some(loss)) = (purpose, loss) {
            let (indices, parameters) = self.trained(&graph);
            let found = differentiate(&mut graph, loss, &parameters)?;
            gradients = indices.into_iter().zip(found).filter_map(|(i, node)| node.map(|node| (i, node))).collect();
        }
        let update = update.then(|| self.update(Slab::new(graph.parameters()).len()));
        let predict = purpose == Purpose::Predict;
        let what = Lowering {
            name: purpose.name(),
            batch,
            gather: !predict,
            fused,
            outputs: if predict { &outputs } else { &[] },
            logs: &logs,
            gradients: &gradients,
            update,
        };
        lower(&graph, &what)
    }
}
