//! How long sums are cut: into blocks of a few terms, which are added up in one chain each, and the blocks in another (or in
//! f64, by the twins).
//!
//! A single chain of n additions strays by up to `n u` of its sum, and by a third of that where all terms are equal,
//! because they are then rounded the same way. In blocks the path of a term to its sum has few additions. WGSL's pieces
//! `lib/columns.wgsl`, `lib/rows.wgsl` and the kernel `weighted_sum` have the same blocks.

/// Terms of a block: so few that even equal ones keep to the bound of a random sum (`src/check/tolerance`).
pub(crate) const BLOCK: usize = 32;

/// The most additions that a term passes on its way to a sum of `terms` that `lanes` invocations share.
pub(crate) fn path(terms: usize, lanes: u32) -> usize {
    let blocks = terms.div_ceil(lanes as usize).div_ceil(BLOCK);
    (BLOCK + blocks + lanes.ilog2() as usize).min(terms)
}
