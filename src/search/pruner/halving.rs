//! Successive halving, and Hyperband, which hedges its first rung.

use super::{Pruner, Situation, at_least, at_step};
use crate::Result;
use crate::search::sampler::stream;
use rand::RngExt;

/// Asynchronous successive halving (Li et al. 2018, "A system for massively parallel hyperparameter tuning", as ASHA):
/// at the steps `first`, `first·factor`, `first·factor²`, … a trial goes on if it is among the best `1/factor` of the
/// trials that came so far.
///
/// Defaults: first rung at step 1, factor 4.
///
/// ```
/// use axone::search::{Study, SuccessiveHalving};
/// let study = Study::maximize("accuracy").pruner(SuccessiveHalving::new().first(2).factor(3));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SuccessiveHalving {
    first: usize,
    factor: usize,
}

impl Default for SuccessiveHalving {
    fn default() -> Self {
        Self { first: 1, factor: 4 }
    }
}

impl SuccessiveHalving {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The step of the first rung; at least 1.
    pub fn first(mut self, step: usize) -> Self {
        self.first = step;
        self
    }

    /// How many times as far the next rung is, and one trial in how many goes on; at least 2.
    pub fn factor(mut self, factor: usize) -> Self {
        self.factor = factor;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        at_least("SuccessiveHalving", "first", 1, self.first)?;
        at_least("SuccessiveHalving", "factor", 2, self.factor)
    }

    pub(super) fn why(&self, trial: &Situation<'_>) -> Option<String> {
        self.among(trial, |_| true)
    }

    /// Compares with those trials alone whose numbers take part.
    fn among(&self, trial: &Situation<'_>, takes_part: impl Fn(usize) -> bool) -> Option<String> {
        let (step, own) = trial.newest();
        let before = trial.reports.iter().rev().nth(1).map_or(0, |(step, _)| *step);
        let mut rung = self.first;
        while rung <= before {
            rung = rung.checked_mul(self.factor)?;
        }
        if step < rung {
            return None;
        }
        let others = trial.known.iter().filter(|record| takes_part(record.number));
        let others = others.filter_map(|record| at_step(record, rung, trial.direction));
        let others: Vec<f64> = others.filter(|value| !value.is_nan()).collect();
        let better = others.iter().filter(|other| **other < own).count();
        let places = ((others.len() + 1) / self.factor).max(1);
        (better >= places).then(|| format!("place {} of {} at the rung of step {rung}", better + 1, others.len() + 1))
    }
}

/// Hyperband (Li et al. 2018, "Hyperband: a novel bandit-based approach to hyperparameter optimization", JMLR 18):
/// brackets of successive halving with first rungs at `first`, `first·factor`, …, so that trials that begin slowly have
/// a chance. Every trial belongs to one bracket, drawn for its number with the share of the budget that Hyperband gives
/// to that bracket, and is compared within it.
///
/// Defaults: first rung at step 1, factor 3.
///
/// ```
/// use axone::search::{Hyperband, Study};
/// let study = Study::maximize("accuracy").pruner(Hyperband::new(27)); // rungs at 1, 3, 9, 27
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hyperband {
    steps: usize,
    first: usize,
    factor: usize,
}

impl Hyperband {
    /// For trials of at most that many steps (epochs, by those of all folds together).
    pub fn new(steps: usize) -> Self {
        Self { steps, first: 1, factor: 3 }
    }

    /// The step of the first rung of the first bracket; at least 1.
    pub fn first(mut self, step: usize) -> Self {
        self.first = step;
        self
    }

    /// How many times as far the next rung is, and one trial in how many goes on; at least 2.
    pub fn factor(mut self, factor: usize) -> Self {
        self.factor = factor;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        at_least("Hyperband", "first", 1, self.first)?;
        at_least("Hyperband", "factor", 2, self.factor)?;
        at_least("Hyperband", "steps", self.first, self.steps)
    }

    /// The first rung of each bracket.
    fn rungs(&self) -> Vec<usize> {
        let next = |rung: &usize| rung.checked_mul(self.factor).filter(|rung| *rung <= self.steps);
        std::iter::successors(Some(self.first), next).collect()
    }

    /// The bracket of a trial: bracket s of n, with s rungs to come, has `ceil(n·factor^s / (s + 1))` of the budget.
    fn bracket(&self, number: usize, seed: u64, brackets: usize) -> usize {
        let budget = |bracket: usize| {
            let left = brackets - 1 - bracket;
            (brackets as f64 * (self.factor as f64).powi(left as i32) / (left + 1) as f64).ceil()
        };
        let total: f64 = (0..brackets).map(budget).sum();
        let mut at = stream(seed, number, "\0bracket").random::<f64>() * total;
        (0..brackets)
            .find(|bracket| {
                at -= budget(*bracket);
                at < 0.0
            })
            .unwrap_or(brackets - 1)
    }

    pub(super) fn why(&self, trial: &Situation<'_>) -> Option<String> {
        let rungs = self.rungs();
        let of = |number| self.bracket(number, trial.seed, rungs.len());
        let own = of(trial.number);
        let halving = SuccessiveHalving { first: *rungs.get(own)?, factor: self.factor };
        let why = halving.among(trial, |number| of(number) == own)?;
        Some(format!("{why}, bracket {}", own + 1))
    }
}

impl From<SuccessiveHalving> for Pruner {
    fn from(pruner: SuccessiveHalving) -> Self {
        Pruner::Halving(pruner)
    }
}

impl From<Hyperband> for Pruner {
    fn from(pruner: Hyperband) -> Self {
        Pruner::Hyperband(pruner)
    }
}
