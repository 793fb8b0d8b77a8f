//! A training run: what it knows, and what callbacks may do with it.

mod callback;
mod epoch;
mod host;
mod options;
mod progress;
mod stop;
mod writers;

pub use callback::{Callback, CallbackState};
pub(in crate::train) use callback::{Callbacks, Shared};
pub(in crate::train) use host::HostLoss;
pub(in crate::train) use options::Options;
#[cfg(feature = "progress")]
pub(crate) use progress::bar;
pub use progress::{Progress, Verbosity};
#[cfg(all(feature = "ctrl-c", feature = "search"))]
pub(crate) use stop::CtrlC;
pub(in crate::train) use stop::Outside;
pub use stop::StopFlag;

use super::evaluate::Validator;
use super::feed::Feed;
use super::feed::uniforms::{Uniforms, is_rate};
use super::profile;
use super::report::{self, History};
use crate::data::Dataset;
use crate::metrics::Direction;
use crate::model::{Model, Purpose};
use crate::plan::{Plan, PlanId};
use crate::{Error, Result};
use std::fmt;

/// A training run as its [`Callback`]s see it.
pub struct Run<'a> {
    pub(super) model: &'a mut Model,
    pub(super) options: &'a Options,
    pub(super) data: &'a Dataset,
    pub(super) held_out: Option<&'a Dataset>,
    /// `None` where the host computes the loss.
    pub(super) feed: Option<Feed<'a>>,
    pub(super) validation: Option<Validator<'a>>,
    /// `Model::bindings` when feed and validation were bound.
    bound: u64,
    /// The feed is that of L-BFGS: epochs are iterations, and a line search finds their steps.
    minimizes: bool,
    pub(super) progress: Progress,
    pub(super) history: History,
    /// What the loss scale had counted when it was last read.
    pub(super) skipped: u64,
    names: Vec<String>,
    pub(super) callbacks: Callbacks<'a>,
    /// What the callbacks kept in an earlier run that this one goes on from.
    pub(super) kept: Vec<CallbackState>,
    /// The callback that is being called.
    called: Option<String>,
    /// The callback that ended the run.
    pub(super) stopped_by: Option<String>,
    /// The order of the rows in the epoch that runs.
    pub(super) order: Vec<u32>,
    /// What its steps have in common.
    pub(super) uniforms: Uniforms,
    pub(super) outside: Outside,
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
        self.options.epochs
    }

    /// The names that every epoch of this run reports: `loss`, metrics, and with `val_` those of the validation data.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Which values of `name` are the better ones, as its metric says; `place` is the callback that asks for it.
    ///
    /// # Errors
    /// [`Error::Value`], with the names there are.
    pub fn direction(&self, place: &str, name: &str) -> Result<Direction> {
        self.check_name(place, name)?;
        let known = self.history.direction(name);
        known.ok_or_else(|| Error::Internal(format!("{name} has no direction")))
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

    /// The learning rate: the optimizer's, until it is set. A [`Schedule`](crate::schedules::Schedule) multiplies it by
    /// its factors.
    pub fn learning_rate(&self) -> f64 {
        self.uniforms.rate
    }

    /// Sets the learning rate from the next epoch on.
    ///
    /// # Errors
    /// [`Error::Value`] where it is not positive and finite in f32, and in a run of
    /// [`Model::minimize`](crate::model::Model::minimize), which has none.
    pub fn set_learning_rate(&mut self, rate: f64) -> Result<()> {
        if self.minimizes {
            let wanted = "left alone: a line search finds the steps";
            return Err(Error::value("minimize", "learning_rate", wanted, rate));
        }
        if !is_rate(rate) {
            return Err(Error::value("fit", "learning_rate", "positive and finite in f32", rate));
        }
        self.uniforms.rate = rate;
        Ok(())
    }

    /// Ends the run after this round of callbacks. The first reason given becomes [`History::stopped`].
    pub fn stop(&mut self, reason: impl Into<String>) {
        if self.history.stopped.is_none() {
            (self.history.stopped, self.stopped_by) = (Some(reason.into()), self.called.clone());
        }
    }

    /// Says that something beside the training went wrong: a line between the epochs, kept with the number of the epoch
    /// in [`History::warnings`].
    pub fn warn(&mut self, text: impl fmt::Display) {
        let warning = format!("epoch {}: {text}", self.epoch());
        self.note(&format!("warning: {warning}"));
        self.history.warnings.push(warning);
    }

    /// Prints a line between the epochs; nothing in a silent run.
    pub fn note(&self, text: &str) {
        self.progress.note(text);
    }
}

