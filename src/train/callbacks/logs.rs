//! Logs that are written while the run goes on: a line an epoch, with the system before the next one begins. The file is
//! written anew: what a broken run left after the checkpoint that it goes on from is run again.

use super::growing::Growing;
use crate::Result;
use crate::text::escaped;
use crate::train::report::{Epoch, csv_header, csv_line};
use crate::train::run::{Callback, Run};
use std::path::PathBuf;

const CSV: &str = "csv_log";
const JSON: &str = "json_lines";

/// Writes a history as CSV while it grows: the file that [`History::write_csv`](crate::train::History::write_csv)
/// writes at the end. A file of that name is replaced; in a run that is resumed it begins with the epochs before. A line
/// that cannot be written is a warning ([`History::warnings`](crate::train::History::warnings)) and follows later.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(50).callback(CsvLog::new("run.csv"));
/// ```
#[derive(Debug)]
pub struct CsvLog(Growing);

impl CsvLog {
    /// To the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Growing::new(path))
    }
}

impl Callback for CsvLog {
    fn name(&self) -> String {
        CSV.to_owned()
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.0.path().to_owned())
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        let (names, epochs) = (run.names(), &run.history().epochs);
        self.0.begin_anew(&epochs.iter().fold(csv_header(names), |text, epoch| text + &csv_line(epoch, names)))
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let line = run.history().epochs.last().map(|epoch| csv_line(epoch, run.names()));
        self.0.add(CSV, run, line.unwrap_or_default().as_bytes());
        Ok(())
    }
}

/// Writes a history as JSON Lines while it grows, an object an epoch: `epoch`, `seconds`, `learning_rate` and the
/// names. Numbers are exact; NaN and infinity, which JSON lacks, are `null`. A file of that name is replaced; in a run
/// that is resumed it begins with the epochs before. A line that cannot be written is a warning
/// ([`History::warnings`](crate::train::History::warnings)) and follows later.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(50).callback(JsonLines::new("run.jsonl"));
/// ```
#[derive(Debug)]
pub struct JsonLines(Growing);

impl JsonLines {
    /// To the file `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(Growing::new(path))
    }
}

impl Callback for JsonLines {
    fn name(&self) -> String {
        JSON.to_owned()
    }

    fn file(&self) -> Option<PathBuf> {
        Some(self.0.path().to_owned())
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0.begin_anew(&run.history().epochs.iter().map(json_line).collect::<String>())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let line = run.history().epochs.last().map(json_line);
        self.0.add(JSON, run, line.unwrap_or_default().as_bytes());
        Ok(())
    }
}

fn json_line(epoch: &Epoch) -> String {
    let number = |value: f64| if value.is_finite() { format!("{value:?}") } else { "null".to_owned() };
    let values = epoch.values.iter().map(|(name, value)| format!(",\"{}\":{}", escaped(name), number(*value)));
    let (epoch, seconds, rate) = (epoch.epoch, number(epoch.seconds), epoch.learning_rate);
    format!("{{\"epoch\":{epoch},\"seconds\":{seconds},\"learning_rate\":{rate:?}{}}}\n", values.collect::<String>())
}
