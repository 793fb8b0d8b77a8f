//! What a hyperparameter may be, and where its values stand between 0 and 1.
//!
//! Samplers work on the unit interval alone: a real number is its place on its (logarithmic) scale, a stepped number or
//! an integer owns a cell of it, and a choice is an index. So no sampler knows of ranges, logarithms or steps.

use super::Value;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Integers are placed with f64, which holds all of them up to here.
const LARGEST: i64 = 1 << 53;

/// The values of one hyperparameter.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Domain {
    /// A real number from `low` to `high`.
    Float {
        /// The least.
        low: f64,
        /// The largest.
        high: f64,
        /// Whether it is drawn on a logarithmic scale.
        log: bool,
        /// `low`, `low + step`, `low + 2 step`, … alone.
        step: Option<f64>,
    },
    /// A whole number from `low` to `high`.
    Int {
        /// The least.
        low: i64,
        /// The largest.
        high: i64,
        /// Whether it is drawn on a logarithmic scale.
        log: bool,
        /// `low`, `low + step`, `low + 2 step`, … alone.
        step: i64,
    },
    /// One of these, as their `Debug` text.
    Choice {
        /// The texts.
        options: Vec<String>,
    },
}

impl Domain {
    /// Refuses a domain without values, or with a scale it cannot have.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let place = format!("parameter \"{name}\"");
        let bad = |what, expected: &str, got: String| Err(Error::value(place.clone(), what, expected, got));
        match self {
            Domain::Float { low, high, log, step } => {
                if !(low.is_finite() && high.is_finite() && low <= high && (high - low).is_finite()) {
                    return bad("range", "from a finite number to one that is not below it", format!("{low}..={high}"));
                }
                if *log && *low <= 0.0 {
                    return bad("log", "of a range above 0", format!("{low}..={high}"));
                }
                match step {
                    Some(step) if *log => bad("step", "left out on a logarithmic scale", step.to_string()),
                    Some(step) if !(*step > 0.0 && step.is_finite()) => {
                        bad("step", "positive and finite", step.to_string())
                    }
                    Some(step) if (high - low) / step >= LARGEST as f64 => {
                        bad("step", "large enough to count the values", step.to_string())
                    }
                    _ => Ok(()),
                }
            }
            Domain::Int { low, high, log, step } => {
                if low > high {
                    return bad("range", "from an integer to one that is not below it", format!("{low}..={high}"));
                }
                if *low < -LARGEST || *high > LARGEST {
                    return bad("range", "within ±2^53", format!("{low}..={high}"));
                }
                if *log && *low < 1 {
                    return bad("log", "of a range above 0", format!("{low}..={high}"));
                }
                match step {
                    step if *step < 1 => bad("step", "at least 1", step.to_string()),
                    step if *log && *step > 1 => bad("step", "left out on a logarithmic scale", step.to_string()),
                    _ => Ok(()),
                }
            }
            Domain::Choice { options } => {
                if options.is_empty() {
                    return bad("options", "at least one", "none".to_owned());
                }
                let repeated = (options.iter().enumerate()).find(|(i, option)| options[..*i].contains(option));
                repeated.map_or(Ok(()), |(_, option)| {
                    bad("options", "different from each other", format!("{option} twice"))
                })
            }
        }
    }

    /// How many values there are; `None` where it is any real number of a range.
    pub(super) fn count(&self) -> Option<u64> {
        match self {
            Domain::Float { low, high, step, .. } => {
                // A range that is a whole number of steps has its end, whatever the division loses.
                step.map(|step| ((high - low) / step * (1.0 + 1e-12) + 1e-9).floor() as u64 + 1)
            }
            Domain::Int { low, high, step, .. } => Some(high.abs_diff(*low) / step.unsigned_abs() + 1),
            Domain::Choice { options } => Some(options.len() as u64),
        }
    }

    /// The ends of the scale on which the unit interval lies: those of the range, or half a step beyond.
    fn ends(&self) -> (f64, f64) {
        match self {
            Domain::Float { low, high, log: true, .. } => (libm::log(*low), libm::log(*high)),
            Domain::Float { low, high, log: false, step: None } => (*low, *high),
            Domain::Float { low, step: Some(step), .. } => {
                let last = self.count().unwrap_or(1) - 1;
                (low - step / 2.0, low + (last as f64 + 0.5) * step)
            }
            Domain::Int { low, high, log: true, .. } => (libm::log(*low as f64 - 0.5), libm::log(*high as f64 + 0.5)),
            Domain::Int { low, step, .. } => {
                let (low, step, last) = (*low as f64, *step as f64, self.count().unwrap_or(1) - 1);
                (low - step / 2.0, low + (last as f64 + 0.5) * step)
            }
            Domain::Choice { options } => (0.0, options.len() as f64),
        }
    }

    fn is_log(&self) -> bool {
        matches!(self, Domain::Float { log: true, .. } | Domain::Int { log: true, .. })
    }

    /// Where a number stands, from 0 to 1. A range of one value stands in the middle.
    fn place(&self, number: f64) -> f64 {
        let (low, high) = self.ends();
        let at = if self.is_log() { libm::log(number) } else { number };
        if low < high { ((at - low) / (high - low)).clamp(0.0, 1.0) } else { 0.5 }
    }

    /// The value that stands at `unit`, from 0 to 1.
    pub(super) fn value(&self, unit: f64) -> Value {
        let (from, to) = self.ends();
        let at = from + unit * (to - from);
        match self {
            Domain::Float { low, high, step: Some(step), .. } => {
                let last = self.count().unwrap_or(1) - 1;
                let index = ((unit * (last + 1) as f64).floor() as u64).min(last);
                // 3 · 0.1 is above 0.3.
                Value::Float((low + index as f64 * step).min(*high))
            }
            Domain::Float { low, high, log, .. } => {
                let number = if *log { libm::exp(at) } else { at };
                Value::Float(number.clamp(*low, *high))
            }
            Domain::Int { low, high, log: true, .. } => Value::Int((libm::exp(at).round() as i64).clamp(*low, *high)),
            Domain::Int { low, step, .. } => {
                let last = self.count().unwrap_or(1) - 1;
                let index = ((unit * (last + 1) as f64).floor() as u64).min(last);
                Value::Int(low + index as i64 * step)
            }
            Domain::Choice { options } => self.option((at as usize).min(options.len() - 1)),
        }
    }

    /// What a density drew: a place on the unit interval, or the number of an option.
    pub(super) fn at(&self, drawn: f64) -> Value {
        match self {
            Domain::Choice { .. } => self.option(drawn as usize),
            _ => self.value(drawn),
        }
    }

    /// The option of that number.
    pub(super) fn option(&self, index: usize) -> Value {
        match self {
            Domain::Choice { options } => Value::Choice(index, options.get(index).cloned().unwrap_or_default()),
            _ => Value::Choice(index, String::new()),
        }
    }

    /// Where a value of this domain stands: its index, its cell, or its place on the scale.
    pub(super) fn point(&self, value: &Value) -> Point {
        match (self, value) {
            (_, Value::Choice(index, _)) => Point::Option(*index),
            (Domain::Float { step: None, .. }, Value::Float(number)) => Point::At(self.place(*number)),
            (Domain::Float { step: Some(step), .. }, Value::Float(number)) => self.cell(*number, step / 2.0),
            (Domain::Int { step, .. }, Value::Int(number)) => self.cell(*number as f64, *step as f64 / 2.0),
            (_, Value::Float(number)) => Point::At(self.place(*number)),
            (_, Value::Int(number)) => Point::At(self.place(*number as f64)),
        }
    }

    fn cell(&self, number: f64, half: f64) -> Point {
        Point::Cell(self.place(number - half), self.place(number), self.place(number + half))
    }

    /// Whether `value` is one of this domain.
    pub(super) fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (Domain::Float { low, high, step, .. }, Value::Float(number)) => {
                let steps = step.map_or(0.0, |step| (number - low) / step);
                (low..=high).contains(&number) && (steps - steps.round()).abs() < 1e-6
            }
            (Domain::Int { low, high, step, .. }, Value::Int(number)) => {
                (low..=high).contains(&number) && (number - low) % step == 0
            }
            (Domain::Choice { options }, Value::Choice(index, text)) => options.get(*index) == Some(text),
            _ => false,
        }
    }
}

