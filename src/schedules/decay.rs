//! Schedules that only fall: by steps, exponentially, piece by piece, along a polynomial.

use super::{Horizon, check_below_one, check_open, horizon};
use crate::{Error, Result};

/// Step decay, PyTorch's `StepLR`: `factor^⌊epoch / every⌋`, by epochs counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct StepDecay {
    every: usize,
    factor: f64,
}

impl StepDecay {
    /// Multiplies the rate by `factor`, above 0 and below 1, after `every` epochs, at least 1.
    ///
    /// ```
    /// use axone::schedules::{Schedule, StepDecay};
    ///
    /// let halved = Schedule::from(StepDecay::new(10, 0.5));
    /// assert_eq!([9, 10, 19, 20].map(|epoch| halved.factor(0, epoch, 100)), [1.0, 0.5, 0.5, 0.25]);
    /// ```
    pub fn new(every: usize, factor: f64) -> Self {
        Self { every, factor }
    }

    pub(super) fn factor(&self, epoch: usize) -> f64 {
        self.factor.powf((epoch / self.every.max(1)) as f64)
    }

    pub(super) fn check(&self) -> Result<()> {
        if self.every == 0 {
            return Err(Error::value("step_decay", "every", "at least 1", self.every));
        }
        check_open("step_decay", "factor", self.factor)
    }
}

/// Exponential decay, PyTorch's `ExponentialLR`: `βᵉᵖᵒᶜʰ`, by epochs counted from 0.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct ExponentialDecay {
    beta: f64,
}

impl ExponentialDecay {
    /// Multiplies the rate by `beta`, above 0 and below 1, after every epoch.
    ///
    /// ```
    /// use axone::schedules::{ExponentialDecay, Schedule};
    ///
    /// let decay = Schedule::from(ExponentialDecay::new(0.5));
    /// assert_eq!([0, 1, 2].map(|epoch| decay.factor(0, epoch, 100)), [1.0, 0.5, 0.25]);
    /// ```
    pub fn new(beta: f64) -> Self {
        Self { beta }
    }

    pub(super) fn factor(&self, epoch: usize) -> f64 {
        self.beta.powf(epoch as f64)
    }

    pub(super) fn check(&self) -> Result<()> {
        check_open("exponential_decay", "beta", self.beta)
    }
}

/// Piecewise constant, PyTorch's `MultiStepLR` with a factor for each piece: 1 before the first epoch named, then the
/// factor that stands beside the last epoch reached.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PiecewiseConstant {
    pieces: Vec<(usize, f64)>,
}

impl PiecewiseConstant {
    /// From each epoch (counted from 0, increasing) on, its factor of the optimizer's rate, positive and finite.
    ///
    /// ```
    /// use axone::schedules::{PiecewiseConstant, Schedule};
    ///
    /// let pieces = Schedule::from(PiecewiseConstant::new([(10, 0.1), (15, 0.01)]));
    /// assert_eq!([9, 10, 14, 15].map(|epoch| pieces.factor(0, epoch, 100)), [1.0, 0.1, 0.1, 0.01]);
    /// ```
    pub fn new(pieces: impl IntoIterator<Item = (usize, f64)>) -> Self {
        Self { pieces: pieces.into_iter().collect() }
    }

    pub(super) fn factor(&self, epoch: usize) -> f64 {
        self.pieces.iter().take_while(|(from, _)| *from <= epoch).last().map_or(1.0, |(_, factor)| *factor)
    }

    pub(super) fn check(&self) -> Result<()> {
        if let Some((_, factor)) = self.pieces.iter().find(|(_, factor)| !(*factor > 0.0 && factor.is_finite())) {
            return Err(Error::value("piecewise_constant", "factor", "positive and finite", factor));
        }
        if let Some(pair) = self.pieces.windows(2).find(|pair| pair[0].0 >= pair[1].0) {
            let got = format!("{} after {}", pair[1].0, pair[0].0);
            return Err(Error::value("piecewise_constant", "epoch", "larger than the one before", got));
        }
        Ok(())
    }
}

/// Polynomial decay, PyTorch's `PolynomialLR`: `floor + (1 - floor) · (1 - t / T)ᵖ` in step t of T, by steps.
///
/// Defaults: power 1, which is linear decay; floor 0; no warm-up; T the steps of the run.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct PolynomialDecay {
    horizon: Horizon,
    power: f64,
    floor: f64,
}

horizon!(PolynomialDecay);

impl PolynomialDecay {
    /// Decay with this power, positive and finite.
    ///
    /// ```
    /// use axone::schedules::{PolynomialDecay, Schedule};
    ///
    /// let decay = Schedule::from(PolynomialDecay::new(2.0));
    /// assert_eq!([0, 1, 2].map(|step| decay.factor(step, 0, 4)), [1.0, 0.5625, 0.25]);
    /// ```
    pub fn new(power: f64) -> Self {
        Self { horizon: Horizon::default(), power, floor: 0.0 }
    }

    /// The factor at the end, at least 0 and below 1. Default: 0.
    pub fn floor(mut self, factor: f64) -> Self {
        self.floor = factor;
        self
    }

    pub(super) fn factor(&self, step: usize, total_steps: usize) -> f64 {
        match self.horizon.place(step, total_steps) {
            Err(warming_up) => warming_up,
            Ok(done) => self.floor + (1.0 - self.floor) * (1.0 - done).powf(self.power),
        }
    }

    pub(super) fn check(&self, total_steps: usize) -> Result<()> {
        if !(self.power > 0.0 && self.power.is_finite()) {
            return Err(Error::value("polynomial_decay", "power", "positive and finite", self.power));
        }
        check_below_one("polynomial_decay", "floor", self.floor)?;
        self.horizon.check("polynomial_decay", total_steps)
    }
}

impl Default for PolynomialDecay {
    fn default() -> Self {
        Self::new(1.0)
    }
}
