//! The kernels: one WGSL file, one host spec and one CPU twin, all three under the same name.
//!
//! A spec is plain data: which WGSL file, which entry point, the typed `Params` of binding 0, the
//! override constants, and how many workgroups cover the work. It holds no wgpu type, so a plan made
//! of kernels can be printed, compared and run by the CPU twins in [`crate::cpu`].
//! `tests/cpu/contract.rs` reads every WGSL file with naga and holds it against its spec.

pub(crate) mod columns;
mod loss_part;
pub(crate) mod rows;
mod spec;
pub(crate) mod sums;

pub mod accuracy;
pub mod activation;
pub mod batch_norm;
pub mod bias_add;
pub mod blend;
pub mod copy_columns;
pub mod cosine_loss;
pub mod dropout;
pub mod elementwise;
pub mod elementwise_loss;
pub mod embedding;
pub mod fill;
pub mod gather;
pub mod gradient_norm;
pub mod layer_norm;
pub mod lbfgs;
pub mod log;
pub mod matmul;
pub mod rank;
pub mod scale;
pub mod softmax;
pub mod softmax_cross_entropy;
pub mod sum_cols;
pub mod sum_rows;
pub mod train_step;
pub mod update;
pub mod weighted_sum;

pub use accuracy::{Accuracy, AccuracyKind};
pub use activation::{Activation, ActivationForward, ActivationGrad};
pub use batch_norm::{
    BatchNorm, BatchNormGrad, BatchNormGradParams, BatchNormGradPart, BatchNormParams, NormPart, RunningStatistics,
};
pub use bias_add::BiasAdd;
pub use blend::Blend;
pub use copy_columns::CopyColumns;
pub use cosine_loss::CosineLoss;
pub use dropout::{AlphaDropout, Dropout};
pub use elementwise::{Elementwise, Op as ElementwiseOp};
pub use elementwise_loss::{ElementwiseLoss, ElementwiseLossKernel};
pub use embedding::{Embedding, EmbeddingGrad, EmbeddingParams};
pub use fill::Fill;
pub use gather::{Gather, GatherBatch, GatherWeights};
pub use gradient_norm::{
    GROWTH_INTERVAL, GradientNorm, GradientNormParams, GradientNormPart, LARGEST_SCALE, LOSS_SCALE_LEN, NORM_CHUNK,
    PARTIALS_AT, SCALE_AT,
};
pub use layer_norm::{LayerNorm, LayerNormGrad, LayerNormParams, LayerNormScaleGrad, LayerNormScaleGradParams};
pub use lbfgs::{FACTORS_AT, Lbfgs, LbfgsParams, LbfgsPart, SUMS_OF_SLOT};
pub use log::Log;
pub use loss_part::Part;
pub use matmul::{Abilities, Epilogue, Matmul, MatmulParams, Tile};
pub use rank::{Rank, RankKind};
pub use scale::Scale;
pub use softmax::{LogSoftmax, LogSoftmaxGrad, Softmax, SoftmaxGrad};
pub use softmax_cross_entropy::{EntropyKind, SoftmaxCrossEntropy, SoftmaxCrossEntropyParams};
pub use spec::{Access, Binding, Entry, Halves, Shader, Spec, Step};
pub use sum_cols::SumCols;
pub use sum_rows::SumRows;
pub use train_step::{TrainStep, TrainStepParams};
pub use update::{Formula, RULE, RULE_BLOCK, Update, UpdateParams};
pub use weighted_sum::WeightedSum;

/// A kernel with the parameters of one dispatch.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Kernel {
    /// `c = op(a) op(b)` with an epilogue.
    Matmul(Matmul),
    /// `y = x + bias`, the bias repeated for every row.
    BiasAdd(BiasAdd),
    /// `y = Σ_r x`, the sum of the rows.
    SumRows(SumRows),
    /// `y = Σ_c x`, the sum of each row.
    SumCols(SumCols),
    /// `y = f(x)`.
    Activation(ActivationForward),
    /// `dx = dy · f'`.
    ActivationGrad(ActivationGrad),
    /// `y = softmax(x)` by rows.
    Softmax(Softmax),
    /// `dx` of a softmax.
    SoftmaxGrad(SoftmaxGrad),
    /// `y = log softmax(x)` by rows.
    LogSoftmax(LogSoftmax),
    /// `dx` of a log-softmax.
    LogSoftmaxGrad(LogSoftmaxGrad),
    /// Cross-entropy of the softmax of logits, by rows.
    SoftmaxCrossEntropy(SoftmaxCrossEntropy),
    /// Mean over the columns of a loss of each element.
    ElementwiseLoss(ElementwiseLossKernel),
    /// `1 - cos` of prediction and target, by rows.
    CosineLoss(CosineLoss),
    /// `y = a ∘ b` with broadcast.
    Elementwise(Elementwise),
    /// `y = factor · x`.
    Scale(Scale),
    /// `y = value`.
    Fill(Fill),
    /// A block of columns from one matrix to another.
    CopyColumns(CopyColumns),
    /// The rows of a batch.
    Gather(Gather),
    /// The weights of the rows of a batch.
    GatherWeights(GatherWeights),
    /// Input, target and weights of a batch at once.
    GatherBatch(GatherBatch),
    /// The values of each row, to the log of the epoch.
    Log(Log),
    /// `y = keep · x / (1 - rate)`.
    Dropout(Dropout),
    /// `y = keep ? scale x + shift : dropped`.
    AlphaDropout(AlphaDropout),
    /// Each column by the mean and variance of the batch, or by known ones.
    BatchNorm(BatchNorm),
    /// The gradients of that.
    BatchNormGrad(BatchNormGrad),
    /// Running mean and variance, a step further.
    RunningStatistics(RunningStatistics),
    /// Each row by its mean and variance.
    LayerNorm(LayerNorm),
    /// `dx` of that.
    LayerNormGrad(LayerNormGrad),
    /// The gradients of its scale and shift.
    LayerNormScaleGrad(LayerNormScaleGrad),
    /// Rows of a table, picked by category.
    Embedding(Embedding),
    /// The gradient of the table.
    EmbeddingGrad(EmbeddingGrad),
    /// `y = (1 - share) y + share x`.
    Blend(Blend),
    /// A step of any optimizer.
    Update(Update),
    /// The factor that clips the norm of all gradients.
    GradientNorm(GradientNorm),
    /// The vectors of L-BFGS.
    Lbfgs(Lbfgs),
    /// `out = Σ values · weights`.
    WeightedSum(WeightedSum),
    /// The share of right answers of each row.
    Accuracy(Accuracy),
    /// The predicted class, or the rank of the target, of each row.
    Rank(Rank),
}

