//! Confusion matrices and curves as SVG pictures.
//!
//! Blue is what was measured, grey what guessing would give.

use super::confusion::shown;
use super::{CalibrationCurve, ConfusionMatrix, PrecisionRecallCurve, Residuals, RocCurve, r2, rmse};
use crate::plot::palette::{BLUE, ON_DARK, ON_PALE, TEXT, mixed};
use crate::plot::{Area, Chart, Interval, Page, font, picture, save, text};
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// A cell of a matrix, and the room for its labels and titles.
const CELL: u32 = 56;
const ROOM: u32 = 110;
const TOP: u32 = 72;
/// About the width of a letter, and of how many of a name there is room.
const LETTER: u32 = 8;
const MOST_LETTERS: u32 = 24;
/// More classes than this would be a picture that no screen shows.
const MOST: usize = 64;
/// A cell of no row.
const PALE: RGBColor = RGBColor(243, 246, 249);
/// The sides of a curve.
const SIDE: u32 = 520;

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
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Value`] for more than 64 classes.
    pub fn to_svg(&self) -> Result<String> {
        if self.classes() > MOST {
            return Err(Error::value("confusion_matrix", "classes", format!("at most {MOST} to draw"), self.classes()));
        }
        let (left, wide) = self.widths();
        let classes = self.classes() as u32;
        let size = (left + wide * classes + 20, TOP + CELL * classes + 20);
        picture("a confusion matrix", size, |root| self.draw(root))
    }

    /// Room for the names on the left, and of a column, which its name must not leave.
    fn widths(&self) -> (u32, u32) {
        let longest = self.labels().iter().map(|label| label.chars().count()).max().unwrap_or(0) as u32;
        let name = LETTER * longest.min(MOST_LETTERS);
        (ROOM.max(60 + name), CELL.max(8 + name))
    }

    fn draw(&self, root: &Area<'_>) -> Result<(), String> {
        let classes = self.classes();
        let (left, wide) = self.widths();
        let column = |class: usize| (left + wide * class as u32 + wide / 2) as i32;
        let row = |class: usize| (TOP + CELL * class as u32 + CELL / 2) as i32;
        let write = |words: &str, x: i32, y: i32, size: i32, color: RGBColor, anchor: HPos| {
            let style = font(size).color(&color).pos(Pos::new(anchor, VPos::Center));
            root.draw(&Text::new(words.to_owned(), (x, y), style)).map_err(text)
        };
        let middle = |from: u32, cell: u32| (from + cell * classes as u32 / 2) as i32;
        write("predicted", middle(left, wide), 22, 17, TEXT, HPos::Center)?;
        write("truth", 14, middle(TOP, CELL), 17, TEXT, HPos::Left)?;
        for (class, label) in self.labels().iter().enumerate() {
            write(label, column(class), TOP as i32 - 16, 14, TEXT, HPos::Center)?;
            write(label, left as i32 - 10, row(class), 14, TEXT, HPos::Right)?;
        }
        for (truth, predicted) in (0..classes).flat_map(|truth| (0..classes).map(move |column| (truth, column))) {
            let (x, y, across, half) = (column(predicted), row(truth), wide as i32 / 2, CELL as i32 / 2);
            let share = self.share(truth, predicted);
            let place = [(x - across + 1, y - half + 1), (x + across - 1, y + half - 1)];
            root.draw(&Rectangle::new(place, mixed(PALE, BLUE, share).filled())).map_err(text)?;
            let color = if share > 0.5 { ON_DARK } else { ON_PALE };
            write(&shown(self.count(truth, predicted)), x, y, 15, color, HPos::Center)?;
        }
        Ok(())
    }
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
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] where all rows are of one class.
    pub fn to_svg(&self) -> Result<String> {
        if self.auc().is_nan() {
            return Err(Error::data("roc", "all rows are of one class: there is no curve"));
        }
        let points = self.points().iter().map(|point| (point.false_positive_rate, point.true_positive_rate));
        let chart = unit_square(format!("AUC {:.4}", self.auc()), "false positive rate", "true positive rate");
        chart.reference("guessing", [(0.0, 0.0), (1.0, 1.0)]).stroke(points, BLUE, 2).to_svg()
    }
}

impl PrecisionRecallCurve {
    /// Draws it, with its average precision in the title and the precision of guessing. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] where all rows are of one class; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("axone-doc-pr-{}.svg", std::process::id()));
    /// let curve = axone::metrics::precision_recall_curve(&[0, 1, 0, 1], &[0.2, 0.9, 0.6, 0.5], None)?;
    /// curve.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] where all rows are of one class.
    pub fn to_svg(&self) -> Result<String> {
        if !(self.positive_share() > 0.0 && self.positive_share() < 1.0) {
            return Err(Error::data("precision_recall", "all rows are of one class: there is no curve"));
        }
        let title = format!("average precision {:.4}", self.average_precision());
        // The precision of a point holds back to the recall of the one before.
        let mut steps = Vec::new();
        let mut before = 0.0;
        for point in self.points() {
            steps.extend([(before, point.precision), (point.recall, point.precision)]);
            before = point.recall;
        }
        let guessing = [(0.0, self.positive_share()), (1.0, self.positive_share())];
        unit_square(title, "recall", "precision").reference("guessing", guessing).stroke(steps, BLUE, 2).to_svg()
    }
}

impl CalibrationCurve {
    /// Draws it: the share of positive rows against the probability, and below it how many rows each bin has. Needs the
    /// feature `plot`.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// # let path = std::env::temp_dir().join(format!("axone-doc-calibration-{}.svg", std::process::id()));
    /// let curve = axone::metrics::calibration_curve(&[0, 1, 1, 1], &[0.1, 0.3, 0.8, 0.9], 5, None)?;
    /// curve.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Internal`] if the drawing library fails.
    pub fn to_svg(&self) -> Result<String> {
        let count = self.bins().len();
        let total: f64 = self.bins().iter().map(|bin| bin.weight).sum();
        let points = self.bins().iter().filter(|bin| bin.weight > 0.0).map(|bin| (bin.predicted, bin.observed));
        let points: Vec<_> = points.collect();
        let title = format!("expected calibration error {:.4}", self.expected_error());
        let curve = unit_square(title, "predicted probability", "share of positive rows")
            .reference("calibrated", [(0.0, 0.0), (1.0, 1.0)])
            .stroke(points.iter().copied(), BLUE, 2)
            .marks("", points, BLUE, 0);
        let share = |i: usize| self.bins().get(i).map_or(0.0, |bin| 100.0 * bin.weight / total);
        let bars = (0..=count).map(|i| (i as f64 / count as f64, share(i)));
        let rows = Chart::new("").size(SIDE, SIDE).x_range(-0.02..=1.02).x_label("predicted probability");
        Page::new("", [curve, rows.y_label("share of the rows (%)").bars("", bars)]).to_svg()
    }
}

