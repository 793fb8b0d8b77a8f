//! What a file of another library holds: a network with its weights, and what it calls its outputs.

use crate::data::{Matrix, Schema};
use crate::device::Device;
use crate::layers::Activation;
use crate::losses::{Loss, Losses};
use crate::metrics::first_largest;
use crate::model::{Model, Network, Weight};
use crate::optimizers::{Adam, Optimizer};
use crate::{Error, Result};

/// A model from a file of another library: the network, and its weights.
///
/// ```
/// use axone::interop::onnx;
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Dense::new(3).named("hidden")).add(BatchNorm::new());
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// let imported = onnx::from_bytes(&onnx::to_bytes(&mut model)?)?;
/// assert_eq!(imported.weights()[0].name, "hidden.w");
/// println!("{}", imported.network().summary());
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    pub(super) network: Network,
    pub(super) weights: Vec<Weight>,
    pub(super) frozen: Vec<String>,
    pub(super) outputs: Vec<Output>,
    pub(super) schema: Option<Schema>,
    pub(super) threshold: Option<f32>,
}

/// An output as the file names it.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Output {
    /// Its name in the file.
    pub name: String,
    /// The output of the network that it is, or is made from: its place in what
    /// [`predict_all`](Model::predict_all) gives.
    pub value: usize,
    /// For the number of a class: it is the largest column of that output, and these are the names of the columns.
    /// `None` where the output is the numbers themselves.
    pub classes: Option<Vec<String>>,
    /// For several classes at a time: all columns above it.
    pub threshold: Option<f32>,
}

impl Output {
    /// The name of the class of each row, from all that [`predict_all`](Model::predict_all) gave; `None` for an output that is
    /// no class.
    ///
    /// # Errors
    /// [`Error::Data`] for a row of nothing but NaN, which is no class.
    ///
    /// ```
    /// use axone::interop::onnx;
    /// use axone::prelude::*;
    ///
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/interop/onnx/skl_mlp_multi.onnx");
    /// let imported = onnx::load(path)?;
    /// let x = Matrix::new(1, 4, vec![0.0; 4])?;
    /// let results = imported.model(Device::cpu())?.predict_all(&[x])?;
    /// let label = &imported.outputs()[0];
    /// assert_eq!((label.name.as_str(), label.names(&results)?.map(|names| names.len())), ("output_label", Some(1)));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn names(&self, results: &[Matrix]) -> Result<Option<Vec<String>>> {
        let (Some(classes), Some(values)) = (&self.classes, results.get(self.value)) else { return Ok(None) };
        let name = |(row, values): (usize, &[f32])| {
            let largest = first_largest(values).and_then(|class| classes.get(class as usize)).cloned();
            largest.ok_or_else(|| Error::data(format!("{}, row {row}", self.name), "NaN is no class"))
        };
        values.iter_rows().enumerate().map(name).collect::<Result<_>>().map(Some)
    }

    /// The numbers of each row, 0 and 1 where there is a threshold, from all that [`predict_all`](Model::predict_all) gave.
    pub fn numbers(&self, results: &[Matrix]) -> Matrix {
        let values = results.get(self.value).cloned().unwrap_or_default();
        match self.threshold {
            Some(threshold) => values.map(|value| if value > threshold { 1.0 } else { 0.0 }),
            None => values,
        }
    }
}

impl Imported {
    /// The layers.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Their weights.
    pub fn weights(&self) -> &[Weight] {
        &self.weights
    }

    /// The names of the inputs, in the order in which [`predict_all`](Model::predict_all) takes them.
    pub fn inputs(&self) -> Vec<&str> {
        self.network.inputs().map(|input| input.name.as_str()).collect()
    }

    /// The outputs in the file's order.
    pub fn outputs(&self) -> &[Output] {
        &self.outputs
    }

    /// Layers that stand for constants of the file, which training leaves as they are.
    pub fn frozen(&self) -> &[String] {
        &self.frozen
    }

    /// What the file does to a table before the network: the columns that it reads, what stands for missing numbers, how
    /// categories are numbered, and the names of the classes. `None` for a file that takes numbers as they are.
    pub fn schema(&self) -> Option<&Schema> {
        self.schema.as_ref()
    }

    /// A model with these weights, to be trained on. It has the file's schema, if there is one: for
    /// [`predict_table`](Model::predict_table).
    ///
    /// # Errors
    /// As [`Network::compile`].
    pub fn compile(&self, device: Device, losses: impl Into<Losses>, optimizer: impl Into<Optimizer>) -> Result<Model> {
        let mut model = self.network.compile(device, losses, optimizer)?;
        model.set_weights(&self.weights)?;
        self.frozen.iter().try_for_each(|layer| model.freeze(layer))?;
        if let Some(schema) = &self.schema {
            model.set_schema(schema.clone())?;
        }
        Ok(model)
    }

    /// A model for predictions: its losses are what the last activations suggest (softmax: cross-entropy, sigmoid:
    /// binary cross-entropy, else the squared error).
    ///
    /// # Errors
    /// As [`Imported::compile`].
    ///
    /// ```
    /// use axone::interop::onnx;
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(3).activation(Activation::Softmax));
    /// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default())?;
    /// let mut again = onnx::from_bytes(&onnx::to_bytes(&mut model)?)?.model(Device::cpu())?;
    /// let x = [[0.5, -1.0]].into();
    /// assert_eq!(again.predict_classes(&x)?, model.predict_classes(&x)?);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn model(&self, device: Device) -> Result<Model> {
        let of = |activation| match activation {
            Activation::Softmax => Loss::CategoricalCrossEntropy,
            Activation::Sigmoid => Loss::BinaryCrossEntropy,
            _ => Loss::MeanSquaredError,
        };
        let last = self.network.outputs().map(|output| output.layer.as_ref().map(|layer| layer.inner().activation()));
        let losses: Vec<Loss> = last.map(|last| of(last.unwrap_or_default())).collect();
        let answers_yes = losses.first() == Some(&Loss::BinaryCrossEntropy);
        let mut model = self.compile(device, losses, Adam::default())?;
        if let Some(threshold) = self.threshold.filter(|_| answers_yes) {
            model.set_threshold(threshold)?;
        }
        Ok(model)
    }
}
