//! A study: the settings of a search.

use super::pruner::Pruner;
use super::sampler::Sampler;
use super::workers::{check, room};
use super::{Score, Trial, Trials, run};
use crate::metrics::Direction;
use crate::train::{StopFlag, Verbosity};
use crate::{Error, Result};
use std::path::PathBuf;

/// A search for the parameters with the best score.
///
/// Defaults: [`Tpe`](super::Tpe), 60 trials (a grid: all its combinations), seed 0, no pruning, 4 trials at a time, a
/// thread for each, a progress bar, no log.
///
/// ```
/// use axone::prelude::*;
/// use axone::search::Study;
///
/// let data = Dataset::new([[0.0], [1.0], [2.0], [3.0]], [[1.0], [3.0], [5.0], [7.0]])?;
/// let trials = Study::minimize("loss").trials(12).silent().run(|trial| {
///     let rate = trial.float("rate", 1e-3..=0.3).log().get_f32()?;
///     let units: usize = trial.int("units", 2..=16).log().get()?;
///     let net = Sequential::new(1).add(Dense::new(units).activation(Activation::Tanh)).add(Dense::new(1));
///     let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(rate))?;
///     model.reset(trial.seed())?;
///     let history = model.fit(&data, &Fit::new().epochs(20).silent())?;
///     Ok(history.last("loss").unwrap_or(f64::NAN))
/// })?;
/// println!("{trials}");
/// let rate: f64 = trials.best()?.float("rate")?;
/// # assert!((1e-3..=0.3).contains(&rate));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Study {
    pub(super) name: String,
    pub(super) direction: Direction,
    pub(super) sampler: Sampler,
    pub(super) pruner: Pruner,
    pub(super) trials: Option<usize>,
    pub(super) seed: u64,
    pub(super) concurrency: usize,
    pub(super) workers: Option<usize>,
    pub(super) threads: usize,
    pub(super) verbosity: Verbosity,
    pub(super) log: Option<PathBuf>,
    pub(super) stop_flag: Option<StopFlag>,
    #[cfg(feature = "ctrl-c")]
    pub(super) ctrl_c: bool,
}

/// Trials of a study that was not told how many.
const TRIALS: usize = 60;

impl Study {
    /// Searches for the largest score; `name` says what the score is: `accuracy`.
    pub fn maximize(name: impl Into<String>) -> Self {
        Self::new(name.into(), Direction::Maximize)
    }

    /// Searches for the least score; `name` says what the score is: `loss`.
    pub fn minimize(name: impl Into<String>) -> Self {
        Self::new(name.into(), Direction::Minimize)
    }

    pub(super) fn new(name: String, direction: Direction) -> Self {
        Self {
            name,
            direction,
            sampler: Sampler::default(),
            pruner: Pruner::None,
            trials: None,
            seed: 0,
            concurrency: 4,
            workers: None,
            threads: 1,
            verbosity: Verbosity::default(),
            log: None,
            stop_flag: None,
            #[cfg(feature = "ctrl-c")]
            ctrl_c: false,
        }
    }

    /// Who names the parameters: [`Grid`](super::Grid), [`Random`](super::Random) or [`Tpe`](super::Tpe).
    pub fn sampler(mut self, sampler: impl Into<Sampler>) -> Self {
        self.sampler = sampler.into();
        self
    }

    /// What ends a trial before its time: [`MedianPruning`](super::MedianPruning),
    /// [`SuccessiveHalving`](super::SuccessiveHalving), [`Hyperband`](super::Hyperband),
    /// [`PatientPruning`](super::PatientPruning). It needs trials that [report](Trial::report) or are
    /// [watched](Trial::watch).
    pub fn pruner(mut self, pruner: impl Into<Pruner>) -> Self {
        self.pruner = pruner.into();
        self
    }

    /// How many trials there are to be, those of the log included; at least 1. A grid ends with its last combination.
    pub fn trials(mut self, trials: usize) -> Self {
        self.trials = Some(trials);
        self
    }

