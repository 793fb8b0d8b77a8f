//! Predictions: rows in, outputs out.
//!
//! Rows go through in batches of few sizes (`inference.rs`), whose plans are loaded once; the last batch is padded with
//! what lay there before, and what comes of that is not read. Batches are queued while the results of the one before
//! are still on their way: on a GPU, upload, computation and download overlap.

use super::inference::padded;
use super::{Model, Purpose};
use crate::data::Matrix;
use crate::kernels::Step;
use crate::layers::Activation;
use crate::losses::Task;
use crate::metrics::first_largest;
use crate::plan::Fetch;
use crate::{Error, Result};
use std::borrow::Borrow;

impl Model {
    /// The model's output for each row of `x`: of its first output, if it has several.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where `x` does not fit the model; [`Error::Gpu`].
    pub fn predict(&mut self, x: &Matrix) -> Result<Matrix> {
        self.predict_first(std::slice::from_ref(x))
    }

    /// The first output for each row of the inputs.
    pub(super) fn predict_first(&mut self, inputs: &[impl Borrow<Matrix>]) -> Result<Matrix> {
        let mut outputs = self.predict_all(inputs)?;
        if outputs.is_empty() { Err(Error::Internal("no output".to_owned())) } else { Ok(outputs.swap_remove(0)) }
    }

    /// The class that the model takes each row of `x` for, by its first output: the column that
    /// [`predict`](Self::predict) gives most, the first of them if several do; of a single column 1 where a probability
    /// is above 0.5 or, without a last activation, a score above 0, and else 0. [`Model::set_threshold`] sets another
    /// bound for a single column, and [`Model::predict_names`] gives names for numbers.
    ///
    /// # Errors
    /// As [`predict`](Self::predict); [`Error::Data`] for a row of which the model makes NaN, which is no class;
    /// [`Error::Value`] where the loss of the output is not one of classes, or is one of
    /// yes and no in several columns: there, compare what `predict` gives with a threshold of each column.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(2).activation(Activation::Softmax));
    /// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.1))?;
    /// let data = Dataset::new([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])?;
    /// model.fit(&data, &Fit::new().epochs(50).silent())?;
    /// assert_eq!(model.predict_classes(&[[-3.0], [3.0]].into())?, [0, 1]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn predict_classes(&mut self, x: &Matrix) -> Result<Vec<u32>> {
        self.predict_classes_of(std::slice::from_ref(x))
    }

    /// [`predict_classes`](Self::predict_classes) for a model of several inputs.
    ///
    /// # Errors
    /// As there.
    pub fn predict_classes_of(&mut self, inputs: &[impl Borrow<Matrix>]) -> Result<Vec<u32>> {
        let program = self.program();
        program.check_has_losses()?;
        let first = program.network.outputs().zip(&program.losses).next();
        let (output, loss) = first.ok_or_else(|| Error::Internal("no output".to_owned()))?;
        let cols: usize = output.shape.iter().product();
        let threshold = self.yes_above();
        let place = format!("{}: predict_classes", output.name);
        let is_yes_no = loss.task() == Task::YesNo;
        if loss.task() == Task::Numbers || (is_yes_no && cols != 1) {
            return Err(Error::value(place, "output", "classes, or yes and no in one column", loss.of_columns(cols)));
        }
        let of_row = |row: &[f32]| match row {
            [y] if is_yes_no => (!y.is_nan()).then_some(u32::from(*y > threshold)),
            _ => first_largest(row),
        };
        let predicted = self.predict_first(inputs)?;
        let classes = predicted.iter_rows().map(of_row).enumerate();
        classes
            .map(|(row, class)| class.ok_or_else(|| Error::data(format!("{place}, row {row}"), "NaN is no class")))
            .collect()
    }

    /// Above it, a first output of one column means yes.
    pub(super) fn yes_above(&self) -> f32 {
        let last = self.program().network.outputs().next().and_then(|output| output.layer.as_ref());
        let is_score = last.is_none_or(|layer| layer.inner().activation() == Activation::Identity);
        self.threshold().unwrap_or(if is_score { 0.0 } else { 0.5 })
    }

    /// Every output of the model for each row of its inputs.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_all(&mut self, inputs: &[impl Borrow<Matrix>]) -> Result<Vec<Matrix>> {
        self.check_finite_inputs(inputs)?;
        let rows = inputs.first().map_or(0, |input| input.borrow().rows());
        let most = self.inference_batch(Purpose::Predict, rows, &[])?;
        let loaded = self.load(Purpose::Predict, most, &[])?;
        let widths: Vec<usize> = loaded.plan.outputs.iter().map(|range| range.fixed() / loaded.batch).collect();
        let mut results: Vec<Vec<f32>> = widths.iter().map(|width| Vec::with_capacity(rows * width)).collect();
        let mut before = Vec::new();
        for first in (0..rows).step_by(most) {
            let count = most.min(rows - first);
            let loaded = self.load(Purpose::Predict, padded(count, most), &[])?;
            let (id, places, outputs) = (loaded.id, loaded.plan.inputs.clone(), loaded.plan.outputs.clone());
            for (input, range) in inputs.iter().map(Borrow::borrow).zip(places) {
                let part = &input.data()[first * input.cols()..(first + count) * input.cols()];
                if let Some(range) = range {
                    self.executor.write(id, range.buffer, range.offset, part)?;
                }
            }
            self.executor.run(id, &[Step::default()])?;
            let mut fetches = Vec::with_capacity(outputs.len());
            for (range, width) in outputs.iter().zip(&widths) {
                fetches.push(self.executor.fetch(id, range.resized(count * width))?);
            }
            self.collect(std::mem::replace(&mut before, fetches), &mut results)?;
        }
        self.collect(before, &mut results)?;
        results.into_iter().zip(widths).map(|(data, width)| Matrix::new(rows, width, data)).collect()
    }

    /// Appends what was fetched to `results`.
    fn collect(&mut self, fetches: Vec<Fetch>, results: &mut [Vec<f32>]) -> Result<()> {
        for (fetch, result) in fetches.into_iter().zip(results) {
            result.extend(self.executor.collect(fetch)?);
        }
        Ok(())
    }
}
