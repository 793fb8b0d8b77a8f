//! One epoch of a training run: the order of its rows, its steps, and what it reports.

use super::Run;
use super::host::{HostLoss, batches, epoch_by_host, loss_by_host};
use crate::data::{Pass, Samples};
use crate::kernels::Step;
use crate::model::Purpose;
use crate::train::feed::stream::Streamed;
use crate::train::feed::uniforms::shuffled;
use crate::train::report::{self, Epoch};
use crate::{Error, Result};
use std::time::Instant;

/// What an epoch reports, and how many rows it had.
type Trained = (Vec<(String, f64)>, usize);

impl Run<'_> {
    /// Trains one epoch, on the model's loss or on one that the host computes; whether all of it.
    pub(in crate::train) fn epoch_of_training(&mut self, host: Option<&mut HostLoss<'_>>) -> Result<bool> {
        let begun = Instant::now();
        let (number, steps) = (self.epoch() + 1, self.uniforms.steps);
        self.progress.start_epoch(number, steps.unwrap_or(0));
        if let (Samples::Memory(data), true) = (self.data, self.options.shuffle) {
            self.order = shuffled(data.len(), self.options.seed, self.model.epochs_done.saturating_add(1));
        }
        (self.uniforms.epoch, self.uniforms.before) = (number - 1, self.model.steps_done);
        let mut queued = 0;
        let trained = self.steps_of_training(host, &mut queued);
        // However it ended: the weights are those after these steps.
        self.model.steps_done = self.uniforms.before.saturating_add(queued as u64);
        let trained = trained.inspect_err(|_| self.progress.leave_epoch())?;
        let Some((mut values, rows)) = trained else {
            self.progress.leave_epoch();
            let of = steps.map_or_else(|| "steps".to_owned(), |steps| format!("of its {steps} steps"));
            self.stop(format!("stopped from outside in epoch {number}, after {queued} {of}"));
            return Ok(false);
        };
        self.set_rows(rows);
        self.model.epochs_done = self.model.epochs_done.saturating_add(1);
        let rows_per_second = rows as f64 / begun.elapsed().as_secs_f64();
        values.extend(self.validate()?);
        let (seconds, learning_rate) = (begun.elapsed().as_secs_f64(), self.uniforms.learning_rate(queued - 1));
        let epoch = Epoch { epoch: number, seconds, learning_rate, values };
        self.progress.end_epoch(&epoch, rows_per_second);
        self.history.epochs.push(epoch);
        self.count_skipped(queued)?;
        Ok(true)
    }

    /// The steps of an epoch, counted in `queued`: what they report, and of how many rows; `None` where the run was stopped
    /// from outside.
    fn steps_of_training(&mut self, host: Option<&mut HostLoss<'_>>, queued: &mut usize) -> Result<Option<Trained>> {
        let shuffle = self.window();
        let (uniforms, progress, outside) = (&self.uniforms, &mut self.progress, &self.outside);
        let done = |steps: usize| {
            progress.advance(steps, None);
            *queued = steps;
            !outside.stops()
        };
        let fill = |i: usize, step: &mut Step| uniforms.fill(i, step);
        let (number, batch, budget) =
            (self.model.epochs_done.saturating_add(1), self.options.batch_size, self.options.data_budget);
        let pass = |shuffle, rows| Pass { number, batch, shuffle, rows, check: Box::new(|_| Ok(())) };
        match (self.data, host) {
            (Samples::Memory(data), None) => {
                let feed = self.feed.as_mut().ok_or_else(|| Error::Internal("a run without data".to_owned()))?;
                let logged = feed.run_epoch(&mut *self.model.executor, &self.order, fill, done)?;
                let values = logged.map(|logged| report::values(self.model, &logged)).transpose()?;
                Ok(values.map(|values| (values, data.len())))
            }
            (Samples::Stream(stream), None) => {
                let (purpose, rows) = (Purpose::Train, self.rows);
                let pass = Streamed { stream, purpose, number, shuffle, rows, batch, budget };
                let tally = pass.run(self.model, fill, done)?;
                // Nothing that is bound was bound to other data.
                self.bound = self.model.bindings;
                let Some(mut tally) = tally else { return Ok(None) };
                Ok(Some((report::values(self.model, &tally.logged())?, tally.rows)))
            }
            (data, Some(loss)) => {
                let rate = |i| uniforms.learning_rate(i);
                let trained = match data {
                    Samples::Memory(data) => {
                        let rows = |rows: &[u32]| rows.iter().map(|row| *row as usize).collect::<Vec<_>>();
                        let batches = self.order.chunks(batch).map(|own| Ok(data.gather(&rows(own))));
                        epoch_by_host(self.model, batches, rate, loss, done)?
                    }
                    Samples::Stream(stream) => {
                        let batches = batches(self.model, stream, pass(shuffle, self.rows));
                        epoch_by_host(self.model, batches, rate, loss, done)?
                    }
                };
                let Some((mean, rows)) = trained else { return Ok(None) };
                let validation = match self.held_out {
                    None => None,
                    Some(Samples::Memory(data)) => {
                        Some(loss_by_host(self.model, std::iter::once(Ok(data.clone())), loss)?)
                    }
                    Some(Samples::Stream(stream)) => {
                        let batches = batches(self.model, stream, pass(None, stream.known_rows()));
                        Some(loss_by_host(self.model, batches, loss)?)
                    }
                };
                let validation = validation.map(|loss| ("val_loss".to_owned(), loss));
                Ok(Some(([("loss".to_owned(), mean)].into_iter().chain(validation).collect(), rows)))
            }
        }
    }

    /// Counts the steps of an epoch that were passed over because a gradient overflowed in f16. An epoch that was
    /// nothing else, at the smallest scale there is, ends the run: the next one would be the same.
    fn count_skipped(&mut self, steps: usize) -> Result<()> {
        let Some(state) = self.model.loss_scale()? else { return Ok(()) };
        let skipped = state.skipped.saturating_sub(self.skipped);
        self.skipped = state.skipped;
        self.history.skipped_steps += skipped;
        if skipped == steps as u64 && state.used <= 1.0 {
            self.stop(format!("no step of epoch {} had finite gradients, at a loss scale of 1", self.epoch()));
        }
        Ok(())
    }
}
