//! From a network and its losses to the plans that train, evaluate and predict.

use super::network::BuiltNetwork;
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
    /// Loss of each output, losses without a target, then metric of each output, one value a row; then what further
    /// metrics need.
    pub logs: Vec<NodeId>,
    /// Of each output: above it a score means yes.
    pub thresholds: Vec<f32>,
    /// The sum of the mean losses times their weights; `None` where all of these are 0.
    pub loss: Option<NodeId>,
}

impl Program {
    pub(crate) fn new(network: Network, losses: Losses, optimizer: Optimizer) -> Result<Self> {
        network.check()?;
        optimizer.check()?;
        losses.check()?;
        let Losses { losses, weights, are_none } = losses;
        let outputs = network.outputs().len();
        if losses.len() != outputs && !are_none {
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

    /// The weights of the losses in the order of the log: those of the outputs, then those without a target.
    pub(crate) fn weights_of_losses(&self) -> Vec<f32> {
        self.loss_weights.iter().copied().chain(self.network.added_losses().map(|(_, weight)| weight)).collect()
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

    /// The graph for `purpose`. `classes[i]`: the targets of output `i` are class indices; behind those of all outputs,
    /// where it goes on: the targets of output `i` have weights of their own.
    pub(crate) fn build(&self, purpose: Purpose, classes: &[bool]) -> Result<Built> {
        self.build_scaled(purpose, classes, false)
    }

    /// The same, and the loss that is differentiated is multiplied by the loss scale if `scaled`.
    fn build_scaled(&self, purpose: Purpose, classes: &[bool], scaled: bool) -> Result<Built> {
        let mut graph = Graph::new();
        let BuiltNetwork { outputs, penalties, added } =
            self.network.build(&mut graph, purpose == Purpose::Train, &self.frozen)?;
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
            let weight = self.loss_weights.get(i).copied().unwrap_or(1.0);
            let mut scale = weighted(&mut graph, weight, row_scale);
            if classes.get(self.losses.len() + i) == Some(&true) {
                let own = graph.target(&format!("{name} weight"), 1)?;
                scale = graph.mul("target_weight", scale, own)?;
            }
            let classes = classes.get(i).copied().unwrap_or(false);
            let nodes = loss.build(&mut graph, output, &name, classes)?;
            // What layers ask for their activations is part of the loss, and stands in the log with the first output's.
            let penalties = if i == 0 { penalties.as_slice() } else { &[] };
            let rows = penalties.iter().try_fold(nodes.loss, |sum, &penalty| graph.add("penalty", sum, penalty))?;
            total = with_mean(&mut graph, total, weight, (rows, scale))?;
            logs.push(rows);
            metrics.push(nodes.metric);
            thresholds.push(nodes.threshold);
            for need in needs(self.watched.get(i).map_or(&[], |watched| &watched.metrics), loss.task()) {
                more.push(need.build(&mut graph, &nodes, output.value, loss.task(), classes)?);
            }
        }
        for (value, weight) in added {
            let rows = if graph.shape(value).cols == 1 { value } else { graph.mean_cols("loss", value)? };
            let scale = weighted(&mut graph, weight, row_scale);
            total = with_mean(&mut graph, total, weight, (rows, scale))?;
            logs.push(rows);
        }
        logs.extend(metrics);
        logs.extend(more);
        Ok(Built { graph, outputs: values, logs, thresholds, loss: total })
    }

    /// The graph for `purpose`; for [`Purpose::Train`] with the backward nodes. `classes[i]`: the targets of output `i` are
    /// class numbers. It prints as a list, and draws itself: [`Graph::to_dot`], `Graph::write_svg`.
    ///
    /// # Errors
    /// [`Error::Shape`] where the network does not fit its losses.
    pub fn graph(&self, purpose: Purpose, classes: &[bool]) -> Result<Graph> {
        let Built { mut graph, loss, .. } = self.build(purpose, classes)?;
        if let (Purpose::Train, Some(loss)) = (purpose, loss) {
            let (_, parameters) = self.trained(&graph);
            differentiate(&mut graph, loss, &parameters)?;
        }
        Ok(graph)
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
        if purpose == Purpose::Train {
            let (indices, parameters) = self.trained(&graph);
            let found = loss.map_or_else(
                || Ok(vec![None; parameters.len()]),
                |loss| differentiate(&mut graph, loss, &parameters),
            )?;
            gradients = indices.into_iter().zip(or_zeros(&mut graph, &parameters, found)).collect();
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

/// The share of each row in a loss of this weight.
fn weighted(graph: &mut Graph, weight: f32, row_scale: NodeId) -> NodeId {
    if weight == 1.0 { row_scale } else { graph.scale("loss_weight", weight, row_scale) }
}

/// `total` and the mean of a loss; one of weight 0 is logged and no more.
fn with_mean(
    graph: &mut Graph,
    total: Option<NodeId>,
    weight: f32,
    (rows, scale): (NodeId, NodeId),
) -> Result<Option<NodeId>> {
    if weight == 0.0 {
        return Ok(total);
    }
    let mean = graph.weighted_sum("loss", rows, scale)?;
    total.map_or(Ok(mean), |sum| graph.add("loss", sum, mean)).map(Some)
}

/// The gradients of `of`, 0 where there is none: where it would be left out, that of an earlier plan would stay.
pub(super) fn or_zeros(graph: &mut Graph, of: &[NodeId], found: Vec<Option<NodeId>>) -> Vec<NodeId> {
    let gradients = of.iter().zip(found);
    gradients.map(|(&of, found)| found.unwrap_or_else(|| graph.fill("no gradient", 0.0, graph.shape(of)))).collect()
}
