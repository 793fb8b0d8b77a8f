//! The files that a run writes: each has one writer, or what one wrote would be lost to the other.

use super::callback::{Callback, Callbacks};
use crate::file::same_place;
use crate::{Error, Result};
use std::path::PathBuf;

impl Callbacks<'_> {
    /// Refuses a file that two of them write, or that one of the program's would replace although the run goes on from
    /// it: going on in the checkpoint that one came from is what most runs do.
    pub(super) fn check_files(&self) -> Result<()> {
        let file = |callback: &dyn Callback| Some((callback.name(), callback.file()?));
        let resumed: Vec<_> = self.resume.iter().filter_map(|resume| file(&**resume)).collect();
        let mut writers: Vec<_> = self.own.iter().filter_map(|own| file(&**own)).collect();
        writers.iter().try_for_each(|writer| alone(writer, &resumed))?;
        writers.extend(self.checkpoints.iter().filter_map(|checkpoint| file(&**checkpoint)));
        writers.iter().enumerate().try_for_each(|(number, writer)| alone(writer, &writers[..number]))
    }
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
