//! Learning-rate schedules.
//!
//! A schedule is plain data and a pure function: the factor by which the optimizer's learning rate is multiplied in a
//! step, in f64. So it costs a training step nothing, and a run that is resumed needs no state of it.

mod annealing;
mod decay;

pub use annealing::{CosineDecay, OneCycle};
pub use decay::{ExponentialDecay, PiecewiseConstant, PolynomialDecay, StepDecay};

use crate::{Error, Result};

/// How the learning rate changes over a run: a setting of [`Fit::schedule`](crate::train::Fit::schedule).
///
/// The learning rate of a step is that of the optimizer times [`factor`](Schedule::factor). Schedules that the field
/// counts in epochs ([`StepDecay`], [`ExponentialDecay`], [`PiecewiseConstant`]) change it between epochs; those
/// counted in steps ([`PolynomialDecay`], [`CosineDecay`], [`OneCycle`]) change it with every step.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(20).schedule(CosineDecay::new().warmup(100));
/// let schedule = Schedule::from(StepDecay::new(2, 0.5));
/// assert_eq!([0, 1, 2, 4].map(|epoch| schedule.factor(0, epoch, 100)), [1.0, 1.0, 0.5, 0.25]);
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Schedule {
    /// The optimizer's learning rate throughout; the default.
    #[default]
    Constant,
    /// See [`StepDecay`].
    StepDecay(StepDecay),
    /// See [`ExponentialDecay`].
    ExponentialDecay(ExponentialDecay),
    /// See [`PiecewiseConstant`].
    PiecewiseConstant(PiecewiseConstant),
    /// See [`PolynomialDecay`].
    PolynomialDecay(PolynomialDecay),
    /// See [`CosineDecay`].
    CosineDecay(CosineDecay),
    /// See [`OneCycle`].
    OneCycle(OneCycle),
}

impl Schedule {
    /// The factor of step `step` of the run, which belongs to epoch `epoch` (both counted from 0), in a run of
    /// `total_steps` steps.
    pub fn factor(&self, step: usize, epoch: usize, total_steps: usize) -> f64 {
        match self {
            Schedule::Constant => 1.0,
            Schedule::StepDecay(decay) => decay.factor(epoch),
            Schedule::ExponentialDecay(decay) => decay.factor(epoch),
            Schedule::PiecewiseConstant(pieces) => pieces.factor(epoch),
            Schedule::PolynomialDecay(decay) => decay.factor(step, total_steps),
            Schedule::CosineDecay(decay) => decay.factor(step, total_steps),
            Schedule::OneCycle(cycle) => cycle.factor(step, total_steps),
        }
    }

    /// Whether its factors depend on the length of the run.
    pub(crate) fn spans_the_run(&self) -> bool {
        // Any two lengths would do: what ends with the run has come further in the shorter one.
        (1..4).any(|step| self.factor(step, 0, 4) != self.factor(step, 0, 1000))
    }

    /// Refuses settings out of range, for a run of `total_steps` steps.
    ///
    /// # Errors
    /// [`Error::Value`], with the name of the schedule, of the setting, and the value.
    pub fn check(&self, total_steps: usize) -> Result<()> {
        match self {
            Schedule::Constant => Ok(()),
            Schedule::StepDecay(decay) => decay.check(),
            Schedule::ExponentialDecay(decay) => decay.check(),
            Schedule::PiecewiseConstant(pieces) => pieces.check(),
            Schedule::PolynomialDecay(decay) => decay.check(total_steps),
            Schedule::CosineDecay(decay) => decay.check(total_steps),
            Schedule::OneCycle(cycle) => cycle.check(),
        }
    }
}

macro_rules! from {
    ($($name:ident),*) => {$(
        impl From<$name> for Schedule {
            fn from(schedule: $name) -> Self {
                Schedule::$name(schedule)
            }
        }
    )*};
}
from!(StepDecay, ExponentialDecay, PiecewiseConstant, PolynomialDecay, CosineDecay, OneCycle);

/// Refuses a `value` outside `(0, 1)`; a NaN lies outside.
fn check_open(place: &str, name: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value < 1.0 { Ok(()) } else { Err(Error::value(place, name, "above 0 and below 1", value)) }
}

/// Refuses a `value` outside `[0, 1)`.
fn check_below_one(place: &str, name: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) { Ok(()) } else { Err(Error::value(place, name, "at least 0 and below 1", value)) }
}

/// Linear warm-up, and how many steps come after it: shared by the schedules that may begin with one.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
struct Horizon {
    warmup: usize,
    warmup_from: f64,
    /// `None`: the steps of the run.
    steps: Option<usize>,
}

impl Horizon {
    /// The factor `from + (1 - from) · step / warmup` while it warms up; afterwards how much of what comes after the
    /// warm-up is done, from 0 to 1.
    fn place(&self, step: usize, total_steps: usize) -> std::result::Result<f64, f64> {
        if step < self.warmup {
            let done = step as f64 / self.warmup as f64;
            return Err(self.warmup_from + (1.0 - self.warmup_from) * done);
        }
        let after = self.steps.unwrap_or(total_steps).saturating_sub(self.warmup).max(1);
        Ok((step - self.warmup).min(after) as f64 / after as f64)
    }

    fn check(&self, place: &str, total_steps: usize) -> Result<()> {
        check_below_one(place, "warmup_from", self.warmup_from)?;
        if self.steps == Some(0) {
            return Err(Error::value(place, "steps", "at least 1", 0));
        }
        let steps = self.steps.unwrap_or(total_steps);
        if self.warmup >= steps {
            return Err(Error::value(place, "warmup", format!("less than the {steps} steps"), self.warmup));
        }
        Ok(())
    }
}

/// The settings of a [`Horizon`], on a schedule that has one.
macro_rules! horizon {
    ($name:ident) => {
        impl $name {
            /// Begins with this many steps in which the factor rises in a straight line to 1 (PyTorch's `LinearLR`);
            /// they belong to the steps of the schedule. Default: 0.
            pub fn warmup(mut self, steps: usize) -> Self {
                self.horizon.warmup = steps;
                self
            }

            /// The factor at which the warm-up begins, at least 0 and below 1. Default: 0.
            pub fn warmup_from(mut self, factor: f64) -> Self {
                self.horizon.warmup_from = factor;
                self
            }

            /// Over how many steps, warm-up included; the last value stays afterwards. Default: the steps of the run.
            pub fn steps(mut self, steps: usize) -> Self {
                self.horizon.steps = Some(steps);
                self
            }
        }
    };
}
use horizon;
