//! The loss around the trained weights, on the plane in which training went furthest, and the path it took there.
//!
//! H. Li, Z. Xu, G. Taylor, C. Studer, T. Goldstein, "Visualizing the Loss Landscape of Neural Nets", NeurIPS 2018: the
//! directions are the principal components of the path.

use super::WeightPath;
use super::principal::{Plane, plane};
use crate::data::Dataset;
use crate::graph::Role;
use crate::model::Model;
use crate::plan::Buffer;
use crate::plot::contour::contour;
use crate::plot::palette::{GREY, ON_DARK, ON_PALE, ORANGE, shade};
use crate::plot::{Chart, Field, save};
use crate::{Error, Result};
use std::path::Path;

/// Points of the grid along each side, and cells that are drawn for each of its steps.
const SIDE: usize = 33;
const FINE: usize = 3;
/// Shades of the surface, between which the contour lines run.
const SHADES: u32 = 12;

/// The loss on a plane through the trained weights, and the path of training in it.
#[derive(Debug, Clone, PartialEq)]
pub struct LossSurface {
    x: (f64, f64),
    y: (f64, f64),
    losses: Vec<f64>, // (SIDE, SIDE), rows from the bottom
    path: Vec<(f64, f64)>,
    shares: [f64; 2],
}

impl Model {
    /// The loss of this model on `data` where its weights are moved along the two directions in which `path` went
    /// furthest, as seen from its last point: 1,089 evaluations. The weights are the same afterwards. Running statistics of
    /// normalisations stay where they ended.
    ///
    /// # Errors
    /// [`Error::Data`] for a path of fewer than three points or on a line, and where no loss is finite;
    /// [`Error::Shape`] for the path of another model; else as [`Model::evaluate`].
    ///
    /// ```
    /// use axone::prelude::*;
    /// use axone::train::WeightPath;
    ///
    /// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let (path, data) = (WeightPath::new(), Dataset::new([[0.0], [1.0]], [[1.0], [3.0]])?);
    /// model.fit(&data, &Fit::new().epochs(20).callback(path.clone()).silent())?;
    /// let surface = model.loss_surface(&data, &path)?;
    /// assert_eq!(surface.path().last(), Some(&(0.0, 0.0)));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn loss_surface(&mut self, data: &Dataset, path: &WeightPath) -> Result<LossSurface> {
        let mut points = path.points();
        let Some(end) = points.pop() else {
            return Err(Error::data("loss surface", "the path has no points: give it to a run (Fit::callback)"));
        };
        let now = self.slab(Buffer::Parameters)?;
        if now.len() != end.len() {
            return Err(Error::shape("loss surface", format!("a path of {} numbers", now.len()), end.len()));
        }
        let mut moves = vec![false; end.len()];
        for (i, parameter) in self.layout().parameters.iter().enumerate() {
            let range = self.layout().slab.range(Buffer::Parameters, i);
            moves[range.offset..range.end()].fill(parameter.role != Role::Statistic);
        }
        let offset = |point: &Vec<f32>| -> Vec<f64> {
            let both = point.iter().zip(&end).zip(&moves);
            both.map(|((a, b), moves)| if *moves { f64::from(*a) - f64::from(*b) } else { 0.0 }).collect()
        };
        let offsets: Vec<Vec<f64>> = points.iter().map(offset).collect();
        if let Some(epoch) = offsets.iter().position(|offset| offset.iter().any(|x| !x.is_finite())) {
            return Err(Error::data("loss surface", format!("the weights are not finite after epoch {epoch}")));
        }
        let Plane { directions: [across, up], shares } = plane(&offsets)?;
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let mut path: Vec<_> = offsets.iter().map(|offset| (dot(offset, &across), dot(offset, &up))).collect();
        path.push((0.0, 0.0));
        let (x, y) = (around(path.iter().map(|at| at.0)), around(path.iter().map(|at| at.1)));
        let mut losses = Vec::with_capacity(SIDE * SIDE);
        let at = |(low, high): (f64, f64), i: usize| low + (high - low) * i as f64 / (SIDE - 1) as f64;
        let mut measure = || -> Result<()> {
            for (j, i) in (0..SIDE).flat_map(|j| (0..SIDE).map(move |i| (j, i))) {
                let (a, b) = (at(x, i), at(y, j));
                let moved =
                    end.iter().zip(across.iter().zip(&up)).map(|(w, (u, v))| (f64::from(*w) + a * u + b * v) as f32);
                self.executor.write_slab(Buffer::Parameters, 0, &moved.collect::<Vec<_>>())?;
                losses.push(self.evaluate(data)?.loss());
            }
            Ok(())
        };
        let measured = measure();
        self.executor.write_slab(Buffer::Parameters, 0, &now)?;
        measured?;
        if !losses.iter().any(|loss| loss.is_finite()) {
            return Err(Error::data("loss surface", "no loss on the plane is finite"));
        }
        Ok(LossSurface { x, y, losses, path, shares })
    }
}

