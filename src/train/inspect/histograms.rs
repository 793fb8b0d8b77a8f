//! Histograms of weights, activations and gradients, layer by layer: where a layer has died or explodes.

use crate::data::{Dataset, Matrix};
use crate::model::{Model, Weight};
use crate::plot::{Chart, Page, save};
use crate::{Error, Result};
use std::path::Path;

const BINS: usize = 40;
const SIZE: (u32, u32) = (340, 250);
/// More layers than this are a page that no screen shows.
const MOST: usize = 32;

/// How the weights, activations and gradients of each layer with parameters are spread.
///
/// [`Model::layer_histograms`] makes it.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerHistograms {
    layers: Vec<Layer>,
}

#[derive(Debug, Clone, PartialEq)]
struct Layer {
    name: String,
    weights: Histogram,
    activations: Histogram,
    gradients: Histogram,
}

/// Shares of numbers in bins of one width.
#[derive(Debug, Clone, PartialEq)]
struct Histogram {
    low: f64,
    high: f64,
    shares: Vec<f64>,
    /// The share of exact zeros.
    zeros: f64,
}

impl Histogram {
    /// Of the numbers of `what` that are finite.
    fn new(what: &str, values: &[f32]) -> Result<Self> {
        let finite: Vec<f64> = values.iter().filter(|value| value.is_finite()).map(|value| f64::from(*value)).collect();
        if finite.is_empty() {
            return Err(Error::data(what, format!("none of {} numbers is finite", values.len())));
        }
        let (low, high) = finite
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
        // One value alone has a bar of its own.
        let room = if low == high { low.abs().max(1e-3) * 0.5 } else { 0.0 };
        let (low, high) = (low - room, high + room);
        let mut shares = vec![0.0; BINS];
        for value in &finite {
            let bin = ((value - low) / (high - low) * BINS as f64) as usize;
            shares[bin.min(BINS - 1)] += 100.0 / finite.len() as f64;
        }
        let zeros = finite.iter().filter(|value| **value == 0.0).count() as f64 / finite.len() as f64;
        Ok(Self { low, high, shares, zeros })
    }

    fn chart(&self, title: String, x: &str) -> Chart {
        let title = if self.zeros >= 0.01 { format!("{title}, {:.0} % zeros", 100.0 * self.zeros) } else { title };
        let at = |bin: usize| self.low + (self.high - self.low) * bin as f64 / BINS as f64;
        let bars = (0..=BINS).map(|bin| (at(bin), self.shares.get(bin).copied().unwrap_or(0.0)));
        Chart::new(title).size(SIZE.0, SIZE.1).x_label(x).y_label("share (%)").bars("", bars)
    }
}

impl Model {
    /// The spread of weights, activations and gradients of every layer with parameters, on the rows of `data`: activations
    /// as [`Model::activations`] gives them, gradients of the loss as [`Model::compute_gradients`] leaves them, in place
    /// of those that were there.
    ///
    /// # Errors
    /// As [`Model::fit`]; [`Error::Data`], naming the layer, where no number is finite, and for a model without
    /// parameters; [`Error::Value`] for more than 32 layers.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Relu)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let data = Dataset::new([[0.0, 1.0], [1.0, -1.0], [0.5, 2.0]], [1.0, 0.0, 2.0])?;
    /// let histograms = model.layer_histograms(&data)?;
    /// assert!(histograms.to_svg()?.contains("dense_2 gradients"));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn layer_histograms(&mut self, data: &Dataset) -> Result<LayerHistograms> {
        self.compute_gradients(data)?;
        let (weights, gradients) = (self.weights()?, self.gradients()?);
        let activations = self.activations(data.inputs())?;
        let mut layers = Vec::new();
        for (name, values) in activations {
            let prefix = format!("{name}.");
            let of = |slab: &[Weight]| -> Vec<f32> {
                let own = slab.iter().filter(|weight| weight.name.starts_with(&prefix));
                own.flat_map(|weight| weight.data.iter().copied()).collect()
            };
            let (weights, gradients) = (of(&weights), of(&gradients));
            if weights.is_empty() {
                continue;
            }
            layers.push(Layer {
                weights: Histogram::new(&format!("{name} weights"), &weights)?,
                activations: Histogram::new(&format!("{name} activations"), Matrix::data(&values))?,
                gradients: Histogram::new(&format!("{name} gradients"), &gradients)?,
                name,
            });
        }
        match layers.len() {
            0 => Err(Error::data("layer_histograms", "no layer has parameters")),
            1..=MOST => Ok(LayerHistograms { layers }),
            count => Err(Error::value("layer_histograms", "layers", format!("at most {MOST} to draw"), count)),
        }
    }
}

impl LayerHistograms {
    /// Writes them as an SVG picture: a row for each layer. Needs the feature `plot`.
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
        let charts = self.layers.iter().flat_map(|layer| {
            let name = &layer.name;
            [
                layer.weights.chart(format!("{name} weights"), "weight or bias"),
                layer.activations.chart(format!("{name} activations"), "activation"),
                layer.gradients.chart(format!("{name} gradients"), "gradient of the loss"),
            ]
        });
        Page::new("", charts).columns(3).to_svg()
    }
}

#[cfg(test)]
mod tests {
    use super::Histogram;

    #[test]
    fn all_numbers_are_in_a_bin() {
        let histogram = Histogram::new("x", &[0.0, 0.0, 1.0, f32::NAN, 0.25]).unwrap();
        assert_eq!((histogram.shares[0], histogram.shares[39], histogram.shares[10]), (50.0, 25.0, 25.0));
        assert_eq!(histogram.zeros, 0.5);
        let one = Histogram::new("x", &[3.0; 5]).unwrap();
        assert_eq!(one.shares.iter().sum::<f64>(), 100.0);
        let error = Histogram::new("dense_1 weights", &[f32::NAN]).unwrap_err();
        assert_eq!(error.to_string(), "dense_1 weights: none of 1 numbers is finite");
    }
}
