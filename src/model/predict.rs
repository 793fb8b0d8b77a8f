//! Predictions: rows in, outputs out.
//!
//! Rows go through in batches of few sizes (`inference.rs`), whose plans are loaded once; the last batch is padded with what lay there before, and what comes of that is not read. Batches are queued while the
//! results of the one before are still on their way: on a GPU, upload, computation and download overlap.

use super::inference::padded;
use super::{Model, Purpose};
use crate::data::Matrix;
use crate::kernels::Step;
use crate::plan::{Fetch, Range};
use crate::{Error, Result};

impl Model {
    /// The model's output for each row of `x`: of its first output, if it has several.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where `x` does not fit the model; [`Error::Gpu`].
    pub fn predict(&mut self, x: &Matrix) -> Result<Matrix> {
        let mut outputs = self.predict_all(std::slice::from_ref(x))?;
        if outputs.is_empty() { Err(Error::Internal("no output".to_owned())) } else { Ok(outputs.swap_remove(0)) }
    }

    /// Every output of the model for each row of its inputs.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn predict_all(&mut self, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        self.check_inputs(inputs)?;
        for (i, input) in inputs.iter().enumerate() {
            input.check_finite(&format!("inputs[{i}]"))?;
        }
        let rows = inputs.first().map_or(0, Matrix::rows);
        let most = self.inference_batch(Purpose::Predict, rows, &[])?;
        let loaded = self.load(Purpose::Predict, most, &[])?;
        let widths: Vec<usize> = loaded.plan.outputs.iter().map(|range| range.len / loaded.batch).collect();
        let mut results: Vec<Vec<f32>> = widths.iter().map(|width| Vec::with_capacity(rows * width)).collect();
        let mut before = Vec::new();
        for first in (0..rows).step_by(most) {
            let count = most.min(rows - first);
            let loaded = self.load(Purpose::Predict, padded(count, most), &[])?;
            let (id, places, outputs) = (loaded.id, loaded.plan.inputs.clone(), loaded.plan.outputs.clone());
            for (input, range) in inputs.iter().zip(places) {
                let part = &input.data()[first * input.cols()..(first + count) * input.cols()];
                if let Some(range) = range {
                    self.executor.write(id, range.buffer, range.offset, part)?;
                }
            }
            self.executor.run(id, &[Step::default()])?;
            let mut fetches = Vec::with_capacity(outputs.len());
            for (range, width) in outputs.iter().zip(&widths) {
                fetches.push(self.executor.fetch(id, Range { len: count * width, ..*range })?);
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