/// From the least to the largest value, and a third of that more on both sides.
fn around(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let (low, high) = (values.clone().fold(f64::INFINITY, f64::min), values.fold(f64::NEG_INFINITY, f64::max));
    let room = (high - low) / 3.0;
    (low - room, high + room)
}

impl LossSurface {
    /// The path of training: along the first and the second direction, from the last point as seen.
    pub fn path(&self) -> &[(f64, f64)] {
        &self.path
    }

    /// Writes it as an SVG picture: the loss as shades and contour lines, on a logarithmic scale where it is positive, and
    /// the path on it. Needs the feature `plot`.
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
        let finite = || self.losses.iter().copied().filter(|loss| loss.is_finite());
        let (least, most) = (finite().fold(f64::INFINITY, f64::min), finite().fold(f64::NEG_INFINITY, f64::max));
        let is_log = least > 0.0;
        let scale = |loss: f64| if is_log { loss.ln() } else { loss };
        let height = |loss: f64| (scale(loss) - scale(least)) / (scale(most) - scale(least)).max(f64::MIN_POSITIVE);
        let heights: Vec<f64> = self.losses.iter().map(|loss| height(*loss)).collect();
        let cells = SIDE * FINE;
        // Cells around the points of the grid, and between them.
        let at = |cell: usize| ((cell as f64 + 0.5) / FINE as f64 - 0.5).clamp(0.0, (SIDE - 1) as f64);
        let color = |cell: usize| {
            let height = between(&heights, at(cell % cells), at(cell / cells));
            if height.is_finite() { shade((height * f64::from(SHADES)).floor() / f64::from(SHADES)) } else { GREY }
        };
        let step = |(low, high): (f64, f64)| (high - low) / (SIDE - 1) as f64;
        let (dx, dy) = (step(self.x), step(self.y));
        let wider = |(low, high): (f64, f64), step: f64| (low - step / 2.0, high + step / 2.0);
        let (x, y) = (wider(self.x, dx), wider(self.y, dy));
        let field = Field { x, y, columns: cells, cells: (0..cells * cells).map(color).collect() };
        let direction = |rank: &str, share: f64| format!("{rank} direction of the path ({:.0} % of it)", 100.0 * share);
        let mut chart = Chart::new(format!(
            "loss from {least:.3} (dark) to {most:.3} (light){}",
            if is_log { ", log scale" } else { "" }
        ))
        .size(640, 520)
        .x_label(direction("first", self.shares[0]))
        .y_label(direction("second", self.shares[1]))
        .field(field)
        .x_range(x.0..=x.1)
        .y_range(y.0..=y.1);
        for level in 1..SHADES {
            for line in contour(&heights, SIDE, f64::from(level) / f64::from(SHADES)) {
                let line = line.into_iter().map(|(i, j)| (self.x.0 + i * dx, self.y.0 + j * dy));
                chart = chart.stroke(line, ON_PALE, 1);
            }
        }
        let first = self.path.first().copied();
        chart
            .stroke(self.path.iter().copied(), ON_DARK, 6)
            .stroke(self.path.iter().copied(), ORANGE, 3)
            .marks("start", first, ORANGE, 1)
            .marks("end of training", [(0.0, 0.0)], ORANGE, 0)
            .to_svg()
    }
}

/// Between the values of a grid, along straight lines.
fn between(values: &[f64], x: f64, y: f64) -> f64 {
    let (i, j) = ((x as usize).min(SIDE - 2), (y as usize).min(SIDE - 2));
    let (u, v) = (x - i as f64, y - j as f64);
    let value = |i: usize, j: usize| values[j * SIDE + i];
    let row = |j: usize| value(i, j) * (1.0 - u) + value(i + 1, j) * u;
    row(j) * (1.0 - v) + row(j + 1) * v
}
