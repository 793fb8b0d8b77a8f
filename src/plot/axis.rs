//! The range of an axis, and where its labels stand.
//!
//! Labels stand at whole multiples of 1, 2 or 5 times a power of ten. The range is at least a billionth of its
//! largest value, so that f64 still holds those multiples apart and neither a constant nor a tiny change
//! divides by zero. A logarithmic axis has its labels at powers of ten, and between them where there are few. The
//! drawing library asks for pixels and labels, and computes with no value itself.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};
use std::ops::Range;

/// Values beyond are drawn as gaps; ranges of them would overflow.
const LARGEST: f64 = 1e300;

/// Whether a value has a place on an axis.
pub(crate) fn drawable(value: f64) -> bool {
    value.abs() < LARGEST
}

/// A range with its labels; of a logarithmic one `low`, `high` and `step` are powers of ten.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Axis {
    low: f64,
    high: f64,
    step: f64,
    /// Of a logarithmic axis: what stands between two powers of ten, from the lower one on.
    between: Option<&'static [f64]>,
}

impl Axis {
    /// For values of any kind, with a little room at both ends.
    pub(crate) fn of_values(values: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extremes(values).unwrap_or((0.0, 1.0));
        let size = low.abs().max(high.abs());
        let least = if size < 1e-290 { 1.0 } else { size * 1e-9 };
        let room = if low == high && size >= 1e-290 { size * 0.1 } else { ((high - low) * 0.06).max(least) };
        let (low, high) = (low - room, high + room);
        Self::of_range(low, high)
    }

    /// From `low` to `high`, which is more.
    pub(crate) fn of_range(low: f64, high: f64) -> Self {
        Self { low, high, step: round_step((high - low) / 10.0), between: None }
    }

    /// For positive values by their powers of ten; others have no place.
    pub(crate) fn of_logs(values: impl Iterator<Item = f64>) -> Self {
        let powers = Self::of_values(values.filter(|value| *value > 0.0).map(f64::log10));
        Self { between: Some(&[]), ..powers }.with_at_most(8.0)
    }

    /// For the numbers of epochs, labelled at whole numbers only; the room leaves epoch 0 out.
    pub(crate) fn of_epochs(epochs: impl Iterator<Item = f64>) -> Self {
        let (low, high) = extremes(epochs).unwrap_or((1.0, 1.0));
        let room = if low == high { 0.5 } else { ((high - low) * 0.03).min(0.9) };
        Self { low: low - room, high: high + room, step: round_step((high - low) / 10.0).max(1.0), between: None }
    }

    /// For the numbers of `count` options, from 0 on, each in the middle of its share.
    #[cfg(feature = "search")]
    pub(crate) fn of_options(count: usize) -> Self {
        Self { low: -0.5, high: count as f64 - 0.5, step: round_step(count as f64 / 10.0).max(1.0), between: None }
    }

    /// With no more labels than stand `count` times side by side.
    pub(crate) fn with_at_most(self, count: f64) -> Self {
        let range = self.high - self.low;
        if self.between.is_none() {
            return Self { step: round_step(range / count).max(self.step), ..self };
        }
        let choices: [&[f64]; 3] = [&[1.0, 2.0, 5.0], &[1.0, 3.0], &[1.0]];
        let fits = choices.into_iter().find(|between| range * between.len() as f64 <= count);
        Self { step: (range / count).ceil(), between: fits.or(Some(&[1.0])), ..self }
    }

    /// Where a value stands, from 0 to 1.
    pub(crate) fn position(&self, value: f64) -> f64 {
        ((if self.between.is_some() { value.log10() } else { value }) - self.low) / (self.high - self.low)
    }

    /// Whether a value has a place on this axis.
    pub(crate) fn holds(&self, value: f64) -> bool {
        drawable(value) && (self.between.is_none() || value > 0.0)
    }

    /// The values that are labelled.
    fn ticks(&self) -> Vec<f64> {
        if let Some(between) = self.between {
            let (first, last) = (self.low.floor() as i32, self.high.ceil() as i32);
            let powers = (first..=last).filter(|power| power.rem_euclid((self.step as i32).max(1)) == 0);
            let ticks = powers.flat_map(|power| between.iter().map(move |factor| factor * 10f64.powi(power)));
            return ticks.filter(|tick| (0.0..=1.0).contains(&self.position(*tick))).collect();
        }
        let (first, last) = ((self.low / self.step).ceil(), (self.high / self.step).floor());
        let count = (last - first + 1.0).clamp(0.0, 20.0) as u32;
        (0..count).map(|index| (first + f64::from(index)) * self.step).collect()
    }

