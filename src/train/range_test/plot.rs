//! The curve of a range test as an SVG picture.

use crate::plot::palette::{BLUE, GREY, ORANGE};
use crate::plot::{Chart, drawable, save};
use crate::train::range_test::RangeCurve;
use crate::{Error, Result};
use std::path::Path;

impl RangeCurve {
    /// Writes the curve as an SVG picture: the loss of each step, its moving average, and the point of steepest
    /// descent, against the logarithm of the learning rate. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a curve without points; [`Error::File`] where the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.svg("RangeCurve::write_svg")?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] for a curve without points.
    pub fn to_svg(&self) -> Result<String> {
        self.svg("RangeCurve::to_svg")
    }

    /// The picture; `call` is what the program called.
    fn svg(&self, call: &str) -> Result<String> {
        if self.points.is_empty() {
            return Err(Error::data(call, "no step has a finite loss to draw"));
        }
        let curve = |value: fn(&crate::train::RangePoint) -> f64| -> Vec<(f64, f64)> {
            let points = self.points.iter().map(|point| (point.learning_rate.log10(), value(point)));
            points.filter(|(rate, value)| drawable(*rate) && drawable(*value)).collect()
        };
        let mut chart = Chart::new("learning rate range test")
            .x_label("log10 of the learning rate")
            .y_label("loss")
            .curve("loss of a step", curve(|point| point.loss), GREY, false)
            .curve("smoothed", curve(|point| point.smoothed), BLUE, false);
        let suggested = self.steepest().and_then(|rate| self.points.iter().find(|point| point.learning_rate == rate));
        if let Some(at) = suggested.map(|point| (point.learning_rate.log10(), point.smoothed)) {
            // Above and to the right of its point, clear of the curve that falls away from it.
            chart = chart.marks("", [at], ORANGE, 0).words(format!("steepest at {:.1e}", 10f64.powf(at.0)), at);
        }
        chart.to_svg()
    }
}