/// The data of a run: what it trains on, and what it is validated on.
pub(super) type Parts<'a> = (&'a Dataset, Option<&'a Dataset>);

impl<'a> Run<'a> {
    pub(super) fn new(
        model: &'a mut Model,
        parts: Parts<'a>,
        options: &'a Options,
        callbacks: Callbacks<'a>,
    ) -> Result<Self> {
        let rows = parts.0.len();
        let steps = rows.div_ceil(options.batch_size.min(rows));
        let feed = bind(model, parts.0, options)?;
        let mut run = Self::over(model, parts, (options, callbacks), steps, Some(feed))?;
        // It leaves the weights as they are.
        if options.profile {
            match profile::profile(run.model, run.data, options.batch_size) {
                Ok(profile) => run.history.profile = Some(profile),
                Err(error) => run.warn(format!("no profile: {error}")),
            }
            run.rebind()?;
        }
        Ok(run)
    }

    /// A run whose loss the host computes.
    pub(super) fn by_host(
        model: &'a mut Model,
        parts: Parts<'a>,
        (options, callbacks): (&'a Options, Callbacks<'a>),
    ) -> Result<Self> {
        for data in [Some(parts.0), parts.1].into_iter().flatten() {
            model.check_inputs(data.inputs())?;
            if data.weighs_targets() {
                return Err(Error::value("fit_with", "target weights", "left to the program's loss", "some"));
            }
        }
        let steps = parts.0.len().div_ceil(options.batch_size);
        let mut run = Self::over(model, parts, (options, callbacks), steps, None)?;
        if options.profile {
            run.warn("no profile: the loss is computed by the host");
        }
        Ok(run)
    }

    /// A run of L-BFGS, whose passes are those of `plan`, loaded as `id`.
    pub(super) fn minimizing(
        model: &'a mut Model,
        parts: Parts<'a>,
        (options, callbacks): (&'a Options, Callbacks<'a>),
        loaded: (PlanId, &Plan),
    ) -> Result<Self> {
        let device = model.device().clone();
        let feed = Feed::new(&mut *model.executor, &device, loaded, parts.0, options.data_budget)?;
        let mut run = Self::over(model, parts, (options, callbacks), 1, Some(feed))?;
        run.minimizes = true;
        for name in ["objective", "gradient", "evaluations"] {
            run.names.push(name.to_owned());
            run.history.directions.push((name.to_owned(), Direction::Minimize));
        }
        run.progress = run.progress.of_iterations();
        Ok(run)
    }

    /// A run over data to which `feed` is bound, in epochs of `steps` steps.
    fn over(
        model: &'a mut Model,
        (data, held_out): Parts<'a>,
        (options, callbacks): (&'a Options, Callbacks<'a>),
        steps: usize,
        feed: Option<Feed<'a>>,
    ) -> Result<Self> {
        callbacks.check_files()?;
        let scheduled = (&options.schedule, options.seed, options.epochs);
        let uniforms = Uniforms::new(scheduled, model.program().optimizer, steps, model.steps_done)?;
        let validated = held_out.filter(|_| feed.is_some());
        let validation = validated.map(|data| Validator::new(model, data, options.data_budget)).transpose()?;
        let skipped = model.loss_scale()?.map_or(0, |state| state.skipped);
        let of_host = || vec![("loss".to_owned(), Direction::Minimize)];
        let mut known = if feed.is_some() { report::names(model) } else { of_host() };
        if held_out.is_some() {
            known.extend(known.clone().into_iter().map(|(name, direction)| (format!("val_{name}"), direction)));
        }
        let (outside, deaf) = options.stops.listen();
        let mut run = Self {
            bound: model.bindings,
            minimizes: false,
            model,
            options,
            data,
            held_out,
            feed,
            validation,
            progress: Progress::new(options.verbosity, options.epochs).rows(data.len()),
            skipped,
            names: known.iter().map(|(name, _)| name.clone()).collect(),
            history: History { directions: known, ..History::default() },
            callbacks,
            kept: Vec::new(),
            called: None,
            stopped_by: None,
            order: (0..data.len() as u32).collect(),
            uniforms,
            outside,
        };
        if let Some(why) = deaf {
            run.warn(why);
        }
        Ok(run)
    }