impl Kernel {
    /// The WGSL file, with the entry point where it has several and the tile where one file serves several and the
    /// device has chosen.
    pub fn name(&self) -> String {
        let spec = self.spec();
        match (spec.shader().name, spec.entry().name, self) {
            (file, "main", _) => file.to_owned(),
            (
                file @ ("matmul" | "matmul_subgroup" | "matmul_cooperative"),
                entry,
                Kernel::Matmul(Matmul { tile: Some(tile), .. }),
            ) => {
                format!("{file}.{entry} {tile}")
            }
            (file, entry, _) => format!("{file}.{entry}"),
        }
    }

    /// The host spec of this kernel.
    pub fn spec(&self) -> &dyn Spec {
        match self {
            Kernel::Matmul(kernel) => kernel,
            Kernel::BiasAdd(kernel) => kernel,
            Kernel::SumRows(kernel) => kernel,
            Kernel::SumCols(kernel) => kernel,
            Kernel::Activation(kernel) => kernel,
            Kernel::ActivationGrad(kernel) => kernel,
            Kernel::Softmax(kernel) => kernel,
            Kernel::SoftmaxGrad(kernel) => kernel,
            Kernel::LogSoftmax(kernel) => kernel,
            Kernel::LogSoftmaxGrad(kernel) => kernel,
            Kernel::SoftmaxCrossEntropy(kernel) => kernel,
            Kernel::ElementwiseLoss(kernel) => kernel,
            Kernel::CosineLoss(kernel) => kernel,
            Kernel::Elementwise(kernel) => kernel,
            Kernel::Scale(kernel) => kernel,
            Kernel::Fill(kernel) => kernel,
            Kernel::CopyColumns(kernel) => kernel,
            Kernel::Gather(kernel) => kernel,
            Kernel::GatherWeights(kernel) => kernel,
            Kernel::GatherBatch(kernel) => kernel,
            Kernel::Log(kernel) => kernel,
            Kernel::Dropout(kernel) => kernel,
            Kernel::AlphaDropout(kernel) => kernel,
            Kernel::BatchNorm(kernel) => kernel,
            Kernel::BatchNormGrad(kernel) => kernel,
            Kernel::RunningStatistics(kernel) => kernel,
            Kernel::LayerNorm(kernel) => kernel,
            Kernel::LayerNormGrad(kernel) => kernel,
            Kernel::LayerNormScaleGrad(kernel) => kernel,
            Kernel::Embedding(kernel) => kernel,
            Kernel::EmbeddingGrad(kernel) => kernel,
            Kernel::Blend(kernel) => kernel,
            Kernel::Update(kernel) => kernel,
            Kernel::GradientNorm(kernel) => kernel,
            Kernel::Lbfgs(kernel) => kernel,
            Kernel::WeightedSum(kernel) => kernel,
            Kernel::Accuracy(kernel) => kernel,
            Kernel::Rank(kernel) => kernel,
        }
    }
}

/// Every WGSL text of the crate, for tests that hold them against their specs.
pub fn shaders() -> impl Iterator<Item = &'static Shader> {
    SHADERS.iter().copied().chain(update::shaders()).chain(matmul::shaders()).chain(&train_step::SHADERS)
}

/// All but those of the optimizers, of the matrix product, which has one for every tile and layout, and of the whole
/// training step.
const SHADERS: &[&Shader] = &[
    &bias_add::SHADER,
    &sum_rows::SHADER,
    &sum_cols::SHADER,
    &activation::SHADER,
    &activation::GRAD_SHADER,
    &softmax::SHADER,
    &softmax::GRAD_SHADER,
    &softmax::LOG_SHADER,
    &softmax::LOG_GRAD_SHADER,
    &softmax_cross_entropy::SHADER,
    &elementwise_loss::SHADER,
    &cosine_loss::SHADER,
    &elementwise::SHADER,
    &scale::SHADER,
    &fill::SHADER,
    &copy_columns::SHADER,
    &gather::SHADER,
    &gather::WEIGHTS_SHADER,
    &gather::BATCH_SHADER,
    &gather::BATCH_VEC4_SHADER,
    &log::SHADER,
    &dropout::SHADER,
    &dropout::ALPHA_SHADER,
    &batch_norm::SHADER,
    &batch_norm::GRAD_SHADER,
    &batch_norm::RUNNING_SHADER,
    &layer_norm::SHADER,
    &layer_norm::GRAD_SHADER,
    &layer_norm::SCALE_GRAD_SHADER,
    &embedding::SHADER,
    &embedding::GRAD_SHADER,
    &blend::SHADER,
    &gradient_norm::SHADER,
    &lbfgs::SHADER,
    &weighted_sum::SHADER,
    &accuracy::SHADER,
    &rank::SHADER,
];
