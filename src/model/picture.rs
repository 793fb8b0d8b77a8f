//! The network as an SVG picture: a column of neurons for each layer, from left to right.

use super::network::Applied;
use super::{Model, Network, Weight};
use crate::layers::Layer;
use crate::plot::layered::{arrow, places};
use crate::plot::palette::{BLUE, GREY, GROUND, ORANGE, SERIES};
use crate::plot::{Area, font, picture, save, text};
use crate::{Error, Result};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use std::path::Path;

/// Between the columns, between neurons, and the radius of one.
const COLUMN: i32 = 170;
const NEURON: i32 = 30;
const RADIUS: i32 = 10;
/// Around the picture, and for the words below a column.
const MARGIN: i32 = 70;
const WORDS: i32 = 76;
/// Of more neurons than this only the first and the last are drawn.
const SHOWN: usize = 12;
/// More layers than this are a picture that no screen shows.
const MOST: usize = 64;

impl Network {
    /// Writes it as an SVG picture: each layer a column of neurons, of which wide layers show the first and the last. Needs
    /// the feature `plot`.
    ///
    /// # Errors
    /// [`Error::Data`] for a network without layers; [`Error::Value`] for one of more than 64;
    /// [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::prelude::*;
    /// # let path = std::env::temp_dir().join(format!("axone-doc-network-{}.svg", std::process::id()));
    ///
    /// let net = Sequential::new(2).add(Dense::new(4).activation(Activation::Tanh)).add(Dense::new(1));
    /// net.network()?.write_svg(&path)?;
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
        self.svg(&[])
    }

    /// The picture, in which `weights` color the lines.
    fn svg(&self, weights: &[Weight]) -> Result<String> {
        let layers = self.values().iter().filter(|value| value.layer.is_some()).count();
        match layers {
            0 => return Err(Error::data("network", "no layers to draw")),
            1..=MOST => {}
            _ => return Err(Error::value("network", "layers", format!("at most {MOST} to draw"), layers)),
        }
        let columns = self.columns();
        let width = columns.iter().map(|column| column.x).max().unwrap_or(0) + MARGIN;
        let height = columns.iter().map(|column| column.middle + column.height() / 2).max().unwrap_or(0) + WORDS;
        picture("a network", (width as u32, height as u32), |area| self.draw(area, &columns, weights))
    }

    /// Where the values stand.
    fn columns(&self) -> Vec<Column> {
        let values = self.values();
        let mut ranks = vec![0; values.len()];
        for (i, value) in values.iter().enumerate() {
            ranks[i] = value.inputs.iter().map(|input| ranks[*input] + 1).max().unwrap_or(0);
        }
        let edges = values.iter().enumerate().flat_map(|(i, value)| value.inputs.iter().map(move |input| (*input, i)));
        let edges: Vec<_> = edges.collect();
        let places = places(&ranks, &vec![1.0; values.len()], &edges);
        let column = |value: &Applied| Column { rank: 0, x: 0, middle: 0, units: value.shape.iter().product() };
        let mut columns: Vec<Column> = values.iter().map(column).collect();
        let tallest = columns.iter().map(Column::height).max().unwrap_or(0);
        // Room for the arcs over what stands between.
        let widest = edges.iter().map(|(from, to)| ranks[*to] - ranks[*from]).max().unwrap_or(0);
        let above = if widest > 1 { 24 + COLUMN * widest as i32 / 3 } else { 24 };
        for ((column, rank), place) in columns.iter_mut().zip(&ranks).zip(places) {
            column.rank = *rank;
            column.x = MARGIN + COLUMN * *rank as i32;
            column.middle = above + tallest / 2 + (place * f64::from(tallest + WORDS)) as i32;
        }
        columns
    }

    fn draw(&self, area: &Area<'_>, columns: &[Column], weights: &[Weight]) -> std::result::Result<(), String> {
        let values = self.values();
        let largest = weights.iter().flat_map(|weight| &weight.data).fold(0f32, |most, w| most.max(w.abs()));
        for (value, to) in values.iter().zip(columns) {
            let own = weights.iter().find(|weight| weight.name == format!("{}.w", value.name));
            let mut before = 0;
            for &input in &value.inputs {
                let from = &columns[input];
                if to.rank > from.rank + 1 {
                    // Over what stands between.
                    let top = |column: &Column| (f64::from(column.x), f64::from(column.middle - column.height() / 2));
                    arrow(area, (top(from), (0.6, -0.8)), (top(to), (0.6, 0.8)))?;
                    before += from.units;
                    continue;
                }
                for (a, b) in pairs(value, from, to, before) {
                    let weight = own.and_then(|own| own.data.get(a * own.shape.1 + b)).filter(|w| w.is_finite());
                    let style = weight.map_or(GREY.mix(0.6).stroke_width(1), |&weight| {
                        let share = f64::from(weight.abs() / largest.max(f32::MIN_POSITIVE));
                        let color = if weight < 0.0 { ORANGE } else { BLUE };
                        color.mix(0.25 + 0.75 * share).stroke_width(1 + (3.0 * share) as u32)
                    });
                    let ends = (from.neuron(a), to.neuron(b));
                    if let (Some(start), Some(end)) = ends {
                        area.draw(&PathElement::new([start, end], style)).map_err(text)?;
                    }
                }
                before += from.units;
            }
        }
        let outputs: Vec<&str> = self.outputs().map(|value| value.name.as_str()).collect();
        for (value, column) in values.iter().zip(columns) {
            let color = match &value.layer {
                None => GREY,
                Some(_) if outputs.contains(&value.name.as_str()) => SERIES[2],
                Some(_) => SERIES[0],
            };
            for at in (0..column.units).filter_map(|unit| column.neuron(unit)) {
                area.draw(&Circle::new(at, RADIUS, GROUND.filled())).map_err(text)?;
                area.draw(&Circle::new(at, RADIUS, color.stroke_width(3))).map_err(text)?;
            }
            if column.units > SHOWN {
                for dot in [-8, 0, 8] {
                    let at = (column.x, column.middle + dot);
                    area.draw(&Circle::new(at, 2, color.filled())).map_err(text)?;
                }
            }
            let kind = value.layer.as_ref().map_or_else(|| "input".to_owned(), |layer| layer.inner().shown());
            let sides: Vec<String> = value.shape.iter().map(usize::to_string).collect();
            let words = [(value.name.clone(), 15), (kind, 13), (format!("(B, {})", sides.join(", ")), 13)];
            for (line, (words, size)) in (0..).zip(words) {
                let at = (column.x, column.middle + column.height() / 2 + 14 + 18 * line);
                let style = font(size).pos(Pos::new(HPos::Center, VPos::Center));
                area.draw(&Text::new(words, at, style)).map_err(text)?;
            }
        }
        Ok(())
    }
}

