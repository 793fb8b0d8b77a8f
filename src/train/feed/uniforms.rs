//! The uniform of each training step: the learning rate by its schedule, the seed, the count of updates.

use crate::data::shuffle::permutation;
use crate::kernels::Step;
use crate::optimizers::Optimizer;
use crate::random::{counter, stream_key};
use crate::schedules::Schedule;
use crate::{Error, Result};

/// The shuffle of epoch e draws from this stream at step e; dropout layers and initial weights have others.
const SHUFFLE_STREAM: u32 = u32::from_be_bytes(*b"shuf");

/// The order of `rows` rows in epoch `epoch`, counted from 1.
pub(in crate::train) fn shuffled(rows: usize, seed: u64, epoch: u64) -> Vec<u32> {
    permutation(rows as u32, stream_key(seed, SHUFFLE_STREAM, counter(epoch)))
}

/// From which the uniform of each step of an epoch follows.
#[derive(Clone)]
pub(in crate::train) struct Uniforms {
    optimizer: Optimizer,
    schedule: Schedule,
    seed: u64,
    /// Steps of an epoch, where they are known; they are behind the first.
    pub steps: Option<usize>,
    epochs: usize,
    /// The learning rate that the schedule multiplies.
    pub rate: f64,
    /// The epoch of the run, counted from 0.
    pub epoch: usize,
    /// Training steps of the model before the epoch.
    pub before: u64,
}

impl Uniforms {
    /// Before the first of `steps` steps an epoch, if that is known; the model has done `before` steps. Fails where the
    /// schedule does not fit the steps of the run.
    pub fn new(
        (schedule, seed, epochs): (&Schedule, u64, usize),
        optimizer: Optimizer,
        steps: Option<usize>,
        before: u64,
    ) -> Result<Self> {
        if steps.is_none() && schedule.spans_the_run() {
            let wanted = "told by Stream::rows, for a schedule that spans the run";
            return Err(Error::value("stream", "rows", wanted, "none"));
        }
        schedule.check(steps.map_or(usize::MAX, |steps| steps.saturating_mul(epochs)))?;
        Ok(Self {
            schedule: schedule.clone(),
            seed,
            steps,
            epochs,
            rate: f64::from(optimizer.learning_rate()),
            optimizer,
            epoch: 0,
            before,
        })
    }

    pub fn learning_rate(&self, i: usize) -> f32 {
        let steps = self.steps.unwrap_or(0);
        let step = self.epoch.saturating_mul(steps).saturating_add(i);
        (self.rate * self.schedule.factor(step, self.epoch, steps.saturating_mul(self.epochs))) as f32
    }

    /// Completes the uniform of step `i` of the epoch.
    pub fn fill(&self, i: usize, step: &mut Step) {
        self.optimizer.fill(self.before.saturating_add(1 + i as u64), step);
        step.learning_rate = self.learning_rate(i);
        *step = step.seeded(self.seed);
    }
}

/// Whether the device can hold `rate`, whose rates are f32: a smaller one would be 0 there, a larger one infinite.
pub(in crate::train) fn is_rate(rate: f64) -> bool {
    (f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&rate)
}
