//! One method per operation: infers the shape of the result or says which two shapes do not fit, and where.

use super::{BatchProduct, Graph, NodeId, Op, Parameter, Role, Rows, Shape, check_rate};
use crate::kernels::{AccuracyKind, Activation, ElementwiseLoss, ElementwiseOp, EntropyKind, RankKind};
use crate::{Error, Result, size};

impl Graph {
    /// The next input of the batch, `(B, cols)`.
    pub fn input(&mut self, name: &str, cols: usize) -> Result<NodeId> {
        let slot = self.nodes.iter().filter(|node| matches!(node.op, Op::Input(_))).count();
        self.leaf(name, Op::Input(slot), Shape::batch(cols))
    }

    /// The next target of the batch, `(B, cols)`.
    pub fn target(&mut self, name: &str, cols: usize) -> Result<NodeId> {
        let slot = self.nodes.iter().filter(|node| matches!(node.op, Op::Target(_))).count();
        self.leaf(name, Op::Target(slot), Shape::batch(cols))
    }

    /// The weight of each row over the weights of the batch, `(B, 1)`.
    pub fn row_scale(&mut self) -> NodeId {
        let known = self.nodes.iter().position(|node| node.op == Op::RowScale);
        known.map_or_else(|| self.push("row_scale", Op::RowScale, &[], Shape::batch(1)), NodeId)
    }

    /// By what the loss is multiplied, `(1, 1)`.
    pub fn loss_scale(&mut self) -> NodeId {
        self.push("loss_scale", Op::LossScale, &[], Shape::fixed(1, 1))
    }

    /// A new parameter `(rows, cols)`.
    pub fn parameter(&mut self, name: &str, role: Role, rows: usize, cols: usize) -> Result<NodeId> {
        if let Some(index) = self.again.next() {
            let known = self.nodes.iter().position(|node| node.op == Op::Parameter(index)).map(NodeId);
            let known = known.ok_or_else(|| Error::Internal(format!("{name}: no parameter {index}")))?;
            return self.require(name, known, Shape::fixed(rows, cols)).map(|()| known);
        }
        let index = self.parameters.len();
        let id = self.leaf(name, Op::Parameter(index), Shape::fixed(rows, cols))?;
        self.parameters.push(Parameter { name: name.to_owned(), role, rows, cols });
        Ok(id)
    }

    /// The next declarations mean the parameters `known`, until there are none left.
    pub(crate) fn declare_again(&mut self, known: std::ops::Range<usize>) {
        self.again = known;
    }

    /// A constant of shape `shape`.
    pub fn fill(&mut self, name: &str, value: f32, shape: Shape) -> NodeId {
        self.push(name, Op::Fill(value), &[], shape)
    }

    fn leaf(&mut self, name: &str, op: Op, shape: Shape) -> Result<NodeId> {
        if shape.len(1) == 0 {
            return Err(Error::shape(name, "at least one row and one column", shape));
        }
        Ok(self.push(name, op, &[], shape))
    }

    /// `a b`.
    pub fn matmul(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.matmul_form(name, a, false, b, false)
    }

