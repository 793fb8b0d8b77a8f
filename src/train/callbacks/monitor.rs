//! A value that is watched over the epochs, and which of two is better.

use crate::train::history::more_is_better;

/// A name, and whether more of it is better.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Monitor {
    pub name: String,
    pub more: bool,
}

impl Monitor {
    /// The direction follows from the name.
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { more: more_is_better(&name), name }
    }

    /// What every value beats but NaN and itself.
    pub fn worst(&self) -> f64 {
        if self.more { f64::NEG_INFINITY } else { f64::INFINITY }
    }

    /// Whether `new` is better than `old` by more than `margin`. NaN is never better.
    pub fn beats(&self, new: f64, old: f64, margin: f64) -> bool {
        if self.more { new > old + margin } else { new < old - margin }
    }
}
