//! The twins: one for every shader, under its name, and which of them a kernel calls.

mod accuracy;
pub(super) mod activation;
mod batch_matmul;
mod batch_norm;
mod bias_add;
pub(super) mod blend;
mod copy_columns;
mod cosine_loss;
mod dropout;
mod elementwise;
mod elementwise_loss;
mod embedding;
mod expression;
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
use crate::kernels::{Kernel, LossPart, Step, kernels};

/// Calls a twin with its buffers; false where they are not as many as it takes.
macro_rules! call {
    ($twin:path, $spec:ident, $reads:ident, $writes:ident, (.. $(; $($with:ident),*)?)) => {
        $twin($spec, $reads, $writes $($(, $with)*)?)
    };
    ($twin:path, $spec:ident, $reads:ident, $writes:ident, (by part; $step:ident)) => {
        match loss_buffers($spec.part, $reads, $writes) {
            Some(([pred, target], drow, row_loss, dpred)) => {
                $twin($spec, pred, target, drow, row_loss, dpred, $step);
                true
            }
            None => false,
        }
    };
    ($twin:path, $spec:ident, $reads:ident, $writes:ident,
        ($($read:ident),* => $($write:ident),* $(; $($with:ident),*)?)) => {
        if let ([$($read),*], [$($write),*]) = ($reads, $writes) {
            $twin($spec $(, $read)* $(, $write)* $($(, $with)*)?);
            true
        } else {
            false
        }
    };
}

macro_rules! dispatch {
    (
        ($order:ident, $step:ident)
        $(
            $(#[$doc:meta])*
            $kernel:ident($module:ident::$spec:ident) in $shaders:tt, $twin:ident $buffers:tt;
        )*
    ) => {
        /// Runs the twin of `kernel`; see [`run`](super::run).
        #[inline(always)]
        pub(super) fn twin<T: Real>(
            kernel: &Kernel,
            reads: &[&[T]],
            writes: &mut [&mut [T]],
            $order: &[u32],
            $step: &Step,
        ) -> crate::Result<()> {
            let given = (reads.len(), writes.len());
            let fit = match kernel {
                $(Kernel::$kernel(spec) => call!($module::$twin, spec, reads, writes, $buffers)),*
            };
            if fit { Ok(()) } else { Err(misfit(kernel, given)) }
        }
    };
}
kernels!(dispatch);

/// The buffers of a loss kernel: prediction and target, then, depending on its part, `drow`, `row_loss` and the gradient.
type LossBuffers<'a, T> = ([&'a [T]; 2], Option<&'a [T]>, Option<&'a mut [T]>, Option<&'a mut [T]>);

fn loss_buffers<'a, T>(part: LossPart, reads: &[&'a [T]], writes: &'a mut [&mut [T]]) -> Option<LossBuffers<'a, T>> {
    match (part, reads, writes) {
        (LossPart::Loss, &[pred, target], [row_loss]) => Some(([pred, target], None, Some(row_loss), None)),
        (LossPart::Grad, &[pred, target, drow], [dpred]) => Some(([pred, target], Some(drow), None, Some(dpred))),
        (LossPart::LossAndGrad, &[pred, target, drow], [row_loss, dpred]) => {
            Some(([pred, target], Some(drow), Some(row_loss), Some(dpred)))
        }
        _ => None,
    }
}

fn misfit(kernel: &Kernel, (reads, writes): (usize, usize)) -> crate::Error {
    let name = kernel.spec().shader().name;
    crate::Error::Internal(format!("{name}: {reads} reads and {writes} writes do not fit its bindings"))
}
