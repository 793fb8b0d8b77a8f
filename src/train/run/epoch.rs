//! One epoch of a training run: the order of its rows, its steps, and what it reports.

use super::Run;
use super::host::{HostLoss, epoch_by_host, loss_by_host};
use crate::kernels::Step;
use crate::train::feed::uniforms::shuffled;
use crate::train::report::{self, Epoch};
use crate::{Error, Result};
use std::time::Instant;

impl Run<'_> {
    /// Trains one epoch, on the model's loss or on one that the host computes; whether all of it.
    pub(in crate::train) fn epoch_of_training(&mut self, host: Option<&mut HostLoss<'_>>) -> Result<bool> {
        let begun = Instant::now();
        let (number, steps) = (self.epoch() + 1, self.uniforms.steps);
        self.progress.start_epoch(number, steps);
        if self.options.shuffle {
            self.order = shuffled(self.data.len(), self.options.seed, self.model.epochs_done.saturating_add(1));
        }
        (self.uniforms.epoch, self.uniforms.before) = (number - 1, self.model.steps_done);
        let (uniforms, progress, outside) = (&self.uniforms, &mut self.progress, &self.outside);
        let mut queued = 0;
        let done = |steps: usize| {
            progress.advance(steps, None);
            queued = steps;
            !outside.stops()
        };
        let fill = |i: usize, step: &mut Step| uniforms.fill(i, step);
        let trained = match (&mut self.feed, host) {
            (Some(feed), None) => {
                let logged = feed.run_epoch(&mut *self.model.executor, &self.order, fill, done)?;
                logged.map(|logged| report::values(self.model, &logged)).transpose()?
            }
            (_, Some(loss)) => {
                let rows = (self.data, self.order.as_slice(), self.options.batch_size);
                let mean = epoch_by_host(self.model, rows, |i| uniforms.learning_rate(i), loss, done)?;
                let validation =
                    self.held_out.filter(|_| mean.is_some()).map(|data| loss_by_host(self.model, data, loss));
                let validation = validation.transpose()?.map(|loss| ("val_loss".to_owned(), loss));
                mean.map(|loss| [("loss".to_owned(), loss)].into_iter().chain(validation).collect())
            }
            (None, None) => return Err(Error::Internal("a run without data and without a loss".to_owned())),
        };
        self.model.steps_done = self.uniforms.before.saturating_add(queued as u64);
        let Some(mut values) = trained else {
            self.progress.leave_epoch();
            self.stop(format!("stopped from outside in epoch {number}, after {queued} of its {steps} steps"));
            return Ok(false);
        };
        self.model.epochs_done = self.model.epochs_done.saturating_add(1);
        let rows_per_second = self.data.len() as f64 / begun.elapsed().as_secs_f64();
        values.extend(self.validate()?);
        let (seconds, learning_rate) = (begun.elapsed().as_secs_f64(), self.uniforms.learning_rate(steps - 1));
        let epoch = Epoch { epoch: number, seconds, learning_rate, values };
        self.progress.end_epoch(&epoch, rows_per_second);
        self.history.epochs.push(epoch);
        self.count_skipped()?;
        Ok(true)
    }

    /// Counts the steps of an epoch that were passed over because a gradient overflowed in f16. An epoch that was
    /// nothing else, at the smallest scale there is, ends the run: the next one would be the same.
    fn count_skipped(&mut self) -> Result<()> {
        let Some(state) = self.model.loss_scale()? else { return Ok(()) };
        let skipped = state.skipped.saturating_sub(self.skipped);
        self.skipped = state.skipped;
        self.history.skipped_steps += skipped;
        if skipped == self.uniforms.steps as u64 && state.used <= 1.0 {
            self.stop(format!("no step of epoch {} had finite gradients, at a loss scale of 1", self.epoch()));
        }
        Ok(())
    }
}
