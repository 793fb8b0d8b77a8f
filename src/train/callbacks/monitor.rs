//! A value that is watched over the epochs.

use crate::Result;
use crate::metrics::Direction;
use crate::train::report::Epoch;
use crate::train::run::Run;
use std::fmt;
use std::sync::Arc;

/// What a program makes of the numbers of an epoch. Code is compared by where it is.
#[derive(Clone)]
struct Function(Arc<dyn Fn(&Epoch) -> f64 + Send + Sync>);

impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Function")
    }
}

/// A name, and which of its values are the better ones.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Monitor {
    pub name: String,
    /// Its value, where no epoch reports it.
    function: Option<Function>,
    given: Option<Direction>,
    /// What was given, or else that of the metric, which a run knows.
    pub direction: Direction,
}

impl Monitor {
    pub fn new(name: impl Into<String>) -> Self {
        let name = name.into();
        Self { given: None, direction: Direction::of_name(&name), name, function: None }
    }

    /// A value that `function` makes of those of an epoch, called `name` in what is said of it; less is better.
    pub fn by(name: impl Into<String>, function: impl Fn(&Epoch) -> f64 + Send + Sync + 'static) -> Self {
        let (function, direction) = (Some(Function(Arc::new(function))), Direction::Minimize);
        Self { name: name.into(), function, given: Some(direction), direction }
    }

    /// This direction, whatever the metric's.
    pub fn towards(self, direction: Direction) -> Self {
        Self { given: Some(direction), direction, ..self }
    }

    /// Asks the run for the direction; refuses a name that no epoch of it will report. `place` is the callback.
    pub fn begin(&mut self, place: &str, run: &Run<'_>) -> Result<()> {
        if self.function.is_none() {
            let own = run.direction(place, &self.name)?;
            self.direction = self.given.unwrap_or(own);
        }
        Ok(())
    }

    /// Its value in `epoch`; NaN where that has none.
    pub fn value(&self, epoch: &Epoch) -> f64 {
        match &self.function {
            Some(Function(function)) => function(epoch),
            None => epoch.get(&self.name).unwrap_or(f64::NAN),
        }
    }
}