    /// Before the first epoch: checkpoints, of which much can be known to go wrong, then the run that this one goes on
    /// from, then the program's callbacks.
    pub(super) fn begin(&mut self) -> Result<()> {
        let mut checkpoints = std::mem::take(&mut self.callbacks.checkpoints);
        checkpoints.iter_mut().try_for_each(|checkpoint| checkpoint.begin(self))?;
        if let Some(mut resume) = self.callbacks.resume.take() {
            resume.begin(self)?;
        }
        self.notify(|callback, run| callback.begin(run))?;
        self.callbacks.checkpoints = checkpoints;
        let keeping = self.callbacks.own.iter_mut().filter(|callback| callback.state().is_some());
        keeping.zip(std::mem::take(&mut self.kept)).try_for_each(|(callback, state)| callback.restore(state))?;
        self.reconsider()?;
        if self.epoch() > 0 && self.epoch() >= self.epochs() {
            self.note(&format!("nothing to train: {} of {} epochs are done", self.epoch(), self.epochs()));
        }
        Ok(())
    }

    /// Calls every callback, in order, and checkpoints last: a file holds what the others made of the epoch.
    pub(super) fn notify(&mut self, mut call: impl FnMut(&mut dyn Callback, &mut Self) -> Result<()>) -> Result<()> {
        let mut own = std::mem::take(&mut self.callbacks.own);
        let outcome = own.iter_mut().try_for_each(|callback| self.call(&mut **callback, &mut call));
        self.callbacks.own = own;
        outcome?;
        let mut checkpoints = std::mem::take(&mut self.callbacks.checkpoints);
        let outcome = checkpoints.iter_mut().try_for_each(|checkpoint| self.call(&mut **checkpoint, &mut call));
        self.callbacks.checkpoints = checkpoints;
        outcome
    }

    /// What a callback did with the model may have bound other data to its plans.
    fn call(
        &mut self,
        callback: &mut dyn Callback,
        call: &mut impl FnMut(&mut dyn Callback, &mut Self) -> Result<()>,
    ) -> Result<()> {
        self.called = Some(callback.name());
        call(callback, self)?;
        self.called = None;
        self.rebind()
    }

    /// Binds the run's data again where others were bound since.
    fn rebind(&mut self) -> Result<()> {
        if self.feed.is_some() && self.model.bindings != self.bound {
            // A plan of its own stays as it is bound.
            if !self.minimizes {
                self.feed = Some(bind(self.model, self.data, self.options)?);
            }
            if let Some(data) = self.held_out {
                self.validation = Some(Validator::new(self.model, data, self.options.data_budget)?);
            }
            self.bound = self.model.bindings;
        }
        Ok(())
    }

    /// Lets a run that a callback had ended, and that is resumed, go on if no callback of that name still ends it.
    fn reconsider(&mut self) -> Result<()> {
        let Some(by) = self.stopped_by.clone() else { return Ok(()) };
        let mut still = false;
        self.notify(|callback, run| {
            still = still || (callback.name() == by && callback.still_ends(run)?);
            Ok(())
        })?;
        if !still {
            self.note(&format!("goes on: {by} no longer ends the run"));
            (self.history.stopped, self.stopped_by) = (None, None);
        }
        Ok(())
    }

    /// Whether there is an epoch to come. The flags are looked at here, after the checkpoints of the last epoch were
    /// written: a run that is stopped from outside can be resumed.
    pub(super) fn goes_on(&mut self) -> bool {
        let to_come = self.history.stopped.is_none() && self.epoch() < self.options.epochs;
        if to_come && self.outside.stops() {
            let unit = if self.minimizes { "iterations" } else { "epochs" };
            self.stop(format!("stopped from outside after {} {unit}", self.epoch()));
            return false;
        }
        to_come
    }

    /// What the validation data give, with `val_` in front of every name.
    pub(super) fn validate(&mut self) -> Result<Vec<(String, f64)>> {
        let Some(validation) = &mut self.validation else { return Ok(Vec::new()) };
        let scores = validation.run(self.model)?;
        Ok(scores.values.into_iter().map(|(name, value)| (format!("val_{name}"), value)).collect())
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
fn bind<'a>(model: &mut Model, data: &'a Dataset, options: &Options) -> Result<Feed<'a>> {
    let classes = model.check_data(data)?;
    let device = model.device().clone();
    let loaded = model.load(Purpose::Train, options.batch_size.min(data.len()), &classes)?.clone();
    Feed::new(&mut *model.executor, &device, (loaded.id, &loaded.plan), data, options.data_budget)
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Run(epoch {} of {}, {:?})", self.epoch(), self.options.epochs, self.model)
    }
}
