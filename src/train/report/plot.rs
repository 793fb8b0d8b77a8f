//! The curves of a history as an SVG picture: losses on the left, the first metric on the right.
//!
//! Training is a blue solid line, validation an orange dashed one: the pair stays apart for colour-blind
//! readers (M. Okabe, K. Ito, "Color Universal Design", 2008) and in print. A NaN or an infinity is a gap.

use crate::train::report::History;
use crate::train::report::axis::{Axis, drawable};
use crate::{Error, Result};
use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::*;
use std::path::Path;

const SIZE: (u32, u32) = (1040, 420);
const TRAINING: RGBColor = RGBColor(0, 114, 178);
const VALIDATION: RGBColor = RGBColor(213, 94, 0);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// Up to this many epochs each point is marked.
const MARKED: usize = 30;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
/// Epoch and value.
type Point = (f64, f64);

impl History {
    /// Writes the curves as an SVG picture of two panels: `loss` with `val_loss`, and the first metric with its
    /// validation curve. Without a metric the losses take the whole width. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a history without values; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::train::{Epoch, History};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-{}.svg", std::process::id()));
    /// let values = vec![("loss".into(), 0.5), ("accuracy".into(), 0.9)];
    /// let epochs = vec![Epoch { epoch: 1, seconds: 0.8, learning_rate: 0.01, values }];
    /// let history = History { epochs, ..History::default() };
    /// history.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, svg) = (path.as_ref(), self.svg("History::write_svg")?);
        std::fs::write(path, svg).map_err(|error| Error::file(path, error))
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] for a history without values.
    pub fn to_svg(&self) -> Result<String> {
        self.svg("History::to_svg")
    }

    /// The picture; `call` is what the program called.
    fn svg(&self, call: &str) -> Result<String> {
        let (names, mut panels) = (self.names(), Vec::new());
        // An output may be called `val_…` by its user: a validation value has its training value beside it.
        let known = names.clone();
        let is_training =
            |name: &&str| !name.strip_prefix("val_").is_some_and(|own| own == "loss" || known.contains(&own));
        if names.iter().any(|name| matches!(*name, "loss" | "val_loss")) {
            panels.push("loss");
        }
        panels.extend(names.into_iter().filter(is_training).find(|&name| name != "loss"));
        if panels.is_empty() {
            return Err(Error::data(call, "no epoch has a value to draw"));
        }
        let mut svg = String::new();
        self.draw(&mut svg, &panels).map_err(|problem| Error::Internal(format!("drawing a history: {problem}")))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String, panels: &[&str]) -> Result<(), String> {
        let root = SVGBackend::with_string(svg, SIZE).into_drawing_area();
        root.fill(&WHITE).map_err(text)?;
        for (area, name) in root.split_evenly((1, panels.len())).iter().zip(panels) {
            self.draw_panel(area, name)?;
        }
        root.present().map_err(text)
    }

    fn draw_panel(&self, area: &Area<'_>, name: &str) -> Result<(), String> {
        let epochs: Vec<f64> = self.epochs.iter().map(|epoch| epoch.epoch as f64).collect();
        let (training, validation) = (self.get(name), self.get(&format!("val_{name}")));
        let x = Axis::of_epochs(epochs.iter().copied());
        let y = Axis::of_values(training.iter().chain(&validation).copied());
        let points = |values: Vec<f64>| -> Vec<Point> { epochs.iter().copied().zip(values).collect() };
        let curves = [("training", points(training), TRAINING), ("validation", points(validation), VALIDATION)];
        let points = curves.iter().flat_map(|(_, points, _)| points);
        let corner = emptiest_corner(points.map(|point| (x.position(point.0), y.position(point.1))));

        let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        let title = name.replace('_', " ");
        let mut chart = ChartBuilder::on(area)
            .caption(&title, font(20))
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(76)
            .build_cartesian_2d(x, y)
            .map_err(text)?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(TEXT)
            .x_desc("epoch")
            .y_desc(&title)
            .label_style(font(14))
            .axis_desc_style(font(15))
            .draw()
            .map_err(text)?;

        for (name, points, color) in curves.iter().filter(|(_, points, _)| !points.is_empty()) {
            let (style, dashed) = (ShapeStyle::from(color).stroke_width(2), *name == "validation");
            for piece in points.split(|(_, value)| !drawable(*value)) {
                let piece = piece.iter().copied();
                if dashed {
                    chart.draw_series(DashedLineSeries::new(piece.clone(), 7, 4, style)).map_err(text)?;
                } else {
                    chart.draw_series(LineSeries::new(piece.clone(), style)).map_err(text)?;
                }
                // A line through one point is invisible.
                if points.len() <= MARKED || piece.len() == 1 {
                    chart.draw_series(piece.map(|point| Circle::new(point, 3, color.filled()))).map_err(text)?;
                }
            }
            let legend = chart.draw_series(std::iter::empty::<Circle<Point, i32>>()).map_err(text)?.label(*name);
            if dashed {
                legend.legend(move |(x, y)| DashedPathElement::new([(x, y), (x + 29, y)], 7, 4, style));
            } else {
                legend.legend(move |(x, y)| PathElement::new([(x, y), (x + 29, y)], style));
            }
        }
        chart
            .configure_series_labels()
            .position(corner)
            .legend_area_size(36)
            .margin(8)
            .background_style(WHITE.mix(0.85))
            .border_style(GRID)
            .label_font(font(14))
            .draw()
            .map_err(text)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Where the legend hides the fewest points.
fn emptiest_corner(positions: impl Iterator<Item = (f64, f64)> + Clone) -> SeriesLabelPosition {
    let corners = [
        (true, true, SeriesLabelPosition::UpperRight),
        (true, false, SeriesLabelPosition::LowerRight),
        (false, true, SeriesLabelPosition::UpperLeft),
        (false, false, SeriesLabelPosition::LowerLeft),
    ];
    let hidden = |right: bool, upper: bool| {
        let within =
            |&(x, y): &(f64, f64)| (if right { x > 0.6 } else { x < 0.4 }) && (if upper { y > 0.7 } else { y < 0.3 });
        positions.clone().filter(within).count()
    };
    let emptiest = corners.into_iter().min_by_key(|(right, upper, _)| hidden(*right, *upper));
    emptiest.map_or(SeriesLabelPosition::UpperRight, |(.., corner)| corner)
}
