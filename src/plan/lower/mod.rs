//! Lowers a graph to a plan: live nodes become kernels, kernels are fused, values get buffers.

mod layers;
mod training;

use super::draft::{Draft, Operand};
use super::{Buffer, BufferRange, Plan, Slab, fuse, half, memory, split};
use crate::graph::{Graph, LayerOp, NodeId, Op};
use crate::kernels::{
    self as k, Accuracy, ActivationForward, ActivationGrad, CopyColumns, CosineLoss, Elementwise,
    ElementwiseLossKernel, Epilogue, Gather, GatherWeights, Kernel, LossPart, Matmul, WeightedSum,
};
use crate::{Error, Result, size};
use std::collections::HashSet;

/// The optimizer's dispatch: a kernel over the whole slab.
#[derive(Debug, Clone, PartialEq)]
pub struct ParameterUpdate {
    /// Reads the gradients (an update by rules also those); updates the parameters, then each moment.
    pub kernel: Kernel,
    /// Moment slabs it keeps.
    pub moments: usize,
    /// The norm of all gradients is brought down to this first; needs an update by rules.
    pub max_norm: Option<f32>,
    /// The gradients are those of a scaled loss ([`Buffer::LossScale`]); needs an update by rules.
    pub scaled: bool,
}

/// What a plan is to compute.
#[derive(Debug, Clone)]
pub struct Lowering<'a> {
    /// `train`, `evaluate`, `predict`.
    pub name: &'a str,
    /// Rows of a batch.
    pub batch: usize,
    /// Inputs, targets and weights are gathered from a data set on the device; otherwise the caller writes
    /// the inputs' buffers.
    pub gather: bool,
    /// Fold elementwise work into the kernels beside it.
    pub fused: bool,
    /// Store in f16 what only kernels touch that can ([`Binding::half`](crate::kernels::Binding::half)).
    pub half: bool,
    /// Values to be read after a run.
    pub outputs: &'a [NodeId],
    /// Values `(B, cols)` that each run writes to the log, one slot for each column.
    pub logs: &'a [NodeId],
    /// Parameter index and the node that is its gradient.
    pub gradients: &'a [(usize, NodeId)],
    /// What is done with the gradients.
    pub update: Option<ParameterUpdate>,
}

/// Lowers `graph`. Fails where a value is larger than the 32-bit indices of the kernels allow, or a batch has no rows.
pub fn lower(graph: &Graph, what: &Lowering<'_>) -> Result<Plan> {
    if what.batch == 0 {
        return Err(Error::value(format!("plan {}", what.name), "batch", "at least 1", what.batch));
    }
    let slab = Slab::new(graph.parameters());
    let live = live(graph, what);
    let mut lowering = Lower {
        graph,
        what,
        slab: &slab,
        own_place: own_places(graph, what, &live),
        drafts: Vec::new(),
        scratch: Vec::new(),
    };
    for (i, _) in live.iter().enumerate().filter(|(_, live)| **live) {
        lowering.node(NodeId(i))?;
    }
    size::check(|| "the slab of all parameters".to_owned(), slab.len())?;
    lowering.gradients();
    lowering.logs()?;
    lowering.update();
    let (mut drafts, scratch) = (lowering.drafts, lowering.scratch);
    if what.fused {
        drafts = fuse::fuse(drafts, what.outputs);
    }
    let nodes = graph.nodes().len();
    let len = |id: NodeId| {
        let own = id.0.checked_sub(nodes).and_then(|i| scratch.get(i).copied());
        own.unwrap_or_else(|| graph.shape(id).len(what.batch))
    };
    let inputs = inputs(graph, &live);
    let uploaded: Vec<NodeId> = if what.gather { Vec::new() } else { inputs.iter().copied().flatten().collect() };
    let halves = if what.half { half::halves(&drafts, &[&uploaded, what.outputs]) } else { HashSet::new() };
    let placed = memory::place(drafts, len, &uploaded, what.outputs, &halves);
    let range_of = |id: &NodeId| placed.places.get(id).copied();
    let outputs: Option<Vec<BufferRange>> = what
        .outputs
        .iter()
        .map(|id| match graph.node(*id).op {
            Op::Parameter(index) => Some(slab.range(Buffer::Parameters, index)),
            _ => range_of(id),
        })
        .collect();
    Ok(Plan {
        name: what.name.to_owned(),
        batch: what.batch,
        inputs: inputs.iter().map(|input| input.as_ref().and_then(range_of)).collect(),
        outputs: outputs.ok_or_else(|| Error::Internal(format!("plan {}: an output has no buffer", what.name)))?,
        steps: placed.steps,
        temporaries: placed.temporaries,
        log_slots: log_slots(graph, what),
        slab: slab.len(),
        moments: what.update.as_ref().map_or(0, |update| update.moments),
    })
}

