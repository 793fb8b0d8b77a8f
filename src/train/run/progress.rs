//! What a training run says while it runs, on standard error.
//!
//! A bar is for a person at a terminal; a log file gets one line an epoch. Nothing here may disturb training:
//! a standard error that is closed is ignored.

use crate::text::{say, thousands};
use crate::train::report::{Epoch, number};

/// How much a training run says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Verbosity {
    /// Nothing.
    Silent,
    /// One line an epoch.
    Lines,
    /// A bar within the epoch, and its line at the end. Without the feature `progress`, or where standard error
    /// is not a terminal, the same as `Lines`.
    #[default]
    Bar,
}

/// The progress of one training run.
///
/// ```
/// use axone::train::{Epoch, Progress, Verbosity};
/// let mut progress = Progress::new(Verbosity::Lines, 20);
/// progress.start_epoch(3, 469);
/// progress.advance(100, Some(0.2));
/// let epoch = Epoch { epoch: 3, seconds: 0.8, learning_rate: 0.01, values: vec![("loss".into(), 0.1234)] };
/// assert_eq!(progress.line(&epoch, 12345.0), "epoch  3/20  loss 0.1234  0.8 s  12,345 rows/s");
/// progress.end_epoch(&epoch, 12345.0); // prints that line
/// ```
#[derive(Debug)]
pub struct Progress {
    verbosity: Verbosity,
    epochs: usize,
    /// What is counted.
    unit: &'static str,
    /// Of an epoch.
    #[cfg(feature = "progress")]
    rows: usize,
    /// Losses and metrics of the last epoch.
    #[cfg(feature = "progress")]
    last: String,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    /// For a run of `epochs` epochs.
    pub fn new(verbosity: Verbosity, epochs: usize) -> Self {
        Self {
            verbosity,
            epochs,
            unit: "epoch",
            #[cfg(feature = "progress")]
            rows: 0,
            #[cfg(feature = "progress")]
            last: String::new(),
            #[cfg(feature = "progress")]
            bar: None,
        }
    }

    /// Counts iterations.
    pub(in crate::train) fn of_iterations(self) -> Self {
        Self { unit: "iteration", ..self }
    }

    /// How many rows an epoch has: then a bar says how many are trained on a second.
    pub fn rows(mut self, rows: usize) -> Self {
        self.set_rows(rows);
        self
    }

    /// [`rows`](Self::rows), once it is known.
    #[cfg_attr(not(feature = "progress"), allow(unused_variables))]
    pub(in crate::train) fn set_rows(&mut self, rows: usize) {
        #[cfg(feature = "progress")]
        {
            self.rows = rows;
        }
    }

    /// Begins epoch `epoch` (counted from 1) of `steps` steps; 0 where it is not known how many they are, and the bar
    /// counts alone.
    #[cfg_attr(not(feature = "progress"), allow(unused_variables))]
    pub fn start_epoch(&mut self, epoch: usize, steps: usize) {
        #[cfg(feature = "progress")]
        {
            let template = match steps {
                0 => "{prefix} {pos} steps  {msg}",
                _ => "{prefix} [{bar:30}] {pos}/{len} steps  {msg}  {eta} left",
            };
            let bar = bar(self.verbosity, template, steps);
            self.bar = bar.map(|bar| bar.with_prefix(self.prefix(epoch)));
        }
    }

    /// `steps_done` steps of this epoch are done; `loss` is the mean loss so far, where it is known. Where it is not,
    /// the bar shows what the last epoch reported: reading the loss within an epoch would make the device wait.
    #[cfg_attr(not(feature = "progress"), allow(unused_variables))]
    pub fn advance(&mut self, steps_done: usize, loss: Option<f64>) {
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_position(steps_done as u64);
            let numbers = loss.map_or_else(|| self.last.clone(), |loss| format!("loss {}", number(loss)));
            let share = steps_done as f64 / bar.length().unwrap_or(1).max(1) as f64;
            let speed = self.rows as f64 * share / bar.elapsed().as_secs_f64();
            bar.set_message(if self.rows > 0 { format!("{numbers}  {} rows/s", rate(speed)) } else { numbers });
        }
    }

    /// Ends the epoch: removes the bar and prints [`line`](Self::line).
    pub fn end_epoch(&mut self, epoch: &Epoch, rows_per_second: f64) {
        self.leave_epoch();
        #[cfg(feature = "progress")]
        {
            self.last = format!("epoch {}{}", epoch.epoch, numbers(epoch));
        }
        if self.verbosity != Verbosity::Silent {
            self.note(&self.line(epoch, rows_per_second));
        }
    }

    /// Removes the bar of an epoch that does not come to its end.
    pub(in crate::train) fn leave_epoch(&mut self) {
        #[cfg(feature = "progress")]
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }

    /// Prints a line of its own between the epochs, such as why training stopped early; silent where
    /// [`Verbosity::Silent`].
    pub fn note(&self, text: &str) {
        if self.verbosity != Verbosity::Silent {
            say(text);
        }
    }

    /// The line of one epoch: its number, its losses and metrics, seconds, and rows trained on a second.
    pub fn line(&self, epoch: &Epoch, rows_per_second: f64) -> String {
        let (prefix, numbers) = (self.prefix(epoch.epoch), numbers(epoch));
        format!("{prefix}{numbers}  {}  {} rows/s", seconds(epoch.seconds), rate(rows_per_second))
    }

    fn prefix(&self, epoch: usize) -> String {
        let width = self.epochs.to_string().len();
        format!("{} {epoch:>width$}/{}", self.unit, self.epochs)
    }
}

/// A bar of `len` steps at the terminal that standard error is, where one is asked for.
#[cfg(feature = "progress")]
pub(crate) fn bar(verbosity: Verbosity, template: &str, len: usize) -> Option<indicatif::ProgressBar> {
    if verbosity != Verbosity::Bar || !std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        return None;
    }
    let style = indicatif::ProgressStyle::with_template(template);
    let style = style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()).progress_chars("=> ");
    Some(indicatif::ProgressBar::new(len as u64).with_style(style))
}

fn numbers(epoch: &Epoch) -> String {
    epoch.values.iter().map(|(name, value)| format!("  {name} {}", number(*value))).collect()
}

fn seconds(seconds: f64) -> String {
    if seconds < 0.1 { format!("{:.1} ms", seconds * 1e3) } else { format!("{seconds:.1} s") }
}

/// A whole number of rows; an epoch too short for the clock has an infinite rate.
fn rate(rows_per_second: f64) -> String {
    if rows_per_second.is_finite() { thousands(rows_per_second.round() as u64) } else { rows_per_second.to_string() }
}
