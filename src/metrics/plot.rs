//! Confusion matrices and ROC curves as SVG pictures.
//!
//! Colours as in learning curves: blue for what was measured, a grey dashed line for chance.

use super::confusion::shown;
use super::{ConfusionMatrix, RocCurve};
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

const BLUE: RGBColor = RGBColor(0, 114, 178);
const TEXT: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(228, 228, 228);
/// A cell of a matrix, and the room for its labels and titles.
const CELL: u32 = 56;
const ROOM: u32 = 110;
/// More classes than this would be a picture that no screen shows.
const MOST: usize = 64;

impl ConfusionMatrix {
    /// Draws it: rows are true classes, columns predicted ones, each cell its count on a shade of blue for its share of
    /// the row. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Value`] for more than 64 classes; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::metrics::ConfusionMatrix;
    /// # let path = std::env::temp_dir().join(format!("axone-doc-confusion-{}.svg", std::process::id()));
    /// ConfusionMatrix::new(&[0, 0, 1], &[0, 1, 1], None)?.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, svg) = (path.as_ref(), self.to_svg()?);
        std::fs::write(path, svg).map_err(|error| Error::file(path, error))
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Value`] for more than 64 classes.
    pub fn to_svg(&self) -> Result<String> {
        if self.classes() > MOST {
            return Err(Error::value("confusion_matrix", "classes", format!("at most {MOST} to draw"), self.classes()));
        }
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|problem| Error::Internal(format!("drawing a confusion matrix: {problem}")))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), String> {
        let classes = self.classes();
        let side = ROOM + CELL * classes as u32 + 20;
        let root = SVGBackend::with_string(svg, (side, side)).into_drawing_area();
        root.fill(&WHITE).map_err(text)?;
        let centre = |class: usize| (ROOM + CELL * class as u32 + CELL / 2) as i32;
        let write = |words: &str, x: i32, y: i32, size: i32, color: RGBColor, anchor: HPos| {
            let style = ("sans-serif", size).into_font().color(&color).pos(Pos::new(anchor, VPos::Center));
            root.draw(&Text::new(words.to_owned(), (x, y), style)).map_err(text)
        };
        let middle = (ROOM + CELL * classes as u32 / 2) as i32;
        write("predicted", middle, 24, 17, TEXT, HPos::Center)?;
        write("truth", 14, middle, 17, TEXT, HPos::Left)?;
        for (class, label) in self.labels().iter().enumerate() {
            write(label, centre(class), ROOM as i32 - 16, 14, TEXT, HPos::Center)?;
            write(label, ROOM as i32 - 10, centre(class), 14, TEXT, HPos::Right)?;
        }
        for (truth, predicted) in (0..classes).flat_map(|truth| (0..classes).map(move |column| (truth, column))) {
            let (x, y, half) = (centre(predicted), centre(truth), CELL as i32 / 2);
            let share = self.share(truth, predicted);
            let place = [(x - half + 1, y - half + 1), (x + half - 1, y + half - 1)];
            root.draw(&Rectangle::new(place, shade(share).filled())).map_err(text)?;
            let color = if share > 0.5 { WHITE } else { TEXT };
            write(&shown(self.count(truth, predicted)), x, y, 15, color, HPos::Center)?;
        }
        root.present().map_err(text)
    }
}

/// From nearly white to blue.
fn shade(share: f64) -> RGBColor {
    let mix = |from: u8, to: u8| (f64::from(from) + (f64::from(to) - f64::from(from)) * share.clamp(0.0, 1.0)) as u8;
    RGBColor(mix(243, BLUE.0), mix(246, BLUE.1), mix(249, BLUE.2))
}

impl RocCurve {
    /// Draws it, with its area in the title and the diagonal of chance. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] where all rows are of one class; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("axone-doc-roc-{}.svg", std::process::id()));
    /// axone::metrics::roc_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.5], None)?.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, svg) = (path.as_ref(), self.to_svg()?);
        std::fs::write(path, svg).map_err(|error| Error::file(path, error))
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] where all rows are of one class.
    pub fn to_svg(&self) -> Result<String> {
        if self.auc().is_nan() {
            return Err(Error::data("roc", "all rows are of one class: there is no curve"));
        }
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|problem| Error::Internal(format!("drawing a ROC curve: {problem}")))?;
        Ok(svg)
    }

    fn draw(&self, svg: &mut String) -> Result<(), String> {
        let font = |size: i32| ("sans-serif", size).into_font().color(&TEXT);
        let root = SVGBackend::with_string(svg, (520, 520)).into_drawing_area();
        root.fill(&WHITE).map_err(text)?;
        let mut chart = ChartBuilder::on(&root)
            .caption(format!("AUC {:.4}", self.auc()), font(20))
            .margin(14)
            .x_label_area_size(46)
            .y_label_area_size(58)
            .build_cartesian_2d(0.0..1.0, 0.0..1.0)
            .map_err(text)?;
        chart
            .configure_mesh()
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(TEXT)
            .x_labels(6)
            .y_labels(6)
            .x_desc("false positive rate")
            .y_desc("true positive rate")
            .label_style(font(14))
            .axis_desc_style(font(15))
            .draw()
            .map_err(text)?;
        let chance = ShapeStyle::from(&RGBColor(150, 150, 150)).stroke_width(1);
        chart.draw_series(DashedLineSeries::new([(0.0, 0.0), (1.0, 1.0)], 7, 4, chance)).map_err(text)?;
        let points = self.points().iter().map(|point| (point.false_positive_rate, point.true_positive_rate));
        chart.draw_series(LineSeries::new(points, ShapeStyle::from(&BLUE).stroke_width(2))).map_err(text)?;
        root.present().map_err(text)
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
