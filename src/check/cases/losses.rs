//! The losses, and the kernels that write to the log.

use super::{Shape, numbers};
use crate::kernels::{
    Accuracy, AccuracyKind, CosineLoss, ElementwiseLoss, ElementwiseLossKernel, EntropyKind, Kernel, Log, LossPart,
    Rank, RankKind, SoftmaxCrossEntropy,
};

pub(super) fn losses(s: &mut Shape) {
    let (rows, cols, r, n) = (s.rows, s.cols, s.r(), s.n());
    for part in [LossPart::Loss, LossPart::Grad, LossPart::LossAndGrad] {
        let upstream = if part == LossPart::Loss { vec![] } else { vec![s.per_row()] };
        let inputs = |prediction, target| [vec![prediction, target], upstream.clone()].concat();
        let outputs: &[usize] = match part {
            LossPart::Loss => &[r],
            LossPart::Grad => &[n],
            LossPart::LossAndGrad => &[r, n],
        };
        for classes in [true, false] {
            let kernel = SoftmaxCrossEntropy::new(part, classes, 0.1, rows, cols);
            let target = if classes { s.classes() } else { s.probabilities() };
            s.add(Kernel::SoftmaxCrossEntropy(kernel), inputs(s.x(), target), outputs);
        }
        for classes in [true, false] {
            let kernel = SoftmaxCrossEntropy::of_kind(part, classes, EntropyKind::Focal { gamma: 2.0 }, rows, cols);
            let target = if classes { s.classes() } else { s.one_hot() };
            s.add(Kernel::SoftmaxCrossEntropy(kernel), inputs(s.x(), target), outputs);
        }
        let kernel = SoftmaxCrossEntropy::of_kind(part, false, EntropyKind::Divergence, rows, cols);
        s.add(Kernel::SoftmaxCrossEntropy(kernel), inputs(s.x(), s.probabilities()), outputs);
        for loss in ElementwiseLoss::ALL {
            let kernel = Kernel::ElementwiseLoss(ElementwiseLossKernel::new(part, loss, rows, cols));
            let positive = matches!(loss, ElementwiseLoss::BinaryCrossEntropy | ElementwiseLoss::Poisson);
            let prediction = if positive { s.probabilities() } else { s.x() };
            s.add(kernel, inputs(prediction, numbers(8, n, 0.0, 1.0)), outputs);
        }
        let kernel = Kernel::CosineLoss(CosineLoss::new(part, rows, cols));
        s.add(kernel, inputs(s.x(), s.dy()), outputs);
    }
}

/// The kernels that write to a log of two steps and two slots, the second of each.
pub(super) fn logging(s: &mut Shape) {
    let (rows, cols, r) = (s.rows, s.cols, s.r());
    let (log_stride, log_at) = (2 * rows, rows);
    let log = || vec![0.5; 4 * r];
    s.update(Kernel::Log(Log { rows, cols: 1, log_stride, log_at }), vec![s.per_row()], vec![log()]);
    let slots = Log { rows, cols, log_stride: (cols + 1) * rows, log_at: rows };
    s.update(Kernel::Log(slots), vec![s.x()], vec![vec![0.5; 2 * slots.log_stride as usize]]);
    let mut accuracy = Accuracy::new(AccuracyKind::Classes, rows, cols);
    (accuracy.params.log_stride, accuracy.params.log_at) = (log_stride, log_at);
    s.update(Kernel::Accuracy(accuracy), vec![s.x(), s.classes()], vec![log()]);
    let mut rank = Rank::new(RankKind::OfClass, rows, cols);
    (rank.params.log_stride, rank.params.log_at) = (log_stride, log_at);
    s.update(Kernel::Rank(rank), vec![s.x(), s.classes()], vec![log()]);
    let mut loss = CosineLoss::new(LossPart::Loss, rows, cols);
    (loss.params.log_stride, loss.params.log_at) = (log_stride, log_at);
    s.update(Kernel::CosineLoss(loss), vec![s.x(), s.dy()], vec![log()]);
    let mut loss = ElementwiseLossKernel::new(LossPart::Loss, ElementwiseLoss::Mse, rows, cols);
    (loss.params.log_stride, loss.params.log_at) = (log_stride, log_at);
    s.update(Kernel::ElementwiseLoss(loss), vec![s.probabilities(), s.dy()], vec![log()]);
    let mut loss =
        SoftmaxCrossEntropy { hit: true, ..SoftmaxCrossEntropy::new(LossPart::LossAndGrad, true, 0.0, rows, cols) };
    (loss.params.log_stride, loss.params.log_at, loss.params.hit_at) = (log_stride, 0, log_at);
    let outputs = vec![log(), vec![f32::NAN; s.n()]];
    s.update(Kernel::SoftmaxCrossEntropy(loss), vec![s.x(), s.classes(), s.per_row()], outputs);
}
