//! The rules of the operations that serve one kind of layer; the contract is that of `pull_back`.

use super::{Share, not_differentiable, second};
use crate::Result;
use crate::graph::{Graph, LayerOp, Node, NodeId, Op, Rows};

/// The shares of the inputs of `node`, whose operation is `op`.
pub(super) fn pull_back(
    graph: &mut Graph,
    (node, op): (&Node, LayerOp),
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Vec<Share>> {
    let mut shares = Vec::new();
    let mut push = |graph: &mut Graph, to: NodeId, op: LayerOp, inputs: &[NodeId]| {
        if wanted[to.0] {
            let shape = graph.shape(to);
            shares.push((to, graph.push(name, Op::Layer(op), inputs, shape)));
        }
    };
    let shift = match op {
        // What `x` does by way of the statistics is in its own share: they receive none.
        LayerOp::BatchNorm { epsilon } => {
            let [x, scale, shift, statistics] = node.inputs()?;
            push(graph, x, LayerOp::BatchNormInputGrad { epsilon }, &[x, statistics, scale, dy]);
            push(graph, scale, LayerOp::BatchNormScaleGrad { epsilon }, &[x, statistics, dy]);
            Some(shift)
        }
        // The running statistics are gathered, not trained: they receive none.
        LayerOp::BatchNormInference { epsilon } => {
            let [x, scale, shift, mean, variance] = node.inputs()?;
            push(graph, x, LayerOp::BatchNormInferenceInputGrad { epsilon }, &[x, mean, variance, scale, dy]);
            push(graph, scale, LayerOp::BatchNormInferenceScaleGrad { epsilon }, &[x, mean, variance, dy]);
            Some(shift)
        }
        LayerOp::LayerNorm => {
            let [x, scale, shift, statistics] = node.inputs()?;
            push(graph, x, LayerOp::LayerNormInputGrad, &[x, statistics, scale, dy]);
            push(graph, scale, LayerOp::LayerNormScaleGrad, &[x, statistics, dy]);
            Some(shift)
        }
        LayerOp::AlphaDropout { rate, stream } => {
            let [x] = node.inputs()?;
            push(graph, x, LayerOp::AlphaDropoutGrad { rate, stream }, &[dy]);
            None
        }
        LayerOp::Embedding => {
            if let [x, tables @ ..] = node.inputs.as_slice() {
                let columns = if tables.len() == 1 { graph.shape(*x).cols } else { 1 };
                for (i, &table) in tables.iter().enumerate() {
                    if matches!(graph.shape(table).rows, Rows::Fixed(_)) {
                        push(graph, table, LayerOp::EmbeddingGrad { from: i * columns, columns }, &[*x, dy]);
                    }
                }
            }
            None
        }
        LayerOp::BatchNormInferenceInputGrad { epsilon } => {
            return second::batch_norm(graph, (node, epsilon), name, dy, wanted);
        }
        LayerOp::BatchNormInferenceScaleGrad { epsilon } => {
            return second::batch_norm_scale(graph, (node, epsilon), name, dy, wanted);
        }
        LayerOp::LayerNormInputGrad => return second::layer_norm(graph, node, name, dy, wanted),
        LayerOp::LayerNormScaleGrad => return second::layer_norm_scale(graph, node, name, dy, wanted),
        // The mask does not depend on what it is multiplied by.
        LayerOp::AlphaDropoutGrad { .. } => {
            let [before] = node.inputs()?;
            push(graph, before, op, &[dy]);
            None
        }
        LayerOp::EmbeddingGrad { from, columns } => {
            return second::embedding(graph, (node, from, columns), name, dy);
        }
        LayerOp::BatchStatistics
        | LayerOp::RunningStatistics { .. }
        | LayerOp::RowStatistics { .. }
        | LayerOp::BatchNormInputGrad { .. }
        | LayerOp::BatchNormScaleGrad { .. } => return Err(not_differentiable(node)),
    };
    if let Some(shift) = shift.filter(|shift| wanted[shift.0]) {
        shares.push((shift, graph.sum_rows(name, dy)));
    }
    Ok(shares)
}