/// Columns of the values that are logged.
fn log_slots(graph: &Graph, what: &Lowering<'_>) -> usize {
    what.logs.iter().fold(0, |slots, id| slots.saturating_add(graph.shape(*id).cols))
}

/// The nodes that the results depend on, and those that are there for what they do to the parameters.
fn live(graph: &Graph, what: &Lowering<'_>) -> Vec<bool> {
    let mut live = vec![false; graph.nodes().len()];
    let gradients = what.gradients.iter().map(|(_, id)| id);
    for id in what.outputs.iter().chain(what.logs).chain(gradients) {
        live[id.0] = true;
    }
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        live[i] |= matches!(node.op, Op::Layer(LayerOp::RunningStatistics { .. }));
        if live[i] {
            node.inputs.iter().for_each(|input| live[input.0] = true);
        }
    }
    live
}

fn inputs(graph: &Graph, live: &[bool]) -> Vec<Option<NodeId>> {
    let nodes = graph.nodes().iter().enumerate();
    let inputs = nodes.filter(|(_, node)| matches!(node.op, Op::Input(_)));
    inputs.map(|(i, _)| live[i].then_some(NodeId(i))).collect()
}

/// Gradients that are computed straight into the slab: those that no other node or result reads. The rest are copied.
fn own_places(graph: &Graph, what: &Lowering<'_>, live: &[bool]) -> Vec<(NodeId, usize)> {
    let mut uses = vec![0; graph.nodes().len()];
    for (node, _) in graph.nodes().iter().zip(live).filter(|(_, live)| **live) {
        node.inputs.iter().for_each(|input| uses[input.0] += 1);
    }
    let results = what.outputs.iter().chain(what.logs).chain(what.gradients.iter().map(|(_, id)| id));
    results.for_each(|id| uses[id.0] += 1);
    let is_leaf = |id: NodeId| graph.node(id).inputs.is_empty();
    let own = what.gradients.iter().filter(|(_, id)| uses[id.0] == 1 && !is_leaf(*id));
    own.map(|&(parameter, id)| (id, parameter)).collect()
}

struct Lower<'a> {
    graph: &'a Graph,
    what: &'a Lowering<'a>,
    slab: &'a Slab,
    own_place: Vec<(NodeId, usize)>,
    drafts: Vec<Draft>,
    /// Elements of the values that stand for no node; they are numbered on from the nodes.
    scratch: Vec<usize>,
}

