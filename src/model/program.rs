//! From a network and its losses to the plans that train, evaluate and predict.

use super::reported::check_names;
use super::{Network, Precision};
use crate::graph::{Graph, NodeId, Role, differentiate};
use crate::losses::{Loss, Losses};
use crate::metrics::{Metric, needs};
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
    pub(crate) loss_weights: Vec<f32>,
    /// By output.
    pub(crate) watched: Vec<Watched>,
    pub(crate) optimizer: Optimizer,
    /// Parameters that are not trained, by index; what is missing at the end is trained.
    pub(crate) frozen: Vec<bool>,
    pub(crate) precision: Precision,
}

/// What is reported of an output beside its loss and the metric of that.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Watched {
    pub metrics: Vec<Metric>,
    /// Above it a score of a yes-or-no output means yes.
    pub threshold: f32,
}

/// A graph with the nodes that matter.
pub(crate) struct Built {
    pub graph: Graph,
    pub outputs: Vec<NodeId>,
    /// Loss of each output, then metric of each output, one value a row; then what further metrics need.
    pub logs: Vec<NodeId>,
    /// Of each output: above it a score means yes.
    pub thresholds: Vec<f32>,
    /// The sum over the outputs of the mean loss times its weight.
    pub loss: Option<NodeId>,
}

impl Program {
    pub(crate) fn new(network: Network, losses: Losses, optimizer: Optimizer) -> Result<Self> {
        network.check()?;
        optimizer.check()?;
        losses.check()?;
        let Losses { losses, weights } = losses;
        let outputs = network.outputs().len();
        if losses.len() != outputs {
            return Err(Error::value("compile", "losses", format!("one for each of {outputs} outputs"), losses.len()));
        }
        let watched = vec![Watched::default(); outputs];
        let program = Self {
            network,
            losses,
            loss_weights: weights,
            watched,
            optimizer,
            frozen: Vec::new(),
            precision: Precision::F32,
        };
        check_names(&program, "compile")?;
        Ok(program)
    }

    /// The layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The loss of each output.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The optimizer with its settings.
    pub fn optimizer(&self) -> Optimizer {
        self.optimizer
    }

    /// The graph for `purpose`. `classes[i]`: the targets of output `i` are class indices.
    pub(crate) fn build(&self, purpose: Purpose, classes: &[bool]) -> Result<Built> {
        self.build_scaled(purpose, classes, false)
    }

    /// The same, and the loss that is differentiated is multiplied by the loss scale if `scaled`.
    fn build_scaled(&self, purpose: Purpose, classes: &[bool], scaled: bool) -> Result<Built> {
        let mut graph = Graph::new();
        let (outputs, penalties) = self.network.build(&mut graph, purpose == Purpose::Train, &self.frozen)?;
        let values = outputs.iter().map(|output| output.value).collect();
        if purpose == Purpose::Predict {
            return Ok(Built { graph, outputs: values, logs: Vec::new(), thresholds: Vec::new(), loss: None });
        }
        let mut row_scale = graph.row_scale();
        if scaled {
            let loss_scale = graph.loss_scale();
            row_scale = graph.mul("loss_scale", row_scale, loss_scale)?;
        }
        let (mut logs, mut metrics, mut more, mut total) = (Vec::new(), Vec::new(), Vec::new(), None);
        let mut thresholds = Vec::new();
        for (i, (output, loss)) in outputs.iter().zip(&self.losses).enumerate() {
            let name = self.network.outputs().nth(i).map_or_else(String::new, |value| value.name.clone());
            // Before the loss, which takes its gradient in the same dispatch if this exists by then.
            let scale = match self.loss_weights.get(i) {
                Some(&weight) if weight != 1.0 => graph.scale("loss_weight", weight, row_scale),
                _ => row_scale,
            };
            let classes = classes.get(i).copied().unwrap_or(false);
            let nodes = loss.build(&mut graph, output, &name, classes)?;
            // What layers ask for their activations is part of the loss, and stands in the log with the first output's.
            let penalties = if i == 0 { penalties.as_slice() } else { &[] };
            let rows = penalties.iter().try_fold(nodes.loss, |sum, &penalty| graph.add("penalty", sum, penalty))?;
            let mean = graph.weighted_sum("loss", rows, scale)?;
            total = Some(total.map_or(Ok(mean), |sum| graph.add("loss", sum, mean))?);
            logs.push(rows);
            metrics.push(nodes.metric);
            thresholds.push(nodes.threshold);
            for need in needs(self.watched.get(i).map_or(&[], |watched| &watched.metrics), loss.task()) {
                more.push(need.build(&mut graph, &nodes, output.value, loss.task(), classes)?);
            }
        }
        logs.extend(metrics);
        logs.extend(more);
        Ok(Built { graph, outputs: values, logs, thresholds, loss: total })
    }

    /// The plan for `purpose` at batch size `batch`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the network does not fit its losses; [`Error::TooLarge`] where a value is larger than
    /// the kernels' indices.
    pub fn plan(&self, purpose: Purpose, batch: usize, classes: &[bool], fused: bool) -> Result<Plan> {
        self.lowered(purpose, batch, classes, fused, purpose == Purpose::Train, self.precision)
    }

    /// The training plan in f32 without its update: the gradients stay in their slab.
    pub(crate) fn gradient_plan(&self, batch: usize, classes: &[bool]) -> Result<Plan> {
        self.lowered(Purpose::Train, batch, classes, true, false, Precision::F32)
    }

    /// The parameters that training changes: their indices and their nodes.
    pub(super) fn trained(&self, graph: &Graph) -> (Vec<usize>, Vec<NodeId>) {
        let nodes = graph.parameter_nodes().into_iter().enumerate();
        let frozen = |i: usize| self.frozen.get(i) == Some(&true);
        nodes.filter(|(i, _)| graph.parameters()[*i].role != Role::Statistic && !frozen(*i)).unzip()
    }

    pub(super) fn lowered(
        &self,
        purpose: Purpose,
        batch: usize,
        classes: &[bool],
        fused: bool,
        update: bool,
        precision: Precision,
    ) -> Result<Plan> {
        let half = precision == Precision::F16;
        let scaled = half && purpose == Purpose::Train;
        let Built { mut graph, outputs, logs, loss, .. } = self.build_scaled(purpose, classes, scaled)?;
        let mut gradients = Vec::new();
        if let (Purpose::Train, Some(loss)) = (purpose, loss) {
            let (indices, parameters) = self.trained(&graph);
            let found = differentiate(&mut graph, loss, &parameters)?;
            gradients = indices.into_iter().zip(found).filter_map(|(i, node)| node.map(|node| (i, node))).collect();
        }
        let update = update.then(|| self.update(Slab::new(graph.parameters()).len(), precision));
        let predict = purpose == Purpose::Predict;
        let what = Lowering {
            name: purpose.name(),
            batch,
            gather: !predict,
            fused,
            half,
            outputs: if predict { &outputs } else { &[] },
            logs: &logs,
            gradients: &gradients,
            update,
        };
        lower(&graph, &what)
    }
}