    /// The label of a tick: as many digits as tell neighbours apart, and one power of ten for all.
    fn label(&self, tick: f64) -> String {
        if self.between.is_some() {
            let power = power(tick);
            return match power {
                -4..=5 => format!("{tick:.*}", (-power).max(0) as usize),
                _ => format!("{:.0}e{power}", tick / 10f64.powi(power)),
            };
        }
        let size = self.low.abs().max(self.high.abs());
        let step_power = power(self.step);
        if !(1e-3..1e6).contains(&size) {
            if tick == 0.0 {
                return "0".into();
            }
            let shared = power(size);
            let (digits, mantissa) = ((shared - step_power).clamp(0, 15) as usize, tick / 10f64.powi(shared));
            return format!("{mantissa:.digits$}e{shared}");
        }
        let decimals = (-step_power).clamp(0, 15) as usize;
        format!("{tick:.decimals$}")
    }
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        first + (f64::from(last - first) * self.position(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks()
    }

    fn range(&self) -> Range<f64> {
        if self.between.is_some() { 10f64.powf(self.low)..10f64.powf(self.high) } else { self.low..self.high }
    }
}

impl ValueFormatter<f64> for Axis {
    fn format_ext(&self, tick: &f64) -> String {
        self.label(*tick)
    }
}

fn extremes(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    let values = values.filter(|value| drawable(*value)).map(|value| (value, value));
    values.reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// The power of ten at or below a positive number, with room for rounding.
fn power(value: f64) -> i32 {
    (value * (1.0 + 1e-9)).log10().floor() as i32
}

/// The least of 1, 2, 5, 10 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    if step <= 0.0 {
        return 1.0;
    }
    let base = 10f64.powi(power(step));
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * base >= step * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * base
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(values: &[f64]) -> Vec<String> {
        let axis = Axis::of_values(values.iter().copied());
        axis.ticks().into_iter().map(|tick| axis.label(tick)).collect()
    }

    #[test]
    fn labels_are_round() {
        assert_eq!(labels(&[0.0, 1.0]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&[0.9, 0.95]), ["0.90", "0.91", "0.92", "0.93", "0.94", "0.95"]);
        assert_eq!(labels(&[0.0, 5e-5]), ["0", "1e-5", "2e-5", "3e-5", "4e-5", "5e-5"]);
        assert_eq!(labels(&[0.0, 1.2e7]), ["0", "0.2e7", "0.4e7", "0.6e7", "0.8e7", "1.0e7", "1.2e7"]);
        assert_eq!(labels(&[]), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        let epochs = Axis::of_epochs([1.0, 2.0, 3.0].into_iter());
        let epochs: Vec<_> = epochs.ticks().into_iter().map(|tick| epochs.label(tick)).collect();
        assert_eq!(epochs, ["1", "2", "3"]);
        assert_eq!(Axis::of_epochs([1.0, 300.0].into_iter()).ticks(), [50.0, 100.0, 150.0, 200.0, 250.0, 300.0]);
    }

    #[test]
    fn logarithmic_labels_are_powers_of_ten() {
        let labels = |values: &[f64]| -> Vec<String> {
            let axis = Axis::of_logs(values.iter().copied());
            axis.ticks().into_iter().map(|tick| axis.label(tick)).collect()
        };
        assert_eq!(labels(&[0.0004, 20.0]), ["0.001", "0.01", "0.1", "1", "10"]);
        assert_eq!(labels(&[0.4, 8.0]), ["0.5", "1", "2", "5"]);
        assert_eq!(labels(&[0.02, 20.0]), ["0.03", "0.1", "0.3", "1", "3", "10", "30"]);
        assert_eq!(labels(&[1e-30, 1.0]).len(), 7);
        assert_eq!(labels(&[1e-8, 1e-4, -1.0, 0.0]), ["1e-8", "1e-7", "1e-6", "1e-5", "0.0001"]);
        assert!(!Axis::of_logs([1.0].into_iter()).holds(0.0));
    }

    #[test]
    fn every_range_has_distinct_labels() {
        let tiny = [1.0, 1.0 + f64::EPSILON];
        for values in
            [&[0.5][..], &[0.0], &tiny, &[1e-300, 2e-300], &[-9e299, 9e299], &[1e20], &[-3.0, -2.9], &[f64::NAN]]
        {
            let labels = labels(values);
            assert!((2..=12).contains(&labels.len()), "{values:?}: {labels:?}");
            let distinct: std::collections::BTreeSet<_> = labels.iter().collect();
            assert_eq!(distinct.len(), labels.len(), "{values:?}: {labels:?}");
            let axis = Axis::of_values(values.iter().copied());
            let inside = |value: &f64| (0.0..=1.0).contains(&axis.position(*value));
            assert!(values.iter().filter(|value| drawable(**value)).all(inside), "{values:?}");
        }
    }
}