impl Model {
    /// Writes its network as [`Network::write_svg`] does, with the weights of dense layers as the lines: blue where they are
    /// positive, orange where negative, the larger the thicker. Needs the feature `plot`.
    ///
    /// # Errors
    /// As there, and [`Error::Gpu`].
    pub fn write_svg(&mut self, path: impl AsRef<Path>) -> Result<()> {
        save(path, &self.to_svg()?)
    }

    /// The text that [`write_svg`](Self::write_svg) writes.
    ///
    /// # Errors
    /// As there, but for the file.
    pub fn to_svg(&mut self) -> Result<String> {
        let weights = self.weights()?;
        self.program().network.svg(&weights)
    }
}

/// A value of the network in the picture.
struct Column {
    rank: usize,
    x: i32,
    middle: i32,
    units: usize,
}

impl Column {
    /// Rows that it takes: the one in the middle of a long one holds the dots.
    fn slots(&self) -> usize {
        if self.units > SHOWN { SHOWN + 1 } else { self.units }
    }

    fn height(&self) -> i32 {
        NEURON * self.slots() as i32
    }

    /// Where neuron `unit` stands, if it is drawn.
    fn neuron(&self, unit: usize) -> Option<(i32, i32)> {
        let slot = match (self.units > SHOWN, self.units - unit) {
            (false, _) => unit,
            (true, _) if unit < SHOWN / 2 => unit,
            (true, left) if left <= SHOWN / 2 => SHOWN + 1 - left,
            (true, _) => return None,
        };
        Some((self.x, self.middle + NEURON * (2 * slot as i32 + 1 - self.slots() as i32) / 2))
    }
}

/// Which neurons of `from`, `before` of which stand in front of it in the layer's input, lead to which of `to`: only those
/// that are drawn.
fn pairs(value: &Applied, from: &Column, to: &Column, before: usize) -> Vec<(usize, usize)> {
    let shown =
        |column: &Column| -> Vec<usize> { (0..column.units).filter(|unit| column.neuron(*unit).is_some()).collect() };
    let (all, others) = (shown(from), shown(to));
    match value.layer {
        Some(Layer::Concat) => all.into_iter().map(|a| (a, before + a)).collect(),
        Some(Layer::Dense(_)) | Some(Layer::Embedding(_)) | None => product(&all, &others),
        Some(_) if from.units == to.units => all.into_iter().map(|a| (a, a)).collect(),
        Some(_) => product(&all, &others),
    }
}

fn product(all: &[usize], others: &[usize]) -> Vec<(usize, usize)> {
    all.iter().flat_map(|&a| others.iter().map(move |&b| (a, b))).collect()
}
