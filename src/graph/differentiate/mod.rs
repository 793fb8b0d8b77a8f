//! Reverse-mode automatic differentiation by appended nodes.
//!
//! Walking the nodes backwards, each node hands `dy`, the gradient of the loss with respect to its
//! value, on to its inputs. A value used more than once receives more than one share, and they are
//! added. By the time a node is reached every user of it has been visited, because users stand after
//! their inputs.

mod functions;
mod layers;
mod second;

use super::{BatchProduct, Graph, Node, NodeId, Op, Rows, Shape};
use crate::kernels::ElementwiseOp;
use crate::{Error, Result};

/// Appends to `graph` the nodes that compute the gradient of the scalar `loss` with respect to each
/// node of `wrt`, and returns them in that order: `None` where the loss does not depend on the node. What they compute can
/// be differentiated again, but for the gradients of a batch normalisation that measures its batch.
///
/// ```
/// use axone::graph::{Graph, Role, Shape, differentiate};
///
/// let mut graph = Graph::new();
/// let x = graph.input("x", 3)?;
/// let w = graph.parameter("w", Role::Weight, 3, 1)?;
/// let y = graph.matmul("layer", x, w)?;
/// let scale = graph.row_scale();
/// let loss = graph.weighted_sum("loss", y, scale)?;
/// let dw = differentiate(&mut graph, loss, &[w])?[0];
/// assert_eq!(dw.map(|dw| graph.shape(dw)), Some(Shape::fixed(3, 1)));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn differentiate(graph: &mut Graph, loss: NodeId, wrt: &[NodeId]) -> Result<Vec<Option<NodeId>>> {
    if graph.shape(loss) != Shape::SCALAR {
        return Err(Error::shape(graph.node(loss).name.clone(), "a scalar loss (1, 1)", graph.shape(loss)));
    }
    graph.backward.get_or_insert(graph.nodes.len());
    let seed = graph.fill("seed", 1.0, Shape::SCALAR);
    vector_jacobian(graph, &[(loss, seed)], wrt)
}

/// The vector-Jacobian product: appends to `graph` the nodes that compute `Σ dyᵀ ∂y/∂w` over all pairs `(y, dy)` for
/// each `w` of `wrt`, and returns them in that order: `None` where no `y` depends on the node. With the gradient of
/// any function of the `y` for their `dy`, it is the gradient of that function.
///
/// ```
/// use axone::graph::{Graph, Role, vector_jacobian};
///
/// let mut graph = Graph::new();
/// let (x, dy) = (graph.input("x", 3)?, graph.input("dy", 2)?);
/// let w = graph.parameter("w", Role::Weight, 3, 2)?;
/// let y = graph.matmul("layer", x, w)?;
/// let gradients = vector_jacobian(&mut graph, &[(y, dy)], &[w, x])?;
/// let shapes: Vec<_> = gradients.into_iter().flatten().map(|d| graph.shape(d)).collect();
/// assert_eq!(shapes, [graph.shape(w), graph.shape(x)]);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn vector_jacobian(graph: &mut Graph, seeds: &[(NodeId, NodeId)], wrt: &[NodeId]) -> Result<Vec<Option<NodeId>>> {
    graph.backward.get_or_insert(graph.nodes.len());
    let wanted = depends_on(graph, wrt);
    for &(y, dy) in seeds {
        if graph.shape(dy) != graph.shape(y) {
            return Err(Error::shape(graph.node(dy).name.clone(), graph.shape(y), graph.shape(dy)));
        }
    }
    let (gradients, _) = walk(graph, seeds, 0, &wanted)?;
    Ok(wrt.iter().map(|id| gradients.get(id.0).copied().flatten()).collect())
}

/// A node and its gradient, or a share of it.
type Share = (NodeId, NodeId);

/// Walks back from the last of `seeds` to node `first`: the gradient of each node from there on, and the shares of those
/// before.
fn walk(
    graph: &mut Graph,
    seeds: &[Share],
    first: usize,
    wanted: &[bool],
) -> Result<(Vec<Option<NodeId>>, Vec<Share>)> {
    let count = seeds.iter().map(|(y, _)| y.0 + 1).max().unwrap_or(0).saturating_sub(first);
    let (mut shares, mut before): (Vec<Vec<NodeId>>, Vec<Share>) = (vec![Vec::new(); count], Vec::new());
    let mut gradients: Vec<Option<NodeId>> = vec![None; count];
    let mut give = |shares: &mut Vec<Vec<NodeId>>, (to, share): Share| match to.0.checked_sub(first) {
        Some(at) => shares[at].push(share),
        None => before.push((to, share)),
    };
    seeds.iter().for_each(|seed| give(&mut shares, *seed));
    for at in (0..count).rev().filter(|at| wanted[first + at]) {
        let Some(dy) = total(graph, &shares[at])? else { continue };
        gradients[at] = Some(dy);
        pull_back(graph, NodeId(first + at), dy, wanted)?.into_iter().for_each(|share| give(&mut shares, share));
    }
    Ok((gradients, before))
}

