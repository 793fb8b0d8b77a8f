//! What a training run can be told: the settings of `Model::fit`.

use super::run::{Callback, Callbacks, Options, Shared, StopFlag, Verbosity};
use crate::data::{Held, Samples};
use crate::schedules::Schedule;
use crate::{Error, Result};
#[cfg(feature = "save")]
use {
    super::checkpoint::{Checkpoint, Resume, Writer},
    std::path::PathBuf,
};

/// How to train: the settings of [`Model::fit`](crate::model::Model::fit).
///
/// Defaults: 10 epochs, batches of 32, seed 0, shuffled, no validation, the optimizer's learning rate throughout, a
/// progress bar, 1 GiB of data on the device.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(20).batch_size(64).seed(7).validation_split(0.2);
/// // Mini-batch gradient descent that stops when the validation loss stops falling.
/// let stopping = settings.callback(EarlyStopping::new("val_loss").patience(3));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fit {
    pub(super) options: Options,
    validation: Validation,
    callbacks: Vec<Shared>,
    #[cfg(feature = "save")]
    checkpoints: Vec<Checkpoint>,
    #[cfg(feature = "save")]
    resume: Option<PathBuf>,
}

#[derive(Debug, Clone, Default, PartialEq)]
enum Validation {
    #[default]
    None,
    Split(f64),
    Data(Held),
}

