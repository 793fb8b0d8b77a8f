//! Gradients: computing, gathering, changing and applying them.

use super::Gathered;
use crate::data::Dataset;
use crate::kernels::Step;
use crate::model::{Model, Piece, Weight};
use crate::plan::Buffer;
use crate::{Error, Result};

impl Model {
    /// The gradients of the loss on the rows of `batch`, in place of those that were there. They stay on the device;
    /// the weights stay as they are. [`Model::gradients`] reads them, [`Model::set_gradients`] changes them,
    /// [`Model::apply_gradients`] takes the optimizer's step. [`Model::last_evaluation`] reads the loss.
    ///
    /// # Errors
    /// As [`Model::fit`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let batch = Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0])?;
    /// model.compute_gradients(&batch)?;
    /// let mut gradients = model.gradients()?;
    /// for x in gradients.iter_mut().flat_map(|gradient| &mut gradient.data) {
    ///     *x = x.clamp(-0.1, 0.1);
    /// }
    /// model.set_gradients(&gradients)?;
    /// model.apply_gradients()?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn compute_gradients(&mut self, batch: &Dataset) -> Result<()> {
        let weight = batch.weight(0..batch.len() as u32);
        self.run_batch(Piece::Gradients, batch, 0, 1.0)?;
        self.by_hand.gathered = Gathered::Mean { weight, batches: 1 };
        Ok(())
    }

    /// Adds the rows of `batch` to those of which the gradients are the mean: after a few such calls,
    /// [`Model::apply_gradients`] takes the step that all the rows as one batch would have taken, to rounding. For
    /// batches that are too large for the device. The first call after an update begins anew; a batch counts by the
    /// weights of its rows.
    ///
    /// # Errors
    /// As [`Model::fit`]; [`Error::Value`] if the gradients are of [`Model::backward`] or, without a batch before,
    /// of [`Model::set_gradients`]: these are no mean over rows ([`Model::clear_gradients`] forgets them).
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let data = Dataset::new([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 2.0, 3.0])?;
    /// model.accumulate_gradients(&data.select(&[0, 1])?)?;
    /// model.accumulate_gradients(&data.select(&[2])?)?;
    /// let parts = model.gradient("dense_1.b")?.data[0];
    /// model.compute_gradients(&data)?;
    /// assert!((model.gradient("dense_1.b")?.data[0] - parts).abs() < 1e-6);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn accumulate_gradients(&mut self, batch: &Dataset) -> Result<()> {
        let (before, batches) = match self.by_hand.gathered {
            Gathered::Nothing => (0.0, 0),
            Gathered::Mean { weight, batches } => (weight, batches),
            Gathered::Given => {
                let wanted = "a mean over batches (call apply_gradients or clear_gradients first)";
                let got = "those of backward or set_gradients";
                return Err(Error::value("accumulate_gradients", "gradients", wanted, got));
            }
        };
        let added = batch.weight(0..batch.len() as u32);
        let weight = before + added;
        self.run_batch(Piece::Accumulate, batch, batches, (added / weight) as f32)?;
        self.by_hand.gathered = Gathered::Mean { weight, batches: batches.saturating_add(1) };
        Ok(())
    }

    /// The optimizer's step with the gradients that are there, which are used up by it: the next step needs others.
    /// Queued on the device, as everything but reading is.
    ///
    /// # Errors
    /// [`Error::Value`] if no gradients were computed or set since the last update; [`Error::Gpu`].
    pub fn apply_gradients(&mut self) -> Result<()> {
        if self.by_hand.gathered == Gathered::Nothing {
            let wanted = "there (call compute_gradients, accumulate_gradients, backward or set_gradients)";
            return Err(Error::value("apply_gradients", "gradients", wanted, "none since the last update"));
        }
        self.update_by_hand(self.learning_rate())
    }

    /// The optimizer's step with the gradients that are there, at this learning rate.
    pub(in crate::train) fn update_by_hand(&mut self, learning_rate: f32) -> Result<()> {
        let step = Step { learning_rate, ..self.by_hand_step(0, 1.0, 0) };
        self.run_without_batch(Piece::Update, step, |_| Ok(()))?;
        self.by_hand.gathered = Gathered::Nothing;
        self.steps_done = self.steps_done.saturating_add(1);
        Ok(())
    }

    /// Forgets the gradients: [`Model::accumulate_gradients`] and [`Model::backward`] begin anew.
    pub fn clear_gradients(&mut self) {
        self.by_hand.forget_gradients();
    }

    /// Replaces the gradients by `gradients`: one for each parameter of the model, in any order, as [`Model::gradients`]
    /// gives them. Those of a mean over batches stay one, to which [`Model::accumulate_gradients`] may add.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Value`] where they are not those of this model; [`Error::Data`] for NaN or
    /// infinity; [`Error::Gpu`].
    pub fn set_gradients(&mut self, gradients: &[Weight]) -> Result<()> {
        let slab = self.layout().join("gradients", gradients)?;
        self.executor.write_slab(Buffer::Gradients, 0, &slab)?;
        self.by_hand.scaled = false;
        if self.by_hand.gathered == Gathered::Nothing {
            self.by_hand.gathered = Gathered::Given;
        }
        Ok(())
    }

    /// The gradient of the parameter `name`, such as `dense_1.w`. Waits for the device.
    ///
    /// # Errors
    /// [`Error::Value`] with all names for one that is not among them; [`Error::Gpu`].
    pub fn gradient(&mut self, name: &str) -> Result<Weight> {
        self.read_parameter("gradient", name, Buffer::Gradients)
    }
}
