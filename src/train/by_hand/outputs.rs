//! Losses of the program's own: outputs go out, their gradients come in.

use super::Gathered;
use crate::data::{Dataset, Matrix};
use crate::model::{Model, Piece};
use crate::plan::{Buffer, BufferRange, PlanId};
use crate::train::feed::tensors::Tensor;
use crate::{Error, Result};
use std::borrow::{Borrow, Cow};

impl Model {
    /// Every output for each row of `inputs`, computed as in training: with dropout, under the masks that
    /// [`Model::backward`] on the same rows uses next, and with the statistics of the batch in batch normalisations,
    /// whose running statistics stay: `backward` brings them up to date. [`Model::predict_all`] computes the outputs as
    /// in use.
    ///
    /// # Errors
    /// As [`Model::predict`].
    pub fn forward(&mut self, inputs: &[impl Borrow<Matrix>]) -> Result<Vec<Matrix>> {
        self.run_and_read(Piece::Forward, inputs, &[])
    }

    /// The vector-Jacobian product: from `output_gradients`, the gradient `dL/dy (B, units)` of a loss of your own with
    /// respect to each output, to the gradients of all parameters, `Σ dL/dyᵀ · ∂y/∂w`. They are added to those that are
    /// there since the last step: of several losses, of batches one after the other, or of the model's own loss
    /// ([`Model::compute_gradients`]). [`Model::apply_gradients`] takes the step and uses them up,
    /// [`Model::clear_gradients`] forgets them. All passes before a step have the dropout masks of [`Model::forward`]. The
    /// loss itself is never needed: policy gradients give the
    /// gradient of each action's log-probability times its advantage. An output that is to have no part gets zeros.
    ///
    /// What layers add to the loss (penalties on activations) is not in it; what the optimizer adds (L1, L2, weight
    /// decay, clipping) comes with the step. Nothing is divided by the number of rows: for the mean over the rows, divide by
    /// it yourself. [`Loss::gradient`](crate::Loss::gradient) has the gradients of the built-in losses.
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
    ///     let y = model.forward(&[&x])?.remove(0);
    ///     // L = mean of (y - 1)⁴
    ///     let dy = y.map(|y| 4.0 * (y - 1.0).powi(3) / 2.0);
    ///     model.backward(&[&x], &[dy])?;
    ///     model.apply_gradients()?;
    /// }
    /// assert!((model.predict(&x)?.data()[0] - 1.0).abs() < 0.3);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn backward(&mut self, inputs: &[impl Borrow<Matrix>], output_gradients: &[Matrix]) -> Result<()> {
        let adds = self.by_hand.gathered != Gathered::Nothing;
        self.run_given(Piece::Backward { adds, to_inputs: false }, inputs, output_gradients)?;
        self.by_hand.gathered = Gathered::Given;
        Ok(())
    }

    /// As [`Model::backward`], and returns the gradient of the loss with respect to each input, of the same pass: with its
    /// dropout masks and the statistics of its batch. What stands in front of this model, another one or a function of the
    /// program's own, is trained with these. Waits for the device.
    ///
    /// # Errors
    /// As [`Model::backward`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let half = |inputs| Sequential::new(inputs).add(Dense::new(1).weights(Initializer::Constant(0.5)));
    /// let compile = |net: Sequential| net.compile(Device::cpu(), Losses::none(), Sgd::new(0.1));
    /// let (mut first, mut second) = (compile(half(2))?, compile(half(1))?);
    /// let x = Matrix::from([[0.0, 1.0]]);
    /// for _ in 0..20 {
    ///     let between = first.forward(&[&x])?;
    ///     let y = second.forward(&between)?;
    ///     let dy = Loss::MeanSquaredError.gradient(&y[0], &Matrix::from([[3.0]]).into())?;
    ///     let slopes = second.backward_to_inputs(&between, &[dy])?;
    ///     first.backward(&[&x], &slopes)?;
    ///     first.apply_gradients()?;
    ///     second.apply_gradients()?;
    /// }
    /// let between = first.predict(&x)?;
    /// assert!((second.predict(&between)?[(0, 0)] - 3.0).abs() < 0.01);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn backward_to_inputs(
        &mut self,
        inputs: &[impl Borrow<Matrix>],
        output_gradients: &[Matrix],
    ) -> Result<Vec<Matrix>> {
        let adds = self.by_hand.gathered != Gathered::Nothing;
        let found = self.run_and_read(Piece::Backward { adds, to_inputs: true }, inputs, output_gradients)?;
        self.by_hand.gathered = Gathered::Given;
        Ok(found)
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
    pub fn input_gradients(
        &mut self,
        inputs: &[impl Borrow<Matrix>],
        output_gradients: &[Matrix],
    ) -> Result<Vec<Matrix>> {
        self.run_and_read(Piece::InputGradients, inputs, output_gradients)
    }

    /// The gradient of the model's own loss with respect to each input of `batch`: which inputs the loss of a row depends
    /// on, or how to make it larger (adversarial examples). It is the loss that [`Model::evaluate`] reports, a mean over the
    /// rows, so a row has the gradient of its own loss times its share (`1 / B` without weights). Computed as in
    /// prediction, without dropout; the gradients of the parameters stay as they are, and [`Model::last_evaluation`] reads
    /// the loss.
    ///
    /// # Errors
    /// As [`Model::fit`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1).weights(Initializer::Constant(0.5)));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let batch = Dataset::new([[2.0, 4.0]], [1.0])?;
    /// let dx = model.input_gradients_of_loss(&batch)?.remove(0);
    /// assert_eq!(dx.data(), [2.0, 2.0]); // 2 (y - t) w with y = 3
    ///
    /// // The fast gradient sign method: a step of 0.1 in each input.
    /// let worse = (&batch.inputs()[0] + &dx.map(|g| 0.1 * g.signum()))?;
    /// assert!(model.evaluate(&Dataset::new(worse, [1.0])?)?.loss() > model.evaluate(&batch)?.loss());
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn input_gradients_of_loss(&mut self, batch: &Dataset) -> Result<Vec<Matrix>> {
        let (index, id) = self.run_batch(Piece::LossInputGradients, batch, 0, 1.0)?;
        self.read_outputs(index, id, batch.len())
    }

    fn run_and_read(
        &mut self,
        piece: Piece,
        inputs: &[impl Borrow<Matrix>],
        gradients: &[Matrix],
    ) -> Result<Vec<Matrix>> {
        let (index, id) = self.run_given(piece, inputs, gradients)?;
        self.read_outputs(index, id, inputs.first().map_or(0, |input| input.borrow().rows()))
    }

    /// Queues `piece` on inputs and, behind them, gradients of the outputs.
    fn run_given(
        &mut self,
        piece: Piece,
        inputs: &[impl Borrow<Matrix>],
        gradients: &[Matrix],
    ) -> Result<(usize, PlanId)> {
        self.check_finite_inputs(inputs)?;
        let inputs = inputs.iter().map(Borrow::borrow);
        let rows = inputs.clone().next().map_or(0, Matrix::rows);
        if piece != Piece::Forward {
            self.check_output_gradients(rows, gradients)?;
        }
        let index = self.hold(piece, rows, &[])?;
        let tensors = inputs.chain(gradients).enumerate().map(|(slot, matrix)| Tensor {
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

    /// The outputs of plan `index` that belong to the first `rows` rows.
    fn read_outputs(&mut self, index: usize, id: PlanId, rows: usize) -> Result<Vec<Matrix>> {
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