/// The shares of the nodes that `y`, made from node `first` on, was made from.
fn walk_through(graph: &mut Graph, first: usize, (y, dy): Share, wanted: &[bool]) -> Result<Vec<Share>> {
    let mut wanted = wanted.to_vec();
    wanted.resize(first, false);
    for node in &graph.nodes()[first..] {
        wanted.push(node.inputs.iter().any(|input| wanted[input.0]));
    }
    walk(graph, &[(y, dy)], first, &wanted).map(|(_, shares)| shares)
}

/// Whether each node's value depends on one of `wrt`: gradients are appended for these alone.
fn depends_on(graph: &Graph, wrt: &[NodeId]) -> Vec<bool> {
    let mut wanted = vec![false; graph.nodes().len()];
    for (i, node) in graph.nodes().iter().enumerate() {
        wanted[i] = wrt.contains(&NodeId(i)) || node.inputs.iter().any(|input| wanted[input.0]);
    }
    wanted
}

/// The sum of the shares, added in the order in which they arrived.
fn total(graph: &mut Graph, shares: &[NodeId]) -> Result<Option<NodeId>> {
    let mut shares = shares.iter().copied();
    let Some(first) = shares.next() else { return Ok(None) };
    shares.try_fold(first, |sum, share| graph.add(&format!("d{}", graph.node(share).name), sum, share)).map(Some)
}

