//! The files that a run writes: each has one writer, or what one wrote would be lost to the other.

use super::callback::Callback;
use super::settings::Fit;
use crate::file::same_place;
use crate::{Error, Result};
use std::path::PathBuf;
use std::sync::MutexGuard;

/// Refuses a file that two of the run's callbacks and checkpoints write, or that one of them would replace although the
/// run goes on from it.
pub(super) fn check(settings: &Fit, callbacks: &[MutexGuard<'_, dyn Callback + 'static>]) -> Result<()> {
    let logs = callbacks.iter().filter_map(|callback| Some((callback.name(), callback.file()?)));
    #[cfg_attr(not(feature = "save"), allow(unused_mut, reason = "only checkpoints are added"))]
    let mut writers: Vec<(String, PathBuf)> = logs.collect();
    #[cfg(feature = "save")]
    {
        // Going on in the file that one came from is what most runs do.
        let resumed = settings.resume.iter().map(|path| ("resume".to_owned(), path.clone()));
        let resumed: Vec<_> = resumed.collect();
        writers.iter().try_for_each(|writer| alone(writer, &resumed))?;
        writers
            .extend(settings.checkpoints.iter().map(|checkpoint| ("checkpoint".to_owned(), checkpoint.path().into())));
    }
    #[cfg(not(feature = "save"))]
    let _ = settings;
    writers.iter().enumerate().try_for_each(|(number, writer)| alone(writer, &writers[..number]))
}

fn alone((name, path): &(String, PathBuf), others: &[(String, PathBuf)]) -> Result<()> {
    match others.iter().find(|(_, other)| same_place(path, other)) {
        Some((other, _)) => {
            let wanted = format!("a file of its own for each of {other} and {name}");
            Err(Error::value("fit", "path", wanted, path.display()))
        }
        None => Ok(()),
    }
}
