//! Where a classifier of two features draws the line.

use super::Model;
use crate::data::{Dataset, Matrix, Targets};
use crate::metrics::first_largest;
use crate::plot::contour::contour;
use crate::plot::palette::{GROUND, ON_PALE, mixed, series};
use crate::plot::{Chart, Field, save};
use crate::{Error, Result};
use plotters::style::RGBColor;
use std::path::Path;

/// Points of the grid along each side.
const SIDE: usize = 101;
/// More classes than this have no colors of their own.
const MOST: usize = 12;
/// Shades by how sure the model is.
const SHADES: f64 = 3.0;

/// The classes that a model of two features gives to the points of a plane, and the rows of a data set in it.
///
/// Regions are darker where the model is surer: by how far the largest output stands above the next one.
#[derive(Debug, Clone, PartialEq)]
pub struct DecisionBoundary {
    x: (f64, f64),
    y: (f64, f64),
    /// Of each class at each point of the grid: how far it stands above the best other.
    leads: Vec<Vec<f64>>, // (classes, SIDE, SIDE)
    points: Vec<(f64, f64)>,
    labels: Vec<usize>,
    features: [String; 2],
    classes: Vec<String>,
}

impl Model {
    /// The classes that the model gives to the plane around the rows of `data`, by its first output, as
    /// [`predict_classes`](Self::predict_classes) does.
    ///
    /// # Errors
    /// [`Error::Shape`] for a model of more than one input or another number of features than two; [`Error::Data`] where
    /// all rows are of one class or have one value in a feature, or the model gives NaN alone; [`Error::Value`] for a model whose
    /// output is no class, and for more than 12 classes.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Tanh));
    /// let net = net.add(Dense::new(1).activation(Activation::Sigmoid));
    /// let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.05))?;
    /// let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
    /// model.fit(&xor, &Fit::new().epochs(100).batch_size(4).silent())?;
    /// let boundary = model.decision_boundary(&xor)?.features(["a", "b"]).classes(["equal", "different"]);
    /// assert!(boundary.to_svg()?.contains("different"));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn decision_boundary(&mut self, data: &Dataset) -> Result<DecisionBoundary> {
        const PLACE: &str = "decision_boundary";
        let ([input], [target, ..]) = (data.inputs(), data.targets()) else {
            return Err(Error::shape(PLACE, "one input", data.inputs().len()));
        };
        if input.cols() != 2 {
            return Err(Error::shape(PLACE, "two features", input.cols()));
        }
        let known: Vec<usize> = match target {
            Targets::Classes(labels) => labels.iter().map(|label| *label as usize).collect(),
            Targets::Values(values) if values.cols() == 1 => {
                values.data().iter().map(|y| usize::from(*y > 0.5)).collect()
            }
            Targets::Values(values) => {
                values.iter_rows().filter_map(first_largest).map(|class| class as usize).collect()
            }
        };
        if known.iter().all(|label| Some(label) == known.first()) {
            let class = known.first().copied().unwrap_or_default();
            return Err(Error::data(PLACE, format!("all rows are of class {class}: there is no boundary")));
        }
        let points: Vec<(f64, f64)> = input.iter_rows().map(|row| (f64::from(row[0]), f64::from(row[1]))).collect();
        let x = around(points.iter().map(|point| point.0), 0)?;
        let y = around(points.iter().map(|point| point.1), 1)?;
        let at = |(low, high): (f64, f64), i: usize| (low + (high - low) * i as f64 / (SIDE - 1) as f64) as f32;
        let plane = (0..SIDE).flat_map(|j| (0..SIDE).map(move |i| [at(x, i), at(y, j)]));
        let plane = Matrix::from(plane.collect::<Vec<_>>());
        // Refuses what is no class.
        self.predict_classes(&plane.select(&[0])?)?;
        let outputs = self.predict(&plane)?;
        let yes_above = self.yes_above();
        let leads = match outputs.cols() {
            1 => {
                let yes: Vec<f64> = outputs.data().iter().map(|y| f64::from(*y - yes_above)).collect();
                vec![yes.iter().map(|lead| -lead).collect(), yes]
            }
            classes if classes > MOST => {
                return Err(Error::value(PLACE, "classes", format!("at most {MOST} to draw"), classes));
            }
            classes => (0..classes).map(|class| outputs.iter_rows().map(|row| lead(row, class)).collect()).collect(),
        };
        if !leads.iter().flatten().any(|lead| lead.is_finite()) {
            return Err(Error::data(PLACE, "the model gives NaN everywhere"));
        }
        let classes =
            (0..leads.len().max(known.iter().max().map_or(0, |last| last + 1))).map(|class| class.to_string());
        let features = ["feature 0", "feature 1"].map(str::to_owned);
        Ok(DecisionBoundary { x, y, leads, points, labels: known, features, classes: classes.collect() })
    }
}

