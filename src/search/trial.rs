//! A trial: one evaluation of an objective, which asks it for its parameters as it goes.

use super::pruner::{Pruner, Situation};
use super::sampler::{Sampler, stream};
use super::{Domain, Float, Int, Record, Value, Watch};
use crate::metrics::Direction;
use crate::train::StopFlag;
use crate::{Error, Result};
use rand::Rng;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The domains of all parameters by name, shared by the trials of a study.
pub(super) type Space = Arc<Mutex<BTreeMap<String, Domain>>>;

/// One evaluation of an objective. It names the values of its parameters when it is asked for them, so an objective may
/// ask for some of them only where others call for it (the width of a second layer only where there is one).
///
/// ```
/// use axone::search::{Study, Random};
///
/// let study = Study::minimize("value").sampler(Random).trials(20).silent();
/// let trials = study.run(|trial| {
///     let x = trial.float("x", -1.0..=1.0).get()?;
///     let rate = trial.float("rate", 1e-4..=1e-1).log().get()?;
///     let layers: usize = trial.int("layers", 1..=3).get()?;
///     for layer in 0..layers {
///         let _width: usize = trial.int(&format!("width{layer}"), 16..=256).step(16).get()?;
///     }
///     let kind = trial.choice("kind", &["relu", "tanh"])?;
///     Ok(x * x + rate + if kind == "relu" { 0.0 } else { 1.0 })
/// })?;
/// assert!(trials.best()?.score < 0.5);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trial(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    number: usize,
    seed: u64,
    context: Context,
    asked: Mutex<Asked>,
}

/// What a trial knows of its study.
#[derive(Debug)]
pub(super) struct Context {
    pub space: Space,
    /// The trials that this one may learn from.
    pub known: Vec<Arc<Record>>,
    /// Values settled before the trial began.
    pub proposed: BTreeMap<String, Value>,
    /// Who names the others; nobody, in a trial of fixed parameters.
    pub sampler: Option<Sampler>,
    pub pruner: Pruner,
    pub direction: Direction,
    pub study_seed: u64,
    pub stop: StopFlag,
}

/// What a trial was asked for, and what it reported.
#[derive(Debug, Default)]
pub(super) struct Asked {
    pub parameters: Vec<(String, Value)>,
    pub reports: Vec<(usize, f64)>,
    pub pruned: Option<String>,
    /// A mistake of the program rather than of the trial: it ends the study.
    pub fault: Option<Error>,
    /// Steps of the fits before the one that is watched.
    pub before: usize,
    /// Whether the trial may have been cut short from outside.
    pub cut: bool,
}

/// The seed of a trial, from that of the study and its number.
pub(super) fn trial_seed(study_seed: u64, number: usize) -> u64 {
    stream(study_seed, number, "").next_u32().into()
}

impl Trial {
    pub(super) fn new(number: usize, context: Context) -> Self {
        let seed = trial_seed(context.study_seed, number);
        Self(Arc::new(Inner { number, seed, context, asked: Mutex::default() }))
    }

    /// See [`Record::trial`].
    pub(super) fn fixed(record: &Record) -> Self {
        let context = Context {
            space: Space::default(),
            known: Vec::new(),
            proposed: record.parameters.iter().cloned().collect(),
            sampler: None,
            pruner: Pruner::None,
            direction: Direction::Minimize,
            study_seed: 0,
            stop: StopFlag::new(),
        };
        Self(Arc::new(Inner { number: record.number, seed: record.seed, context, asked: Mutex::default() }))
    }

    /// Its number, from 0.
    pub fn number(&self) -> usize {
        self.0.number
    }

    /// A seed of its own, for weights, shuffling and splits: a function of the seed of the study and of its number.
    pub fn seed(&self) -> u64 {
        self.0.seed
    }

