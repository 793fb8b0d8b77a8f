//! Folds elementwise work into the kernel that produces its operand, so that a value is stored once
//! and read once. A value may be folded away only if nothing else reads it.
//!
//! | drafts | become |
//! |---|---|
//! | loss of a row, gradient of the same loss | one kernel on the logits |
//! | matmul, bias add, activation | matmul with `Epilogue::Bias` |
//! | matmul (`dx = dz Wᵀ`), activation gradient | matmul with `Epilogue::Gradient` |
//! | matmul (`dw = xᵀ dz`), sum of the rows of `dz` | matmul with `Epilogue::BiasRow` |
//! | statistics of a batch or of rows, normalisation by them | one kernel |
//! | gradients of a normalisation's scale and shift; of a batch normalisation's input too | one kernel |
//! | loss, accuracy or rank, log | the kernel writes to the log itself |
//! | softmax cross-entropy that logs, accuracy of the same logits | one kernel |
//! | chains of functions that formulas are made of | one program |
//! | gathers of the input, the target and the weights | one kernel |
//!
//! A folded pair runs where its later half stood, when all operands exist; a loss pair where its loss
//! stood, if the upstream gradient exists by then.

mod expressions;
mod norms;

use super::draft::{Draft, Operand};
use super::{Buffer, Range};
use crate::graph::NodeId;
use crate::kernels::{AccuracyKind, Activation, Epilogue, GatherBatch, Kernel, LossPart};

/// Most rows whose sum a product computes beside its own.
const LONGEST_BIAS_ROW: u32 = 1024;

/// Rewrites `drafts`; `kept` are values that are read after the run.
pub(super) fn fuse(drafts: Vec<Draft>, kept: &[NodeId]) -> Vec<Draft> {
    let mut fuse = Fuse { drafts: drafts.into_iter().map(Some).collect(), kept };
    for i in 0..fuse.drafts.len() {
        fuse.loss_with_gradient(i);
        fuse.bias_into_matmul(i);
        fuse.activation_into_matmul(i);
        fuse.gradient_into_matmul(i);
        fuse.bias_row_into_matmul(i);
        fuse.log_into_producer(i);
        fuse.statistics_into_norm(i);
        fuse.norm_gradients(i);
    }
    for i in 0..fuse.drafts.len() {
        fuse.accuracy_into_loss(i);
    }
    fuse.expressions();
    fuse.gathers();
    fuse.drafts.into_iter().flatten().collect()
}

struct Fuse<'a> {
    drafts: Vec<Option<Draft>>,
    kept: &'a [NodeId],
}

