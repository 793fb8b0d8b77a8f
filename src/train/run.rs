//! A training run: what it knows, what callbacks may do with it, and one epoch of it.

use super::callback::Callback;
use super::feed::Feed;
use super::fit::Validator;
use super::report;
use super::settings::Fit;
use super::stop::StopFlag;
use super::{Epoch, History, Progress};
use crate::data::Dataset;
use crate::data::shuffle::permutation;
use crate::kernels::Step;
use crate::model::{Model, Purpose};
use crate::optimizers::Optimizer;
use crate::random::stream_key;
use crate::schedules::Schedule;
use crate::{Error, Result};
use std::fmt;
use std::sync::MutexGuard;
use std::time::Instant;

/// The shuffle of epoch e draws from this stream at step e; dropout layers and initial weights have others.
const SHUFFLE_STREAM: u32 = u32::from_be_bytes(*b"shuf");

/// The order of `rows` rows in epoch `epoch`, counted from 1.
pub(super) fn shuffled(rows: usize, seed: u64, epoch: u32) -> Vec<u32> {
    permutation(rows as u32, stream_key(seed, SHUFFLE_STREAM, epoch))
}

/// A training run as its [`Callback`]s see it.
pub struct Run<'a> {
    pub(super) model: &'a mut Model,
    pub(super) settings: &'a Fit,
    pub(super) data: &'a Dataset,
    held_out: Option<&'a Dataset>,
    pub(super) feed: Feed<'a>,
    validation: Option<Validator<'a>>,
    /// `Model::bindings` when feed and validation were bound.
    bound: u64,
    progress: Progress,
    pub(super) history: History,
    /// What the loss scale had counted when it was last read.
    pub(super) skipped: u64,
    names: Vec<String>,
    /// The order of the rows in the epoch that runs.
    pub(super) order: Vec<u32>,
    /// What its steps have in common.
    pub(super) uniforms: Uniforms,
    stop_flags: Vec<StopFlag>,
    #[cfg(feature = "ctrl-c")]
    ctrl_c: Option<super::stop::CtrlC>,
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
    pub before: u32,
}

impl Uniforms {
    fn learning_rate(&self, i: usize) -> f32 {
        (self.rate * self.schedule.factor(self.epoch * self.steps + i, self.epoch, self.total_steps)) as f32
    }

    /// Completes the uniform of step `i` of the epoch.
    pub fn fill(&self, i: usize, step: &mut Step) {
        self.optimizer.fill(self.before + 1 + i as u32, step);
        step.learning_rate = self.learning_rate(i);
        (step.seed_low, step.seed_high) = (self.seed as u32, (self.seed >> 32) as u32);
    }
}

/// What a program may ask and do between two epochs.
impl<'a> Run<'a> {
    /// The model. Evaluating, predicting, reading and writing weights are fine; what it is trained here counts as
    /// training.
    pub fn model(&mut self) -> &mut Model {
        self.model
    }

    /// The epochs so far.
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Whole epochs so far; in [`Callback::epoch_end`] the number of the epoch that has just ended.
    pub fn epoch(&self) -> usize {
        self.history.epochs.len()
    }

    /// The number of the last epoch, if nothing ends the run before.
    pub fn epochs(&self) -> usize {
        self.settings.epochs
    }

    /// The names that every epoch of this run reports: `loss`, metrics, and with `val_` those of the validation data.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Refuses a `name` that no epoch of this run will report; `place` is the callback that asks for it.
    ///
    /// # Errors
    /// [`Error::Value`], with the names there are.
    pub fn check_name(&self, place: &str, name: &str) -> Result<()> {
        if self.names.iter().any(|known| known == name) {
            return Ok(());
        }
        Err(Error::value(place, "monitor", format!("one of {}", self.names.join(", ")), name))
    }

    /// The value called `name` of the last epoch; `place` is the callback that asks for it.
    ///
    /// # Errors
    /// [`Error::Value`], with the names there are.
    pub fn value(&self, place: &str, name: &str) -> Result<f64> {
        self.check_name(place, name)?;
        Ok(self.history.epochs.last().and_then(|epoch| epoch.get(name)).unwrap_or(f64::NAN))
    }

    /// The learning rate: the optimizer's, until it is set. A [`Schedule`] multiplies it by its factors.
    pub fn learning_rate(&self) -> f64 {
        self.uniforms.rate
    }

    /// Sets the learning rate from the next epoch on.
    ///
    /// # Errors
    /// [`Error::Value`] where it is not positive and finite.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        if !(rate > 0.0 && rate.is_finite()) {
            return Err(Error::value("fit", "learning_rate", "positive and finite", rate));
        }
        self.uniforms.rate = rate;
        Ok(())
    }

    /// Ends the run after this round of callbacks. The first reason given becomes [`History::stopped`].
    pub fn stop(&mut self, reason: impl Into<String>) {
        self.history.stopped.get_or_insert(reason.into());
    }

    /// Prints a line between the epochs; nothing in a silent run.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }
}

