//! What makes a batch, and what happens to one.

use super::{Shape, numbers};
use crate::kernels::{AlphaDropout, Dropout, Gather, GatherBatch, GatherWeights, Kernel, WeightedSum};

pub(super) fn batches(s: &mut Shape) {
    let (rows, cols, n) = (s.rows, s.cols, s.n());
    let data = numbers(10, 11 * s.c(), -2.0, 2.0);
    s.add(Kernel::Gather(Gather { rows, cols }), vec![data.clone()], &[n]);
    let weights = numbers(10, 11, 0.0, 2.0);
    s.add(Kernel::GatherWeights(GatherWeights { rows }), vec![weights.clone()], &[s.r()]);
    let both = Kernel::GatherBatch(GatherBatch { rows, x_cols: cols, y_cols: 3 });
    let targets = numbers(14, 11 * 3, -2.0, 2.0);
    s.add(both, vec![data.clone(), targets, weights], &[n, 3 * s.r(), s.r()]);
    s.add(Kernel::Dropout(Dropout::new(n as u32, 0.4, 5)), vec![s.x()], &[n]);
    s.add(Kernel::AlphaDropout(AlphaDropout::new(n as u32, 0.4, 5)), vec![s.x()], &[n]);
    s.add(Kernel::WeightedSum(WeightedSum { n: n as u32 }), vec![s.x(), s.dy()], &[1]);
}