/// A value as samplers see it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Point {
    /// A place between 0 and 1.
    At(f64),
    /// From, place, and to, of a value that owns a cell.
    Cell(f64, f64, f64),
    /// An index.
    Option(usize),
}

impl Point {
    /// One number for all kinds: the place, or the index.
    pub(super) fn number(self) -> f64 {
        match self {
            Point::At(at) | Point::Cell(_, at, _) => at,
            Point::Option(index) => index as f64,
        }
    }
}

/// As it is asked for: `1e-4..=0.1, log`.
impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Domain::Float { low, high, step, .. } => {
                write!(f, "{low:?}..={high:?}")?;
                step.map_or(Ok(()), |step| write!(f, ", step {step:?}"))?;
            }
            Domain::Int { low, high, step, .. } => {
                write!(f, "{low}..={high}")?;
                if *step > 1 {
                    write!(f, ", step {step}")?;
                }
            }
            Domain::Choice { options } => return write!(f, "one of {}", options.join(", ")),
        }
        if self.is_log() { f.write_str(", log") } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn int(low: i64, high: i64, log: bool, step: i64) -> Domain {
        Domain::Int { low, high, log, step }
    }

    /// The value at the middle of each of n equal parts of the unit interval, and where that value stands.
    #[test]
    fn cells_share_out_the_unit_interval() {
        let domain = int(10, 30, false, 10);
        assert_eq!(domain.count(), Some(3));
        for (unit, want) in [(0.0, 10), (0.3, 10), (0.34, 20), (0.66, 20), (0.67, 30), (1.0, 30)] {
            assert_eq!(domain.value(unit), Value::Int(want), "{unit}");
        }
        assert_eq!(domain.point(&Value::Int(20)), Point::Cell(1.0 / 3.0, 0.5, 2.0 / 3.0));
        // A last step that the range does not hold is left out.
        assert_eq!(int(1, 10, false, 4).count(), Some(3));
        assert_eq!(int(1, 10, false, 4).value(0.99), Value::Int(9));
    }

    #[test]
    fn a_logarithm_gives_each_factor_the_same_room() {
        let domain = Domain::Float { low: 1e-4, high: 1.0, log: true, step: None };
        let Value::Float(middle) = domain.value(0.5) else { panic!("no float") };
        assert!((middle - 1e-2).abs() < 1e-15, "{middle}");
        // The way through the logarithm rounds, and never beyond the ends.
        let Value::Float(least) = domain.value(0.0) else { panic!("no float") };
        assert!((1e-4..1e-4 * (1.0 + 1e-14)).contains(&least), "{least}");
        assert_eq!(domain.value(1.0), Value::Float(1.0));
        // ln(1.5 / 0.5) of ln(100.5 / 0.5): the cell of 1.
        let Point::Cell(from, _, to) = int(1, 100, true, 1).point(&Value::Int(1)) else { panic!("no cell") };
        assert_eq!(from, 0.0);
        assert!((to - 3f64.ln() / 201f64.ln()).abs() < 1e-15);
    }

    #[test]
    fn floating_point_steps_reach_the_end() {
        let domain = Domain::Float { low: 0.0, high: 0.3, log: false, step: Some(0.1) };
        assert_eq!(domain.count(), Some(4));
        let Value::Float(last) = domain.value(1.0) else { panic!("no float") };
        assert!((last - 0.3).abs() < 1e-15);
        assert!(domain.holds(&Value::Float(0.2)) && !domain.holds(&Value::Float(0.25)));
    }
}
