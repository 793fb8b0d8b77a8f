//! The operations that serve one kind of layer alone: normalisation, alpha dropout, embedding.

use super::{Graph, LayerOp, NodeId, Op, Rows, Shape};
use crate::{Error, Result};

/// Refuses an ε that f32 would round to 0.
pub(crate) fn check_epsilon(place: &str, epsilon: f32) -> Result<()> {
    if epsilon.is_finite() && epsilon >= f32::MIN_POSITIVE {
        return Ok(());
    }
    Err(Error::value(place, "epsilon", "positive and finite", epsilon))
}

/// Refuses a momentum that is no share.
pub(crate) fn check_momentum(place: &str, momentum: f32) -> Result<()> {
    if (0.0..=1.0).contains(&momentum) {
        return Ok(());
    }
    Err(Error::value(place, "momentum", "at least 0 and at most 1", momentum))
}

/// Refuses a share of dropped elements that leaves none.
pub(crate) fn check_rate(place: &str, rate: f32) -> Result<()> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::value(place, "rate", "at least 0 and less than 1", rate))
}

impl Graph {
    /// `scale (x - mean) / √(variance + ε) + shift` for each column of `x (B, cols)`, with the mean and the biased
    /// variance of the rows that are no padding. A step also moves the running `mean` and `variance` by `momentum`
    /// towards those of its batch, the variance unbiased. For a batch of one row the running ones stand in.
    ///
    /// `parameters`: scale, shift, running mean, running variance, each `(1, cols)`; the last two are parameters of
    /// the graph, declared one after the other.
    pub fn batch_norm(
        &mut self,
        name: &str,
        x: NodeId,
        parameters: [NodeId; 4],
        epsilon: f32,
        momentum: f32,
    ) -> Result<NodeId> {
        self.check_batch_norm(name, x, parameters, epsilon)?;
        check_momentum(name, momentum)?;
        let ([scale, shift, mean, variance], shape) = (parameters, self.shape(x));
        let both = Shape::fixed(2, shape.cols);
        let statistics = self.push(name, Op::Layer(LayerOp::BatchStatistics), &[x, mean, variance], both);
        let y = self.push(name, Op::Layer(LayerOp::BatchNorm { epsilon }), &[x, scale, shift, statistics], shape);
        self.push(name, Op::Layer(LayerOp::RunningStatistics { momentum }), &[statistics, mean, variance], both);
        Ok(y)
    }

    /// [`Graph::batch_norm`] with the running mean and variance, which stay as they are.
    pub fn batch_norm_inference(
        &mut self,
        name: &str,
        x: NodeId,
        parameters: [NodeId; 4],
        epsilon: f32,
    ) -> Result<NodeId> {
        self.check_batch_norm(name, x, parameters, epsilon)?;
        let [scale, shift, mean, variance] = parameters;
        let op = Op::Layer(LayerOp::BatchNormInference { epsilon });
        Ok(self.push(name, op, &[x, scale, shift, mean, variance], self.shape(x)))
    }

    fn check_batch_norm(&self, name: &str, x: NodeId, parameters: [NodeId; 4], epsilon: f32) -> Result<()> {
        check_epsilon(name, epsilon)?;
        let shape = self.shape(x);
        if shape.rows != Rows::Batch {
            return Err(Error::shape(name, Shape::batch(shape.cols), shape));
        }
        for parameter in parameters {
            self.require(name, parameter, Shape::fixed(1, shape.cols))?;
        }
        // One binding reaches over both: a dispatch may not bind a buffer it writes twice.
        match parameters.map(|parameter| self.node(parameter).op) {
            [_, _, Op::Parameter(mean), Op::Parameter(variance)] if variance == mean + 1 => Ok(()),
            [.., mean, variance] => {
                let got = format!("{} and {}", mean.name(), variance.name());
                Err(Error::value(name, "running statistics", "parameters declared one after the other", got))
            }
        }
    }

    /// `scale (x - mean) / √(variance + ε) + shift` for each row of `x`, with the mean and the biased variance of the
    /// row; scale and shift are `(1, cols)`.
    pub fn layer_norm(&mut self, name: &str, x: NodeId, scale: NodeId, shift: NodeId, epsilon: f32) -> Result<NodeId> {
        check_epsilon(name, epsilon)?;
        let shape = self.shape(x);
        for parameter in [scale, shift] {
            self.require(name, parameter, Shape::fixed(1, shape.cols))?;
        }
        let statistics =
            self.push(name, Op::Layer(LayerOp::RowStatistics { epsilon }), &[x], Shape { cols: 2, ..shape });
        Ok(self.push(name, Op::Layer(LayerOp::LayerNorm), &[x, scale, shift, statistics], shape))
    }

    /// Replaces elements with probability `rate` in `[0, 1)` by the limit of selu, then restores mean 0 and variance 1.
    pub fn alpha_dropout(&mut self, name: &str, rate: f32, stream: u32, x: NodeId) -> Result<NodeId> {
        check_rate(name, rate)?;
        Ok(self.push(name, Op::Layer(LayerOp::AlphaDropout { rate, stream }), &[x], self.shape(x)))
    }

    /// For each column of `x`, categories as numbers from 0, the row of a table: `(rows, columns · width)`. One table
    /// for all columns, or one for each. A number that is no category is held at the last; nothing has a gradient
    /// with respect to `x`.
    pub fn embedding(&mut self, name: &str, x: NodeId, tables: &[NodeId]) -> Result<NodeId> {
        let shape = self.shape(x);
        if tables.len() != 1 && tables.len() != shape.cols {
            return Err(Error::value(name, "tables", format!("1 or {}", shape.cols), tables.len()));
        }
        let width = self.shape(tables[0]).cols;
        for &table in tables {
            match self.shape(table) {
                Shape { rows: Rows::Fixed(_), cols } if cols == width => {}
                other => return Err(Error::shape(name, format!("a table (categories, {width})"), other)),
            }
        }
        let inputs = [&[x], tables].concat();
        Ok(self.push(
            name,
            Op::Layer(LayerOp::Embedding),
            &inputs,
            Shape { cols: shape.cols.saturating_mul(width), ..shape },
        ))
    }
}
