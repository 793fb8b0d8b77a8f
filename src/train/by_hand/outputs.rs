//! Losses of the program's own: outputs go out, their gradients come in.

use super::Gathered;
use crate::data::Matrix;
use crate::model::{Model, Piece};
use crate::plan::{Buffer, BufferRange, PlanId};
use crate::train::feed::tensors::Tensor;
use crate::{Error, Result};
use std::borrow::Cow;

impl Model {
    /// Every output for each row of `inputs`, computed as in training: with dropout, under the masks that
    /// [`Model::backward`] on the same rows uses next, and with the statistics of the batch in batch normalisations,
    /// whose running statistics stay: `backward` brings them up to date. [`Model::predict_all`] computes the outputs as
    /// in use.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn forward(&mut self, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        let (index, id) = self.run_given(Piece::Forward, inputs, &[])?;
        self.read_outputs(index, id, inputs)
    }

    /// The vector-Jacobian product: from `output_gradients`, the gradient `dL/dy (B, units)` of a loss of your own with
    /// respect to each output, to the gradients of all parameters, `Σ dL/dyᵀ · ∂y/∂w`, in place of those that were
    /// there. [`Model::apply_gradients`] takes the step. The loss itself is never needed: policy gradients give the
    /// gradient of each action's log-probability times its advantage. An output that is to have no part gets zeros.
    ///
    /// What layers add to the loss (penalties on activations) is not in it; what the optimizer adds (L1, L2, weight
    /// decay, clipping) comes with the step. Nothing is divided by the number of rows: for the mean over the rows, divide by it yourself.
    ///
    /// # Errors
    /// As [`Model::predict`]; [`Error::Shape`] and [`Error::Data`] where the gradients do not fit the outputs.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let x = Matrix::from([[0.0, 1.0], [1.0, 0.0]]);
    /// for _ in 0..50 {
    ///     let y = &model.forward(&[x.clone()])?[0];
    ///     // L = mean of (y - 1)⁴
    ///     let dy = y.clone().map(|y| 4.0 * (y - 1.0).powi(3) / 2.0);
    ///     model.backward(&[x.clone()], &[dy])?;
    ///     model.apply_gradients()?;
    /// }
    /// assert!((model.predict(&x)?.data()[0] - 1.0).abs() < 0.3);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn backward(&mut self, inputs: &[Matrix], output_gradients: &[Matrix]) -> Result<()> {
        self.run_given(Piece::Backward, inputs, output_gradients)?;
        self.by_hand.gathered = Gathered::Given;
        Ok(())
    }

    /// The gradient of a loss with respect to each input, from `output_gradients` as in [`Model::backward`]: which
    /// inputs an output depends on (saliency maps, Simonyan et al. 2013), or how to change an input most effectively
    /// (adversarial examples, Goodfellow et al. 2014). Computed as in prediction, without dropout; the gradients of
    /// the parameters stay as they are.
    ///
    /// # Errors
    /// As [`Model::backward`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1).weights(Initializer::Constant(0.5)));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let x = Matrix::from([[0.0, 1.0]]);
    /// let dx = model.input_gradients(&[x], &[[[2.0]].into()])?;
    /// assert_eq!(dx[0].data(), [1.0, 1.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn input_gradients(&mut self, inputs: &[Matrix], output_gradients: &[Matrix]) -> Result<Vec<Matrix>> {
        let (index, id) = self.run_given(Piece::InputGradients, inputs, output_gradients)?;
        self.read_outputs(index, id, inputs)
    }

    /// Queues `piece` on inputs and, behind them, gradients of the outputs.
    fn run_given(&mut self, piece: Piece, inputs: &[Matrix], gradients: &[Matrix]) -> Result<(usize, PlanId)> {
        self.check_finite_inputs(inputs)?;
        let rows = inputs.first().map_or(0, Matrix::rows);
        if piece != Piece::Forward {
            self.check_output_gradients(rows, gradients)?;
        }
        let index = self.hold(piece, rows, &[])?;
        let tensors = inputs.iter().chain(gradients).enumerate().map(|(slot, matrix)| Tensor {
            buffer: Buffer::DataInput(slot),
            values: Cow::Borrowed(matrix.data()),
            width: matrix.cols(),
            blanks: None,
            host: None,
        });
        // Formulas ask which rows are padding.
        let weights = Cow::Owned(vec![1.0; rows]);
        let weights = Tensor { buffer: Buffer::DataWeights, values: weights, width: 1, blanks: None, host: None };
        let tensors = tensors.chain([weights]);
        let step = self.by_hand_step(rows, 1.0, 0);
        let id = self.run_held(index, tensors, step)?;
        Ok((index, id))
    }

    fn check_output_gradients(&self, rows: usize, gradients: &[Matrix]) -> Result<()> {
        let outputs = self.program().network.outputs();
        if gradients.len() != outputs.len() {
            let wanted = format!("{} matrices, one for each output", outputs.len());
            return Err(Error::shape("output_gradients", wanted, gradients.len()));
        }
        for (i, (gradient, output)) in gradients.iter().zip(outputs).enumerate() {
            let units: usize = output.shape.iter().product();
            if (gradient.rows(), gradient.cols()) != (rows, units) {
                let got = format!("({}, {})", gradient.rows(), gradient.cols());
                return Err(Error::shape(&output.name, format!("output gradient ({rows}, {units})"), got));
            }
            gradient.check_finite(&format!("output_gradients[{i}]"))?;
        }
        Ok(())
    }

    /// The outputs of plan `index` that belong to the rows of `inputs`.
    fn read_outputs(&mut self, index: usize, id: PlanId, inputs: &[Matrix]) -> Result<Vec<Matrix>> {
        let rows = inputs.first().map_or(0, Matrix::rows);
        let held = &self.by_hand.plans[index];
        let batch = held.batch;
        let read = |range: &BufferRange| {
            let cols = range.fixed() / batch;
            let values = self.executor.read(id, range.resized(rows * cols))?;
            Matrix::new(rows, cols, values)
        };
        held.plan.outputs.iter().map(read).collect()
    }
}