impl Fit {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often every row is seen; at least 1. A run that is resumed counts the epochs before.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.options.epochs = epochs;
        self
    }

    /// Rows of a mini-batch; at least 1. A last batch with fewer rows counts no more than its rows do.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.options.batch_size = rows;
        self
    }

    /// Seed of shuffling and dropout.
    pub fn seed(mut self, seed: u64) -> Self {
        self.options.seed = seed;
        self
    }

    /// Visits the rows in their own order in every epoch: those of a data set, and those of a stream that
    /// [`Stream::shuffle`](crate::data::Stream::shuffle) would shuffle.
    pub fn without_shuffle(mut self) -> Self {
        self.options.shuffle = false;
        self
    }

    /// Data on which loss and metrics are reported after every epoch: a data set or a stream. They are shared, not copied.
    pub fn validation<'d>(mut self, data: impl Into<Samples<'d>>) -> Self {
        self.validation = Validation::Data(data.into().into());
        self
    }

    /// Keeps this fraction of the rows, chosen by the seed, for validation; more than 0 and less than 1. A stream is not
    /// split: [`validation`](Self::validation) takes rows of their own.
    pub fn validation_split(mut self, fraction: f64) -> Self {
        self.validation = Validation::Split(fraction);
        self
    }

    /// How much is printed to standard error.
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.options.verbosity = verbosity;
        self
    }

    /// Prints nothing.
    pub fn silent(self) -> Self {
        self.verbosity(Verbosity::Silent)
    }

    /// Bytes of data kept on the device; a larger set is streamed in parts, and what its rows log is read in parts of no
    /// more. Of a [`Stream`](crate::data::Stream) a third are the rows that steps read, a third those on their way to them, a
    /// third those that the host copies meanwhile. Default: 1 GiB. The data leave the device when the run ends. The CPU backend reads rows where they lie, and
    /// takes no room for them.
    pub fn data_budget(mut self, bytes: u64) -> Self {
        self.options.data_budget = bytes;
        self
    }

    /// Profiles the training step before the first epoch, as [`Model::profile`](crate::model::Model::profile) does:
    /// the result is [`History::profile`](super::History::profile). Weights and timings of the epochs are those of a
    /// run without it. A profile that fails is a warning ([`History::warnings`](super::History::warnings)). Default: off.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let data = Dataset::new([[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]])?;
    /// let history = model.fit(&data, &Fit::new().profile(true).silent())?;
    /// assert!(history.profile.is_some_and(|profile| profile.seconds() > 0.0));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn profile(mut self, on: bool) -> Self {
        self.options.profile = on;
        self
    }

    /// How the learning rate changes over the run. Default: not at all.
    pub fn schedule(mut self, schedule: impl Into<Schedule>) -> Self {
        self.options.schedule = schedule.into();
        self
    }

    /// Adds a callback; they are called in the order in which they were added. Clones of the settings share it, and a
    /// second run at the same time is refused. `Arc<Mutex<T>>` of a callback is one too: keep a clone of it to look at
    /// the callback afterwards.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let settings = Fit::new()
    ///     .epochs(100)
    ///     .validation_split(0.2)
    ///     .callback(ReduceOnPlateau::new("val_loss").patience(3))
    ///     .callback(EarlyStopping::new("val_loss").patience(8).restore_best());
    /// ```
    pub fn callback(mut self, callback: impl Callback + 'static) -> Self {
        self.callbacks.push(Shared::new(callback));
        self
    }

    /// Ends the run once `flag` is raised, from any thread: after the group of steps that is being queued, with the
    /// history of the whole epochs before.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let flag = StopFlag::new();
    /// let settings = Fit::new().epochs(1_000_000).stop_flag(&flag);
    /// std::thread::spawn(move || flag.raise());
    /// ```
    pub fn stop_flag(mut self, flag: &StopFlag) -> Self {
        self.options.stops.flag(flag);
        self
    }

    /// Ends the run at the first Ctrl-C, as [`stop_flag`](Self::stop_flag) does; a second one ends the program as
    /// usual. Needs the feature `ctrl-c`.
    ///
    /// Only where this is asked for is a handler installed. It stays for the life of the program: where no run
    /// listens, Ctrl-C ends the program with status 130, as a shell expects. Where the program ignores the signal, as
    /// under `nohup` and in the background of a shell, it goes on ignoring it; where it has a handler of its own, that
    /// stays in place and may raise a [`StopFlag`]. The run then trains on, and
    /// [`History::warnings`](super::History::warnings) says that Ctrl-C does not end it.
    #[cfg(feature = "ctrl-c")]
    pub fn stop_on_ctrl_c(mut self) -> Self {
        self.options.stops.ctrl_c();
        self
    }

    /// Writes the state of the run to a file, after every epoch or as the [`Checkpoint`] says. May be given several
    /// times. Needs the feature `save`.
    #[cfg(feature = "save")]
    pub fn checkpoint(mut self, checkpoint: impl Into<Checkpoint>) -> Self {
        self.checkpoints.push(checkpoint.into());
        self
    }

    /// Goes on where a [`Checkpoint`] was written: weights, optimizer, order of rows, learning rate, callbacks and
    /// history are those of the run that wrote it, and on the same device the epochs to come give the same bits as
    /// without the break. [`epochs`](Self::epochs) counts those before, too. A run that a callback had ended goes on
    /// where that callback is gone or no longer ends it ([`Callback::still_ends`]): early stopping with more patience.
    /// Needs the feature `save`.
    ///
    /// Model, data and settings must be as they were; what differs is named. To train further with other settings,
    /// load the file with [`Model::load_from`](crate::model::Model::load_from), which takes its weights alone.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// # let file = std::env::temp_dir().join(format!("axone-doc-resume-{}.safetensors", std::process::id()));
    /// let net = Sequential::new(1).add(Dense::new(1));
    /// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
    /// let compile = || net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.1));
    /// compile()?.fit(&data, &Fit::new().epochs(4).checkpoint(file.as_path()).silent())?;
    ///
    /// let mut resumed = compile()?; // in another process, another day
    /// let history = resumed.fit(&data, &Fit::new().epochs(10).resume(&file).silent())?;
    /// assert_eq!(history.epochs.len(), 10);
    ///
    /// let mut whole = compile()?;
    /// whole.fit(&data, &Fit::new().epochs(10).silent())?;
    /// assert_eq!(resumed.weights()?, whole.weights()?);
    /// # std::fs::remove_file(file).ok();
    /// # Ok::<(), axone::Error>(())
    /// ```
    #[cfg(feature = "save")]
    pub fn resume(mut self, path: impl Into<PathBuf>) -> Self {
        self.resume = Some(path.into());
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        self.options.check()?;
        #[cfg(feature = "save")]
        self.checkpoints.iter().try_for_each(Checkpoint::check)?;
        Ok(())
    }

    /// Takes the callbacks for a run.
    pub(super) fn callbacks(&self) -> Result<Callbacks<'_>> {
        let own = self.callbacks.iter().map(Shared::take).collect::<Result<_>>()?;
        #[cfg(not(feature = "save"))]
        let (resume, checkpoints) = (None, Vec::new());
        #[cfg(feature = "save")]
        let (resume, checkpoints) = {
            let resume = self.resume.clone().map(|path| Box::new(Resume(path)) as Box<dyn Callback>);
            let writers = self.checkpoints.iter().cloned().map(|one| Box::new(Writer(one)) as Box<dyn Callback>);
            (resume, writers.collect())
        };
        Ok(Callbacks { resume, own, checkpoints })
    }

    /// What is trained on, and what is kept for validation. Rows are shared, not copied.
    pub(super) fn parts(&self, data: Samples<'_>) -> Result<(Held, Option<Held>)> {
        match (&self.validation, data) {
            (Validation::None, data) => Ok((data.into(), None)),
            (Validation::Data(held_out), data) => Ok((data.into(), Some(held_out.clone()))),
            (Validation::Split(fraction), Samples::Memory(data)) => {
                let (train, held_out) = data.validation_split(*fraction, self.options.seed)?;
                Ok((Held::Memory(train), Some(Held::Memory(held_out))))
            }
            (Validation::Split(fraction), Samples::Stream(_)) => {
                let wanted = "left out for a stream, which `Fit::validation` gives rows of their own";
                Err(Error::value("fit", "validation_split", wanted, fraction))
            }
        }
    }
}
