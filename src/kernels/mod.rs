//! The kernels: one WGSL file, one host spec and one CPU twin, all three under the same name.
//!
//! A spec is plain data: which WGSL file, which entry point, the typed `Params` of binding 0, the
//! override constants, and how many workgroups cover the work. It holds no wgpu type, so a plan made
//! of kernels can be printed, compared and run by the CPU twins in [`crate::cpu`].
//! `tests/cpu/contract.rs` reads every WGSL file with naga and holds it against its spec.

pub(crate) mod columns;
pub mod join;
mod loss_part;
pub(crate) mod rows;
mod spec;
pub(crate) mod sums;

pub mod accuracy;
pub mod activation;
pub mod batch_matmul;
pub mod batch_norm;
pub mod bias_add;
pub mod blend;
pub mod copy_columns;
pub mod cosine_loss;
pub mod dropout;
pub mod elementwise;
pub mod elementwise_loss;
pub mod embedding;
pub mod expression;
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
pub mod update;
pub mod weighted_sum;

pub use accuracy::AccuracyKind;
pub use activation::Activation;
pub use batch_norm::{BatchNormGradParams, BatchNormGradPart, BatchNormParams, NormPart};
pub use elementwise::Op as ElementwiseOp;
pub use elementwise_loss::ElementwiseLoss;
pub use embedding::EmbeddingParams;
pub use gradient_norm::{
    GROWTH_INTERVAL, GradientNormParams, GradientNormPart, LARGEST_SCALE, LOSS_SCALE_LEN, NORM_CHUNK, PARTIALS_AT,
    SCALE_AT,
};
pub use layer_norm::{LayerNormParams, LayerNormScaleGradParams};
pub use lbfgs::{FACTORS_AT, LbfgsParams, LbfgsPart, SUMS_OF_SLOT};
pub use loss_part::LossPart;
pub use matmul::{Abilities, Epilogue, MatmulParams, Tile};
pub use rank::RankKind;
pub use softmax_cross_entropy::{EntropyKind, SoftmaxCrossEntropyParams};
pub use spec::{Access, Binding, Entry, Files, Halves, Shader, Spec, Step};
pub use update::{Formula, RULE, RULE_BLOCK, UpdateParams};

