//! What is kept of a trial, and the score it is judged by.

use super::{Trial, Value};
use crate::metrics::Direction;
use crate::{Error, Result};
use std::cmp::Ordering;

/// How a trial ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It has a score.
    Complete,
    /// A pruner ended it; its score is the last value that it reported.
    Pruned,
    /// It returned an error.
    Failed,
}

/// What an objective returns: one number, or one for each fold, whose mean is the score.
///
/// ```
/// use axone::search::Score;
/// let score = Score::from(vec![0.9, 0.8, 1.0]);
/// assert!((score.mean() - 0.9).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Score(Vec<f64>);

impl Score {
    /// The mean; NaN where there is no number.
    pub fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    /// The numbers it is the mean of.
    pub fn folds(&self) -> &[f64] {
        &self.0
    }
}

impl From<f64> for Score {
    fn from(score: f64) -> Self {
        Self(vec![score])
    }
}

impl From<f32> for Score {
    fn from(score: f32) -> Self {
        Self(vec![score.into()])
    }
}

impl From<Vec<f64>> for Score {
    fn from(folds: Vec<f64>) -> Self {
        Self(folds)
    }
}

/// One trial that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its number, from 0.
    pub number: usize,
    /// How it ended.
    pub state: State,
    /// What it is judged by: the mean of [`scores`](Self::scores), the last report of a pruned trial, NaN for one that
    /// failed.
    pub score: f64,
    /// The score of each fold; one number without folds, none where it did not complete.
    pub scores: Vec<f64>,
    /// The parameters that it asked for, in that order.
    pub parameters: Vec<(String, Value)>,
    /// What it reported while it trained: step (from 1), value.
    pub reports: Vec<(usize, f64)>,
    /// How long it took.
    pub seconds: f64,
    /// The seed it was given: [`Trial::seed`].
    pub seed: u64,
    /// Why it failed or was pruned.
    pub note: Option<String>,
}

impl Record {
    /// The value of a parameter; `None` where the trial did not ask for it.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// A real parameter.
    ///
    /// # Errors
    /// [`Error::Value`], with the parameters there are, where there is none of that name and kind.
    pub fn float(&self, name: &str) -> Result<f64> {
        match self.get(name) {
            Some(Value::Float(number)) => Ok(*number),
            _ => Err(self.lacks("real", name)),
        }
    }

    /// A whole parameter, as any integer type that holds it.
    ///
    /// # Errors
    /// As [`float`](Self::float).
    pub fn int<T: TryFrom<i64>>(&self, name: &str) -> Result<T> {
        match self.get(name) {
            Some(Value::Int(number)) => T::try_from(*number).map_err(|_| self.lacks("fitting whole", name)),
            _ => Err(self.lacks("whole", name)),
        }
    }

    /// The option that was chosen, of the options that the trial was given.
    ///
    /// # Errors
    /// As [`float`](Self::float), and where `options` are not those of the trial.
    pub fn choice<T: Clone + std::fmt::Debug>(&self, name: &str, options: &[T]) -> Result<T> {
        match self.get(name) {
            Some(Value::Choice(index, text)) => match options.get(*index) {
                Some(option) if format!("{option:?}") == *text => Ok(option.clone()),
                _ => Err(Error::value(
                    format!("parameter \"{name}\""),
                    "options",
                    format!("the trial's, with {text}"),
                    format!("{options:?}"),
                )),
            },
            _ => Err(self.lacks("chosen", name)),
        }
    }

    fn lacks(&self, kind: &str, name: &str) -> Error {
        let known: Vec<String> = self.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let expected = format!("a {kind} parameter of {}", known.join(", "));
        Error::value(format!("trial {}", self.number), "parameter", expected, name)
    }

    /// A trial that answers with these parameters: for an objective that is to run once more, such as on all data.
    pub fn trial(&self) -> Trial {
        Trial::fixed(self)
    }

    /// `rate=0.01 units=32`.
    pub(super) fn shown(&self) -> String {
        let pairs: Vec<String> =
            self.parameters.iter().map(|(name, value)| format!("{name}={}", value.short())).collect();
        pairs.join(" ")
    }

    /// Whether samplers and pruners learn from it.
    pub(super) fn is_seen(&self) -> bool {
        self.state != State::Failed
    }
}

/// What a direction means for scores.
pub(super) trait Ranks {
    /// What to minimise.
    fn loss(self, score: f64) -> f64;

    /// Best first; NaN last.
    fn order(self, a: f64, b: f64) -> Ordering;

    /// Best first: complete trials by score, NaN behind them, then pruned ones, those that came further first, then
    /// failed ones; the earlier among equals.
    fn rank(self, a: &Record, b: &Record) -> Ordering;
}

impl Ranks for Direction {
    fn loss(self, score: f64) -> f64 {
        match self {
            Direction::Minimize => score,
            Direction::Maximize => -score,
        }
    }

    fn order(self, a: f64, b: f64) -> Ordering {
        a.is_nan().cmp(&b.is_nan()).then(self.loss(a).total_cmp(&self.loss(b)))
    }

    fn rank(self, a: &Record, b: &Record) -> Ordering {
        let reached = |record: &Record| match record.state {
            State::Pruned => record.reports.last().map_or(0, |(step, _)| *step),
            _ => 0,
        };
        let state = (a.state as u8).cmp(&(b.state as u8));
        let further = reached(b).cmp(&reached(a));
        state.then(further).then(self.order(a.score, b.score)).then(a.number.cmp(&b.number))
    }
}