impl Lower<'_> {
    /// A value of `elements` elements that only a kernel and the next one see.
    fn scratch(&mut self, name: &str, elements: usize) -> Result<Operand> {
        size::check(|| format!("the parts of {name} at batch {}", self.what.batch), elements)?;
        self.scratch.push(elements);
        Ok(Operand::Value(NodeId(self.graph.nodes().len() + self.scratch.len() - 1)))
    }

    fn operand(&self, id: NodeId) -> Operand {
        if let Op::Parameter(index) = self.graph.node(id).op {
            return Operand::Fixed(self.slab.range(Buffer::Parameters, index));
        }
        if self.graph.node(id).op == Op::LossScale {
            return Operand::Fixed(BufferRange { offset: k::SCALE_AT, ..BufferRange::of(Buffer::LossScale, 1) });
        }
        match self.own_place.iter().find(|(node, _)| *node == id) {
            Some(&(_, index)) => Operand::Fixed(self.slab.range(Buffer::Gradients, index)),
            None => Operand::Value(id),
        }
    }

    fn push(&mut self, kernel: Kernel, operands: Vec<Operand>, name: &str) {
        self.drafts.push(Draft { kernel, operands, name: name.to_owned() });
    }

    /// Elements and `(rows, cols)` of a value, as the kernels' 32-bit sizes.
    fn sizes(&self, id: NodeId) -> Result<(u32, u32, u32)> {
        let (shape, batch) = (self.graph.shape(id), self.what.batch);
        let elements = shape.len(batch);
        size::check(|| format!("{} {shape} at batch {batch}", self.graph.node(id).name), elements)?;
        Ok((elements as u32, shape.rows(batch) as u32, shape.cols as u32))
    }

    fn node(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id).clone();
        let (n, rows, cols) = self.sizes(id)?;
        let mut operands: Vec<Operand> = node.inputs.iter().map(|&input| self.operand(input)).collect();
        let first = node.inputs.first().copied().unwrap_or(id);
        let (_, in_rows, in_cols) = self.sizes(first)?;
        let kernel = match node.op {
            Op::Parameter(_) | Op::LossScale => return Ok(()),
            Op::Input(_) if !self.what.gather => return Ok(()),
            Op::Input(slot) => {
                operands = gathered(Buffer::DataInput(slot));
                Kernel::Gather(Gather { rows, cols })
            }
            Op::Target(slot) => {
                operands = gathered(Buffer::DataTarget(slot));
                Kernel::Gather(Gather { rows, cols })
            }
            Op::RowScale => {
                operands = gathered(Buffer::DataWeights);
                Kernel::GatherWeights(GatherWeights { rows })
            }
            Op::Fill(value) => Kernel::Fill(k::Fill { n, value }),
            Op::MatMul { transpose_a, transpose_b } => {
                let inner = if transpose_a { in_rows } else { in_cols };
                let (m, n, k) = (rows as usize, cols as usize, inner as usize);
                let product = Matmul::new(m, n, k, transpose_a, transpose_b);
                if let Some(steps) = split::part(self.graph.shape(id).rows, n, k) {
                    let product = product.with_epilogue(Epilogue::InParts { steps });
                    let (parts, n) = (product.parts(), n * m);
                    let scratch = self.scratch(&node.name, parts.saturating_mul(n))?;
                    self.push(Kernel::Matmul(product), [operands, vec![scratch]].concat(), &node.name);
                    operands = vec![scratch];
                    Kernel::SumRows(k::SumRows { rows: parts as u32, cols: n as u32 })
                } else {
                    Kernel::Matmul(product)
                }
            }
            Op::BatchMatMul(product) => {
                let sizes = product.sizes.map(|size| size as u32);
                Kernel::BatchMatmul(k::BatchMatmul::new(rows, sizes, product.transpose_a, product.transpose_b))
            }
            Op::BiasAdd => Kernel::BiasAdd(k::BiasAdd { rows, cols }),
            Op::SumRows => Kernel::SumRows(k::SumRows { rows: in_rows, cols: in_cols }),
            Op::SumCols => Kernel::SumCols(k::SumCols { rows: in_rows, cols: in_cols }),
            Op::Activation(f) => Kernel::Activation(ActivationForward::new(f, n)),
            Op::ActivationGrad(f) => Kernel::ActivationGrad(ActivationGrad::new(f, n)),
            Op::Softmax => Kernel::Softmax(k::Softmax { rows, cols }),
            Op::SoftmaxGrad => Kernel::SoftmaxGrad(k::SoftmaxGrad { rows, cols }),
            Op::LogSoftmax => Kernel::LogSoftmax(k::LogSoftmax { rows, cols }),
            Op::LogSoftmaxGrad => Kernel::LogSoftmaxGrad(k::LogSoftmaxGrad { rows, cols }),
            Op::SoftmaxCrossEntropy { classes, kind } => cross_entropy(LossPart::Loss, in_rows, in_cols, classes, kind),
            Op::SoftmaxCrossEntropyGrad { classes, kind } => {
                cross_entropy(LossPart::Grad, in_rows, in_cols, classes, kind)
            }
            Op::CosineLoss => Kernel::CosineLoss(CosineLoss::new(LossPart::Loss, in_rows, in_cols)),
            Op::CosineLossGrad => Kernel::CosineLoss(CosineLoss::new(LossPart::Grad, in_rows, in_cols)),
            Op::ElementwiseLoss(loss) => {
                Kernel::ElementwiseLoss(ElementwiseLossKernel::new(LossPart::Loss, loss, in_rows, in_cols))
            }
            Op::ElementwiseLossGrad(loss) => {
                Kernel::ElementwiseLoss(ElementwiseLossKernel::new(LossPart::Grad, loss, in_rows, in_cols))
            }
            Op::Elementwise(op) => {
                let (_, b_rows, b_cols) = self.sizes(node.inputs[1])?;
                Kernel::Elementwise(Elementwise::new(op, (in_rows, in_cols), (b_rows, b_cols)))
            }
            Op::Function(function) => {
                operands.truncate(function.arity());
                let (_, b_rows, b_cols) = self.sizes(node.inputs.last().copied().unwrap_or(first))?;
                Kernel::Expression(k::Expression::new(function, (in_rows, in_cols), (b_rows, b_cols)))
            }
            Op::Scale(factor) => Kernel::Scale(k::Scale { n, factor }),
            Op::Concat => return self.concat(id),
            Op::Slice { from } => Kernel::CopyColumns(CopyColumns {
                rows,
                cols,
                from_width: in_cols,
                from_column: from as u32,
                to_width: cols,
                to_column: 0,
            }),
            Op::Dropout { rate, stream } => Kernel::Dropout(k::Dropout::new(n, rate, stream)),
            Op::Layer(op) => return self.layer(id, op),
            Op::WeightedSum => Kernel::WeightedSum(WeightedSum { n: in_rows }),
            Op::Accuracy(kind) => Kernel::Accuracy(Accuracy::new(kind, in_rows, in_cols)),
            Op::Rank(kind) => Kernel::Rank(k::Rank::new(kind, in_rows, in_cols)),
        };
        operands.push(self.operand(id));
        self.push(kernel, operands, &node.name);
        Ok(())
    }

    fn concat(&mut self, id: NodeId) -> Result<()> {
        let node = self.graph.node(id).clone();
        let (_, rows, to_width) = self.sizes(id)?;
        let mut to = 0;
        for &part in &node.inputs {
            let (_, _, cols) = self.sizes(part)?;
            let kernel = Kernel::CopyColumns(CopyColumns {
                rows,
                cols,
                from_width: cols,
                from_column: 0,
                to_width,
                to_column: to,
            });
            self.push(kernel, vec![self.operand(part), self.operand(id)], &node.name);
            to += cols;
        }
        Ok(())
    }
}

fn gathered(data: Buffer) -> Vec<Operand> {
    vec![Operand::Fixed(BufferRange::whole(data)), Operand::Fixed(BufferRange::whole(Buffer::Order))]
}

fn cross_entropy(part: LossPart, rows: u32, cols: u32, classes: bool, kind: k::EntropyKind) -> Kernel {
    Kernel::SoftmaxCrossEntropy(k::SoftmaxCrossEntropy::of_kind(part, classes, kind, rows, cols))
}
