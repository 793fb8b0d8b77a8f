//! When the state of a run is written to a file.

mod resume;
mod slabs;

pub(super) use resume::Resume;
pub(super) use slabs::{loss_scale, moments, slabs};

use super::callbacks::Monitor;
use super::report::Epoch;
use super::run::{Callback, Run};
use crate::file::check_writable;
use crate::metrics::Direction;
use crate::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes the state of a run to a file: a setting of [`Fit::checkpoint`](super::Fit::checkpoint), for
/// [`Fit::resume`](super::Fit::resume). [`Model::load_from`](crate::model::Model::load_from) reads its weights alone.
///
/// The file is one safetensors file: weights and optimizer moments under the names of the parameters, and as JSON in
/// its metadata the architecture, the settings, the counters and the history. A crash at any moment leaves the old
/// file or the new one, whole. It is written after the callbacks of its epoch, so it holds what they decided.
///
/// A path that cannot be written is refused before the first epoch. Later on nothing about the file ends a run: where a
/// write fails, or a weight or moment is not finite, so that the file could not be read again, the last good file stays
/// and [`History::warnings`](super::History::warnings) says so.
///
/// Default: after every epoch. A path alone is such a checkpoint.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new()
///     .epochs(100)
///     .validation_split(0.2)
///     .checkpoint(Checkpoint::new("last.safetensors").every(5))
///     .checkpoint(Checkpoint::new("best.safetensors").best("val_loss"));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    path: PathBuf,
    every: usize,
    best: Option<Monitor>,
    direction: Option<Direction>,
}

impl Checkpoint {
    /// After every epoch, to the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), every: 1, best: None, direction: None }
    }

    /// After every `epochs` epochs, at least 1, and after the last one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs;
        self
    }

    /// Only after an epoch whose `monitor` is better than in every epoch before: less or more, as its metric says.
    pub fn best(mut self, monitor: impl Into<String>) -> Self {
        self.best = Some(Monitor::new(monitor));
        self
    }

    /// Only after an epoch in which `function` makes a better number of what it reports than in every epoch before: less,
    /// unless [`maximize`](Self::maximize) is called.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let gap = |epoch: &Epoch| epoch.get("val_loss").zip(epoch.get("loss")).map_or(f64::NAN, |(val, own)| val + (val - own));
    /// let settings = Fit::new().validation_split(0.2).checkpoint(Checkpoint::new("best.safetensors").best_by("gap", gap));
    /// ```
    pub fn best_by(
        mut self,
        name: impl Into<String>,
        function: impl Fn(&Epoch) -> f64 + Send + Sync + 'static,
    ) -> Self {
        self.best = Some(Monitor::by(name, function));
        self
    }

    /// More is better, whatever the metric of [`best`](Self::best) says.
    pub fn maximize(mut self) -> Self {
        self.direction = Some(Direction::Maximize);
        self
    }

    /// Less is better, whatever the metric of [`best`](Self::best) says.
    pub fn minimize(mut self) -> Self {
        self.direction = Some(Direction::Minimize);
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.direction.is_some() && self.best.is_none() {
            return Err(Error::value("checkpoint", "best", "there, for what is maximized or minimized", "none"));
        }
        if self.every == 0 { Err(Error::value("checkpoint", "every", "at least 1", self.every)) } else { Ok(()) }
    }

    fn monitor(&self, run: &Run<'_>) -> Result<Option<Monitor>> {
        let Some(mut monitor) = self.best.clone() else { return Ok(None) };
        if let Some(direction) = self.direction {
            monitor = monitor.towards(direction);
        }
        monitor.begin("checkpoint", run)?;
        Ok(Some(monitor))
    }

    fn is_due(&self, run: &Run<'_>) -> Result<bool> {
        let epoch = run.epoch();
        let ends = epoch == run.epochs() || run.history.stopped.is_some();
        let Some(monitor) = self.monitor(run)? else {
            return Ok(ends || epoch.is_multiple_of(self.every));
        };
        let direction = monitor.direction;
        let values: Vec<f64> = run.history.epochs.iter().map(|epoch| monitor.value(epoch)).collect();
        let Some((last, before)) = values.split_last() else { return Ok(false) };
        let better = |old: f64, new: &f64| if direction.beats(*new, old, 0.0) { *new } else { old };
        Ok(direction.beats(*last, before.iter().fold(direction.worst(), better), 0.0))
    }
}

/// A checkpoint in a run, called after the program's callbacks.
pub(super) struct Writer(pub Checkpoint);

impl Callback for Writer {
    fn name(&self) -> String {
        "checkpoint".to_owned()
    }

    /// What can be known to go wrong goes wrong here.
    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0.monitor(run)?;
        check_writable(&self.0.path)
    }

    /// Writes the file, if the last epoch asks for it. What cannot be written, or not be read again, leaves the file as
    /// it was, and the run goes on with a warning.
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let Self(checkpoint) = self;
        if !checkpoint.is_due(run)? {
            return Ok(());
        }
        match resume::write(run, &checkpoint.path) {
            Err(error @ (Error::File { .. } | Error::Data { .. })) => {
                run.warn(format!("checkpoint {} stays as it was: {error}", checkpoint.path.display()));
                Ok(())
            }
            outcome => outcome,
        }
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.0.path.clone())
    }
}

macro_rules! from {
    ($($path:ty),*) => {$(
        impl From<$path> for Checkpoint {
            fn from(path: $path) -> Self {
                Self::new(path)
            }
        }
    )*};
}
from!(&str, String, &Path, PathBuf);
