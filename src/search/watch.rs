//! The callback of `fit` that reports to a trial.

use super::Trial;
use crate::Result;
use crate::train::{Callback, Run};

/// Reports a value to a trial after every epoch: see [`Trial::watch`].
#[derive(Debug)]
pub struct Watch {
    trial: Trial,
    monitor: String,
    /// Steps of the fits before this one.
    before: usize,
}

impl Watch {
    pub(super) fn new(trial: Trial, monitor: String) -> Self {
        Self { trial, monitor, before: 0 }
    }
}

impl Callback for Watch {
    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.trial.is_fixed() {
            return Ok(()); // on all rows, there may be no such value
        }
        run.check_name(&self.trial.place(), &self.monitor).inspect_err(|error| self.trial.fault(error))?;
        let mut asked = self.trial.asked();
        self.before = asked.before;
        asked.before += run.epochs();
        Ok(())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.trial.is_fixed() {
            return Ok(());
        }
        let value = run.value(&self.trial.place(), &self.monitor)?;
        self.trial.report(self.before + run.epoch(), value)?;
        let pruned = self.trial.asked().pruned.clone();
        if let Some(why) = pruned {
            run.stop(format!("pruned: {why}"));
        } else if self.trial.is_stopped() {
            self.trial.asked().cut = true;
            run.stop("the study was stopped");
        }
        Ok(())
    }
}