    /// `op(a) op(b)`, each transposed if told so.
    pub fn matmul_form(
        &mut self,
        name: &str,
        a: NodeId,
        transpose_a: bool,
        b: NodeId,
        transpose_b: bool,
    ) -> Result<NodeId> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        let (m, ka) = if transpose_a { (Rows::Fixed(sa.cols), sa.rows) } else { (sa.rows, Rows::Fixed(sa.cols)) };
        let (kb, n) = if transpose_b { (Rows::Fixed(sb.cols), sb.rows) } else { (sb.rows, Rows::Fixed(sb.cols)) };
        if ka != kb {
            let k = dim(ka);
            let fits = if transpose_b { format!("right operand (n, {k})") } else { format!("right operand ({k}, n)") };
            return Err(Error::shape(name, fits, sb));
        }
        let Rows::Fixed(cols) = n else {
            return Err(Error::shape(name, "a right operand of fixed size", format!("{sb} transposed")));
        };
        Ok(self.push(name, Op::MatMul { transpose_a, transpose_b }, &[a, b], Shape { rows: m, cols }))
    }

    /// The product of the matrices in each row of `a` and `b`, whose rows are as many.
    pub fn batch_matmul(&mut self, name: &str, product: BatchProduct, a: NodeId, b: NodeId) -> Result<NodeId> {
        let [m, k, n] = product.sizes;
        let rows = self.shape(a).rows;
        for (operand, sides) in [(a, [m, k]), (b, [k, n])] {
            let cols = size::product(&sides).filter(|cols| *cols > 0);
            let cols =
                cols.ok_or_else(|| Error::value(name, "sizes", "at least 1, and few numbers", format!("{sides:?}")))?;
            self.require(name, operand, Shape { rows, cols })?;
        }
        Ok(self.push(name, Op::BatchMatMul(product), &[a, b], Shape { rows, cols: m.saturating_mul(n) }))
    }

    /// `x + bias`, the bias `(1, cols)` repeated for every row.
    pub fn bias_add(&mut self, name: &str, x: NodeId, bias: NodeId) -> Result<NodeId> {
        let shape = self.shape(x);
        self.require(name, bias, Shape::fixed(1, shape.cols))?;
        Ok(self.push(name, Op::BiasAdd, &[x, bias], shape))
    }

    /// Sum over the rows, `(1, cols)`.
    pub fn sum_rows(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::SumRows, &[x], Shape::fixed(1, self.shape(x).cols))
    }

    /// Sum over the columns, `(rows, 1)`.
    pub fn sum_cols(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::SumCols, &[x], Shape { cols: 1, ..self.shape(x) })
    }

    /// `f(x)`, elementwise.
    pub fn activation(&mut self, name: &str, kind: Activation, x: NodeId) -> NodeId {
        self.push(name, Op::Activation(kind), &[x], self.shape(x))
    }

    /// `dy ⊙ f'`, where `saved` is the output of `f` if [`Activation::saves_output`], else its input.
    pub fn activation_grad(&mut self, name: &str, kind: Activation, saved: NodeId, dy: NodeId) -> Result<NodeId> {
        self.require(name, dy, self.shape(saved))?;
        Ok(self.push(name, Op::ActivationGrad(kind), &[saved, dy], self.shape(saved)))
    }

    /// Softmax of each row.
    pub fn softmax(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::Softmax, &[x], self.shape(x))
    }

    /// Logarithm of the softmax of each row.
    pub fn log_softmax(&mut self, name: &str, x: NodeId) -> NodeId {
        self.push(name, Op::LogSoftmax, &[x], self.shape(x))
    }

    /// Cross-entropy of each row of logits, `(B, 1)`: against class indices `(B, 1)` if `classes`,
    /// else against distributions `(B, cols)`.
    pub fn softmax_cross_entropy(
        &mut self,
        name: &str,
        logits: NodeId,
        target: NodeId,
        classes: bool,
        smoothing: f32,
    ) -> Result<NodeId> {
        self.entropy_loss(name, EntropyKind::CrossEntropy { smoothing }, logits, target, classes)
    }

    /// A loss of each row of logits made of the sums of a cross-entropy, `(B, 1)`: against class indices `(B, 1)` if
    /// `classes`, else against distributions `(B, cols)`.
    pub fn entropy_loss(
        &mut self,
        name: &str,
        kind: EntropyKind,
        logits: NodeId,
        target: NodeId,
        classes: bool,
    ) -> Result<NodeId> {
        let shape = self.shape(logits);
        let wanted = if classes { Shape { cols: 1, ..shape } } else { shape };
        self.require(name, target, wanted)?;
        let op = Op::SoftmaxCrossEntropy { classes, kind };
        Ok(self.push(name, op, &[logits, target], Shape { cols: 1, ..shape }))
    }

    /// Mean over the columns of an elementwise loss, `(B, 1)`.
    pub fn elementwise_loss(
        &mut self,
        name: &str,
        kind: ElementwiseLoss,
        prediction: NodeId,
        target: NodeId,
    ) -> Result<NodeId> {
        let shape = self.shape(prediction);
        self.require(name, target, shape)?;
        Ok(self.push(name, Op::ElementwiseLoss(kind), &[prediction, target], Shape { cols: 1, ..shape }))
    }

    /// `1 - cos` of the angle between prediction and target in each row, `(B, 1)`.
    pub fn cosine_loss(&mut self, name: &str, prediction: NodeId, target: NodeId) -> Result<NodeId> {
        let shape = self.shape(prediction);
        self.require(name, target, shape)?;
        Ok(self.push(name, Op::CosineLoss, &[prediction, target], Shape { cols: 1, ..shape }))
    }

    /// `a + b`, broadcast.
    pub fn add(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.elementwise(name, ElementwiseOp::Add, a, b)
    }

    /// `a - b`, broadcast.
    pub fn sub(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        self.elementwise(name, ElementwiseOp::Sub, a, b)
    }

    /// `a ⊙ b`, broadcast. A constant 1 that changes no shape is left out.
    pub fn mul(&mut self, name: &str, a: NodeId, b: NodeId) -> Result<NodeId> {
        let shape = Shape::broadcast(self.shape(a), self.shape(b));
        for (one, other) in [(a, b), (b, a)] {
            if self.node(one).op == Op::Fill(1.0) && Some(self.shape(other)) == shape {
                return Ok(other);
            }
        }
        self.elementwise(name, ElementwiseOp::Mul, a, b)
    }

    fn elementwise(&mut self, name: &str, op: ElementwiseOp, a: NodeId, b: NodeId) -> Result<NodeId> {
        let (sa, sb) = (self.shape(a), self.shape(b));
        let shape = Shape::broadcast(sa, sb)
            .ok_or_else(|| Error::shape(name, format!("shapes that broadcast with {sa}"), sb))?;
        Ok(self.push(name, Op::Elementwise(op), &[a, b], shape))
    }

    /// `factor · x`.
    pub fn scale(&mut self, name: &str, factor: f32, x: NodeId) -> NodeId {
        self.push(name, Op::Scale(factor), &[x], self.shape(x))
    }

    /// The columns of all `parts` side by side.
    pub fn concat(&mut self, name: &str, parts: &[NodeId]) -> Result<NodeId> {
        let Some(&first) = parts.first() else {
            return Err(Error::value(name, "parts", "at least one value", "none"));
        };
        let rows = self.shape(first).rows;
        for &part in parts {
            if self.shape(part).rows != rows {
                return Err(Error::shape(name, format!("{} rows", dim(rows)), self.shape(part)));
            }
        }
        let cols = parts.iter().fold(0usize, |cols, &part| cols.saturating_add(self.shape(part).cols));
        Ok(self.push(name, Op::Concat, parts, Shape { rows, cols }))
    }

    /// Columns `from .. from + cols` of `x`.
    pub fn slice(&mut self, name: &str, x: NodeId, from: usize, cols: usize) -> Result<NodeId> {
        let shape = self.shape(x);
        let end = from.checked_add(cols.max(1));
        if cols == 0 || end.is_none_or(|end| end > shape.cols) {
            let least = end.map_or("more".to_owned(), |end| format!("at least {end}"));
            return Err(Error::shape(name, format!("{least} columns"), shape));
        }
        Ok(self.push(name, Op::Slice { from }, &[x], Shape { cols, ..shape }))
    }

    /// `x` as the columns from `from` on of zeros of shape `all`.
    pub(super) fn padded(&mut self, name: &str, x: NodeId, from: usize, all: Shape) -> Result<NodeId> {
        let end = from + self.shape(x).cols;
        let mut parts = Vec::new();
        if from > 0 {
            parts.push(self.fill(name, 0.0, Shape { cols: from, ..all }));
        }
        parts.push(x);
        if end < all.cols {
            parts.push(self.fill(name, 0.0, Shape { cols: all.cols - end, ..all }));
        }
        self.concat(name, &parts)
    }

    /// Zeroes elements with probability `rate` in `[0, 1)`, scales the rest.
    pub fn dropout(&mut self, name: &str, rate: f32, stream: u32, x: NodeId) -> Result<NodeId> {
        check_rate(name, rate)?;
        Ok(self.push(name, Op::Dropout { rate, stream }, &[x], self.shape(x)))
    }

    /// `Σ values · weights`, both `(n, 1)`.
    pub fn weighted_sum(&mut self, name: &str, values: NodeId, weights: NodeId) -> Result<NodeId> {
        let shape = self.shape(values);
        self.require(name, values, Shape { cols: 1, ..shape })?;
        self.require(name, weights, shape)?;
        Ok(self.push(name, Op::WeightedSum, &[values, weights], Shape::SCALAR))
    }

    /// Share of right answers in each row, `(B, 1)`.
    pub fn accuracy(&mut self, name: &str, kind: AccuracyKind, prediction: NodeId, target: NodeId) -> Result<NodeId> {
        let shape = self.shape(prediction);
        let wanted = if kind == AccuracyKind::Classes { Shape { cols: 1, ..shape } } else { shape };
        self.require(name, target, wanted)?;
        Ok(self.push(name, Op::Accuracy(kind), &[prediction, target], Shape { cols: 1, ..shape }))
    }

    /// The class that each row predicts, or the rank of its target, `(B, 1)`.
    pub fn rank(&mut self, name: &str, kind: RankKind, prediction: NodeId, target: NodeId) -> Result<NodeId> {
        let shape = self.shape(prediction);
        let wanted = if kind == RankKind::OfOneHot { shape } else { Shape { cols: 1, ..shape } };
        self.require(name, target, wanted)?;
        Ok(self.push(name, Op::Rank(kind), &[prediction, target], Shape { cols: 1, ..shape }))
    }

    pub(super) fn require(&self, name: &str, value: NodeId, wanted: Shape) -> Result<()> {
        if self.shape(value) == wanted { Ok(()) } else { Err(Error::shape(name, wanted, self.shape(value))) }
    }
}

fn dim(rows: Rows) -> String {
    match rows {
        Rows::Batch => "B".to_owned(),
        Rows::Fixed(rows) => rows.to_string(),
    }
}