/// From the least to the largest value, and a tenth of that more on both sides.
fn around(values: impl Iterator<Item = f64> + Clone, feature: usize) -> Result<(f64, f64)> {
    let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
    if low >= high {
        return Err(Error::data("decision_boundary", format!("feature {feature} is {low} in every row")));
    }
    let room = 0.1 * (high - low);
    Ok((low - room, high + room))
}

/// How far `class` stands above the best other.
fn lead(row: &[f32], class: usize) -> f64 {
    let others = row.iter().enumerate().filter(|(i, _)| *i != class).map(|(_, y)| f64::from(*y));
    f64::from(row[class]) - others.fold(f64::NEG_INFINITY, f64::max)
}

impl DecisionBoundary {
    /// What the two axes count, with their units.
    pub fn features<S: Into<String>>(mut self, names: [S; 2]) -> Self {
        self.features = names.map(Into::into);
        self
    }

    /// Names the classes, first to last; those without a name keep their numbers.
    pub fn classes<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.classes.iter_mut().zip(names).for_each(|(class, name)| *class = name.into());
        self
    }

    /// Writes it as an SVG picture. Needs the feature `plot`.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// [`Error::Internal`] if the drawing library fails.
    pub fn to_svg(&self) -> Result<String> {
        let step = |(low, high): (f64, f64)| (high - low) / (SIDE - 1) as f64;
        let (dx, dy) = (step(self.x), step(self.y));
        let leads = self.leads.iter().flatten().copied().filter(|lead| lead.is_finite());
        let largest = leads.fold(f64::MIN_POSITIVE, f64::max);
        let cells = (0..SIDE * SIDE).map(|cell| self.color(cell, largest)).collect();
        // A cell around each point of the grid.
        let around = |(low, high): (f64, f64), step: f64| (low - step / 2.0, high + step / 2.0);
        let field = Field { x: around(self.x, dx), y: around(self.y, dy), columns: SIDE, cells };
        let (x, y) = (field.x, field.y);
        let [across, up] = &self.features;
        let mut chart = Chart::new("").size(560, 480).x_label(across).y_label(up).field(field);
        chart = chart.x_range(x.0..=x.1).y_range(y.0..=y.1);
        // Of two classes the lines are the same.
        for leads in &self.leads[usize::from(self.leads.len() == 2)..] {
            for line in contour(leads, SIDE, 0.0) {
                let line = line.into_iter().map(|(i, j)| (self.x.0 + i * dx, self.y.0 + j * dy));
                chart = chart.stroke(line, ON_PALE, 1);
            }
        }
        for (class, name) in self.classes.iter().enumerate() {
            let own = self.points.iter().zip(&self.labels).filter(|(_, label)| **label == class);
            let own: Vec<_> = own.map(|(point, _)| *point).collect();
            if !own.is_empty() {
                chart = chart.marks(name, own, series(class), class);
            }
        }
        chart.to_svg()
    }

    /// Of a point of the grid: that of its class, the paler the less sure.
    fn color(&self, cell: usize, largest: f64) -> RGBColor {
        let of = |class: usize| self.leads[class][cell];
        let best =
            (0..self.leads.len()).filter(|class| of(*class).is_finite()).max_by(|a, b| of(*a).total_cmp(&of(*b)));
        best.map_or(GROUND, |class| {
            let sureness = ((of(class) / largest).max(0.0).sqrt() * SHADES).ceil() / SHADES;
            mixed(GROUND, series(class), 0.1 + 0.3 * sureness)
        })
    }
}
