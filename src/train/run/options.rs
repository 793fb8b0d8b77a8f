//! The plain numbers of a run: all that `Fit` says but who is called.

use super::progress::Verbosity;
use super::stop::Stops;
use crate::schedules::Schedule;
use crate::train::feed::DATA_BUDGET;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq)]
pub(in crate::train) struct Options {
    pub epochs: usize,
    pub batch_size: usize,
    pub seed: u64,
    pub shuffle: bool,
    pub verbosity: Verbosity,
    pub data_budget: u64,
    pub profile: bool,
    pub schedule: Schedule,
    pub stops: Stops,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            seed: 0,
            shuffle: true,
            verbosity: Verbosity::default(),
            data_budget: DATA_BUDGET,
            profile: false,
            schedule: Schedule::default(),
            stops: Stops::default(),
        }
    }
}

impl Options {
    pub fn check(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("batch_size", self.batch_size)] {
            if value == 0 {
                return Err(Error::value("fit", name, "at least 1", value));
            }
        }
        Ok(())
    }
}
