//! What a study says while it runs, on standard error: a bar for a person at a terminal, a line for each trial in a log
//! file, or nothing.

use super::record::{Ranks, Record, State};
use crate::metrics::Direction;
use crate::text::say;
use crate::train::{Verbosity, number};

/// The progress of one study.
pub(super) struct Progress {
    verbosity: Verbosity,
    name: String,
    direction: Direction,
    trials: usize,
    ended: usize,
    /// Trial and score.
    best: Option<(usize, f64)>,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    pub fn new(verbosity: Verbosity, name: &str, direction: Direction, trials: usize) -> Self {
        #[cfg(feature = "progress")]
        let bar = (verbosity == Verbosity::Bar && std::io::IsTerminal::is_terminal(&std::io::stderr())).then(|| {
            let template = "trials [{bar:30}] {pos}/{len}  {msg}  {eta} left";
            let style = indicatif::ProgressStyle::with_template(template);
            let style = style.unwrap_or_else(|_| indicatif::ProgressStyle::default_bar()).progress_chars("=> ");
            indicatif::ProgressBar::new(trials as u64).with_style(style)
        });
        Self {
            verbosity,
            name: name.to_owned(),
            direction,
            trials,
            ended: 0,
            best: None,
            #[cfg(feature = "progress")]
            bar,
        }
    }

    fn count(&mut self, record: &Record) {
        self.ended += 1;
        let better = self.best.is_none_or(|(_, best)| self.direction.order(record.score, best).is_lt());
        if record.state == State::Complete && !record.score.is_nan() && better {
            self.best = Some((record.number, record.score));
        }
    }

    /// Counts trials that a log had.
    pub fn resume(&mut self, records: &[Record]) {
        records.iter().for_each(|record| self.count(record));
        if !records.is_empty() {
            self.note(&format!("{} trials are in the log", records.len()));
        }
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            // The time left is that of the trials to come.
            bar.set_position(self.ended as u64);
            bar.reset_eta();
        }
    }

    /// Says that a trial has ended.
    pub fn ended(&mut self, record: &Record) {
        self.count(record);
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_position(self.ended as u64);
            bar.set_message(self.best_so_far());
            if record.state != State::Failed && !record.score.is_nan() {
                return;
            }
        }
        self.note(&self.line(record));
    }

    fn best_so_far(&self) -> String {
        self.best.map_or_else(
            || "no score yet".to_owned(),
            |(trial, score)| format!("best {} {} (trial {trial})", self.name, number(score)),
        )
    }

    /// `trial 3  accuracy 0.9567  1.2 s  rate=0.01  (12/60, best accuracy 0.9712 (trial 1))`.
    fn line(&self, record: &Record) -> String {
        let outcome = match (record.state, &record.note) {
            (State::Complete, _) if record.score.is_nan() => format!("{} is no number, ranked last", self.name),
            (State::Complete, _) => format!("{} {}", self.name, number(record.score)),
            (State::Pruned, why) => format!("pruned: {}", why.as_deref().unwrap_or_default()),
            (State::Failed, why) => format!("failed: {}", why.as_deref().unwrap_or_default()),
        };
        let (seconds, best) = (record.seconds, self.best_so_far());
        let counts = format!("{}/{}", self.ended, self.trials);
        format!("trial {}  {outcome}  {seconds:.1} s  {}  ({counts}, {best})", record.number, record.shown())
    }

    /// A line of its own.
    pub fn note(&self, text: &str) {
        if self.verbosity == Verbosity::Silent {
            return;
        }
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.println(text);
            return;
        }
        say(text);
    }

    /// Removes the bar.
    pub fn finish(&self) {
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::search::Value;

    #[test]
    fn a_line_says_how_it_stands() {
        let mut progress = Progress::new(Verbosity::Silent, "accuracy", Direction::Maximize, 60);
        let record = |number: usize, state: State, score: f64| Record {
            number,
            state,
            score,
            scores: Vec::new(),
            parameters: vec![("rate".to_owned(), Value::Float(0.012_345_6)), ("units".to_owned(), Value::Int(32))],
            reports: Vec::new(),
            seconds: 1.23,
            seed: 0,
            note: (state == State::Failed).then(|| "no room".to_owned()),
        };
        let mut line = |record: Record| {
            progress.ended(&record);
            progress.line(&record)
        };
        let tail = "1.2 s  rate=0.01235 units=32";
        assert_eq!(
            line(record(0, State::Failed, f64::NAN)),
            format!("trial 0  failed: no room  {tail}  (1/60, no score yet)")
        );
        assert_eq!(
            line(record(2, State::Complete, 0.9)),
            format!("trial 2  accuracy 0.9000  {tail}  (2/60, best accuracy 0.9000 (trial 2))")
        );
        assert_eq!(
            line(record(1, State::Complete, f64::NAN)),
            format!("trial 1  accuracy is no number, ranked last  {tail}  (3/60, best accuracy 0.9000 (trial 2))")
        );
        assert!(line(record(3, State::Complete, 0.95)).ends_with("(4/60, best accuracy 0.9500 (trial 3))"));
    }
}
