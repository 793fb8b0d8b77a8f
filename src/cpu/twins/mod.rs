//! The twins: one for every shader, under its name, and which of them a kernel calls.

mod accuracy;
mod activation;
mod batch_norm;
mod bias_add;
pub(super) mod blend;
mod copy_columns;
mod cosine_loss;
mod dropout;
mod elementwise;
mod elementwise_loss;
mod embedding;
mod fill;
mod gather;
mod gradient_norm;
mod layer_norm;
mod lbfgs;
mod log;
mod matmul;
mod rank;
mod scale;
mod softmax;
mod softmax_cross_entropy;
mod sum_cols;
mod sum_rows;
pub(super) mod update;
mod weighted_sum;

use super::{Real, parallel, product, sums};
use crate::kernels::{BatchNormGradPart, Kernel, LbfgsPart, NormPart, Part, Step};

/// Runs the twin of `kernel`; see [`run`](super::run).
#[inline(always)]
pub(super) fn twin<T: Real>(
    kernel: &Kernel,
    reads: &[&[T]],
    writes: &mut [&mut [T]],
    order: &[u32],
    step: &Step,
) -> crate::Result<()> {
    match (kernel, reads, writes) {
        (Kernel::BiasAdd(p), [x, bias], [y]) => bias_add::bias_add(p, x, bias, y),
        (Kernel::Matmul(p), [a, b], [c]) => matmul::matmul(p, a, b, &[], c),
        (Kernel::Matmul(p), [a, b, extra], [c]) => matmul::matmul(p, a, b, extra, c),
        (Kernel::SumRows(p), [x], [y]) => sum_rows::sum_rows(p, x, y),
        (Kernel::SumCols(p), [x], [y]) => sum_cols::sum_cols(p, x, y),
        (Kernel::Activation(p), [x], [y]) => activation::activation(p, x, y),
        (Kernel::ActivationGrad(p), [saved, dy], [dx]) => activation::activation_grad(p, saved, dy, dx),
        (Kernel::Softmax(p), [x], [y]) => softmax::softmax(p, x, y),
        (Kernel::SoftmaxGrad(p), [y, dy], [dx]) => softmax::softmax_grad(p, y, dy, dx),
        (Kernel::LogSoftmax(p), [x], [y]) => softmax::log_softmax(p, x, y),
        (Kernel::LogSoftmaxGrad(p), [y, dy], [dx]) => softmax::log_softmax_grad(p, y, dy, dx),
        (Kernel::SoftmaxCrossEntropy(p), [logits, target, drow @ ..], writes) => {
            let (drow, row_loss, dlogits) = loss_buffers(kernel, p.part, drow, writes)?;
            softmax_cross_entropy::softmax_cross_entropy(p, logits, target, drow, row_loss, dlogits, step);
        }
        (Kernel::ElementwiseLoss(p), [pred, target, drow @ ..], writes) => {
            let (drow, row_loss, dpred) = loss_buffers(kernel, p.part, drow, writes)?;
            elementwise_loss::elementwise_loss(p, pred, target, drow, row_loss, dpred, step);
        }
        (Kernel::CosineLoss(p), [pred, target, drow @ ..], writes) => {
            let (drow, row_loss, dpred) = loss_buffers(kernel, p.part, drow, writes)?;
            cosine_loss::cosine_loss(p, pred, target, drow, row_loss, dpred, step);
        }
        (Kernel::Elementwise(p), [a, b], [y]) => elementwise::elementwise(p, a, b, y),
        (Kernel::Scale(p), [x], [y]) => scale::scale(p, x, y),
        (Kernel::Fill(p), [], [y]) => fill::fill(p, y),
        (Kernel::CopyColumns(p), [x], [y]) => copy_columns::copy_columns(p, x, y),
        (Kernel::Gather(p), [data], [batch]) => gather::gather(p, data, order, batch, step),
        (Kernel::GatherWeights(p), [weights], [scale]) => gather::gather_weights(p, weights, order, scale, step),
        (Kernel::GatherBatch(p), [x_data, y_data, weights], [x, y, scale]) => {
            gather::gather_batch(p, [x_data, y_data, weights], order, (x, y, scale), step);
        }
        (Kernel::Log(p), [values], [log]) => log::log(p, values, log, step),
        (Kernel::Dropout(p), [x], [y]) => dropout::dropout(p, x, y, step),
        (Kernel::AlphaDropout(p), [x], [y]) => dropout::alpha_dropout(p, x, y, step),
        (Kernel::BatchNorm(p), reads, writes) => match (p.part, reads, writes) {
            (NormPart::Measure, [x, running], [statistics]) => {
                batch_norm::measure(&p.params, x, running, statistics, step);
            }
            (NormPart::Normalize, [x, scale, shift, known], [y]) => {
                batch_norm::normalize(&p.params, p.params.known_at, x, scale, shift, known, y);
            }
            (NormPart::Both, [x, running, scale, shift], [statistics, y]) => {
                batch_norm::measure(&p.params, x, running, statistics, step);
                batch_norm::normalize(&p.params, p.params.cols, x, scale, shift, statistics, y);
            }
            (_, reads, writes) => return Err(misfit(kernel, reads.len(), writes.len())),
        },
        (Kernel::BatchNormGrad(p), reads, writes) => match (p.part, reads, writes) {
            (BatchNormGradPart::Input, [x, statistics, scale, dy], [dx]) => {
                batch_norm::input_grad(&p.params, x, statistics, scale, dy, dx, step);
            }
            (BatchNormGradPart::Scale, [x, statistics, dy], [dscale]) => {
                batch_norm::scale_grad(&p.params, x, statistics, dy, dscale, step);
            }
            (BatchNormGradPart::All, [x, statistics, scale, dy], [dx, dparameters]) => {
                batch_norm::input_grad(&p.params, x, statistics, scale, dy, dx, step);
                let (dscale, dshift) = dparameters.split_at_mut(p.params.shift_at as usize);
                batch_norm::scale_grad(&p.params, x, statistics, dy, dscale, step);
                batch_norm::shift_grad(&p.params, dy, dshift, step);
            }
            (_, reads, writes) => return Err(misfit(kernel, reads.len(), writes.len())),
        },
        (Kernel::RunningStatistics(p), [statistics], [running]) => {
            batch_norm::running_statistics(p, statistics, running, step);
        }
        (Kernel::LayerNorm(p), reads, writes) => match (p.part, reads, writes) {
            (NormPart::Measure, [x], [statistics]) => layer_norm::measure(&p.params, x, statistics),
            (NormPart::Normalize, [x, scale, shift, known], [y]) => {
                layer_norm::normalize(&p.params, x, scale, shift, known, y);
            }
            (NormPart::Both, [x, scale, shift], [statistics, y]) => {
                layer_norm::measure(&p.params, x, statistics);
                layer_norm::normalize(&p.params, x, scale, shift, statistics, y);
            }
            (_, reads, writes) => return Err(misfit(kernel, reads.len(), writes.len())),
        },
        (Kernel::LayerNormGrad(p), [x, statistics, scale, dy], [dx]) => {
            layer_norm::layer_norm_grad(p, x, statistics, scale, dy, dx);
        }
        (Kernel::LayerNormScaleGrad(p), [x, statistics, dy], [dparameters]) => {
            layer_norm::layer_norm_scale_grad(p, x, statistics, dy, dparameters);
        }
        (Kernel::Embedding(p), [x, table], [y]) => embedding::embedding(p, x, table, y),
        (Kernel::EmbeddingGrad(p), [x, dy], [dtable]) => embedding::embedding_grad(p, x, dy, dtable),
        (Kernel::Blend(p), [x], [y]) => blend::blend(p, x, y, step),
        (Kernel::Update(p), reads, writes) => {
            if !update::update(p, reads, writes, step) {
                return Err(misfit(kernel, reads.len(), writes.len()));
            }
        }
        (Kernel::GradientNorm(p), [gradient, rules], [clip]) => gradient_norm::partials(p, gradient, rules, clip),
        (Kernel::GradientNorm(p), [], [clip]) => gradient_norm::factor(p, clip),
        (Kernel::GradientNorm(p), [], [clip, loss_scale]) => gradient_norm::scaled_factor(p, clip, loss_scale),
        (Kernel::Lbfgs(p), reads, writes) => match (p.part, reads, writes) {
            (LbfgsPart::Advance, [coefficients], [memory, moved]) => lbfgs::advance(p, coefficients, memory, moved),
            (LbfgsPart::Measure, [coefficients, penalty, parameter], [gradient, memory, sums]) => {
                lbfgs::measure(p, coefficients, penalty, parameter, gradient, memory, sums);
            }
            (LbfgsPart::Accept, [parameter], [gradient, memory]) => lbfgs::accept(p, parameter, gradient, memory),
            (_, reads, writes) => return Err(misfit(kernel, reads.len(), writes.len())),
        },
        (Kernel::WeightedSum(p), [values, weights], [out]) => weighted_sum::weighted_sum(p, values, weights, out),
        (Kernel::Accuracy(p), [pred, target], [metric]) => accuracy::accuracy(p, pred, target, metric, step),
        (Kernel::Rank(p), [pred, target], [metric]) => rank::rank(p, pred, target, metric, step),
        (kernel, reads, writes) => return Err(misfit(kernel, reads.len(), writes.len())),
    }
    Ok(())
}

/// The buffers of a loss kernel that depend on its part: `drow`, `row_loss` and the gradient.
type LossBuffers<'a, T> = (Option<&'a [T]>, Option<&'a mut [T]>, Option<&'a mut [T]>);

fn loss_buffers<'a, T: Real>(
    kernel: &Kernel,
    part: Part,
    drow: &[&'a [T]],
    writes: &'a mut [&mut [T]],
) -> crate::Result<LossBuffers<'a, T>> {
    match (part, drow, writes) {
        (Part::Loss, [], [row_loss]) => Ok((None, Some(row_loss), None)),
        (Part::Grad, [drow], [gradient]) => Ok((Some(drow), None, Some(gradient))),
        (Part::LossAndGrad, [drow], [row_loss, gradient]) => Ok((Some(drow), Some(row_loss), Some(gradient))),
        (_, drow, writes) => Err(misfit(kernel, drow.len() + 2, writes.len())),
    }
}

fn misfit(kernel: &Kernel, reads: usize, writes: usize) -> crate::Error {
    let name = kernel.spec().shader().name;
    crate::Error::Internal(format!("{name}: {reads} reads and {writes} writes do not fit its bindings"))
}