/// Contract of every arm: given `dy`, the gradient with respect to the value of `id`, return for each
/// wanted input the gradient's share that flows through this use of it, in that input's shape. No arm
/// may assume that `dy` is 1. Guarded by `tests/cpu/gradients.rs`, which puts every op mid-graph.
fn pull_back(graph: &mut Graph, id: NodeId, dy: NodeId, wanted: &[bool]) -> Result<Vec<Share>> {
    let node = graph.node(id).clone();
    let name = format!("d{}", node.name);
    let name = name.as_str();
    let mut shares = Vec::new();
    match node.op {
        Op::Input(_) | Op::Target(_) | Op::RowScale | Op::LossScale | Op::Parameter(_) | Op::Fill(_) => {}
        Op::MatMul { transpose_a, transpose_b } => {
            let [a, b] = node.inputs()?;
            if wanted[a.0] {
                let da = match (transpose_a, transpose_b) {
                    (false, _) => graph.matmul_form(name, dy, false, b, !transpose_b)?,
                    (true, _) => graph.matmul_form(name, b, transpose_b, dy, true)?,
                };
                shares.push((a, da));
            }
            if wanted[b.0] {
                let db = match (transpose_a, transpose_b) {
                    (_, false) => graph.matmul_form(name, a, !transpose_a, dy, false)?,
                    (_, true) => graph.matmul_form(name, dy, true, a, transpose_a)?,
                };
                shares.push((b, db));
            }
        }
        Op::BatchMatMul(BatchProduct { sizes: [m, k, n], transpose_a: ta, transpose_b: tb }) => {
            let [a, b] = node.inputs()?;
            let form = |sizes, transpose_a, transpose_b| BatchProduct { sizes, transpose_a, transpose_b };
            if wanted[a.0] {
                let da = match ta {
                    false => graph.batch_matmul(name, form([m, n, k], false, !tb), dy, b)?,
                    true => graph.batch_matmul(name, form([k, n, m], tb, true), b, dy)?,
                };
                shares.push((a, da));
            }
            if wanted[b.0] {
                let db = match tb {
                    false => graph.batch_matmul(name, form([k, m, n], !ta, false), a, dy)?,
                    true => graph.batch_matmul(name, form([n, m, k], true, ta), dy, a)?,
                };
                shares.push((b, db));
            }
        }
        Op::BiasAdd => {
            let [x, bias] = node.inputs()?;
            shares.push((x, dy));
            if wanted[bias.0] {
                shares.push((bias, graph.sum_rows(name, dy)));
            }
        }
        Op::SumRows | Op::SumCols => {
            let [x] = node.inputs()?;
            let ones = graph.fill(name, 1.0, graph.shape(x));
            shares.push((x, graph.mul(name, ones, dy)?));
        }
        Op::Activation(kind) => {
            let [x] = node.inputs()?;
            let saved = if kind.saves_output() { id } else { x };
            shares.push((x, graph.activation_grad(name, kind, saved, dy)?));
        }
        Op::Softmax => {
            let [x] = node.inputs()?;
            shares.push((x, graph.push(name, Op::SoftmaxGrad, &[id, dy], node.shape)));
        }
        Op::LogSoftmax => {
            let [x] = node.inputs()?;
            shares.push((x, graph.push(name, Op::LogSoftmaxGrad, &[id, dy], node.shape)));
        }
        Op::SoftmaxCrossEntropy { classes, kind } => {
            let [logits, target] = node.inputs()?;
            refuse_target(graph, target, wanted)?;
            let op = Op::SoftmaxCrossEntropyGrad { classes, kind };
            shares.push((logits, graph.push(name, op, &[logits, target, dy], graph.shape(logits))));
        }
        Op::ElementwiseLoss(kind) => {
            let [prediction, target] = node.inputs()?;
            refuse_target(graph, target, wanted)?;
            let op = Op::ElementwiseLossGrad(kind);
            shares.push((prediction, graph.push(name, op, &[prediction, target, dy], graph.shape(prediction))));
        }
        Op::CosineLoss => {
            let [prediction, target] = node.inputs()?;
            refuse_target(graph, target, wanted)?;
            let inputs = [prediction, target, dy];
            shares.push((prediction, graph.push(name, Op::CosineLossGrad, &inputs, graph.shape(prediction))));
        }
        Op::Elementwise(op) => {
            let [a, b] = node.inputs()?;
            for (this, other, is_right) in [(a, b, false), (b, a, true)] {
                if !wanted[this.0] {
                    continue;
                }
                let share = match (op, is_right) {
                    (ElementwiseOp::Mul, _) => graph.mul(name, dy, other)?,
                    (ElementwiseOp::Sub, true) => graph.scale(name, -1.0, dy),
                    (ElementwiseOp::Add | ElementwiseOp::Sub, _) => dy,
                };
                shares.push((this, unbroadcast(graph, name, share, graph.shape(this))));
            }
        }
        Op::Function(function) => {
            shares = functions::pull_back(graph, function, (id, &node.inputs), name, dy, wanted)?;
        }
        Op::Scale(factor) => {
            let [x] = node.inputs()?;
            shares.push((x, graph.scale(name, factor, dy)));
        }
        Op::Concat => {
            let mut from = 0;
            for &part in &node.inputs {
                let cols = graph.shape(part).cols;
                if wanted[part.0] {
                    shares.push((part, graph.slice(name, dy, from, cols)?));
                }
                from += cols;
            }
        }
        Op::Slice { from } => {
            let [x] = node.inputs()?;
            shares.push((x, graph.padded(name, dy, from, graph.shape(x))?));
        }
        Op::Dropout { rate, stream } => {
            let [x] = node.inputs()?;
            shares.push((x, graph.dropout(name, rate, stream, dy)?));
        }
        Op::WeightedSum => {
            let [values, weights] = node.inputs()?;
            for (this, other) in [(values, weights), (weights, values)] {
                if wanted[this.0] {
                    shares.push((this, graph.mul(name, dy, other)?));
                }
            }
        }
        Op::Layer(op) => shares = layers::pull_back(graph, (&node, op), name, dy, wanted)?,
        Op::ActivationGrad(kind) => shares = second::activation(graph, kind, &node, name, dy)?,
        Op::SoftmaxGrad => shares = second::softmax(graph, &node, name, dy)?,
        Op::LogSoftmaxGrad => shares = second::log_softmax(graph, &node, name, dy)?,
        Op::SoftmaxCrossEntropyGrad { .. } | Op::CosineLossGrad | Op::ElementwiseLossGrad(_) => {
            shares = second::loss(graph, &node, name, dy, wanted)?;
        }
        Op::Accuracy(_) | Op::Rank(_) => return Err(not_differentiable(&node)),
    }
    shares.retain(|(input, _)| wanted[input.0]);
    Ok(shares)
}

fn not_differentiable(node: &Node) -> Error {
    Error::value(&node.name, "loss", "made of differentiable operations", node.op.name())
}

fn refuse_target(graph: &Graph, target: NodeId, wanted: &[bool]) -> Result<()> {
    if wanted[target.0] {
        let name = &graph.node(target).name;
        return Err(Error::value(name, "target", "independent of the parameters", "a value that depends on them"));
    }
    Ok(())
}

/// Sums `dy` over the dimensions along which an operand of shape `shape` was repeated.
fn unbroadcast(graph: &mut Graph, name: &str, dy: NodeId, shape: Shape) -> NodeId {
    let mut dy = dy;
    if graph.shape(dy).rows != shape.rows && shape.rows == Rows::Fixed(1) {
        dy = graph.sum_rows(name, dy);
    }
    if graph.shape(dy).cols != shape.cols && shape.cols == 1 {
        dy = graph.sum_cols(name, dy);
    }
    dy
}
