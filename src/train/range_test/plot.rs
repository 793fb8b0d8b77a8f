//! The curve of a range test as an SVG picture.

use crate::train::range_test::RangeCurve;
use crate::train::report::axis::{Axis, drawable};
use crate::{Error, Result};
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (640, 420);
const SMOOTHED: RGBColor = RGBColor(0, 114, 178);
const SUGGESTED: RGBColor = RGBColor(213, 94, 0);
const LOSS: RGBColor = RGBColor(170, 170, 170);
const TEXT: RGBColor = RGBColor(40, 40, 40);

impl RangeCurve {
    /// Writes the curve as an SVG picture: the loss of each step, its moving average, and the point of steepest
    /// descent, against the logarithm of the learning rate. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a curve without points; [`Error::File`] where the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, svg) = (path.as_ref(), self.svg("RangeCurve::write_svg")?);
        std::fs::write(path, svg).map_err(|error| Error::file(path, error))
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
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|problem| Error::Internal(format!("drawing a range test: {problem}")))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> std::result::Result<(), String> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(text)?;
        let curve = |value: fn(&crate::train::RangePoint) -> f64| -> Vec<(f64, f64)> {
            let points = self.points.iter().map(|point| (point.learning_rate.log10(), value(point)));
            points.filter(|(rate, value)| drawable(*rate) && drawable(*value)).collect()
        };
        let (losses, smoothed) = (curve(|point| point.loss), curve(|point| point.smoothed));
        let x = Axis::of_values(losses.iter().map(|(rate, _)| *rate));
        let y = Axis::of_values(losses.iter().chain(&smoothed).map(|(_, value)| *value));
        let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        let mut chart = ChartBuilder::on(&root)
            .caption("learning rate range test", font(20))
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(76)
            .build_cartesian_2d(x, y)
            .map_err(text)?;
        let mut mesh = chart.configure_mesh();
        mesh.disable_x_mesh().light_line_style(TRANSPARENT).axis_style(TEXT).label_style(font(14));
        mesh.x_desc("log10 of the learning rate").y_desc("loss").axis_desc_style(font(15)).draw().map_err(text)?;
        chart.draw_series(LineSeries::new(losses, LOSS.stroke_width(1))).map_err(text)?;
        chart.draw_series(LineSeries::new(smoothed, SMOOTHED.stroke_width(2))).map_err(text)?;
        let suggested = self.steepest().and_then(|rate| self.points.iter().find(|point| point.learning_rate == rate));
        if let Some(point) = suggested.map(|point| (point.learning_rate.log10(), point.smoothed)) {
            chart.draw_series([Circle::new(point, 5, SUGGESTED.filled())]).map_err(text)?;
            let label = format!("steepest at {:.1e}", 10f64.powf(point.0));
            // Above and to the right of its point, clear of the curve that falls away from it.
            let mark = EmptyElement::at(point) + Text::new(label, (6, -26), font(14).color(&SUGGESTED));
            chart.draw_series([mark]).map_err(text)?;
        }
        root.present().map_err(text)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
