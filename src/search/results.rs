//! What a study found: its trials, sorted, as a table, as CSV.

use super::Value;
use super::record::{Ranks, Record, State};
use super::sampler::Mixture;
use super::space::{Domain, Point};
use crate::metrics::Direction;
use crate::text::{quoted, table};
use crate::train::number;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// The trials of a study.
///
/// It prints as a table, best trial first, and writes itself as CSV and (feature `plot`) as pictures.
///
/// ```
/// use axone::search::{Random, Study};
/// let study = Study::minimize("distance").sampler(Random).trials(30).silent();
/// let trials = study.run(|trial| Ok((trial.float("x", 0.0..=1.0).get()? - 0.3).abs()))?;
/// let best = trials.best()?;
/// assert!((best.float("x")? - 0.3).abs() == best.score);
/// println!("{trials}");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Trials {
    pub(super) name: String,
    pub(super) direction: Direction,
    pub(super) records: Vec<Record>,
    pub(super) stopped: Option<String>,
}

/// Rows of the table that is printed.
const SHOWN: usize = 20;

impl Trials {
    /// What the score is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether less or more is better.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The trials that have ended, by number.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Number of trials that have ended.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none has ended.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Why the study ended before its last trial; `None` where it did not.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The complete trial with the best score, the earliest among equals.
    ///
    /// # Errors
    /// [`Error::Data`] where no trial has a score that is a number, with the error of the first that failed.
    pub fn best(&self) -> Result<&Record> {
        match self.sorted().first() {
            Some(best) if best.state == State::Complete && !best.score.is_nan() => Ok(best),
            _ => {
                let first =
                    self.records.iter().find_map(|record| record.note.as_ref().map(|note| (record.number, note)));
                let why = first.map_or(String::new(), |(number, note)| format!("; trial {number}: {note}"));
                Err(Error::data("study", format!("none of {} trials has a score{why}", self.len())))
            }
        }
    }

    /// Best first: complete trials, those whose score is NaN behind them, then pruned and failed ones.
    pub fn sorted(&self) -> Vec<&Record> {
        let mut sorted: Vec<&Record> = self.records.iter().collect();
        sorted.sort_by(|a, b| self.direction.rank(a, b));
        sorted
    }

    /// The names of all parameters, in the order in which trials first had them.
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.records.iter().flat_map(|record| &record.parameters) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }

    /// The best score after each trial, in the order of the numbers: NaN until there is one.
    pub fn running_best(&self) -> Vec<f64> {
        let mut best = f64::NAN;
        let better = |record: &Record| {
            if record.state == State::Complete && self.direction.order(record.score, best).is_lt() {
                best = record.score;
            }
            best
        };
        self.records.iter().map(better).collect()
    }

    /// The share of each parameter in how much the scores vary, largest first; the shares add up to 1.
    ///
    /// PED-ANOVA (Watanabe, Bansal & Hutter 2023, "PED-ANOVA: efficiently quantifying hyperparameter importance in
    /// arbitrary subspaces"): the Pearson divergence between the density of the best tenth of the trials (at least 5, at most half) and
    /// that of all trials along each parameter, with the densities of [`Tpe`](super::Tpe). A parameter whose good values
    /// lie where all values lie has no share. Among few trials this is a hint, not a measurement.
    ///
    /// # Errors
    /// [`Error::Data`] for fewer than 4 complete trials with a number as score.
    pub fn importance(&self) -> Result<Vec<(String, f64)>> {
        let complete: Vec<&Record> =
            self.sorted().into_iter().filter(|r| r.state == State::Complete && !r.score.is_nan()).collect();
        if complete.len() < 4 {
            return Err(Error::data(
                "importance",
                format!("at least 4 complete trials are needed, got {}", complete.len()),
            ));
        }
        let share = |name: &str| -> f64 {
            let with: Vec<&Record> = complete.iter().copied().filter(|record| record.get(name).is_some()).collect();
            let best = with.len().div_ceil(10).max(5).min(with.len() / 2);
            let (Some(domain), true) = (spread(&with, name), with.len() > best) else { return 0.0 };
            let density = |records: &[&Record]| {
                let points = records.iter().filter_map(|record| Some(vec![domain.point(record.get(name)?)]));
                Mixture::new(&[&domain], &points.collect::<Vec<_>>())
            };
            divergence(&density(&with[..best]), &density(&with), &domain)
        };
        let mut shares: Vec<(String, f64)> =
            self.names().into_iter().map(|name| (name.to_owned(), share(name))).collect();
        let sum: f64 = shares.iter().map(|(_, share)| share).sum();
        if sum > 0.0 {
            shares.iter_mut().for_each(|(_, share)| *share /= sum);
        }
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        Ok(shares)
    }

    /// Writes a line for each trial, by number: `trial,state,NAME`, the score of each fold where there are several,
    /// `seconds,seed,`, the parameters, and `note`. Numbers are exact; what a trial lacks is an empty field.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        std::fs::write(path, self.to_csv()).map_err(|error| Error::file(path, error))
    }

    /// The text that [`write_csv`](Self::write_csv) writes.
    pub fn to_csv(&self) -> String {
        let names = self.names();
        let folds = self.records.iter().map(|record| record.scores.len()).max().filter(|folds| *folds > 1).unwrap_or(0);
        let fold_names = (1..=folds).map(|fold| format!("fold{fold}"));
        let head = ["trial".to_owned(), "state".to_owned(), self.name.clone()].into_iter().chain(fold_names);
        let head =
            head.chain(["seconds".to_owned(), "seed".to_owned()]).chain(names.iter().map(|name| (*name).to_owned()));
        let mut lines = vec![head.chain(["note".to_owned()]).collect::<Vec<_>>()];
        for record in &self.records {
            let state = format!("{:?}", record.state).to_lowercase();
            let mut line = vec![record.number.to_string(), state, record.score.to_string()];
            line.extend((0..folds).map(|fold| record.scores.get(fold).map(f64::to_string).unwrap_or_default()));
            line.extend([record.seconds.to_string(), record.seed.to_string()]);
            line.extend(names.iter().map(|name| match record.get(name) {
                Some(Value::Float(number)) => number.to_string(),
                Some(value) => value.to_string(),
                None => String::new(),
            }));
            line.push(record.note.clone().unwrap_or_default());
            lines.push(line);
        }
        let text =
            lines.iter().map(|line| line.iter().map(|field| quoted(field, ',')).collect::<Vec<_>>().join(",") + "\n");
        text.collect()
    }
}

