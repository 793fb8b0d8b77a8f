//! A learning rate that falls where progress stalls.

use super::Monitor;
use crate::metrics::Direction;
use crate::train::report::number;
use crate::train::run::{Callback, Run};
use crate::{Error, Result};

const NAME: &str = "reduce_on_plateau";
/// A smaller change of the rate is none, as in PyTorch.
const LEAST_CHANGE: f64 = 1e-8;

/// By how much a value has to beat the best one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Threshold {
    /// By more than this share of the best value's size: less than `best - t · |best|`, more than `best + t · |best|`.
    /// (PyTorch leaves out the bars, so that there a negative value that stays as it is improves.)
    Relative(f64),
    /// By more than this: less than `best - t`, more than `best + t`.
    Absolute(f64),
}

/// Multiplies the learning rate by `factor` when `monitor` has not improved for more than `patience` epochs in a row:
/// PyTorch's `ReduceLROnPlateau`, with its defaults and its sequence.
///
/// Defaults: factor 0.1, patience 10, threshold `Relative(1e-4)`, cooldown 0, floor 0, the direction of the metric
/// ([`Metric::direction`](crate::metrics::Metric::direction); less is better of a loss). A NaN never improves. With a
/// [`Schedule`](crate::schedules::Schedule), what is reduced is the rate that its factors multiply.
///
/// ```
/// use axone::prelude::*;
///
/// let plateau = ReduceOnPlateau::new("val_loss").factor(0.5).patience(2).floor(1e-5);
/// let settings = Fit::new().epochs(50).validation_split(0.2).callback(plateau);
/// ```
#[derive(Debug, Clone)]
pub struct ReduceOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    threshold: Threshold,
    cooldown: usize,
    floor: f64,
    best: f64,
    bad: usize,
    cooling: usize,
}

impl ReduceOnPlateau {
    /// Watches `monitor`: `val_loss`, `val_accuracy`, …
    pub fn new(monitor: impl Into<String>) -> Self {
        let monitor = Monitor::new(monitor);
        let (best, threshold) = (monitor.direction.worst(), Threshold::Relative(1e-4));
        Self { monitor, factor: 0.1, patience: 10, threshold, cooldown: 0, floor: 0.0, best, bad: 0, cooling: 0 }
    }

    /// What the rate is multiplied by; above 0 and below 1.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// Epochs in a row without improvement that are let pass; the rate falls after one more. 0 is allowed.
    pub fn patience(mut self, epochs: usize) -> Self {
        self.patience = epochs;
        self
    }

    /// What counts as an improvement; at least 0.
    pub fn threshold(mut self, threshold: Threshold) -> Self {
        self.threshold = threshold;
        self
    }

    /// Epochs after a reduction in which none is counted.
    pub fn cooldown(mut self, epochs: usize) -> Self {
        self.cooldown = epochs;
        self
    }

    /// The rate falls no further than this; at least 0.
    pub fn floor(mut self, rate: f64) -> Self {
        self.floor = rate;
        self
    }

    /// More is better, whatever the metric says.
    pub fn maximize(self) -> Self {
        self.towards(Direction::Maximize)
    }

    /// Less is better, whatever the metric says.
    pub fn minimize(self) -> Self {
        self.towards(Direction::Minimize)
    }

    fn towards(self, direction: Direction) -> Self {
        Self { monitor: self.monitor.towards(direction), best: direction.worst(), ..self }
    }

    /// The learning rate after an epoch with this value, from the `rate` before: what a run does after each epoch, for
    /// loops of one's own. Without a run the direction is the one that was set, or what
    /// [`History::best`](crate::train::History::best) takes a name for that no run has reported.
    ///
    /// ```
    /// use axone::train::ReduceOnPlateau;
    ///
    /// let mut plateau = ReduceOnPlateau::new("loss").factor(0.5).patience(1);
    /// let mut rate = 0.1;
    /// for loss in [1.0, 0.8, 0.9, 0.9] {
    ///     rate = plateau.step(loss, rate);
    /// }
    /// assert_eq!(rate, 0.05);
    /// ```
    pub fn step(&mut self, value: f64, rate: f64) -> f64 {
        if !self.count(value) {
            return rate;
        }
        // Where a rate of f32 would be 0, training would go on without learning.
        let reduced = (rate * self.factor).max(self.floor).max(f64::from(f32::MIN_POSITIVE));
        if rate - reduced > LEAST_CHANGE { reduced } else { rate }
    }

    /// Counts an epoch; whether the rate is to fall after it.
    fn count(&mut self, value: f64) -> bool {
        let (best, direction) = (self.best, self.monitor.direction);
        let better = match self.threshold {
            // Before the first value there is no size.
            _ if best == direction.worst() => direction.beats(value, best, 0.0),
            // As PyTorch multiplies, for the same bits.
            Threshold::Relative(share) => match direction {
                Direction::Maximize => value > best * (1.0 + share.copysign(best)),
                Direction::Minimize => value < best * (1.0 - share.copysign(best)),
            },
            Threshold::Absolute(margin) => direction.beats(value, best, margin),
        };
        if better {
            (self.best, self.bad) = (value, 0);
        } else {
            self.bad += 1;
        }
        if self.cooling > 0 {
            (self.cooling, self.bad) = (self.cooling - 1, 0);
        }
        let falls = self.bad > self.patience;
        if falls {
            (self.cooling, self.bad) = (self.cooldown, 0);
        }
        falls
    }

    fn check(&self) -> Result<()> {
        if !(self.factor > 0.0 && self.factor < 1.0) {
            return Err(Error::value(NAME, "factor", "above 0 and below 1", self.factor));
        }
        let (Threshold::Relative(threshold) | Threshold::Absolute(threshold)) = self.threshold;
        for (name, value) in [("threshold", threshold), ("floor", self.floor)] {
            if !(value >= 0.0 && value.is_finite()) {
                return Err(Error::value(NAME, name, "at least 0 and finite", value));
            }
        }
        Ok(())
    }
}

impl Callback for ReduceOnPlateau {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.check()?;
        self.monitor.begin(NAME, run)?;
        (self.best, self.bad, self.cooling) = (self.monitor.direction.worst(), 0, 0);
        // The counters are what the epochs of a resumed run made of them; the rate is in its checkpoint.
        for epoch in &run.history().epochs {
            self.count(epoch.get(&self.monitor.name).unwrap_or(f64::NAN));
        }
        Ok(())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let (value, old) = (run.value(NAME, &self.monitor.name)?, run.learning_rate());
        let new = self.step(value, old);
        if new < old {
            run.set_learning_rate(new)?;
            run.note(&format!("learning rate {} (no better {})", number(new), self.monitor.name));
        }
        Ok(())
    }
}
