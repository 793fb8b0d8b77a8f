//! Numbers that a trial is asked for: their scale and steps.

use super::{Domain, Trial, Value};
use crate::{Error, Result};
use std::marker::PhantomData;
use std::ops::RangeInclusive;

/// A real parameter that is asked for.
#[derive(Debug)]
#[must_use = "`get` names the value"]
pub struct Float<'t> {
    pub(super) trial: &'t Trial,
    pub(super) name: String,
    pub(super) range: RangeInclusive<f64>,
    pub(super) log: bool,
    pub(super) step: Option<f64>,
}

impl Float<'_> {
    /// On a logarithmic scale: from 1e-4 to 1e-2 is as likely as from 1e-2 to 1.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    /// Only `low`, `low + step`, `low + 2 step`, …
    pub fn step(mut self, step: f64) -> Self {
        self.step = Some(step);
        self
    }

    /// Its value in this trial.
    ///
    /// # Errors
    /// [`Error::Value`] for a range that is reversed or not finite, a logarithm of a range that is not above 0, a step
    /// that is not positive or on a logarithmic scale, and a name that has another range in this study. Such a mistake
    /// ends the study.
    pub fn get(self) -> Result<f64> {
        let (low, high) = self.range.into_inner();
        let value = self.trial.ask(&self.name, Domain::Float { low, high, log: self.log, step: self.step })?;
        value.number().ok_or_else(|| Error::Internal("a real parameter without a number".to_owned()))
    }

    /// [`get`](Self::get), rounded to what learning rates, penalties and layers take.
    ///
    /// # Errors
    /// As `get`.
    pub fn get_f32(self) -> Result<f32> {
        self.get().map(|value| value as f32)
    }
}

/// A whole parameter that is asked for.
#[derive(Debug)]
#[must_use = "`get` names the value"]
pub struct Int<'t, T> {
    pub(super) trial: &'t Trial,
    pub(super) name: String,
    /// The ends, or their text where they are beyond i64.
    pub(super) ends: Result<(i64, i64), String>,
    pub(super) log: bool,
    pub(super) step: i64,
    pub(super) kind: PhantomData<T>,
}

impl<T: TryFrom<i64>> Int<'_, T> {
    /// On a logarithmic scale: from 16 to 64 is as likely as from 64 to 256.
    pub fn log(mut self) -> Self {
        self.log = true;
        self
    }

    /// Only `low`, `low + step`, `low + 2 step`, …
    pub fn step(mut self, step: u32) -> Self {
        self.step = step.into();
        self
    }

    /// Its value in this trial.
    ///
    /// # Errors
    /// As [`Float::get`]; the range is within ±2^53.
    pub fn get(self) -> Result<T> {
        let place = format!("parameter \"{}\"", self.name);
        let (low, high) = self.ends.map_err(|text| {
            let error = Error::value(&place, "range", "within ±2^53", text);
            self.trial.fault(&error);
            error
        })?;
        let domain = Domain::Int { low, high, log: self.log, step: self.step };
        let value = match self.trial.ask(&self.name, domain)? {
            Value::Int(number) => T::try_from(number).ok(),
            _ => None,
        };
        value.ok_or_else(|| Error::Internal("a whole parameter without a whole number".to_owned()))
    }
}