impl Fuse<'_> {
    fn at(&self, i: usize) -> Option<&Draft> {
        self.drafts.get(i).and_then(Option::as_ref)
    }

    /// The draft that writes `value`, before draft `end`.
    fn producer(&self, value: Operand, end: usize) -> Option<usize> {
        (0..end).rev().find(|&i| self.at(i).is_some_and(|draft| draft.writes().any(|written| written == value)))
    }

    /// The draft that writes `value`, if only draft `user` reads it.
    fn sole_producer(&self, value: Operand, user: usize) -> Option<usize> {
        let Operand::Value(id) = value else { return None };
        let readers = self.drafts.iter().flatten().flat_map(Draft::reads).filter(|read| *read == value).count();
        if readers == 1 && !self.kept.contains(&id) { self.producer(value, user) } else { None }
    }

    /// The matmul whose result `value` is, if only draft `user` reads it.
    fn sole_matmul(&self, value: Operand, user: usize) -> Option<usize> {
        let at = self.sole_producer(value, user)?;
        matches!(&self.at(at)?.kernel, Kernel::Matmul(_)).then_some(at)
    }

    /// Replaces draft `user` by the matmul at `at` with another epilogue.
    fn fold(&mut self, at: usize, user: usize, epilogue: Epilogue, extra: Option<Operand>, result: Operand) {
        let Some(Draft { kernel: Kernel::Matmul(matmul), mut operands, name }) = self.drafts[at].take() else { return };
        operands.pop();
        operands.extend(extra);
        operands.push(result);
        self.drafts[user] = Some(Draft { kernel: Kernel::Matmul(matmul.with_epilogue(epilogue)), operands, name });
    }

    fn epilogue(&self, at: usize) -> Option<Epilogue> {
        match &self.at(at)?.kernel {
            Kernel::Matmul(matmul) => Some(matmul.epilogue),
            _ => None,
        }
    }

    fn bias_into_matmul(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::BiasAdd(_), operands, .. }) = self.at(i) else { return };
        let &[x, bias, y] = operands.as_slice() else { return };
        let Some(at) = self.sole_matmul(x, i) else { return };
        if self.epilogue(at) == Some(Epilogue::Plain) {
            self.fold(at, i, Epilogue::Bias(Activation::Identity), Some(bias), y);
        }
    }

    fn activation_into_matmul(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::Activation(activation), operands, .. }) = self.at(i) else { return };
        let (function, &[x, y]) = (activation.function, operands.as_slice()) else { return };
        let Some(at) = self.sole_matmul(x, i) else { return };
        if self.epilogue(at) == Some(Epilogue::Bias(Activation::Identity)) {
            self.fold(at, i, Epilogue::Bias(function), None, y);
        }
    }

    fn gradient_into_matmul(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::ActivationGrad(gradient), operands, .. }) = self.at(i) else { return };
        let (function, &[saved, dy, dx]) = (gradient.function, operands.as_slice()) else { return };
        let Some(at) = self.sole_matmul(dy, i) else { return };
        if saved != dy && self.epilogue(at) == Some(Epilogue::Plain) {
            self.fold(at, i, Epilogue::Gradient(function), Some(saved), dx);
        }
    }

    /// `dw` is `xᵀ dz`; with a further row of ones in `xᵀ`, `db` is its last row. Both lie in the
    /// gradient slab, `db` behind `dw` with nothing but padding between them. Of many rows `db` is left to `sum_rows`: a
    /// tile adds them up in one chain.
    fn bias_row_into_matmul(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::SumRows(sum), operands, .. }) = self.at(i) else { return };
        let &[dz, Operand::Fixed(db)] = operands.as_slice() else { return };
        if sum.rows > LONGEST_BIAS_ROW {
            return;
        }
        let is_dw = |draft: &Draft| match (&draft.kernel, draft.operands.as_slice()) {
            (Kernel::Matmul(matmul), &[_, b, Operand::Fixed(dw)]) => {
                let behind =
                    dw.buffer == db.buffer && db.offset == (dw.offset + dw.len).next_multiple_of(super::ALIGNMENT);
                b == dz && behind && !matmul.transpose_b && matmul.epilogue == Epilogue::Plain
            }
            _ => false,
        };
        let Some(at) = self.drafts.iter().position(|draft| draft.as_ref().is_some_and(is_dw)) else { return };
        let Some(Operand::Fixed(dw)) = self.at(at).and_then(|draft| draft.operands.last().copied()) else { return };
        let bias_at = db.offset - dw.offset;
        let both = Operand::Fixed(Range { len: bias_at + db.len, ..dw });
        let later = at.max(i);
        self.drafts[i] = None;
        self.fold(at, later, Epilogue::BiasRow { at: bias_at }, None, both);
    }

    fn loss_with_gradient(&mut self, i: usize) {
        let Some(gradient) = self.at(i) else { return };
        let part = |part| gradient.kernel.spec().with_part(part);
        if part(LossPart::Grad).as_ref() != Some(&gradient.kernel) {
            return;
        }
        let &[prediction, target, upstream, dx] = gradient.operands.as_slice() else { return };
        let (Some(wanted), Some(both)) = (part(LossPart::Loss), part(LossPart::LossAndGrad)) else { return };
        let is_loss = |draft: &Draft| draft.kernel == wanted && draft.operands[..2] == [prediction, target];
        let Some(at) = (0..i).find(|&at| self.at(at).is_some_and(is_loss)) else { return };
        if self.producer(upstream, at).is_none() {
            return;
        }
        let Some(Some(loss)) = self.drafts.get_mut(at) else { return };
        let row_loss = loss.operands[2];
        loss.kernel = both;
        loss.operands = vec![prediction, target, upstream, row_loss, dx];
        self.drafts[i] = None;
    }
}

