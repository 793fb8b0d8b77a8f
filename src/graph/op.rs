//! The operations a graph is made of.

use crate::formula::Function;
use crate::kernels::{AccuracyKind, Activation, ElementwiseLoss, ElementwiseOp, EntropyKind, RankKind};

/// What a node computes from its inputs. Shapes in the comments are `(rows, cols)`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// Input number `slot` of the batch, `(B, cols)`.
    Input(usize),
    /// Target number `slot` of the batch, `(B, cols)`; class indices have one column.
    Target(usize),
    /// Weight of each row divided by the sum of the batch's weights, `(B, 1)`; 0 for padding.
    RowScale,
    /// By what the loss is multiplied so that small gradients survive in f16: one number, which the device keeps.
    LossScale,
    /// Parameter number `index` of the slab.
    Parameter(usize),
    /// A constant.
    Fill(f32),
    /// `op(a) op(b)`, each transposed if told so.
    MatMul {
        /// Use `aᵀ`.
        transpose_a: bool,
        /// Use `bᵀ`.
        transpose_b: bool,
    },
    /// `op(a) op(b)` in each row.
    BatchMatMul(BatchProduct),
    /// `x (rows, cols) + bias (1, cols)`.
    BiasAdd,
    /// Sum over the rows, `(1, cols)`.
    SumRows,
    /// Sum over the columns, `(rows, 1)`.
    SumCols,
    /// `f(x)`.
    Activation(Activation),
    /// `dy ⊙ f'`, from `[saved, dy]`: saved is the output or the input of `f`, whichever `f'` is written in.
    ActivationGrad(Activation),
    /// Softmax of each row.
    Softmax,
    /// From `[y, dy]`.
    SoftmaxGrad,
    /// Log-softmax of each row.
    LogSoftmax,
    /// From `[y, dy]`.
    LogSoftmaxGrad,
    /// Cross-entropy of each row of logits, or a loss akin to it, from `[logits, target]`, `(B, 1)`.
    SoftmaxCrossEntropy {
        /// The target is a class index, not a distribution.
        classes: bool,
        /// Which loss.
        kind: EntropyKind,
    },
    /// From `[logits, target, drow]`.
    SoftmaxCrossEntropyGrad {
        /// The target is a class index, not a distribution.
        classes: bool,
        /// Which loss.
        kind: EntropyKind,
    },
    /// `1 - cos` of the angle between prediction and target in each row, from `[prediction, target]`, `(B, 1)`.
    CosineLoss,
    /// From `[prediction, target, drow]`.
    CosineLossGrad,
    /// Mean over the columns of an elementwise loss, from `[prediction, target]`, `(B, 1)`.
    ElementwiseLoss(ElementwiseLoss),
    /// From `[prediction, target, drow]`.
    ElementwiseLossGrad(ElementwiseLoss),
    /// `a ∘ b` with NumPy's broadcasting.
    Elementwise(ElementwiseOp),
    /// A function of which formulas are made, of one or two values, with NumPy's broadcasting.
    Function(Function),
    /// `factor · x`.
    Scale(f32),
    /// Columns side by side, from any number of inputs.
    Concat,
    /// Columns `from .. from + cols` of the input.
    Slice {
        /// First column.
        from: usize,
    },
    /// Zeroes each element with probability `rate` and scales the rest by `1 / (1 - rate)`. Its own
    /// gradient: the mask is a function of (seed, step, stream, element).
    Dropout {
        /// Probability of zero.
        rate: f32,
        /// Tells the dropout layers of a model apart.
        stream: u32,
    },
    /// What serves one kind of layer alone.
    Layer(LayerOp),
    /// `Σ values · weights`, from `[values (n, 1), weights (n, 1)]`, `(1, 1)`.
    WeightedSum,
    /// Share of right answers in each row, from `[prediction, target]`, `(B, 1)`. No gradient.
    Accuracy(AccuracyKind),
    /// The class that each row predicts, or the rank of its target, from `[prediction, target]`, `(B, 1)`. No gradient.
    Rank(RankKind),
}

/// The product of matrices that lie in the rows of two values, one behind the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchProduct {
    /// Rows and columns of `op(a)`, columns of `op(b)`.
    pub sizes: [usize; 3],
    /// `a` holds `(k, m)`.
    pub transpose_a: bool,
    /// `b` holds `(n, k)`.
    pub transpose_b: bool,
}

