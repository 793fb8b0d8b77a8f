//! What every optimization method must say of itself, and the checks that they share.

use crate::kernels::{Formula, Step};
use crate::{Error, Result};

/// An optimization method: a formula with its constants.
pub(super) trait Formulated {
    /// Refuses values outside their range, in the words of optimizer `name`; the learning rate is checked for all.
    fn check(&self, name: &str) -> Result<()>;

    /// The kernel's formula.
    fn formula(&self) -> Formula;

    /// Decay of the first moment, decay of the second, ε: 0 for what the formula does not use.
    fn constants(&self) -> (f64, f64, f64);

    /// What step number `t` (1, 2, …) needs besides the learning rate, computed in f64.
    fn fill(&self, _t: u64, _step: &mut Step) {}
}

/// `1 - βᵗ`.
pub(super) fn correction(beta: f64, t: u64) -> f32 {
    let power = i32::try_from(t).map_or_else(|_| beta.powf(t as f64), |t| beta.powi(t));
    (1.0 - power) as f32
}

pub(super) fn fraction(optimizer: &str, name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::value(optimizer, name, "at least 0 and less than 1", value))
}

/// The kernels add ε in f32: a smaller one would be 0 there.
pub(super) fn epsilon(optimizer: &str, value: f64) -> Result<()> {
    if value >= f64::from(f32::MIN_POSITIVE) && value <= f64::from(f32::MAX) {
        return Ok(());
    }
    Err(Error::value(optimizer, "epsilon", "positive and finite in f32", value))
}

/// A learning rate, a norm: what must be above 0.
pub(super) fn positive(optimizer: &str, name: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value > 0.0 {
        return Ok(());
    }
    Err(Error::value(optimizer, name, "positive and finite", value))
}

/// A factor of a penalty or decay.
pub(crate) fn not_negative(place: &str, name: &'static str, value: f32) -> Result<()> {
    if value.is_finite() && value >= 0.0 {
        return Ok(());
    }
    Err(Error::value(place, name, "at least 0 and finite", value))
}