impl Fuse<'_> {
    fn log_into_producer(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::Log(log), operands, .. }) = self.at(i) else { return };
        let (stride, start, &[value, to]) = (log.log_stride, log.log_at, operands.as_slice()) else { return };
        let Some(at) = self.sole_producer(value, i) else { return };
        let Some(Some(producer)) = self.drafts.get_mut(at) else { return };
        let Some(kernel) = producer.kernel.spec().to_log(stride, start) else { return };
        producer.kernel = kernel;
        producer.operands.iter_mut().filter(|operand| **operand == value).for_each(|operand| *operand = to);
        self.drafts[i] = None;
    }

    fn accuracy_into_loss(&mut self, i: usize) {
        let Some(Draft { kernel: Kernel::Accuracy(accuracy), operands, .. }) = self.at(i) else { return };
        let (params, &[prediction, target, log]) = (accuracy.params, operands.as_slice()) else { return };
        if accuracy.kind != AccuracyKind::Classes || log != Operand::Fixed(Range::whole(Buffer::Log)) {
            return;
        }
        for draft in self.drafts.iter_mut().flatten() {
            let same = draft.operands[..2.min(draft.operands.len())] == [prediction, target];
            if let Kernel::SoftmaxCrossEntropy(loss) = &mut draft.kernel
                && same
                && loss.classes
                && !loss.hit
                && draft.operands.contains(&log)
            {
                (loss.hit, loss.params.hit_at) = (true, params.log_at);
                self.drafts[i] = None;
                return;
            }
        }
    }

    /// The gathers of one input, one target and the weights; a model with more keeps them apart.
    fn gathers(&mut self) {
        let places = |wanted: fn(&Kernel) -> bool| -> Vec<usize> {
            let drafts = self.drafts.iter().enumerate();
            drafts.filter(|(_, draft)| draft.as_ref().is_some_and(|d| wanted(&d.kernel))).map(|(i, _)| i).collect()
        };
        let rows = places(|kernel| matches!(kernel, Kernel::Gather(_)));
        let weights = places(|kernel| matches!(kernel, Kernel::GatherWeights(_)));
        let (&[x, y], &[weights]) = (rows.as_slice(), weights.as_slice()) else { return };
        let (Some(x_draft), Some(y_draft), Some(w_draft)) = (self.at(x), self.at(y), self.at(weights)) else { return };
        let (Kernel::Gather(gx), Kernel::Gather(gy)) = (&x_draft.kernel, &y_draft.kernel) else { return };
        let is_data = |draft: &Draft, data| draft.operands.first() == Some(&Operand::Fixed(Range::whole(data)));
        if !is_data(x_draft, Buffer::DataInput(0)) || !is_data(y_draft, Buffer::DataTarget(0)) {
            return;
        }
        let kernel = Kernel::GatherBatch(GatherBatch { rows: gx.rows, x_cols: gx.cols, y_cols: gy.cols });
        let (x_parts, y_parts, w_parts) = (&x_draft.operands, &y_draft.operands, &w_draft.operands);
        let operands = vec![x_parts[0], y_parts[0], w_parts[0], x_parts[1], x_parts[2], y_parts[2], w_parts[2]];
        for i in [x, y, weights] {
            self.drafts[i] = None;
        }
        self.drafts[x.min(y).min(weights)] = Some(Draft { kernel, operands, name: "batch".to_owned() });
    }
}
