//! Pruning by the median (or another percentile) of earlier trials.

use super::{Pruner, Situation, at_least, at_step};
use crate::search::State;
use crate::search::record::Ranks;
use crate::{Error, Result};

/// Ends a trial whose best value so far is worse than the median of what complete trials reported at the same step
/// (Golovin et al. 2017, "Google Vizier", section 3.5.2, with the value of the step in place of the running mean; the
/// rule of Optuna's `MedianPruner`).
///
/// Defaults: percentile 50; the first 5 complete trials run to their end, and no step is spared.
///
/// ```
/// use axone::search::{MedianPruning, Study};
/// let study = Study::maximize("accuracy").pruner(MedianPruning::new().startup(8).warmup(3));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct MedianPruning {
    percentile: f64,
    startup: usize,
    warmup: usize,
}

impl Default for MedianPruning {
    fn default() -> Self {
        Self { percentile: 50.0, startup: 5, warmup: 0 }
    }
}

impl MedianPruning {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The share of the complete trials, best first and in percent, that a trial has to keep up with: above 0, below
    /// 100. At 25 a trial has to be among the best quarter.
    pub fn percentile(mut self, percent: f64) -> Self {
        self.percentile = percent;
        self
    }

    /// Complete trials that have to be known before any is pruned; at least 1.
    pub fn startup(mut self, trials: usize) -> Self {
        self.startup = trials;
        self
    }

    /// Steps of every trial after which it may be pruned.
    pub fn warmup(mut self, steps: usize) -> Self {
        self.warmup = steps;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if !(self.percentile > 0.0 && self.percentile < 100.0) {
            return Err(Error::value("MedianPruning", "percentile", "above 0 and below 100", self.percentile));
        }
        at_least("MedianPruning", "startup", 1, self.startup)
    }

    pub(super) fn why(&self, trial: &Situation<'_>) -> Option<String> {
        let (step, _) = trial.newest();
        let complete = || trial.known.iter().filter(|record| record.state == State::Complete);
        if step <= self.warmup || complete().count() < self.startup {
            return None;
        }
        let at = |record| at_step(record, step, trial.direction).filter(|value| !value.is_nan());
        let mut others: Vec<f64> = complete().filter_map(|record| at(record)).collect();
        if others.is_empty() {
            return None;
        }
        others.sort_by(f64::total_cmp);
        let bar = percentile(&others, self.percentile);
        let own = trial.reports.iter().map(|(_, value)| trial.direction.loss(*value)).fold(f64::INFINITY, f64::min);
        (own > bar).then(|| format!("behind {} % of {} trials at step {step}", self.percentile, others.len()))
    }
}

/// Linear between the two nearest, as NumPy's.
fn percentile(sorted: &[f64], percent: f64) -> f64 {
    let at = percent / 100.0 * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[at.floor() as usize], sorted[at.ceil() as usize]);
    if below == above { below } else { below + (above - below) * at.fract() }
}

impl From<MedianPruning> for Pruner {
    fn from(pruner: MedianPruning) -> Self {
        Pruner::Median(pruner)
    }
}
