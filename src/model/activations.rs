//! What each layer makes of given rows.

use super::{Model, Program, Purpose};
use crate::Result;
use crate::data::Matrix;
use crate::kernels::Step;
use crate::plan::{Plan, PlanId};
use std::borrow::Borrow;

/// Rows that go through at a time.
const BATCH: usize = 256;

impl Model {
    /// The value of every layer for each row of `inputs`, computed as in use (nothing is dropped out), under the name of
    /// the layer and in the order of the layers.
    ///
    /// # Errors
    /// As [`Model::predict`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(3).activation(Activation::Relu)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let x = Matrix::from([[0.5, -1.0], [2.0, 0.0]]);
    /// let values = model.activations(&[&x])?;
    /// let shapes: Vec<_> = values.iter().map(|(name, value)| (name.as_str(), value.rows(), value.cols())).collect();
    /// assert_eq!(shapes, [("dense_1", 2, 3), ("dense_2", 2, 1)]);
    /// assert_eq!(values[1].1, model.predict(&x)?);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn activations(&mut self, inputs: &[impl Borrow<Matrix>]) -> Result<Vec<(String, Matrix)>> {
        self.check_finite_inputs(inputs)?;
        let inputs: Vec<&Matrix> = inputs.iter().map(Borrow::borrow).collect();
        let rows = inputs.first().map_or(0, |input| input.rows());
        let network = self.program.network.with_every_output();
        let names: Vec<String> = network.outputs().map(|value| value.name.clone()).collect();
        let program = Program { network, ..self.program.clone() };
        let plan = program.plan(Purpose::Predict, rows.min(BATCH), &[], true)?;
        let id = self.executor.load(&plan)?;
        let values = self.all_values(id, &plan, &inputs, rows);
        self.executor.unload(id);
        Ok(names.into_iter().zip(values?).collect())
    }

    /// The outputs of `plan` for all rows.
    fn all_values(&mut self, id: PlanId, plan: &Plan, inputs: &[&Matrix], rows: usize) -> Result<Vec<Matrix>> {
        let mut values = vec![Vec::new(); plan.outputs.len()];
        for first in (0..rows).step_by(plan.batch) {
            let count = plan.batch.min(rows - first);
            for (input, range) in inputs.iter().zip(&plan.inputs) {
                let part = &input.data()[first * input.cols()..(first + count) * input.cols()];
                if let Some(range) = range {
                    self.executor.write(id, range.buffer, range.offset, part)?;
                }
            }
            self.executor.run(id, &[Step::default()])?;
            for (range, value) in plan.outputs.iter().zip(&mut values) {
                let part = range.resized(count * range.fixed() / plan.batch);
                value.extend(self.executor.read(id, part)?);
            }
        }
        let widths = plan.outputs.iter().map(|range| range.fixed() / plan.batch);
        values.into_iter().zip(widths).map(|(data, width)| Matrix::new(rows, width, data)).collect()
    }
}