impl Residuals {
    /// Draws them: predictions, with their intervals, against the truth on the left, residuals against predictions on the
    /// right. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] where the truth is one number in every row; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::metrics::Residuals;
    /// # let path = std::env::temp_dir().join(format!("axone-doc-residuals-{}.svg", std::process::id()));
    /// Residuals::new(&[1.0, 2.0, 3.0], &[1.5, 2.0, 2.0])?.quantity("length (m)").write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Data`] where the truth is one number in every row.
    pub fn to_svg(&self) -> Result<String> {
        if let Some(first) = self.truth.first().filter(|first| self.truth.iter().all(|truth| truth == *first)) {
            return Err(Error::data("residuals", format!("the truth is {first} in every row")));
        }
        let (r2, rmse) = (r2(&self.truth, &self.predicted, None)?, rmse(&self.truth, &self.predicted, None)?);
        let chart = |title: String| Chart::new(title).size(SIDE, 440);
        let ends = |values: &dyn Fn((f64, f64)) -> f64| {
            let values = self.pairs().map(values);
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (low, high) = ends(&|(truth, _)| truth);
        let intervals = self.pairs().zip(self.intervals().unwrap_or_default());
        let intervals = intervals.map(|((truth, _), &(low, high))| Interval {
            x: truth,
            low: f64::from(low),
            high: f64::from(high),
        });
        let mut left = chart(format!("R² {r2:.3}, RMSE {rmse:.4}"))
            .x_label(format!("true {}", self.quantity))
            .y_label(format!("predicted {}", self.quantity));
        if let Some(covered) = self.covered() {
            left = left.intervals(&format!("interval ({:.0} % hold)", 100.0 * covered), intervals);
        }
        let left = left.reference("exact", [(low, low), (high, high)]).marks("", self.pairs(), BLUE, 0);
        let (low, high) = ends(&|(_, predicted)| predicted);
        let right = chart("residuals: truth less prediction".to_owned())
            .x_label(format!("predicted {}", self.quantity))
            .y_label(format!("residual of {}", self.quantity))
            .reference("", [(low, 0.0), (high, 0.0)])
            .marks("", self.pairs().map(|(truth, predicted)| (predicted, truth - predicted)), BLUE, 0);
        Page::new("", [left, right]).to_svg()
    }
}

/// A chart from 0 to 1 both ways.
fn unit_square(title: String, x: &str, y: &str) -> Chart {
    let chart = Chart::new(title).size(SIDE, SIDE).x_label(x).y_label(y);
    chart.x_range(-0.02..=1.02).y_range(-0.02..=1.02)
}
