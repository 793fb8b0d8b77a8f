//! One epoch of a training run: the order of its rows, the uniforms of its steps, and what it reports.

use super::run::Run;
use super::settings::Fit;
use super::stop::StopFlag;
use super::{Epoch, report};
use crate::Result;
use crate::data::shuffle::permutation;
use crate::kernels::Step;
use crate::optimizers::Optimizer;
use crate::random::{counter, stream_key};
use crate::schedules::Schedule;
use std::time::Instant;

/// The shuffle of epoch e draws from this stream at step e; dropout layers and initial weights have others.
const SHUFFLE_STREAM: u32 = u32::from_be_bytes(*b"shuf");

/// The order of `rows` rows in epoch `epoch`, counted from 1.
pub(super) fn shuffled(rows: usize, seed: u64, epoch: u64) -> Vec<u32> {
    permutation(rows as u32, stream_key(seed, SHUFFLE_STREAM, counter(epoch)))
}

/// From which the uniform of each step of an epoch follows.
#[derive(Clone)]
pub(super) struct Uniforms {
    optimizer: Optimizer,
    schedule: Schedule,
    seed: u64,
    /// Steps of an epoch, and of the run.
    steps: usize,
    total_steps: usize,
    /// The learning rate that the schedule multiplies.
    pub rate: f64,
    /// The epoch of the run, counted from 0.
    epoch: usize,
    /// Training steps of the model before the epoch.
    pub before: u64,
}

impl Uniforms {
    /// Before the first of `steps` steps an epoch; the model has done `before` steps. Fails where the schedule does not
    /// fit the steps of the run.
    pub fn new(settings: &Fit, optimizer: Optimizer, steps: usize, before: u64) -> Result<Self> {
        let total_steps = steps.saturating_mul(settings.epochs);
        settings.schedule.check(total_steps)?;
        Ok(Self {
            schedule: settings.schedule.clone(),
            seed: settings.seed,
            steps,
            total_steps,
            rate: f64::from(optimizer.learning_rate()),
            optimizer,
            epoch: 0,
            before,
        })
    }

    fn learning_rate(&self, i: usize) -> f32 {
        let step = self.epoch.saturating_mul(self.steps).saturating_add(i);
        (self.rate * self.schedule.factor(step, self.epoch, self.total_steps)) as f32
    }

    /// Completes the uniform of step `i` of the epoch.
    pub fn fill(&self, i: usize, step: &mut Step) {
        self.optimizer.fill(self.before.saturating_add(1 + i as u64), step);
        step.learning_rate = self.learning_rate(i);
        (step.seed_low, step.seed_high) = (self.seed as u32, (self.seed >> 32) as u32);
    }
}

impl Run<'_> {
    /// Trains one epoch; whether all of it.
    pub(super) fn epoch_of_training(&mut self) -> Result<bool> {
        let begun = Instant::now();
        let (number, steps) = (self.epoch() + 1, self.uniforms.steps);
        self.progress.start_epoch(number, steps);
        if self.settings.shuffle {
            self.order = shuffled(self.data.len(), self.settings.seed, self.model.epochs_done.saturating_add(1));
        }
        (self.uniforms.epoch, self.uniforms.before) = (number - 1, self.model.steps_done);
        let (uniforms, progress, flags) = (&self.uniforms, &mut self.progress, &self.stop_flags);
        let mut queued = 0;
        let done = |steps: usize| {
            progress.advance(steps, None);
            queued = steps;
            !flags.iter().any(StopFlag::is_raised)
        };
        let fill = |i: usize, step: &mut Step| uniforms.fill(i, step);
        let logged = self.feed.run_epoch(&mut *self.model.executor, &self.order, fill, done)?;
        self.model.steps_done = self.uniforms.before.saturating_add(queued as u64);
        let Some(logged) = logged else {
            self.progress.leave_epoch();
            self.stop(format!("stopped from outside in epoch {number}, after {queued} of its {steps} steps"));
            return Ok(false);
        };
        self.model.epochs_done = self.model.epochs_done.saturating_add(1);
        let rows_per_second = self.data.len() as f64 / begun.elapsed().as_secs_f64();
        let mut values = report::values(self.model, &logged)?;
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
