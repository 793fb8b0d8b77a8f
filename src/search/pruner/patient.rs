//! Patience: a trial that still improves goes on.

use super::{Pruner, Situation, at_least};
use crate::search::record::Ranks;
use crate::{Error, Result};

/// Ends a trial whose best value has not improved for `patience` reports in a row, if `inner` would end it too (Prechelt
/// 1998, "Early stopping, but when?", criterion UP; around another pruner as Optuna's `PatientPruner`). Without an inner
/// pruner patience decides alone, as [`EarlyStopping`](crate::train::EarlyStopping) does, but such a trial counts as
/// pruned: where every trial comes to rest before its last epoch, none is complete and there is no best one.
///
/// Defaults: no inner pruner, min_delta 0.
///
/// ```
/// use axone::search::{MedianPruning, PatientPruning, Study};
/// let study = Study::minimize("loss").pruner(PatientPruning::new(3).over(MedianPruning::new()));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct PatientPruning {
    inner: Box<Pruner>,
    patience: usize,
    min_delta: f64,
}

impl PatientPruning {
    /// Waits that many reports; at least 1.
    pub fn new(patience: usize) -> Self {
        Self { inner: Box::new(Pruner::None), patience, min_delta: 0.0 }
    }

    /// Asks this pruner once patience is at its end.
    pub fn over(mut self, inner: impl Into<Pruner>) -> Self {
        self.inner = Box::new(inner.into());
        self
    }

    /// What counts as an improvement: more than this; at least 0.
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        at_least("PatientPruning", "patience", 1, self.patience)?;
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return Err(Error::value("PatientPruning", "min_delta", "at least 0 and finite", self.min_delta));
        }
        self.inner.check()
    }

    pub(super) fn why(&self, trial: &Situation<'_>) -> Option<String> {
        let (before, lately) = trial.reports.split_at_checked(trial.reports.len().checked_sub(self.patience)?)?;
        let least = |reports: &[(usize, f64)]| {
            reports.iter().map(|(_, value)| trial.direction.loss(*value)).fold(f64::INFINITY, f64::min)
        };
        if before.is_empty() || least(lately) < least(before) - self.min_delta {
            return None;
        }
        match &*self.inner {
            Pruner::None => Some(format!("no better for {} reports", self.patience)),
            inner => inner.why(trial),
        }
    }
}

impl From<PatientPruning> for Pruner {
    fn from(pruner: PatientPruning) -> Self {
        Pruner::Patient(pruner)
    }
}