/// The domain that these records span in a parameter, logarithmic where the values are above 0 and span a factor of 50.
fn spread(records: &[&Record], name: &str) -> Option<Domain> {
    let values = || records.iter().filter_map(|record| record.get(name));
    if let Some(Value::Choice(..)) = values().next() {
        let last = values().map(|value| if let Value::Choice(index, _) = value { *index } else { 0 }).max()?;
        return (last > 0).then(|| Domain::Choice { options: (0..=last).map(|option| option.to_string()).collect() });
    }
    let numbers: Vec<f64> = values().filter_map(Value::number).collect();
    let low = numbers.iter().copied().fold(f64::INFINITY, f64::min);
    let high = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low < high).then(|| Domain::Float { low, high, log: is_log(low, high), step: None })
}

/// Whether values from `low` to `high` are better seen on a logarithmic scale.
pub(super) fn is_log(low: f64, high: f64) -> bool {
    low > 0.0 && high >= 50.0 * low
}

/// Cells of the unit interval over which a divergence is summed.
const CELLS: u32 = 200;

/// Pearson's divergence of `top` from `all`: the mean of `(top / all - 1)²` under `all`.
fn divergence(top: &Mixture, all: &Mixture, domain: &Domain) -> f64 {
    let points: Vec<(Point, f64)> = match domain {
        Domain::Choice { options } => (0..options.len()).map(|option| (Point::Option(option), 1.0)).collect(),
        _ => {
            let cell = 1.0 / f64::from(CELLS);
            (0..CELLS).map(|i| (Point::At((f64::from(i) + 0.5) * cell), cell)).collect()
        }
    };
    let term = |(at, width): &(Point, f64)| {
        let (top, all) = (libm::exp(top.log_pdf(&[*at])), libm::exp(all.log_pdf(&[*at])));
        if all > 0.0 { (top / all - 1.0).powi(2) * all * width } else { 0.0 }
    };
    points.iter().map(term).sum()
}

/// The best trials as a table, then how many were pruned, failed, or have no number as score.
impl fmt::Display for Trials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (names, sorted) = (self.names(), self.sorted());
        let head = ["trial", &self.name, "seconds"].into_iter().chain(names.iter().copied());
        let mut rows: Vec<Vec<String>> = vec![head.map(String::from).collect()];
        for record in sorted.iter().take(SHOWN) {
            let score = match record.state {
                State::Complete => number(record.score),
                State::Pruned => format!("{} pruned", number(record.score)),
                State::Failed => "failed".to_owned(),
            };
            let mut row = vec![record.number.to_string(), score, format!("{:.2}", record.seconds)];
            row.extend(names.iter().map(|name| record.get(name).map_or_else(|| "-".to_owned(), Value::short)));
            rows.push(row);
        }
        f.write_str(&table(&rows, 0))?;
        if sorted.len() > SHOWN {
            write!(f, "\n… {} more trials", sorted.len() - SHOWN)?;
        }
        let count = |state: State| self.records.iter().filter(|record| record.state == state).count();
        for (state, words) in [(State::Pruned, "pruned"), (State::Failed, "failed")] {
            if count(state) > 0 {
                write!(f, "\n{} of {} trials {words}", count(state), self.len())?;
            }
        }
        let failures: BTreeSet<&str> = (self.records.iter().filter(|record| record.state == State::Failed))
            .filter_map(|record| record.note.as_deref())
            .collect();
        failures.iter().take(3).try_for_each(|why| write!(f, "\n  failed: {why}"))?;
        let nan = self.records.iter().filter(|record| record.state == State::Complete && record.score.is_nan());
        let nan: Vec<String> = nan.map(|record| record.number.to_string()).collect();
        if !nan.is_empty() {
            write!(f, "\nno number as {}, ranked last: trial {}", self.name, nan.join(", "))?;
        }
        self.stopped.as_ref().map_or(Ok(()), |stopped| write!(f, "\n{stopped}"))
    }
}
