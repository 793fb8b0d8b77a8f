//! The training loop: epochs and batches.

use super::feed::Feed;
use super::{Epoch, History, Progress, Verbosity};
use crate::data::Dataset;
use crate::data::shuffle::permutation;
use crate::kernels::Step;
use crate::model::{Model, Purpose};
use crate::random::stream_key;
use crate::{Error, Result};
use std::time::Instant;

/// The shuffle of epoch e draws from this stream at step e; dropout layers and initial weights have others.
const SHUFFLE_STREAM: u32 = u32::from_be_bytes(*b"shuf");
/// Rows of a batch when nothing has to be kept for a backward pass.
const EVALUATE_BATCH: usize = 256;
/// Bytes of training data kept on the device.
const DATA_BUDGET: u64 = 1 << 30;

/// How to train: the settings of [`Model::fit`].
///
/// Defaults: 10 epochs, batches of 32, seed 0, shuffled, no validation, a progress bar, 1 GiB of data on the device.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(20).batch_size(64).seed(7).validation_split(0.2);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Fit {
    epochs: usize,
    batch_size: usize,
    seed: u64,
    shuffle: bool,
    validation: Validation,
    verbosity: Verbosity,
    data_budget: u64,
    profile: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Validation {
    None,
    Split(f64),
    Data(Dataset),
}

impl Default for Fit {
    fn default() -> Self {
        Self {
            epochs: 10,
            batch_size: 32,
            seed: 0,
            shuffle: true,
            validation: Validation::None,
            verbosity: Verbosity::default(),
            data_budget: DATA_BUDGET,
            profile: false,
        }
    }
}

impl Fit {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// How often every row is seen; at least 1.
    pub fn epochs(mut self, epochs: usize) -> Self {
        self.epochs = epochs;
        self
    }

    /// Rows of a mini-batch; at least 1. A last batch with fewer rows counts no more than its rows do.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch_size = rows;
        self
    }

    /// Seed of shuffling and dropout.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Visits the rows in their own order in every epoch.
    pub fn without_shuffle(mut self) -> Self {
        self.shuffle = false;
        self
    }

    /// Data on which loss and metrics are reported after every epoch.
    pub fn validation(mut self, data: &Dataset) -> Self {
        self.validation = Validation::Data(data.clone());
        self
    }

    /// Keeps this fraction of the rows, chosen by the seed, for validation; more than 0 and less than 1.
    pub fn validation_split(mut self, fraction: f64) -> Self {
        self.validation = Validation::Split(fraction);
        self
    }

    /// How much is printed to standard error.
    pub fn verbosity(mut self, verbosity: Verbosity) -> Self {
        self.verbosity = verbosity;
        self
    }

    /// Prints nothing.
    pub fn silent(self) -> Self {
        self.verbosity(Verbosity::Silent)
    }

    /// Bytes of data kept on the device; a larger set is streamed in parts.
    pub fn data_budget(mut self, bytes: u64) -> Self {
        self.data_budget = bytes;
        self
    }

    /// Profiles the training step before the first epoch, as [`Model::profile`] does: the result is
    /// [`History::profile`]. Weights and timings of the epochs are those of a run without it. Default: off.
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
        self.profile = on;
        self
    }

    fn check(&self) -> Result<()> {
        for (name, value) in [("epochs", self.epochs), ("batch_size", self.batch_size)] {
            if value == 0 {
                return Err(Error::value("fit", name, "at least 1", value));
            }
        }
        Ok(())
    }
}

/// Loss and metrics on a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Names (`loss`, `accuracy`, …) and values.
    pub values: Vec<(String, f64)>,
}

impl Evaluation {
    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The loss.
    pub fn loss(&self) -> f64 {
        self.get("loss").unwrap_or(f64::NAN)
    }
}

