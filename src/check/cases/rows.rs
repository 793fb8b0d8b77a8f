//! What works on whole rows or columns.

use super::{Shape, numbers};
use crate::kernels::{
    Accuracy, AccuracyKind, BatchMatmul, Kernel, LogSoftmax, LogSoftmaxGrad, Rank, RankKind, Softmax, SoftmaxGrad,
    SumCols, SumRows,
};

pub(super) fn by_rows(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    s.add(Kernel::SumRows(SumRows { rows, cols }), vec![s.x()], &[s.c()]);
    s.add(Kernel::SumCols(SumCols { rows, cols }), vec![s.x()], &[s.r()]);
    // Equal terms are rounded the same way every time.
    s.add(Kernel::SumRows(SumRows { rows, cols }), vec![vec![0.1; n]], &[s.c()]);
    s.add(Kernel::SumCols(SumCols { rows, cols }), vec![vec![0.1; n]], &[s.r()]);
    for (a, b) in [(false, false), (false, true), (true, false), (true, true)] {
        let product = BatchMatmul::new(rows, [3, cols, 2], a, b);
        let [left, right] = [numbers(13, 3 * n, -1.0, 1.0), numbers(14, 2 * n, -1.0, 1.0)];
        s.add(Kernel::BatchMatmul(product), vec![left, right], &[6 * s.r()]);
    }
    s.add(Kernel::Softmax(Softmax { rows, cols }), vec![s.x()], &[n]);
    s.add(Kernel::SoftmaxGrad(SoftmaxGrad { rows, cols }), vec![s.probabilities(), s.dy()], &[n]);
    s.add(Kernel::LogSoftmax(LogSoftmax { rows, cols }), vec![s.x()], &[n]);
    let log = numbers(12, n, -4.0, -0.1);
    s.add(Kernel::LogSoftmaxGrad(LogSoftmaxGrad { rows, cols }), vec![log, s.dy()], &[n]);
    for kind in [AccuracyKind::Classes, AccuracyKind::OneHot, AccuracyKind::Binary { threshold: 0.1 }] {
        let target = if kind == AccuracyKind::Classes { s.classes() } else { s.probabilities() };
        s.add(Kernel::Accuracy(Accuracy::new(kind, rows, cols)), vec![s.x(), target], &[s.r()]);
    }
    // Scores of few values, so that many are equal.
    let scores: Vec<f32> = s.x().iter().map(|x| x.round()).collect();
    for kind in [RankKind::Predicted, RankKind::OfClass, RankKind::OfOneHot] {
        let target = if kind == RankKind::OfOneHot { s.probabilities() } else { s.classes() };
        s.add(Kernel::Rank(Rank::new(kind, rows, cols)), vec![scores.clone(), target], &[s.r()]);
    }
}
