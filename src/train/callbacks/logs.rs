//! Logs that are written while the run goes on: a line an epoch, with the system before the next one begins.

use crate::text::escaped;
use crate::train::Epoch;
use crate::train::callback::Callback;
use crate::train::history::{csv_header, csv_line};
use crate::train::run::Run;
use crate::{Error, Result};
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;

/// A file that begins with the epochs a run already has and then grows by one line an epoch.
#[derive(Debug)]
struct Lines {
    path: PathBuf,
    file: Option<File>,
}

impl Lines {
    fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), file: None }
    }

    /// Writes the file anew: what a broken run left after the checkpoint that it goes on from is run again.
    fn begin(&mut self, text: &str) -> Result<()> {
        self.file = Some(File::create(&self.path).map_err(|error| Error::file(&self.path, error))?);
        self.append(text)
    }

    fn append(&mut self, text: &str) -> Result<()> {
        // A file of the standard library has no buffer: what is written is with the system.
        let written = self.file.as_mut().map_or(Ok(()), |file| file.write_all(text.as_bytes()));
        written.map_err(|error| Error::file(&self.path, error))
    }
}

/// Writes a history as CSV while it grows: the file that [`History::write_csv`](crate::train::History::write_csv)
/// writes at the end. A file of that name is replaced; in a run that is resumed it begins with the epochs before.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(50).callback(CsvLog::new("run.csv"));
/// ```
#[derive(Debug)]
pub struct CsvLog(Lines);

impl CsvLog {
    /// To the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Lines::new(path))
    }
}

impl Callback for CsvLog {
    fn name(&self) -> String {
        "csv_log".to_owned()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        let (names, epochs) = (run.names(), &run.history().epochs);
        self.0.begin(&epochs.iter().fold(csv_header(names), |text, epoch| text + &csv_line(epoch, names)))
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let line = run.history().epochs.last().map(|epoch| csv_line(epoch, run.names()));
        self.0.append(&line.unwrap_or_default())
    }
}

/// Writes a history as JSON Lines while it grows, an object an epoch: `epoch`, `seconds`, `learning_rate` and the
/// names. Numbers are exact; NaN and infinity, which JSON lacks, are `null`. A file of that name is replaced; in a run
/// that is resumed it begins with the epochs before.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(50).callback(JsonLines::new("run.jsonl"));
/// ```
#[derive(Debug)]
pub struct JsonLines(Lines);

impl JsonLines {
    /// To the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Lines::new(path))
    }
}

impl Callback for JsonLines {
    fn name(&self) -> String {
        "json_lines".to_owned()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0.begin(&run.history().epochs.iter().map(json_line).collect::<String>())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let line = run.history().epochs.last().map(json_line);
        self.0.append(&line.unwrap_or_default())
    }
}

fn json_line(epoch: &Epoch) -> String {
    let number = |value: f64| if value.is_finite() { format!("{value:?}") } else { "null".to_owned() };
    let values = epoch.values.iter().map(|(name, value)| format!(",\"{}\":{}", escaped(name), number(*value)));
    let (epoch, seconds, rate) = (epoch.epoch, number(epoch.seconds), epoch.learning_rate);
    format!("{{\"epoch\":{epoch},\"seconds\":{seconds},\"learning_rate\":{rate:?}{}}}\n", values.collect::<String>())
}
