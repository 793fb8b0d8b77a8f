//! The rules of the operations that serve one kind of layer; the contract is that of `pull_back`.

use super::{Graph, Node, NodeId, Op, Result, Rows, Shape};

/// The shares of the inputs of `node`, or `None` for another operation.
pub(super) fn pull_back(
    graph: &mut Graph,
    node: &Node,
    name: &str,
    dy: NodeId,
    wanted: &[bool],
) -> Result<Option<Vec<(NodeId, NodeId)>>> {
    let mut shares = Vec::new();
    match (node.op, node.inputs.as_slice()) {
        // What `x` does by way of the statistics is in its own share: they receive none.
        (Op::BatchNorm { epsilon }, &[x, scale, shift, statistics]) => {
            let row = Shape::fixed(1, node.shape.cols);
            if wanted[x.0] {
                let op = Op::BatchNormInputGrad { epsilon };
                shares.push((x, graph.push(name, op, &[x, statistics, scale, dy], node.shape)));
            }
            if wanted[scale.0] {
                let op = Op::BatchNormScaleGrad { epsilon };
                shares.push((scale, graph.push(name, op, &[x, statistics, dy], row)));
            }
            if wanted[shift.0] {
                shares.push((shift, graph.sum_rows(name, dy)));
            }
        }
        // The running statistics are gathered, not trained: they receive none.
        (Op::BatchNormInference { epsilon }, &[x, scale, shift, mean, variance]) => {
            let row = Shape::fixed(1, node.shape.cols);
            if wanted[x.0] {
                let op = Op::BatchNormInferenceInputGrad { epsilon };
                shares.push((x, graph.push(name, op, &[x, mean, variance, scale, dy], node.shape)));
            }
            if wanted[scale.0] {
                let op = Op::BatchNormInferenceScaleGrad { epsilon };
                shares.push((scale, graph.push(name, op, &[x, mean, variance, dy], row)));
            }
            if wanted[shift.0] {
                shares.push((shift, graph.sum_rows(name, dy)));
            }
        }
        (Op::LayerNorm, &[x, scale, shift, statistics]) => {
            if wanted[x.0] {
                let inputs = [x, statistics, scale, dy];
                shares.push((x, graph.push(name, Op::LayerNormInputGrad, &inputs, node.shape)));
            }
            if wanted[scale.0] {
                let row = Shape::fixed(1, node.shape.cols);
                shares.push((scale, graph.push(name, Op::LayerNormScaleGrad, &[x, statistics, dy], row)));
            }
            if wanted[shift.0] {
                shares.push((shift, graph.sum_rows(name, dy)));
            }
        }
        (Op::AlphaDropout { rate, stream }, &[x]) => {
            shares.push((x, graph.push(name, Op::AlphaDropoutGrad { rate, stream }, &[dy], node.shape)));
        }
        (Op::Embedding, [x, tables @ ..]) => {
            let columns = if tables.len() == 1 { graph.shape(*x).cols } else { 1 };
            for (i, &table) in tables.iter().enumerate() {
                let shape = graph.shape(table);
                if let (true, Rows::Fixed(_)) = (wanted[table.0], shape.rows) {
                    let op = Op::EmbeddingGrad { from: i * columns, columns };
                    shares.push((table, graph.push(name, op, &[*x, dy], shape)));
                }
            }
        }
        _ => return Ok(None),
    }
    Ok(Some(shares))
}
