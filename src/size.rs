//! Sizes that come from outside: multiplied without wrapping round, and held against what kernels can count.

use crate::{Error, Result};

/// Most elements of a value: kernels count them, and the bytes they take, with 32 bits.
pub(crate) const MOST_ELEMENTS: usize = (u32::MAX / 4) as usize;

/// The product of `sides`; `None` where it is beyond `usize`.
pub(crate) fn product(sides: &[usize]) -> Option<usize> {
    sides.iter().try_fold(1usize, |product, &side| product.checked_mul(side))
}

/// Refuses more elements of `what` than kernels can count. A product that saturates is refused as well.
pub(crate) fn check(what: impl FnOnce() -> String, elements: usize) -> Result<()> {
    if elements <= MOST_ELEMENTS {
        return Ok(());
    }
    Err(Error::TooLarge {
        what: what(),
        needed: 4u64.saturating_mul(elements as u64),
        allowed: 4 * MOST_ELEMENTS as u64,
        device: "the kernels' 32-bit index".to_owned(),
    })
}
