//! When the state of a run is written to a file.

use super::callback::Callback;
use super::callbacks::Monitor;
use super::resume;
use super::run::Run;
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::MutexGuard;

/// Writes the state of a run to a file: a setting of [`Fit::checkpoint`](super::Fit::checkpoint), for
/// [`Fit::resume`](super::Fit::resume). [`Model::load_from`](crate::model::Model::load_from) reads its weights alone.
///
/// The file is one safetensors file: weights and optimizer moments under the names of the parameters, and as JSON in
/// its metadata the architecture, the settings, the counters and the history. A crash at any moment leaves the old
/// file or the new one, whole. It is written after the callbacks of its epoch, so it holds what they decided.
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
}

impl Checkpoint {
    /// After every epoch, to the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), every: 1, best: None }
    }

    /// After every `epochs` epochs, at least 1, and after the last one.
    pub fn every(mut self, epochs: usize) -> Self {
        self.every = epochs;
        self
    }

    /// Only after an epoch whose `monitor` is better than in every epoch before: less, or more where that is better,
    /// as for accuracy.
    pub fn best(mut self, monitor: impl Into<String>) -> Self {
        self.best = Some(Monitor::new(monitor));
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.every == 0 { Err(Error::value("checkpoint", "every", "at least 1", self.every)) } else { Ok(()) }
    }

    pub(super) fn begin(&self, run: &Run<'_>) -> Result<()> {
        self.best.as_ref().map_or(Ok(()), |monitor| run.check_name("checkpoint", &monitor.name))
    }

    /// Writes the file, if the last epoch asks for it.
    pub(super) fn write(&self, run: &mut Run<'_>, callbacks: &[MutexGuard<'_, dyn Callback + 'static>]) -> Result<()> {
        if self.is_due(run) { resume::write(run, callbacks, &self.path) } else { Ok(()) }
    }

    fn is_due(&self, run: &Run<'_>) -> bool {
        let epoch = run.epoch();
        let ends = epoch == run.epochs() || run.history.stopped.is_some();
        let Some(monitor) = &self.best else { return ends || epoch.is_multiple_of(self.every) };
        let values = run.history.get(&monitor.name);
        let Some((last, before)) = values.split_last() else { return false };
        let old =
            before.iter().fold(monitor.worst(), |old, new| if monitor.beats(*new, old, 0.0) { *new } else { old });
        monitor.beats(*last, old, 0.0)
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
