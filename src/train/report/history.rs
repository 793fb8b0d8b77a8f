//! What a training run reported, epoch by epoch.
//!
//! Names are plain text, in the order in which an epoch reports them: `loss`, then the metrics, then the same
//! with `val_` in front. A value that an epoch lacks reads as NaN, so every curve has one point an epoch.

use crate::metrics::Direction;
use crate::text::{quoted, table};
use crate::train::profile::Profile;
use crate::{Error, Result};
use std::fmt;
use std::path::Path;

/// The numbers of one epoch.
#[derive(Debug, Clone, PartialEq)]
pub struct Epoch {
    /// The number of the epoch, counted from 1.
    pub epoch: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// The learning rate of its last step.
    pub learning_rate: f32,
    /// Losses and metrics by name: `loss`, `accuracy`, `val_loss`, `val_accuracy`, …
    pub values: Vec<(String, f64)>,
}

impl Epoch {
    /// The value called `name`, `None` where the epoch has none.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(own, _)| own == name).map(|(_, value)| *value)
    }
}

/// All epochs of a training run.
///
/// It prints as a table, and writes itself as CSV and (feature `plot`) as an SVG picture of its curves.
///
/// ```
/// use axone::train::{Epoch, History};
/// let epoch = |epoch, loss| Epoch { epoch, seconds: 0.5, learning_rate: 0.01, values: vec![("loss".into(), loss)] };
/// let epochs = vec![epoch(1, 0.9), epoch(2, 0.4), epoch(3, 0.6)];
/// let history = History { epochs, ..History::default() };
/// assert_eq!(history.get("loss"), [0.9, 0.4, 0.6]);
/// assert_eq!(history.best("loss"), Some((2, 0.4)));
/// println!("{history}");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct History {
    /// The epochs, first to last.
    pub epochs: Vec<Epoch>,
    /// Where the time of a step goes, if [`Fit::profile`](crate::train::Fit::profile) asked.
    pub profile: Option<Profile>,
    /// Which values of a name are the better ones, as its metric says: what [`best`](Self::best) goes by.
    pub directions: Vec<(String, Direction)>,
    /// Why the run ended before its last epoch: what a callback gave to [`Run::stop`](crate::train::Run::stop), or that it
    /// was stopped from outside. `None` where all epochs were run.
    pub stopped: Option<String>,
    /// Steps of this run that were passed over because a gradient overflowed in
    /// [`Precision::F16`](crate::Precision::F16).
    pub skipped_steps: u64,
    /// What went wrong beside the training, each with its epoch: a checkpoint or a line of a log that could not be
    /// written, a profile that failed, Ctrl-C that cannot end the run. Training went on.
    pub warnings: Vec<String>,
}

impl History {
    /// Every name that an epoch has, in order of first appearance.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.epochs.iter().flat_map(|epoch| &epoch.values) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The curve called `name`: one value an epoch, NaN for an epoch without it; empty where no epoch has it.
    pub fn get(&self, name: &str) -> Vec<f64> {
        if self.epochs.iter().all(|epoch| epoch.get(name).is_none()) {
            return Vec::new();
        }
        self.epochs.iter().map(|epoch| epoch.get(name).unwrap_or(f64::NAN)).collect()
    }

    /// The last value called `name`, `None` where no epoch has it.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.epochs.iter().rev().find_map(|epoch| epoch.get(name))
    }

    /// The epoch (counted from 1) with the best value called `name`, and that value; the earliest among equals.
    /// `None` where there is no such value but NaN.
    ///
    /// What is better, the metric knows ([`directions`](Self::directions)); [`min`](Self::min) and [`max`](Self::max)
    /// ask for one or the other. In a history without directions, which no run has made, more is better of a name that
    /// is wholly that of accuracy, precision, recall, F1, AUC or R² ([`Metric::name`](crate::metrics::Metric::name)),
    /// with or without `val_`; less of any other.
    pub fn best(&self, name: &str) -> Option<(usize, f64)> {
        match self.direction(name).unwrap_or_else(|| Direction::of_name(name)) {
            Direction::Maximize => self.max(name),
            Direction::Minimize => self.min(name),
        }
    }

    /// What is known of `name` from its metric.
    pub(in crate::train) fn direction(&self, name: &str) -> Option<Direction> {
        self.directions.iter().find(|(known, _)| known == name).map(|(_, direction)| *direction)
    }

    /// The epoch with the least value called `name`, and that value.
    pub fn min(&self, name: &str) -> Option<(usize, f64)> {
        self.extreme(name, |new, old| new < old)
    }

    /// The epoch with the largest value called `name`, and that value.
    pub fn max(&self, name: &str) -> Option<(usize, f64)> {
        self.extreme(name, |new, old| new > old)
    }

    fn extreme(&self, name: &str, beats: impl Fn(f64, f64) -> bool) -> Option<(usize, f64)> {
        let values = self.epochs.iter().filter_map(|epoch| Some((epoch.epoch, epoch.get(name)?)));
        let numbers = values.filter(|(_, value)| !value.is_nan());
        numbers.reduce(|best, new| if beats(new.1, best.1) { new } else { best })
    }

    /// Writes one line an epoch: `epoch,seconds,learning_rate` and the names. Numbers are exact; a value that an
    /// epoch lacks is an empty field.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_csv()).map_err(|error| Error::file(path, error))
    }

    fn to_csv(&self) -> String {
        let names = self.names();
        self.epochs.iter().fold(csv_header(&names), |text, epoch| text + &csv_line(epoch, &names))
    }
}

/// The first line of a history as CSV.
pub(in crate::train) fn csv_header<S: AsRef<str>>(names: &[S]) -> String {
    let names = names.iter().map(|name| format!(",{}", quoted(name.as_ref(), ',')));
    format!("epoch,seconds,learning_rate{}\n", names.collect::<String>())
}

/// The line of an epoch.
pub(in crate::train) fn csv_line<S: AsRef<str>>(epoch: &Epoch, names: &[S]) -> String {
    let values = names.iter().map(|name| {
        let value = epoch.get(name.as_ref()).map(|value| value.to_string());
        format!(",{}", value.unwrap_or_default())
    });
    format!("{},{},{}{}\n", epoch.epoch, epoch.seconds, epoch.learning_rate, values.collect::<String>())
}

/// A table with a column for each name, aligned on the right.
impl fmt::Display for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.names();
        let header = ["epoch", "seconds", "learning_rate"].into_iter().chain(names.iter().copied());
        let mut rows: Vec<Vec<String>> = vec![header.map(String::from).collect()];
        rows.extend(self.epochs.iter().map(|epoch| {
            let rate = format!("{}", epoch.learning_rate);
            let fixed = [epoch.epoch.to_string(), format!("{:.2}", epoch.seconds), rate];
            let values = names.iter().map(|name| epoch.get(name).map(number).unwrap_or_else(|| "-".into()));
            fixed.into_iter().chain(values).collect()
        }));
        f.write_str(&table(&rows, 0))
    }
}

/// Four decimals, or a power of ten where they would show nothing.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && size.is_finite() && !(0.001..1e5).contains(&size) {
        format!("{value:.3e}")
    } else {
        format!("{value:.4}")
    }
}