    /// The seed of everything that is drawn.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// How many trials may run at a time; at least 1. With a sampler or a pruner that learns, trial n is told of what
    /// the trials up to number n - `concurrency` gave, and of the parameters of those in between: so the results are a
    /// function of the settings alone, and the number of workers only decides how long they take. 1 learns from every
    /// trial before, and runs one after the other. Without such a sampler or pruner it does not matter.
    pub fn concurrency(mut self, trials: usize) -> Self {
        self.concurrency = trials;
        self
    }

    /// How many trials do run at a time; from 1 to 1024. Default: as many as have cores for their
    /// [`threads`](Self::threads), and no more than [`concurrency`](Self::concurrency) where that matters.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Threads of each trial on the CPU backend; from 1 to 1024. A small model has no use for a second one, and workers
    /// times threads beyond the cores make everything slower.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Writes each trial to this file as it ends, a line of JSON each. Where there is such a file the study goes on from
    /// it: what has ended is not run again, and what follows is what would have followed without the break.
    pub fn log(mut self, path: impl Into<PathBuf>) -> Self {
        self.log = Some(path.into());
        self
    }

    /// How much is printed to standard error: a bar, a line for each trial, or nothing.
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.verbosity = verbosity;
        self
    }

    /// Prints nothing.
    pub fn silent(self) -> Self {
        self.verbosity(Verbosity::Silent)
    }

    /// Ends the study once `flag` is raised: no trial begins, and those that are [watched](Trial::watch) end after
    /// their epoch. What had ended is returned. A second flag takes the place of the first.
    pub fn stop_flag(mut self, flag: &StopFlag) -> Self {
        self.stop_flag = Some(flag.clone());
        self
    }

    /// Ends the study at the first Ctrl-C, as [`stop_flag`](Self::stop_flag) does; a second one ends the program. Needs
    /// the feature `ctrl-c`; see [`Fit::stop_on_ctrl_c`](crate::train::Fit::stop_on_ctrl_c).
    #[cfg(feature = "ctrl-c")]
    pub fn stop_on_ctrl_c(mut self) -> Self {
        self.ctrl_c = true;
        self
    }

    /// Runs the trials. `objective` is called once for each, from several threads, and returns its score: a number, or
    /// one for each fold. An error that it returns is kept as a failed trial; only mistakes that every trial would
    /// repeat end the study.
    ///
    /// # Errors
    /// [`Error::Value`] for settings out of range, a parameter with an impossible range or with two of them, a trial
    /// that asks for no parameter, a value to watch that is not reported; [`Error::Data`] for a log that is damaged or
    /// of another study; [`Error::File`].
    pub fn run<S: Into<Score>>(&self, objective: impl Fn(&Trial) -> Result<S> + Sync) -> Result<Trials> {
        run::run(self, &|trial: &Trial| objective(trial).map(Into::into), &|| {})
    }

    /// How far back a trial has to be for another to learn from it; `None` where nothing is learnt.
    pub(super) fn lag(&self) -> Option<usize> {
        (self.sampler.learns() || self.pruner != Pruner::None).then_some(self.concurrency)
    }

    /// How many trials there will be.
    pub(super) fn planned(&self) -> usize {
        let most = self.sampler.most();
        self.trials.or(most).unwrap_or(TRIALS).min(most.unwrap_or(usize::MAX))
    }

    pub(super) fn workers_of(&self, trials: usize) -> usize {
        let workers = self.workers.unwrap_or_else(|| room(self.threads));
        workers.min(self.lag().unwrap_or(usize::MAX)).min(trials).max(1)
    }

    pub(super) fn check(&self) -> Result<()> {
        for (name, value) in [("trials", self.trials.unwrap_or(1)), ("concurrency", self.concurrency)] {
            if value == 0 {
                return Err(Error::value("study", name, "at least 1", value));
            }
        }
        check("study", self.workers.unwrap_or(1), self.threads)?;
        if self.planned() >= u32::MAX as usize {
            return Err(Error::value("study", "trials", "fewer than 2^32", self.planned()));
        }
        self.sampler.check()?;
        self.pruner.check()
    }
}
