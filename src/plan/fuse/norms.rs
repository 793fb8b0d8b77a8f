//! Normalisation: what measures a batch with what normalises it, and the gradients of one layer with each other.

use super::{Draft, Fuse, Operand};
use crate::kernels::{
    BatchNorm, BatchNormGrad, BatchNormGradParams, BatchNormGradPart, BatchNormParams, Kernel, LayerNorm,
    LayerNormScaleGrad, LayerNormScaleGradParams, NormPart,
};
use crate::plan::ALIGNMENT;

impl Fuse<'_> {
    /// Statistics and the values that are normalised by them. Nothing may read the statistics in between.
    pub(super) fn statistics_into_norm(&mut self, i: usize) {
        let Some(Draft { kernel, operands, name }) = self.at(i).cloned() else { return };
        let (Kernel::BatchNorm(BatchNorm { part: NormPart::Normalize, .. })
        | Kernel::LayerNorm(LayerNorm { part: NormPart::Normalize, .. })) = kernel
        else {
            return;
        };
        let &[x, scale, shift, statistics, y] = operands.as_slice() else { return };
        let Some(at) = self.producer(statistics, i) else { return };
        let read_before = (at + 1..i).any(|j| self.at(j).is_some_and(|d| d.reads().any(|read| read == statistics)));
        let Some(Draft { kernel: measure, operands: measured, .. }) = self.at(at).cloned() else { return };
        if read_before || measured.first() != Some(&x) {
            return;
        }
        let (kernel, operands) = match (measure, kernel, measured.as_slice()) {
            (Kernel::BatchNorm(measure), Kernel::BatchNorm(norm), &[_, running, _]) => {
                let params = BatchNormParams { running_at: measure.params.running_at, known_at: 0, ..norm.params };
                let kernel = Kernel::BatchNorm(BatchNorm { part: NormPart::Both, params });
                (kernel, vec![x, running, scale, shift, statistics, y])
            }
            (Kernel::LayerNorm(measure), _, _) => {
                let kernel = Kernel::LayerNorm(LayerNorm { part: NormPart::Both, ..measure });
                (kernel, vec![x, scale, shift, statistics, y])
            }
            _ => return,
        };
        self.drafts[at] = None;
        self.drafts[i] = Some(Draft { kernel, operands, name });
    }

    /// `dscale` of a normalisation with `dshift`, the sum of the rows of `dy`, where that lies behind it in the
    /// gradient slab; for a batch normalisation also with `dx`.
    pub(super) fn norm_gradients(&mut self, i: usize) {
        let Some(Draft { kernel, operands, name }) = self.at(i).cloned() else { return };
        let &[x, statistics, dy, Operand::Fixed(dscale)] = operands.as_slice() else { return };
        let is_dshift = |draft: &Draft| match (&draft.kernel, draft.operands.as_slice()) {
            (Kernel::SumRows(_), &[sum, Operand::Fixed(to)]) => {
                let behind = dscale.end().next_multiple_of(ALIGNMENT);
                sum == dy && to.buffer == dscale.buffer && to.offset == behind
            }
            _ => false,
        };
        let Some(shift) = self.position(is_dshift) else { return };
        let at = dscale.fixed().next_multiple_of(ALIGNMENT);
        let both = Operand::Fixed(dscale.resized(at + dscale.fixed()));
        let (place, draft) = match kernel {
            Kernel::LayerNormScaleGrad(gradient) => {
                let params = LayerNormScaleGradParams { shift_at: at as u32, ..gradient.params };
                let kernel = Kernel::LayerNormScaleGrad(LayerNormScaleGrad { with_shift: true, params });
                (i, Draft { kernel, operands: vec![x, statistics, dy, both], name })
            }
            Kernel::BatchNormGrad(BatchNormGrad { part: BatchNormGradPart::Scale, params }) => {
                let is_dx = |draft: &Draft| match &draft.kernel {
                    Kernel::BatchNormGrad(BatchNormGrad { part: BatchNormGradPart::Input, .. }) => {
                        draft.operands[..2] == [x, statistics] && draft.operands[3] == dy
                    }
                    _ => false,
                };
                let Some(place) = self.position(is_dx) else { return };
                let Some(Draft { operands, .. }) = self.drafts[place].take() else { return };
                let params = BatchNormGradParams { shift_at: at as u32, ..params };
                let kernel = Kernel::BatchNormGrad(BatchNormGrad { part: BatchNormGradPart::All, params });
                (place, Draft { kernel, operands: [operands, vec![both]].concat(), name })
            }
            _ => return,
        };
        self.drafts[i] = None;
        self.drafts[shift] = None;
        self.drafts[place] = Some(draft);
    }

    fn position(&self, wanted: impl Fn(&Draft) -> bool) -> Option<usize> {
        self.drafts.iter().position(|draft| draft.as_ref().is_some_and(&wanted))
    }
}