impl<'a> Run<'a> {
    pub(super) fn new(
        model: &'a mut Model,
        data: &'a Dataset,
        held_out: Option<&'a Dataset>,
        settings: &'a Fit,
    ) -> Result<Self> {
        let steps = data.len().div_ceil(settings.batch_size.min(data.len()));
        let total_steps = steps.saturating_mul(settings.epochs);
        settings.schedule.check(total_steps)?;
        let feed = bind(model, data, settings)?;
        let validation = held_out.map(|data| Validator::new(model, data, settings.data_budget)).transpose()?;
        // First, so that a profile that fails costs no training; it leaves the weights as they are.
        let profile = if settings.profile { Some(super::profile(model, data, settings.batch_size)?) } else { None };
        let skipped = model.loss_scale()?.map_or(0, |state| state.skipped);
        let optimizer = model.program().optimizer;
        let uniforms = Uniforms {
            schedule: settings.schedule.clone(),
            seed: settings.seed,
            steps,
            total_steps,
            rate: f64::from(optimizer.learning_rate()),
            optimizer,
            epoch: 0,
            before: model.steps_done,
        };
        let mut known = report::names(model);
        if held_out.is_some() {
            known.extend(known.clone().into_iter().map(|name| format!("val_{name}")));
        }
        #[cfg_attr(not(feature = "ctrl-c"), allow(unused_mut, reason = "only a listener to Ctrl-C is added"))]
        let mut run = Self {
            bound: model.bindings,
            model,
            settings,
            data,
            held_out,
            feed,
            validation,
            progress: Progress::new(settings.verbosity, settings.epochs).rows(data.len()),
            history: History { profile, ..History::default() },
            skipped,
            names: known,
            order: (0..data.len() as u32).collect(),
            uniforms,
            stop_flags: settings.stop_flags.clone(),
            #[cfg(feature = "ctrl-c")]
            ctrl_c: None,
        };
        #[cfg(feature = "ctrl-c")]
        if settings.ctrl_c {
            let listener = super::stop::CtrlC::listen()?;
            run.stop_flags.push(listener.0.clone());
            run.ctrl_c = Some(listener);
        }
        Ok(run)
    }

    /// Calls every callback, in order. What they did with the model may have bound other data to its plans.
    pub(super) fn hear(
        &mut self,
        callbacks: &mut [MutexGuard<'_, dyn Callback + 'static>],
        mut call: impl FnMut(&mut dyn Callback, &mut Self) -> Result<()>,
    ) -> Result<()> {
        callbacks.iter_mut().try_for_each(|callback| call(&mut **callback, self))?;
        if self.model.bindings != self.bound {
            self.feed = bind(self.model, self.data, self.settings)?;
            if let Some(data) = self.held_out {
                self.validation = Some(Validator::new(self.model, data, self.settings.data_budget)?);
            }
            self.bound = self.model.bindings;
        }
        Ok(())
    }

    /// Whether there is an epoch to come. The flags are looked at here, after the checkpoints of the last epoch were
    /// written: a run that is stopped from outside can be resumed.
    pub(super) fn goes_on(&mut self) -> bool {
        let to_come = self.history.stopped.is_none() && self.epoch() < self.settings.epochs;
        if to_come && self.stop_flags.iter().any(StopFlag::is_raised) {
            self.stop(format!("stopped from outside after {} epochs", self.epoch()));
            return false;
        }
        to_come
    }

    /// Trains one epoch; whether all of it.
    pub(super) fn epoch_of_training(&mut self) -> Result<bool> {
        let begun = Instant::now();
        let (number, steps) = (self.epoch() + 1, self.uniforms.steps);
        self.progress.start_epoch(number, steps);
        if self.settings.shuffle {
            self.order = shuffled(self.data.len(), self.settings.seed, self.model.epochs_done + 1);
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
        self.model.steps_done = self.uniforms.before + queued as u32;
        let Some(logged) = logged else {
            self.progress.leave_epoch();
            self.stop(format!("stopped from outside in epoch {number}, after {queued} of its {steps} steps"));
            return Ok(false);
        };
        self.model.epochs_done += 1;
        let rows_per_second = self.data.len() as f64 / begun.elapsed().as_secs_f64();
        let mut values = report::values(self.model, &logged);
        if let Some(validation) = &mut self.validation {
            let scores = validation.run(self.model)?;
            values.extend(scores.values.into_iter().map(|(name, value)| (format!("val_{name}"), value)));
        }
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

    /// The history, once nothing more is to come.
    pub(super) fn finish(self) -> History {
        if self.history.skipped_steps > 0 {
            let count = self.history.skipped_steps;
            self.progress.note(&format!("steps passed over because a gradient overflowed in f16: {count}"));
        }
        if let Some(reason) = &self.history.stopped {
            self.progress.note(&format!("ended: {reason}"));
        }
        self.history
    }
}

/// The training plan with the data.
fn bind<'a>(model: &mut Model, data: &'a Dataset, settings: &Fit) -> Result<Feed<'a>> {
    let classes = model.check_data(data)?;
    let device = model.device().clone();
    let loaded = model.load(Purpose::Train, settings.batch_size.min(data.len()), &classes)?.clone();
    Feed::new(&mut *model.executor, &device, &loaded, data, settings.data_budget)
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run(epoch {} of {}, {:?})", self.epoch(), self.settings.epochs, self.model)
    }
}
