//! The graph as an SVG picture: the forward pass down on the left, the backward pass up on the right.

use super::{Graph, NodeId, Op};
use crate::plot::layered::{arrow, places};
use crate::plot::palette::{BLUE, GREY, GROUND, ORANGE, SERIES};
use crate::plot::{Area, font, picture, save, text};
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// A box, the room between two, and that around all.
const BOX: (f64, f64) = (172.0, 42.0);
const GAP: (f64, f64) = (22.0, 34.0);
const MARGIN: f64 = 24.0;
/// Between the two passes, where what the backward pass needs of the forward pass crosses over.
const CORRIDOR: f64 = 110.0;
/// The line with what the colours mean.
const LEGEND: f64 = 40.0;
/// More nodes than this are a picture that nobody reads.
const MOST: usize = 400;
const BACKWARD: RGBColor = SERIES[2];

impl Graph {
    /// Writes it as an SVG picture: each node with its operation, layer and shape. The forward pass runs down on the left,
    /// and what [`differentiate`](super::differentiate) appended up on the right, beside what it differentiates. Needs
    /// the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a graph without nodes; [`Error::Value`] for one of more than 400, for which
    /// [`to_dot`](Self::to_dot) and Graphviz are the better tools; [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::prelude::*;
    /// use axone::model::Purpose;
    /// # let path = std::env::temp_dir().join(format!("axone-doc-graph-{}.svg", std::process::id()));
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// model.program().graph(Purpose::Train, &[])?.write_svg(&path)?;
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn write_svg(&self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// As there, but for the file.
    pub fn to_svg(&self) -> Result<String> {
        self.check_drawable()?;
        if self.nodes.len() > MOST {
            return Err(Error::value("graph", "nodes", format!("at most {MOST} to draw"), self.nodes.len()));
        }
        let corners = self.corners();
        let most = |side: fn(&(f64, f64)) -> f64| corners.iter().map(side).fold(0.0, f64::max);
        let size = (most(|at| at.0) + BOX.0 + MARGIN, most(|at| at.1) + BOX.1 + MARGIN);
        picture("a graph", (size.0.max(620.0) as u32, size.1 as u32), |area| self.draw(area, &corners))
    }

    /// The upper left corner of each node's box.
    fn corners(&self) -> Vec<(f64, f64)> {
        let nodes = self.nodes.len();
        let mut users = vec![Vec::new(); nodes];
        // How many operations of the same pass lead to each node; what has no input stands in front of its first user.
        let mut depth = vec![0usize; nodes];
        let leaf = |i: usize| self.nodes[i].inputs.is_empty();
        for (i, node) in self.nodes.iter().enumerate() {
            let own = |input: &&NodeId| self.is_backward(input.0) == self.is_backward(i);
            node.inputs.iter().filter(own).for_each(|input| users[input.0].push(i));
            let before = node.inputs.iter().filter(own).filter(|input| !leaf(input.0)).map(|input| depth[input.0]);
            depth[i] = if leaf(i) { 0 } else { before.max().unwrap_or(0) + 1 };
        }
        for i in (0..nodes).filter(|i| leaf(*i)) {
            depth[i] = users[i].iter().map(|user| depth[*user] - 1).min().unwrap_or(0);
        }
        let last = depth.iter().copied().max().unwrap_or(0);
        let mut corners = vec![(0.0, 0.0); nodes];
        let mut left = MARGIN;
        for is_backward in [false, true] {
            let own: Vec<usize> = (0..nodes).filter(|i| self.is_backward(*i) == is_backward).collect();
            let ranks: Vec<usize> = own.iter().map(|i| depth[*i]).collect();
            let index = |node: usize| own.binary_search(&node).ok();
            let edges = own.iter().flat_map(|&i| self.nodes[i].inputs.iter().map(move |input| (input.0, i)));
            let edges: Vec<_> = edges.filter_map(|(a, b)| Some((index(a)?, index(b)?))).collect();
            let mut right = left;
            // Operations stand below each other; what they are given stands beside them.
            let weights: Vec<f64> = own.iter().map(|i| if leaf(*i) { 0.02 } else { 1.0 }).collect();
            for ((node, place), rank) in own.iter().zip(places(&ranks, &weights, &edges)).zip(&ranks) {
                let row = if is_backward { last - rank } else { *rank };
                let x = left + place * (BOX.0 + GAP.0);
                corners[*node] = (x, MARGIN + LEGEND + row as f64 * (BOX.1 + GAP.1));
                right = f64::max(right, x + BOX.0);
            }
            left = right + CORRIDOR;
        }
        corners
    }

    fn draw(&self, area: &Area<'_>, corners: &[(f64, f64)]) -> std::result::Result<(), String> {
        let label = |words: String, x: f64, y: f64, size: i32, at: HPos| {
            let style = font(size).pos(Pos::new(at, VPos::Center));
            area.draw(&Text::new(words, (x as i32, y as i32), style)).map_err(text)
        };
        let frame = |at: (f64, f64), size: (f64, f64), color: RGBColor| {
            let place = [(at.0 as i32, at.1 as i32), ((at.0 + size.0) as i32, (at.1 + size.1) as i32)];
            area.draw(&Rectangle::new(place, GROUND.filled())).map_err(text)?;
            area.draw(&Rectangle::new(place, color.stroke_width(2))).map_err(text)
        };
        let forward = corners.iter().enumerate().filter(|(i, _)| !self.is_backward(*i));
        let west = forward.map(|(_, at)| at.0 + BOX.0).fold(0.0, f64::max);
        let mut crossings = 0;
        for (i, node) in self.nodes.iter().enumerate() {
            for input in &node.inputs {
                let (a, b) = (corners[input.0], corners[i]);
                let middle = |at: (f64, f64), y: f64| (at.0 + BOX.0 / 2.0, at.1 + y);
                match (self.is_backward(input.0), self.is_backward(i)) {
                    (false, false) => arrow(area, (middle(a, BOX.1), (0.0, 1.0)), (middle(b, 0.0), (0.0, 1.0)))?,
                    (true, _) => arrow(area, (middle(a, 0.0), (0.0, -1.0)), (middle(b, BOX.1), (0.0, -1.0)))?,
                    (false, true) => {
                        // Between the rows, so that no box is in the way.
                        let lane = |at: (f64, f64)| at.1 + BOX.1 + 8.0 + 3.0 * (crossings % 6) as f64;
                        let (from, to) = ((a.0 + 0.85 * BOX.0, a.1 + BOX.1), (b.0 + 0.15 * BOX.0, b.1 + BOX.1));
                        let path =
                            [from, (from.0, lane(a)), (west, lane(a)), (west + CORRIDOR, lane(b)), (to.0, lane(b))];
                        let path: Vec<(i32, i32)> = path.into_iter().map(|(x, y)| (x as i32, y as i32)).collect();
                        area.draw(&PathElement::new(path, GREY.stroke_width(1))).map_err(text)?;
                        arrow(area, ((to.0, lane(b)), (0.0, -1.0)), (to, (0.0, -1.0)))?;
                        crossings += 1;
                    }
                }
            }
        }
        let mut is_used = vec![false; self.nodes.len()];
        self.nodes.iter().flat_map(|node| &node.inputs).for_each(|input| is_used[input.0] = true);
        for (i, node) in self.nodes.iter().enumerate() {
            // The gradient of the loss with respect to itself, 1, is most often multiplied away.
            if self.is_backward(i) && node.inputs.is_empty() && !is_used[i] {
                continue;
            }
            let at = corners[i];
            let color = match node.op {
                Op::Parameter(_) => ORANGE,
                _ if node.inputs.is_empty() => GREY,
                // What the backward pass was appended for.
                _ if self.is_backward(i) && !is_used[i] => ORANGE,
                _ if self.is_backward(i) => BACKWARD,
                _ => BLUE,
            };
            frame(at, BOX, color)?;
            let middle = at.0 + BOX.0 / 2.0;
            label(node.op.name().to_owned(), middle, at.1 + 13.0, 14, HPos::Center)?;
            label(format!("{} {}", node.name, node.shape), middle, at.1 + 30.0, 12, HPos::Center)?;
        }
        let kinds =
            [("given", GREY), ("parameter and its gradient", ORANGE), ("forward", BLUE), ("backward", BACKWARD)];
        let mut x = MARGIN;
        for (name, color) in kinds.into_iter().take(if self.backward.is_some() { 4 } else { 3 }) {
            frame((x, MARGIN - 6.0), (14.0, 14.0), color)?;
            label(name.to_owned(), x + 22.0, MARGIN + 1.0, 14, HPos::Left)?;
            x += 56.0 + 7.0 * name.len() as f64;
        }
        Ok(())
    }
}