    /// A real number within `range`: [`log`](Float::log) draws it on a logarithmic scale, [`step`](Float::step) in
    /// steps, [`get`](Float::get) and [`get_f32`](Float::get_f32) name it.
    pub fn float(&self, name: impl Into<String>, range: RangeInclusive<f64>) -> Float<'_> {
        Float { trial: self, name: name.into(), range, log: false, step: None }
    }

    /// A whole number within `range`, of any integer type: [`log`](Int::log) and [`step`](Int::step) as for
    /// [`float`](Self::float), [`get`](Int::get) names it.
    pub fn int<T: TryInto<i64> + TryFrom<i64> + Display + Copy>(
        &self,
        name: impl Into<String>,
        range: RangeInclusive<T>,
    ) -> Int<'_, T> {
        let ends = (range.start(), range.end());
        let text = format!("{}..={}", ends.0, ends.1);
        let ends = (*ends.0).try_into().ok().zip((*ends.1).try_into().ok());
        Int { trial: self, name: name.into(), ends: ends.ok_or(text), log: false, step: 1, kind: PhantomData }
    }

    /// One of `options`, which are told apart by their `Debug` text. No order is assumed between them.
    ///
    /// # Errors
    /// [`Error::Value`] for no options, two of one text, and a name that has other options in this study.
    pub fn choice<T: Clone + Debug>(&self, name: impl Into<String>, options: &[T]) -> Result<T> {
        let texts = options.iter().map(|option| format!("{option:?}")).collect();
        let value = self.ask(&name.into(), Domain::Choice { options: texts })?;
        let chosen = match value {
            Value::Choice(index, _) => options.get(index).cloned(),
            _ => None,
        };
        chosen.ok_or_else(|| Error::Internal("an option that is none".to_owned()))
    }

    /// Reports a value while the trial trains, for the pruner: `step` counts from 1 and grows. [`watch`](Self::watch)
    /// does this after every epoch of a `fit`. A value is better as the score is.
    ///
    /// # Errors
    /// [`Error::Value`] for a step that is not above the last one.
    pub fn report(&self, step: usize, value: f64) -> Result<()> {
        let mut asked = self.asked();
        let last = asked.reports.last().map_or(0, |(step, _)| *step);
        if step <= last {
            return Err(Error::value(self.place(), "step", format!("above {last}, the last one"), step));
        }
        asked.reports.push((step, value));
        if asked.pruned.is_none() {
            let context = &self.0.context;
            let situation = Situation {
                number: self.0.number,
                reports: &asked.reports,
                known: &context.known,
                direction: context.direction,
                seed: context.study_seed,
            };
            let pruned = context.pruner.why(&situation);
            asked.pruned = pruned;
        }
        Ok(())
    }

    /// Whether the pruner has ended this trial: nothing more it does will count.
    pub fn is_pruned(&self) -> bool {
        self.asked().pruned.is_some()
    }

    /// A callback of `fit` that reports the value called `name` after every epoch, and ends the run where the trial is
    /// pruned or the study is stopped. In a second `fit` of the same trial (the next fold) the steps go on where the
    /// epochs of the first would have ended, so that they mean the same in every trial.
    ///
    /// ```
    /// use axone::prelude::*;
    /// use axone::search::{MedianPruning, Study};
    ///
    /// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
    /// let study = Study::minimize("loss").pruner(MedianPruning::new()).trials(12).silent();
    /// let trials = study.run(|trial| {
    ///     let rate = trial.float("rate", 1e-3..=1.0).log().get_f32()?;
    ///     let net = Sequential::new(1).add(Dense::new(1));
    ///     let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(rate))?;
    ///     let history = model.fit(&data, &Fit::new().epochs(20).callback(trial.watch("loss")).silent())?;
    ///     Ok(history.last("loss").unwrap_or(f64::NAN))
    /// })?;
    /// println!("{trials}");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn watch(&self, name: impl Into<String>) -> Watch {
        Watch::new(self.clone(), name.into())
    }

    /// Raised when the study is to end: for [`Fit::stop_flag`](crate::train::Fit::stop_flag) where nothing is
    /// [watched](Self::watch), or for a loop of one's own. A trial that ends after it was raised is not kept.
    pub fn stop_flag(&self) -> StopFlag {
        self.asked().cut = true;
        self.0.context.stop.clone()
    }

    /// Names the value of a parameter.
    pub(super) fn ask(&self, name: &str, domain: Domain) -> Result<Value> {
        let value = self.named(name, domain);
        if let Err(error) = &value {
            self.fault(error);
        }
        value
    }

    fn named(&self, name: &str, domain: Domain) -> Result<Value> {
        domain.check(name)?;
        if name.is_empty() {
            return Err(Error::value(self.place(), "parameter", "a name", "\"\""));
        }
        let context = &self.0.context;
        {
            let mut space = context.space.lock().unwrap_or_else(PoisonError::into_inner);
            let known = space.entry(name.to_owned()).or_insert_with(|| domain.clone());
            if *known != domain {
                let expected = format!("what it was before in this study ({known})");
                return Err(Error::value(format!("parameter \"{name}\""), "range", expected, domain));
            }
        }
        let earlier = self.asked().parameters.iter().find(|(own, _)| own == name).map(|(_, value)| value.clone());
        if let Some(value) = earlier {
            return Ok(value);
        }
        let value = match (context.proposed.get(name), &context.sampler) {
            (Some(value), _) => value.clone(),
            (None, Some(sampler)) => sampler.alone(name, &domain, (context.study_seed, self.0.number))?,
            (None, None) => {
                let known: Vec<&str> = context.proposed.keys().map(String::as_str).collect();
                return Err(Error::value(self.place(), "parameter", format!("one of {}", known.join(", ")), name));
            }
        };
        let value = sampler_value(name, &domain, value)?;
        self.asked().parameters.push((name.to_owned(), value.clone()));
        Ok(value)
    }

    /// Ends the study with this error once the trial returns.
    pub(super) fn fault(&self, error: &Error) {
        self.asked().fault.get_or_insert_with(|| error.clone());
    }

    pub(super) fn asked(&self) -> MutexGuard<'_, Asked> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a `fit` of this trial reports to it.
    pub(super) fn is_watched(&self) -> bool {
        self.asked().before > 0
    }

    /// Whether its parameters are fixed: no study listens.
    pub(super) fn is_fixed(&self) -> bool {
        self.0.context.sampler.is_none()
    }

    /// Whether it was cut short from outside.
    pub(super) fn is_cut(&self) -> bool {
        self.asked().cut && self.is_stopped()
    }

    /// The study's flag.
    pub(super) fn is_stopped(&self) -> bool {
        self.0.context.stop.is_raised()
    }

    pub(super) fn place(&self) -> String {
        format!("trial {}", self.0.number)
    }
}

/// Refuses a value (of a grid, or of a fixed trial) that the domain does not hold. A grid names options by their text
/// alone, options that are numbers by the number, and writes a float as a whole number where it is one.
fn sampler_value(name: &str, domain: &Domain, value: Value) -> Result<Value> {
    let fitting = match (domain, &value) {
        (Domain::Choice { options }, Value::Choice(_, text)) => {
            options.iter().position(|option| option == text).map(|index| Value::Choice(index, text.clone()))
        }
        (Domain::Choice { options }, other) => {
            let same = |option: &String| match other {
                // `Debug` writes 1.0 and 1000000.0 where `Value` writes 1 and 1e6.
                Value::Float(number) => option.parse() == Ok(*number),
                _ => *option == other.to_string(),
            };
            options.iter().position(same).map(|index| Value::Choice(index, options[index].clone()))
        }
        (Domain::Float { .. }, Value::Int(number)) => Some(Value::Float(*number as f64)),
        _ => Some(value.clone()),
    };
    fitting
        .filter(|fitting| domain.holds(fitting))
        .ok_or_else(|| Error::value(format!("parameter \"{name}\""), "value", domain, value))
}
