//! The kernels of the operations that serve one kind of layer.

use super::{Lower, Operand};
use crate::graph::{LayerOp, Node, NodeId};
use crate::kernels::{
    AlphaDropout, BatchNorm, BatchNormGrad, BatchNormGradParams, BatchNormGradPart, BatchNormParams, Embedding,
    EmbeddingGrad, EmbeddingParams, Kernel, LayerNorm, LayerNormGrad, LayerNormParams, LayerNormScaleGrad,
    LayerNormScaleGradParams, NormPart, RunningStatistics,
};
use crate::{Error, Result};

impl Lower<'_> {
    /// Lowers a node whose operation serves one kind of layer.
    pub(super) fn layer(&mut self, id: NodeId, op: LayerOp) -> Result<()> {
        let node = self.graph.node(id).clone();
        let inputs = node.inputs.as_slice();
        let (n, rows, cols) = self.sizes(inputs.first().copied().unwrap_or(id))?;
        let operands = |lower: &Self, ids: &[NodeId]| ids.iter().map(|id| lower.operand(*id)).collect::<Vec<_>>();
        let norm = |part, running_at, known_at, epsilon| {
            let params = BatchNormParams { rows, cols, running_at, known_at, epsilon };
            Kernel::BatchNorm(BatchNorm { part, params })
        };
        let batch_grad = |part, variance_at, epsilon, known: bool| {
            let known = u32::from(known);
            let params = BatchNormGradParams { rows, cols, variance_at, shift_at: 0, epsilon, known };
            Kernel::BatchNormGrad(BatchNormGrad { part, params })
        };
        let layer_norm = |part, epsilon| {
            let params = LayerNormParams { rows, cols, epsilon };
            Kernel::LayerNorm(LayerNorm { part, params })
        };
        let mut reads = operands(self, inputs);
        let kernel = match op {
            LayerOp::BatchStatistics => {
                let [x, mean, variance] = node.inputs()?;
                let (running, at) = self.pair(&node, mean, variance)?;
                reads = vec![self.operand(x), running];
                norm(NormPart::Measure, at, 0, 0.0)
            }
            LayerOp::BatchNorm { epsilon } => norm(NormPart::Normalize, 0, cols, epsilon),
            LayerOp::BatchNormInference { epsilon } => {
                let [x, scale, shift, mean, variance] = node.inputs()?;
                let (running, at) = self.pair(&node, mean, variance)?;
                reads = [operands(self, &[x, scale, shift]), vec![running]].concat();
                norm(NormPart::Normalize, 0, at, epsilon)
            }
            LayerOp::RunningStatistics { momentum } => {
                let [statistics, mean, variance] = node.inputs()?;
                let (running, running_at) = self.pair(&node, mean, variance)?;
                let kernel = RunningStatistics { rows: self.what.batch as u32, cols, running_at, momentum };
                let operands = vec![self.operand(statistics), running];
                self.push(Kernel::RunningStatistics(kernel), operands, &node.name);
                return Ok(());
            }
            LayerOp::BatchNormInputGrad { epsilon } => batch_grad(BatchNormGradPart::Input, cols, epsilon, false),
            LayerOp::BatchNormScaleGrad { epsilon } => batch_grad(BatchNormGradPart::Scale, cols, epsilon, false),
            LayerOp::BatchNormInferenceInputGrad { epsilon } => {
                let [x, mean, variance, scale, dy] = node.inputs()?;
                let (running, at) = self.pair(&node, mean, variance)?;
                reads = vec![self.operand(x), running, self.operand(scale), self.operand(dy)];
                batch_grad(BatchNormGradPart::Input, at, epsilon, true)
            }
            LayerOp::BatchNormInferenceScaleGrad { epsilon } => {
                let [x, mean, variance, dy] = node.inputs()?;
                let (running, at) = self.pair(&node, mean, variance)?;
                reads = vec![self.operand(x), running, self.operand(dy)];
                batch_grad(BatchNormGradPart::Scale, at, epsilon, true)
            }
            LayerOp::RowStatistics { epsilon } => layer_norm(NormPart::Measure, epsilon),
            LayerOp::LayerNorm => layer_norm(NormPart::Normalize, 0.0),
            LayerOp::LayerNormInputGrad => Kernel::LayerNormGrad(LayerNormGrad { rows, cols }),
            LayerOp::LayerNormScaleGrad => {
                let params = LayerNormScaleGradParams { rows, cols, shift_at: 0 };
                Kernel::LayerNormScaleGrad(LayerNormScaleGrad { with_shift: false, params })
            }
            LayerOp::AlphaDropout { rate, stream } => Kernel::AlphaDropout(AlphaDropout::new(n, rate, stream)),
            LayerOp::AlphaDropoutGrad { rate, stream } => {
                Kernel::Dropout(AlphaDropout::new(n, rate, stream).gradient())
            }
            LayerOp::Embedding => return self.embedding(id, &node),
            LayerOp::EmbeddingGrad { from, columns } => {
                let [_, dy] = node.inputs()?;
                let (_, categories, width) = self.sizes(id)?;
                let (_, _, to_width) = self.sizes(dy)?;
                let (from_column, columns) = (from as u32, columns as u32);
                let to_column = from_column * width;
                let from_width = cols;
                let p =
                    EmbeddingParams { rows, columns, categories, width, from_width, from_column, to_width, to_column };
                Kernel::EmbeddingGrad(EmbeddingGrad(p))
            }
        };
        reads.push(self.operand(id));
        self.push(kernel, reads, &node.name);
        Ok(())
    }

    /// A dispatch for each table, each writing its columns of the value.
    fn embedding(&mut self, id: NodeId, node: &Node) -> Result<()> {
        let [x, tables @ ..] = node.inputs.as_slice() else { return Ok(()) };
        let ((_, rows, from_width), (_, _, to_width)) = (self.sizes(*x)?, self.sizes(id)?);
        let columns = if tables.len() == 1 { from_width } else { 1 };
        for (from_column, &table) in (0..).step_by(columns as usize).zip(tables) {
            let (_, categories, width) = self.sizes(table)?;
            let to_column = from_column * width;
            let p = EmbeddingParams { rows, columns, categories, width, from_width, from_column, to_width, to_column };
            let operands = vec![self.operand(*x), self.operand(table), self.operand(id)];
            self.push(Kernel::Embedding(Embedding(p)), operands, &node.name);
        }
        Ok(())
    }

    /// The range from the first of two neighbouring parameters to the end of the second, and where that begins.
    fn pair(&self, node: &Node, first: NodeId, second: NodeId) -> Result<(Operand, u32)> {
        match (self.operand(first), self.operand(second)) {
            (Operand::Fixed(one), Operand::Fixed(two)) if two.offset > one.offset => {
                let at = two.offset - one.offset;
                Ok((Operand::Fixed(one.resized(at + two.fixed())), at as u32))
            }
            _ => Err(Error::Internal(format!("{}: its statistics are no neighbours", node.name))),
        }
    }
}