/// The operations of normalisation, alpha dropout and embedding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum LayerOp {
    /// Mean and biased variance of each column over the rows that are no padding, from `[x, mean, variance]`, `(2, cols)`;
    /// the running ones where there are fewer than two rows. No gradient: [`LayerOp::BatchNorm`] has it.
    BatchStatistics,
    /// `scale (x - mean) / √(variance + ε) + shift` by columns, from `[x, scale, shift, statistics of x]`.
    BatchNorm {
        /// ε.
        epsilon: f32,
    },
    /// The same from `[x, scale, shift, mean, variance]`.
    BatchNormInference {
        /// ε.
        epsilon: f32,
    },
    /// With respect to `x`, by way of the statistics too; from `[x, statistics, scale, dy]`.
    BatchNormInputGrad {
        /// ε.
        epsilon: f32,
    },
    /// With respect to `scale`, from `[x, statistics, dy]`.
    BatchNormScaleGrad {
        /// ε.
        epsilon: f32,
    },
    /// With respect to the `x` of [`LayerOp::BatchNormInference`], from `[x, mean, variance, scale, dy]`.
    BatchNormInferenceInputGrad {
        /// ε.
        epsilon: f32,
    },
    /// With respect to its `scale`, from `[x, mean, variance, dy]`.
    BatchNormInferenceScaleGrad {
        /// ε.
        epsilon: f32,
    },
    /// Moves running mean and variance towards those of the batch, from `[statistics, mean, variance]`. Runs in every
    /// plan whose graph has it, though nothing reads its value.
    RunningStatistics {
        /// Share of the batch.
        momentum: f32,
    },
    /// Mean and `1 / √(variance + ε)` of each row, `(rows, 2)`. No gradient: [`LayerOp::LayerNorm`] has it.
    RowStatistics {
        /// ε.
        epsilon: f32,
    },
    /// Each row of `x` normalised, scaled and shifted, from `[x, scale, shift, statistics of x]`.
    LayerNorm,
    /// With respect to `x`, from `[x, statistics, scale, dy]`.
    LayerNormInputGrad,
    /// With respect to `scale`, from `[x, statistics, dy]`.
    LayerNormScaleGrad,
    /// Replaces each element with probability `rate` by the limit of selu, then restores mean and variance.
    AlphaDropout {
        /// Probability that an element is replaced.
        rate: f32,
        /// Tells the dropout layers of a model apart.
        stream: u32,
    },
    /// The gradient of that, from `[dy]`.
    AlphaDropoutGrad {
        /// Probability that an element is replaced.
        rate: f32,
        /// Tells the dropout layers of a model apart.
        stream: u32,
    },
    /// Rows of tables picked by category, from `[x, table, …]`: one table, or one for each column of `x`.
    Embedding,
    /// The gradient of the table of columns `from .. from + columns`, from `[x, dy]`.
    EmbeddingGrad {
        /// First column of `x`.
        from: usize,
        /// Columns of `x`.
        columns: usize,
    },
}

impl Op {
    /// The operation's name, which is also its kernel's where it has one of its own.
    pub fn name(&self) -> &'static str {
        match self {
            Op::Input(_) => "input",
            Op::Target(_) => "target",
            Op::RowScale => "row_scale",
            Op::LossScale => "loss_scale",
            Op::Parameter(_) => "parameter",
            Op::Fill(_) => "fill",
            Op::MatMul { .. } => "matmul",
            Op::BatchMatMul(_) => "batch_matmul",
            Op::BiasAdd => "bias_add",
            Op::SumRows => "sum_rows",
            Op::SumCols => "sum_cols",
            Op::Activation(_) => "activation",
            Op::ActivationGrad(_) => "activation_grad",
            Op::Softmax => "softmax",
            Op::SoftmaxGrad => "softmax_grad",
            Op::LogSoftmax => "log_softmax",
            Op::LogSoftmaxGrad => "log_softmax_grad",
            Op::SoftmaxCrossEntropy { .. } => "softmax_cross_entropy",
            Op::SoftmaxCrossEntropyGrad { .. } => "softmax_cross_entropy_grad",
            Op::CosineLoss => "cosine_loss",
            Op::CosineLossGrad => "cosine_loss_grad",
            Op::ElementwiseLoss(_) => "elementwise_loss",
            Op::ElementwiseLossGrad(_) => "elementwise_loss_grad",
            Op::Elementwise(ElementwiseOp::Add) => "add",
            Op::Elementwise(ElementwiseOp::Sub) => "sub",
            Op::Elementwise(ElementwiseOp::Mul) => "mul",
            Op::Function(function) => function.name(),
            Op::Scale(_) => "scale",
            Op::Concat => "concat",
            Op::Slice { .. } => "slice",
            Op::Dropout { .. } => "dropout",
            Op::Layer(op) => op.name(),
            Op::WeightedSum => "weighted_sum",
            Op::Accuracy(_) => "accuracy",
            Op::Rank(_) => "rank",
        }
    }
}

impl LayerOp {
    fn name(self) -> &'static str {
        match self {
            LayerOp::BatchStatistics => "batch_statistics",
            LayerOp::BatchNorm { .. } => "batch_norm",
            LayerOp::BatchNormInference { .. } => "batch_norm_inference",
            LayerOp::BatchNormInputGrad { .. } => "batch_norm_input_grad",
            LayerOp::BatchNormScaleGrad { .. } => "batch_norm_scale_grad",
            LayerOp::BatchNormInferenceInputGrad { .. } => "batch_norm_inference_input_grad",
            LayerOp::BatchNormInferenceScaleGrad { .. } => "batch_norm_inference_scale_grad",
            LayerOp::RunningStatistics { .. } => "running_statistics",
            LayerOp::RowStatistics { .. } => "row_statistics",
            LayerOp::LayerNorm => "layer_norm",
            LayerOp::LayerNormInputGrad => "layer_norm_grad",
            LayerOp::LayerNormScaleGrad => "layer_norm_scale_grad",
            LayerOp::AlphaDropout { .. } => "alpha_dropout",
            LayerOp::AlphaDropoutGrad { .. } => "alpha_dropout_grad",
            LayerOp::Embedding => "embedding",
            LayerOp::EmbeddingGrad { .. } => "embedding_grad",
        }
    }
}
