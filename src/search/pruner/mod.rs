//! Pruners: ending a trial that will not be the best, while it trains.
//!
//! A pruner compares what a trial reports with what earlier trials reported at the same step. Which trials it may look
//! at is a matter of their numbers, never of who happened to end first, so the same trials are pruned whatever the
//! number of workers ([`Study::concurrency`](super::Study::concurrency)).

mod halving;
mod median;
mod patient;

pub use halving::{Hyperband, SuccessiveHalving};
pub use median::MedianPruning;
pub use patient::PatientPruning;

use super::Record;
use super::record::Ranks;
use crate::metrics::Direction;
use crate::{Error, Result};
use std::sync::Arc;

/// What ends a trial before its time.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Pruner {
    /// Nothing.
    #[default]
    None,
    /// Worse than the median of the others.
    Median(MedianPruning),
    /// Not among the best at a rung.
    Halving(SuccessiveHalving),
    /// Successive halving with several first rungs.
    Hyperband(Hyperband),
    /// No improvement for a while.
    Patient(PatientPruning),
}

/// A trial that has just reported.
pub(super) struct Situation<'a> {
    pub number: usize,
    /// Its reports, the new one last.
    pub reports: &'a [(usize, f64)],
    /// The trials that it may be compared with.
    pub known: &'a [Arc<Record>],
    pub direction: Direction,
    /// That of the study.
    pub seed: u64,
}

impl Situation<'_> {
    /// The step and the value of the new report, in the sense that less is better.
    fn newest(&self) -> (usize, f64) {
        self.reports.last().map_or((0, f64::NAN), |(step, value)| (*step, self.direction.loss(*value)))
    }
}

impl Pruner {
    /// Why the trial is to end; `None` where it goes on. A value that is no number ends it whoever prunes.
    pub(super) fn why(&self, trial: &Situation<'_>) -> Option<String> {
        let (step, value) = trial.newest();
        if *self != Pruner::None && value.is_nan() {
            return Some(format!("no number at step {step}"));
        }
        match self {
            Pruner::None => None,
            Pruner::Median(pruner) => pruner.why(trial),
            Pruner::Halving(pruner) => pruner.why(trial),
            Pruner::Hyperband(pruner) => pruner.why(trial),
            Pruner::Patient(pruner) => pruner.why(trial),
        }
    }

    pub(super) fn check(&self) -> Result<()> {
        match self {
            Pruner::None => Ok(()),
            Pruner::Median(pruner) => pruner.check(),
            Pruner::Halving(pruner) => pruner.check(),
            Pruner::Hyperband(pruner) => pruner.check(),
            Pruner::Patient(pruner) => pruner.check(),
        }
    }
}

/// Refuses a setting below its least value.
fn at_least(place: &str, name: &'static str, least: usize, got: usize) -> Result<()> {
    if got < least { Err(Error::value(place, name, format!("at least {least}"), got)) } else { Ok(()) }
}

/// The value of a record at the first step from `step` on, in the sense that less is better.
fn at_step(record: &Record, step: usize, direction: Direction) -> Option<f64> {
    record.reports.iter().find(|(own, _)| *own >= step).map(|(_, value)| direction.loss(*value))
}
