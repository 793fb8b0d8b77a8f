//! The tree-structured Parzen estimator (Bergstra, Bardenet, Bengio & Kégl 2011, "Algorithms for hyper-parameter
//! optimization"), multivariate (Falkner, Klein & Hutter 2018, "BOHB").
//!
//! Trials are split into the best and the others, each part has a density, and of some draws from the density of the
//! best the one is taken for which the ratio of the densities is largest. Parameters that always occur together are
//! drawn together; trials that still run count among the others, so that two workers do not try the same (Ginsbourger et
//! al. 2010, "Kriging is well-suited to parallelize optimization", constant liar with the worst value).

use super::{Mixture, Past, stream};
use crate::search::record::Ranks;
use crate::search::space::{Domain, Point};
use crate::search::{Record, Value};
use crate::{Error, Result};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Bayesian search: trials are drawn where good ones are dense and bad ones are not.
///
/// Defaults: 10 random trials first, 24 draws for each trial, the best tenth (25 at most) against the others.
///
/// ```
/// use axone::search::{Study, Tpe};
/// let trials = Study::minimize("value").sampler(Tpe::new()).trials(40).silent().run(|trial| {
///     let x = trial.float("x", -10.0..=10.0).get()?;
///     let y = trial.float("y", -10.0..=10.0).get()?;
///     Ok((x - 2.0).powi(2) + (y + 1.0).powi(2))
/// })?;
/// assert!(trials.best()?.score < 5.0);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tpe {
    startup: usize,
    draws: usize,
}

impl Default for Tpe {
    fn default() -> Self {
        Self { startup: 10, draws: 24 }
    }
}

/// At most that many trials are good.
const MOST_GOOD: usize = 25;
const GOOD_SHARE: f64 = 0.1;

impl Tpe {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// Random trials before the first that is not; at least 1.
    pub fn startup(mut self, trials: usize) -> Self {
        self.startup = trials;
        self
    }

    /// Draws of which the best is taken; at least 1.
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws;
        self
    }

    pub(super) fn check(&self) -> Result<()> {
        for (name, value) in [("startup", self.startup), ("draws", self.draws)] {
            if value == 0 {
                return Err(Error::value("Tpe", name, "at least 1", value));
            }
        }
        Ok(())
    }

    /// Values for every group of parameters that is known, whether this trial will ask for them or not.
    pub(super) fn propose(&self, number: usize, past: &Past<'_>) -> BTreeMap<String, Value> {
        let mut proposed = BTreeMap::new();
        if past.known.iter().filter(|record| record.is_seen()).count() < self.startup {
            return proposed;
        }
        for names in groups(past.known) {
            let domains: Option<Vec<&Domain>> = names.iter().map(|name| past.space.get(*name)).collect();
            let Some(domains) = domains else { continue };
            let drawn = self.draw(number, &names, &domains, past);
            proposed.extend(names.iter().map(|name| (*name).to_owned()).zip(drawn));
        }
        proposed
    }

    /// One value for each of `names`, together.
    fn draw(&self, number: usize, names: &[&str], domains: &[&Domain], past: &Past<'_>) -> Vec<Value> {
        let points = |get: &dyn Fn(&str) -> Option<Value>| -> Option<Vec<Point>> {
            names.iter().zip(domains).map(|(name, domain)| Some(domain.point(&get(name)?))).collect()
        };
        let mut trials: Vec<(&Record, Vec<Point>)> = (past.known.iter())
            .filter_map(|record| Some((&**record, points(&|name| record.get(name).cloned())?)))
            .collect();
        trials.sort_by(|a, b| past.direction.rank(a.0, b.0));
        let good = ((GOOD_SHARE * trials.len() as f64).ceil() as usize).min(MOST_GOOD);
        let in_order = |part: &[(&Record, Vec<Point>)]| -> Vec<Vec<Point>> {
            let by_number: BTreeMap<usize, &Vec<Point>> = part.iter().map(|(record, at)| (record.number, at)).collect();
            by_number.into_values().cloned().collect()
        };
        let (best, others) = trials.split_at(good);
        let mut others = in_order(others);
        others.extend(past.pending.iter().filter_map(|pending| points(&|name| pending.get(name).cloned())));
        let (best, others) = (Mixture::new(domains, &in_order(best)), Mixture::new(domains, &others));
        let mut random = stream(past.seed, number, &names.join("\0"));
        let draws = (0..self.draws).map(|_| {
            let drawn = best.sample(&mut random);
            let values: Vec<Value> = drawn.iter().zip(domains).map(|(at, domain)| domain.at(*at)).collect();
            let at: Vec<Point> = values.iter().zip(domains).map(|(value, domain)| domain.point(value)).collect();
            (best.log_pdf(&at) - others.log_pdf(&at), values)
        });
        let chosen = draws.reduce(|best, new| if new.0 > best.0 { new } else { best });
        chosen.map(|(_, values)| values).unwrap_or_default()
    }
}

/// The parameters that always occur together, as Optuna's `group=True` has them: those that the same trials asked for.
fn groups(known: &[Arc<Record>]) -> Vec<Vec<&str>> {
    let mut trials: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for record in known.iter().filter(|record| record.is_seen()) {
        record.parameters.iter().for_each(|(name, _)| trials.entry(name).or_default().push(record.number));
    }
    let mut groups: BTreeMap<Vec<usize>, Vec<&str>> = BTreeMap::new();
    trials.into_iter().for_each(|(name, trials)| groups.entry(trials).or_default().push(name));
    groups.into_values().collect()
}
