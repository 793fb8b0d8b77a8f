//! A value that is watched over the epochs.

use crate::Result;
use crate::metrics::Direction;
use crate::train::run::Run;

/// A name, and which of its values are the better ones.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Monitor {
    pub name: String,
    given: Option<Direction>,
    /// What was given, or else that of the metric, which a run knows.
    pub direction: Direction,
}

impl Monitor {
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { given: None, direction: Direction::of_name(&name), name }
    }

    /// This direction, whatever the metric's.
    pub fn towards(self, direction: Direction) -> Self {
        Self { given: Some(direction), direction, ..self }
    }

    /// Asks the run for the direction; refuses a name that no epoch of it will report. `place` is the callback.
    pub fn begin(&mut self, place: &str, run: &Run<'_>) -> Result<()> {
        let own = run.direction(place, &self.name)?;
        self.direction = self.given.unwrap_or(own);
        Ok(())
    }
}