/// Every kernel, a line each: its variant of [`Kernel`] and its spec, its WGSL files, and its twin with the buffers that it
/// takes, reads before writes, and what else. The twin stands under this name in the module of the same name in
/// `src/cpu/twins`. Which buffers a loss has depends on its part; a twin of other such kernels takes them all (`..`).
/// `kernels!(name)` hands the lines to the macro `name`.
macro_rules! kernels {
    ($name:ident) => {
        $name! { (order, step)
            /// `c = op(a) op(b)` with an epilogue.
            Matmul(matmul::Matmul) in [], matmul(..);
            /// `y = op(a) op(b)` in each row of a batch.
            BatchMatmul(batch_matmul::BatchMatmul) in [SHADER], batch_matmul(a, b => y);
            /// `y = x + bias`, the bias repeated for every row.
            BiasAdd(bias_add::BiasAdd) in [SHADER], bias_add(x, bias => y);
            /// `y = Σ_r x`, the sum of the rows.
            SumRows(sum_rows::SumRows) in [SHADER], sum_rows(x => y);
            /// `y = Σ_c x`, the sum of each row.
            SumCols(sum_cols::SumCols) in [SHADER], sum_cols(x => y);
            /// `y = f(x)`.
            Activation(activation::ActivationForward) in [SHADER], activation(x => y);
            /// `dx = dy · f'`.
            ActivationGrad(activation::ActivationGrad) in [GRAD_SHADER], activation_grad(saved, dy => dx);
            /// `y = softmax(x)` by rows.
            Softmax(softmax::Softmax) in [SHADER], softmax(x => y);
            /// `dx` of a softmax.
            SoftmaxGrad(softmax::SoftmaxGrad) in [GRAD_SHADER], softmax_grad(y, dy => dx);
            /// `y = log softmax(x)` by rows.
            LogSoftmax(softmax::LogSoftmax) in [LOG_SHADER], log_softmax(x => y);
            /// `dx` of a log-softmax.
            LogSoftmaxGrad(softmax::LogSoftmaxGrad) in [LOG_GRAD_SHADER], log_softmax_grad(y, dy => dx);
            /// Cross-entropy of the softmax of logits, by rows.
            SoftmaxCrossEntropy(softmax_cross_entropy::SoftmaxCrossEntropy) in [SHADER],
                softmax_cross_entropy(by part; step);
            /// Mean over the columns of a loss of each element.
            ElementwiseLoss(elementwise_loss::ElementwiseLossKernel) in [SHADER], elementwise_loss(by part; step);
            /// `1 - cos` of prediction and target, by rows.
            CosineLoss(cosine_loss::CosineLoss) in [SHADER], cosine_loss(by part; step);
            /// `y = a ∘ b` with broadcast.
            Elementwise(elementwise::Elementwise) in [SHADER], elementwise(a, b => y);
            /// A program of functions, element by element.
            Expression(expression::Expression) in [SHADER], expression(..);
            /// `y = factor · x`.
            Scale(scale::Scale) in [SHADER], scale(x => y);
            /// `y = value`.
            Fill(fill::Fill) in [SHADER], fill(=> y);
            /// A block of columns from one matrix to another.
            CopyColumns(copy_columns::CopyColumns) in [SHADER], copy_columns(x => y);
            /// The rows of a batch.
            Gather(gather::Gather) in [SHADER], gather(data => batch; order, step);
            /// The weights of the rows of a batch.
            GatherWeights(gather::GatherWeights) in [WEIGHTS_SHADER], gather_weights(weights => row_scale; order, step);
            /// Input, target and weights of a batch at once.
            GatherBatch(gather::GatherBatch) in [BATCH_SHADER, BATCH_VEC4_SHADER], gather_batch(..; order, step);
            /// The values of each row, to the log of the epoch.
            Log(log::Log) in [SHADER], log(values => log; step);
            /// `y = keep · x / (1 - rate)`.
            Dropout(dropout::Dropout) in [SHADER], dropout(x => y; step);
            /// `y = keep ? scale x + shift : dropped`.
            AlphaDropout(dropout::AlphaDropout) in [ALPHA_SHADER], alpha_dropout(x => y; step);
            /// Each column by the mean and variance of the batch, or by known ones.
            BatchNorm(batch_norm::BatchNorm) in [SHADER], batch_norm(..; step);
            /// The gradients of that.
            BatchNormGrad(batch_norm::BatchNormGrad) in [GRAD_SHADER], batch_norm_grad(..; step);
            /// Running mean and variance, a step further.
            RunningStatistics(batch_norm::RunningStatistics) in [RUNNING_SHADER],
                running_statistics(statistics => running; step);
            /// Each row by its mean and variance.
            LayerNorm(layer_norm::LayerNorm) in [SHADER], layer_norm(..);
            /// `dx` of that.
            LayerNormGrad(layer_norm::LayerNormGrad) in [GRAD_SHADER], layer_norm_grad(x, statistics, scale, dy => dx);
            /// The gradients of its scale and shift.
            LayerNormScaleGrad(layer_norm::LayerNormScaleGrad) in [SCALE_GRAD_SHADER],
                layer_norm_scale_grad(x, statistics, dy => dparameters);
            /// Rows of a table, picked by category.
            Embedding(embedding::Embedding) in [SHADER], embedding(x, table => y);
            /// The gradient of the table.
            EmbeddingGrad(embedding::EmbeddingGrad) in [GRAD_SHADER, TILED_GRAD_SHADER],
                embedding_grad(x, dy => dtable);
            /// `y = (1 - share) y + share x`.
            Blend(blend::Blend) in [SHADER], blend(x => y; step);
            /// A step of any optimizer.
            Update(update::Update) in [], update(..; step);
            /// The factor that clips the norm of all gradients.
            GradientNorm(gradient_norm::GradientNorm) in [SHADER], gradient_norm(..);
            /// The vectors of L-BFGS.
            Lbfgs(lbfgs::Lbfgs) in [SHADER], lbfgs(..);
            /// `out = Σ values · weights`.
            WeightedSum(weighted_sum::WeightedSum) in [SHADER], weighted_sum(values, weights => out);
            /// The share of right answers of each row.
            Accuracy(accuracy::Accuracy) in [SHADER], accuracy(pred, target => row_metric; step);
            /// The predicted class, or the rank of the target, of each row.
            Rank(rank::Rank) in [SHADER], rank(pred, target => row_metric; step);
        }
    };
}
pub(crate) use kernels;

macro_rules! declare {
    (
        $with:tt
        $(
            $(#[$doc:meta])*
            $kernel:ident($module:ident::$spec:ident) in [$($shader:ident),*], $twin:ident $buffers:tt;
        )*
    ) => {
        $(pub use $module::$spec;)*

        /// A kernel with the parameters of one dispatch.
        #[derive(Debug, Clone, PartialEq)]
        #[non_exhaustive]
        pub enum Kernel {
            $($(#[$doc])* $kernel($spec)),*
        }

        impl Kernel {
            /// The host spec of this kernel.
            pub fn spec(&self) -> &dyn Spec {
                match self {
                    $(Kernel::$kernel(spec) => spec),*
                }
            }
        }

        $(
            impl Files for $spec {
                fn files(&self) -> &'static [&'static Shader] {
                    &[$(&$module::$shader),*]
                }
            }

            impl From<$spec> for Kernel {
                fn from(spec: $spec) -> Self {
                    Kernel::$kernel(spec)
                }
            }
        )*

        /// Every WGSL text of the crate, for tests that hold them against their specs.
        pub fn shaders() -> impl Iterator<Item = &'static Shader> {
            const FILES: &[&Shader] = &[$($(&$module::$shader,)*)*];
            FILES.iter().copied().chain(update::shaders()).chain(matmul::shaders())
        }
    };
}
kernels!(declare);

impl Kernel {
    /// The WGSL file, with the entry point where it has several and the tile where one file serves several and the
    /// device has chosen.
    pub fn name(&self) -> String {
        let spec = self.spec();
        match (spec.shader().name, spec.entry().name, self) {
            (file, "main", _) => file.to_owned(),
            (
                file @ ("matmul" | "matmul_fine" | "matmul_subgroup" | "matmul_cooperative"),
                entry,
                Kernel::Matmul(Matmul { tile: Some(tile), .. }),
            ) => {
                format!("{file}.{entry} {tile}")
            }
            (file, entry, _) => format!("{file}.{entry}"),
        }
    }
}