pub(crate) fn fit(model: &mut Model, data: &Dataset, settings: &Fit) -> Result<History> {
    settings.check()?;
    let (mut train, mut held_out) = (None, None);
    match &settings.validation {
        Validation::None => {}
        Validation::Data(data) => held_out = Some(data.clone()),
        Validation::Split(fraction) => {
            let (first, second) = data.train_test_split(*fraction, settings.seed)?;
            (train, held_out) = (Some(first), Some(second));
        }
    }
    let data = train.as_ref().unwrap_or(data);
    let classes = model.check_data(data)?;
    let optimizer = model.program().optimizer;
    let device = model.device().clone();
    let loaded = model.load(Purpose::Train, settings.batch_size.min(data.len()), &classes)?.clone();
    let mut feed = Feed::new(&mut *model.executor, &device, &loaded, data, settings.data_budget)?;
    let mut validation = match &held_out {
        Some(data) => Some(Validator::new(model, data, settings.data_budget)?),
        None => None,
    };
    let mut progress = Progress::new(settings.verbosity, settings.epochs);
    // First, so that a profile that fails costs no training; it leaves the weights as they are.
    let profile = if settings.profile { Some(super::profile(model, data, settings.batch_size)?) } else { None };
    let mut history = History { profile, ..History::default() };
    let mut order: Vec<u32> = (0..data.len() as u32).collect();
    for epoch in 1..=settings.epochs {
        let begun = Instant::now();
        progress.start_epoch(epoch, feed.steps());
        if settings.shuffle {
            order = permutation(data.len() as u32, stream_key(settings.seed, SHUFFLE_STREAM, epoch as u32));
        }
        let before = model.steps_done;
        let fill = |i: usize, step: &mut Step| {
            optimizer.fill(before + 1 + i as u32, step);
            (step.seed_low, step.seed_high) = (settings.seed as u32, (settings.seed >> 32) as u32);
        };
        let logged = feed.run_epoch(&mut *model.executor, &order, fill, |done| progress.advance(done, None))?;
        model.steps_done = before + feed.steps() as u32;
        let rows_per_second = data.len() as f64 / begun.elapsed().as_secs_f64();
        let mut values = names(model, &logged);
        if let Some(validation) = &mut validation {
            let scores = validation.run(model)?;
            values.extend(scores.values.into_iter().map(|(name, value)| (format!("val_{name}"), value)));
        }
        let seconds = begun.elapsed().as_secs_f64();
        let epoch = Epoch { epoch, seconds, learning_rate: optimizer.learning_rate(), values };
        progress.end_epoch(&epoch, rows_per_second);
        history.epochs.push(epoch);
    }
    Ok(history)
}

pub(crate) fn evaluate(model: &mut Model, data: &Dataset) -> Result<Evaluation> {
    Validator::new(model, data, DATA_BUDGET)?.run(model)
}

/// A data set bound to the evaluation plan.
struct Validator<'a> {
    feed: Feed<'a>,
    order: Vec<u32>,
}

impl<'a> Validator<'a> {
    fn new(model: &mut Model, data: &'a Dataset, budget: u64) -> Result<Self> {
        let classes = model.check_data(data)?;
        let device = model.device().clone();
        let loaded = model.load(Purpose::Evaluate, EVALUATE_BATCH.min(data.len()), &classes)?.clone();
        let feed = Feed::new(&mut *model.executor, &device, &loaded, data, budget)?;
        Ok(Self { feed, order: (0..data.len() as u32).collect() })
    }

    fn run(&mut self, model: &mut Model) -> Result<Evaluation> {
        let logged = self.feed.run_epoch(&mut *model.executor, &self.order, |_, _| {}, |_| {})?;
        Ok(Evaluation { values: names(model, &logged) })
    }
}

/// Names the log's slots: the losses of the outputs, then their metrics.
pub(super) fn names(model: &Model, logged: &[f64]) -> Vec<(String, f64)> {
    let program = model.program();
    let count = program.losses.len();
    let (losses, metrics) = logged.split_at(count.min(logged.len()));
    let mut values = vec![("loss".to_owned(), losses.iter().sum())];
    let single = count == 1;
    for (i, (output, loss)) in program.network.outputs().zip(&program.losses).enumerate() {
        if !single {
            values.push((format!("{}_loss", output.name), losses[i]));
        }
        let metric = loss.metric();
        let name = if single { metric.to_owned() } else { format!("{}_{metric}", output.name) };
        values.push((name, metrics[i]));
    }
    values
}
