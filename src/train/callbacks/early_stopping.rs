//! Early stopping: a run ends when what matters no longer improves.

use super::Monitor;
use crate::metrics::Direction;
use crate::plan::Buffer;
use crate::train::report::{Epoch, number};
use crate::train::run::{Callback, CallbackState, Run};
use crate::{Error, Result};

const NAME: &str = "early_stopping";

/// Ends a run after `patience` epochs in a row in which `monitor` did not beat its best value by more than `min_delta`
/// (Prechelt 1998, "Early stopping, but when?", criterion UP).
///
/// Defaults: patience 5, min_delta 0, the direction of the metric
/// ([`Metric::direction`](crate::metrics::Metric::direction); less is better of a loss), the weights of the last epoch
/// stay. A NaN never improves.
///
/// A run that it ended goes on where it is resumed with more patience, or without it.
///
/// ```
/// use axone::prelude::*;
///
/// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.9))?;
/// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?; // this rate diverges
/// let stopping = EarlyStopping::new("loss").patience(2);
/// let history = model.fit(&data, &Fit::new().epochs(50).callback(stopping).silent())?;
/// assert_eq!(history.epochs.len(), 3);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct EarlyStopping {
    monitor: Monitor,
    patience: usize,
    min_delta: f64,
    restore: bool,
    best: f64,
    best_epoch: usize,
    waited: usize,
    /// The parameter slab of the best epoch.
    weights: Vec<f32>,
    /// How many numbers that slab has in this run.
    parameters: usize,
}

impl EarlyStopping {
    /// Watches `monitor`: `val_loss`, `val_accuracy`, …
    pub fn new(monitor: impl Into<String>) -> Self {
        Self::of(Monitor::new(monitor))
    }

    /// Watches what `function` makes of the numbers that each epoch reports; `name` is what it is called where the run says
    /// why it ended. Less is better, unless [`maximize`](Self::maximize) is called.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// // Neither of two outputs is to be good at the price of the other.
    /// let worst = |epoch: &Epoch| ["val_digit_loss", "val_size_loss"].map(|name| epoch.get(name).unwrap_or(f64::NAN)).into_iter().fold(0.0, f64::max);
    /// let stopping = EarlyStopping::by("worst loss", worst).patience(3).restore_best();
    /// # let _ = stopping;
    /// ```
    pub fn by(name: impl Into<String>, function: impl Fn(&Epoch) -> f64 + Send + Sync + 'static) -> Self {
        Self::of(Monitor::by(name, function))
    }

    fn of(monitor: Monitor) -> Self {
        Self {
            monitor,
            patience: 5,
            min_delta: 0.0,
            restore: false,
            best: f64::NAN,
            best_epoch: 0,
            waited: 0,
            weights: Vec::new(),
            parameters: 0,
        }
    }

    /// Epochs in a row without improvement after which the run ends; at least 1.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// What counts as an improvement: more than this; at least 0.
    pub fn min_delta(mut self, delta: f64) -> Self {
        self.min_delta = delta;
        self
    }

    /// More is better, whatever the metric says.
    pub fn maximize(self) -> Self {
        Self { monitor: self.monitor.towards(Direction::Maximize), ..self }
    }

    /// Less is better, whatever the metric says.
    pub fn minimize(self) -> Self {
        Self { monitor: self.monitor.towards(Direction::Minimize), ..self }
    }

    /// At the end, however it came, the model gets back the weights of its best epoch. They are read from the device
    /// after each epoch that improves.
    pub fn restore_best(mut self) -> Self {
        self.restore = true;
        self
    }

    /// Counts an epoch; whether it is the best so far.
    fn count(&mut self, epoch: usize, value: f64) -> bool {
        if self.monitor.direction.beats(value, self.best, self.min_delta) {
            (self.best, self.best_epoch, self.waited) = (value, epoch, 0);
            return true;
        }
        self.waited += 1;
        false
    }
}

impl Callback for EarlyStopping {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.patience == 0 {
            return Err(Error::value(NAME, "patience", "at least 1", self.patience));
        }
        if !(self.min_delta >= 0.0 && self.min_delta.is_finite()) {
            return Err(Error::value(NAME, "min_delta", "at least 0 and finite", self.min_delta));
        }
        self.monitor.begin(NAME, run)?;
        (self.best, self.best_epoch, self.waited) = (self.monitor.direction.worst(), 0, 0);
        self.weights.clear();
        self.parameters = run.model().layout().slab.len();
        // The counters are what the epochs of a resumed run made of them.
        for epoch in &run.history().epochs {
            self.count(epoch.epoch, self.monitor.value(epoch));
        }
        Ok(())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let value = run.history().epochs.last().map_or(f64::NAN, |epoch| self.monitor.value(epoch));
        if self.count(run.epoch(), value) && self.restore {
            self.weights = run.model().slab(Buffer::Parameters)?;
        }
        if self.waited >= self.patience {
            let name = &self.monitor.name;
            run.stop(match self.best_epoch {
                0 => format!("{name} was no number for {} epochs", self.waited),
                best => {
                    format!("no better {name} for {} epochs than {} in epoch {best}", self.waited, number(self.best))
                }
            });
        }
        Ok(())
    }

    fn still_ends(&mut self, _: &mut Run<'_>) -> Result<bool> {
        Ok(self.waited >= self.patience)
    }

    fn end(&mut self, run: &mut Run<'_>) -> Result<()> {
        if self.weights.is_empty() {
            return Ok(());
        }
        run.note(&format!("weights of epoch {} ({} {})", self.best_epoch, self.monitor.name, number(self.best)));
        run.model().executor.write_slab(Buffer::Parameters, 0, &self.weights)
    }

    fn state(&self) -> Option<CallbackState> {
        self.restore.then(|| CallbackState { text: String::new(), numbers: self.weights.clone() })
    }

    fn restore(&mut self, state: CallbackState) -> Result<()> {
        if ![0, self.parameters].contains(&state.numbers.len()) {
            return Err(Error::shape(
                NAME,
                format!("{} weights of the best epoch", self.parameters),
                state.numbers.len(),
            ));
        }
        self.weights = state.numbers;
        Ok(())
    }
}
