//! Schedules along half a cosine.

use super::{Horizon, check_below_one, check_open, horizon};
use crate::{Error, Result};
use std::f64::consts::PI;

/// From `start` to `end` along half a cosine; `done` goes from 0 to 1.
fn anneal(start: f64, end: f64, done: f64) -> f64 {
    end + (start - end) / 2.0 * (1.0 + (PI * done).cos())
}

/// Cosine decay (Loshchilov & Hutter 2017, without restarts), PyTorch's `CosineAnnealingLR`:
/// `floor + (1 - floor) · (1 + cos(π t / T)) / 2` in step t of T, by steps, after a warm-up if wished.
///
/// Defaults: floor 0; no warm-up; T the steps of the run.
///
/// ```
/// use axone::schedules::{CosineDecay, Schedule};
///
/// let cosine = Schedule::from(CosineDecay::new().warmup(2).floor(0.1));
/// let factors = [0, 1, 2, 7, 12].map(|step| (100.0 * cosine.factor(step, 0, 12)).round());
/// assert_eq!(factors, [0.0, 50.0, 100.0, 55.0, 10.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct CosineDecay {
    horizon: Horizon,
    floor: f64,
}

horizon!(CosineDecay);

impl CosineDecay {
    /// Decay to 0 over the run, without warm-up.
    pub fn new() -> Self {
        Self::default()
    }

    /// The factor at the end, at least 0 and below 1. Default: 0.
    pub fn floor(mut self, factor: f64) -> Self {
        self.floor = factor;
        self
    }

    pub(super) fn factor(&self, step: usize, total_steps: usize) -> f64 {
        match self.horizon.place(step, total_steps) {
            Err(warming_up) => warming_up,
            Ok(done) => anneal(1.0, self.floor, done),
        }
    }

    pub(super) fn check(&self, total_steps: usize) -> Result<()> {
        check_below_one("cosine_decay", "floor", self.floor)?;
        self.horizon.check("cosine_decay", total_steps)
    }
}

/// One cycle (Smith 2018), in the shape of PyTorch's `OneCycleLR` with cosine annealing, by steps: from
/// `1 / division` up to the optimizer's learning rate, then down to `1 / (division · final_division)`, which the last
/// step has. The optimizer's learning rate is the largest of the cycle.
///
/// Defaults, as in PyTorch: 30 % of the steps upwards, division 25, final division 10,000, as many steps as the run.
///
/// ```
/// use axone::schedules::{OneCycle, Schedule};
///
/// let cycle = Schedule::from(OneCycle::new().rising(0.5));
/// assert!((cycle.factor(0, 0, 10) - 1.0 / 25.0).abs() < 1e-15);
/// assert_eq!(cycle.factor(4, 0, 10), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub struct OneCycle {
    rising: f64,
    division: f64,
    final_division: f64,
    steps: Option<usize>,
}

impl Default for OneCycle {
    fn default() -> Self {
        Self { rising: 0.3, division: 25.0, final_division: 1e4, steps: None }
    }
}

impl OneCycle {
    /// The defaults.
    pub fn new() -> Self {
        Self::default()
    }

    /// The share of the steps in which the rate rises, above 0 and below 1.
    pub fn rising(mut self, share: f64) -> Self {
        self.rising = share;
        self
    }

    /// The largest rate divided by the first one, at least 1.
    pub fn division(mut self, division: f64) -> Self {
        self.division = division;
        self
    }

    /// The first rate divided by the last one, at least 1.
    pub fn final_division(mut self, division: f64) -> Self {
        self.final_division = division;
        self
    }

    /// Over how many steps; the last value stays afterwards. Default: the steps of the run.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = Some(steps);
        self
    }

    pub(super) fn factor(&self, step: usize, total_steps: usize) -> f64 {
        let last = (self.steps.unwrap_or(total_steps).max(1) - 1) as f64;
        let (first, least) = (1.0 / self.division, 1.0 / (self.division * self.final_division));
        // As in PyTorch, the peak lies a step before the share is used up, and seldom on a whole step.
        let (step, peak) = ((step as f64).min(last), self.rising * (last + 1.0) - 1.0);
        if step < peak { anneal(first, 1.0, step / peak) } else { anneal(1.0, least, (step - peak) / (last - peak)) }
    }

    pub(super) fn check(&self) -> Result<()> {
        check_open("one_cycle", "rising", self.rising)?;
        for (name, value) in [("division", self.division), ("final_division", self.final_division)] {
            if !(value >= 1.0 && value.is_finite()) {
                return Err(Error::value("one_cycle", name, "at least 1 and finite", value));
            }
        }
        if self.steps == Some(0) { Err(Error::value("one_cycle", "steps", "at least 1", 0)) } else { Ok(()) }
    }
}
