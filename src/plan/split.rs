//! Long sums in parts.
//!
//! A workgroup walks along the whole sum of its outputs, so a product with few outputs and a long sum leaves a GPU
//! idle: the weight gradient of a layer of 10 units at batch 4096 is one chain of 4096 steps in a handful of
//! workgroups. Such a sum is computed in parts side by side, which `sum_rows` then adds up in their order. It is also
//! more exact: the bound of a sum grows with the root of its length.
//!
//! Parts change the order of the sum, and with it the bits. So the rule looks at the shape alone, never at the device
//! or a clock, and it leaves the batch out of account where rows do not depend on each other: a row predicted alone
//! gets the bits that it gets among others.

use crate::graph::Rows;
use crate::kernels::matmul::PART_ALIGNMENT;

/// Workgroups of 32 × 32 outputs that leave nothing to gain.
const ENOUGH_WORKGROUPS: usize = 64;
/// Parts no shorter than this, and only of sums that are four times as long: what a second dispatch costs must be small.
const SHORTEST_PART: usize = 512;
/// The same where rows are those of a batch, and there may be enough of them to fill a GPU.
const SHORTEST_PART_OF_A_ROW: usize = 2048;
/// Most columns of such rows.
const FEW_COLUMNS: usize = 32;

/// Steps of each part of a sum of `k` products for an output of `rows` rows and `cols` columns, or `None` where it
/// stays whole.
pub(super) fn part(rows: Rows, cols: usize, k: usize) -> Option<usize> {
    let (workgroups, shortest) = match rows {
        Rows::Fixed(rows) => (rows.div_ceil(32) * cols.div_ceil(32), SHORTEST_PART),
        Rows::Batch if cols <= FEW_COLUMNS => (1, SHORTEST_PART_OF_A_ROW),
        Rows::Batch => return None,
    };
    let parts = ENOUGH_WORKGROUPS.div_ceil(workgroups.max(1)).min(k / shortest);
    let long = k >= 4 * shortest && workgroups < ENOUGH_WORKGROUPS && parts > 1;
    long.then(|| k.div_ceil(parts).next_multiple_of(PART_ALIGNMENT))
}
