//! Whole steps, and what they report.

use super::{Gathered, LastBatch};
use crate::data::Dataset;
use crate::model::{Model, Piece};
use crate::plan::{Buffer, BufferRange, PlanId};
use crate::train::feed::log::{Logged, target_weights};
use crate::train::feed::tensors::tensors;
use crate::train::report::{self, Evaluation};
use crate::{Error, Result};

impl Model {
    /// One training step on all rows of `batch`, and its loss and metrics: those of the weights before the step.
    ///
    /// Steps on batches of equal size, one after the other, leave the same bits as [`Model::fit`] does on these rows in
    /// this order with the same seed ([`Model::set_seed`]). Reading the values waits for the device:
    /// [`Model::queue_step`] does not.
    ///
    /// A batch may have any number of rows. The first four sizes get plans of their own; after that, and wherever a
    /// plan of at most twice the size is there, a batch is padded, so that changing sizes costs nothing once they have
    /// been met.
    ///
    /// # Errors
    /// As [`Model::fit`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// let batch = Dataset::new([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [1.0, 2.0, 3.0])?;
    /// let first = model.train_on_batch(&batch)?.loss();
    /// for _ in 0..100 {
    ///     model.queue_step(&batch)?;
    /// }
    /// assert!(model.last_evaluation()?.loss() < 0.01 * first);
    /// assert_eq!(model.steps_done(), 101);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn train_on_batch(&mut self, batch: &Dataset) -> Result<Evaluation> {
        self.queue_step(batch)?;
        self.last_evaluation()
    }

    /// As [`Model::train_on_batch`], but only queued: the step runs on the device while the program goes on.
    /// [`Model::last_evaluation`] reads its loss and metrics.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn queue_step(&mut self, batch: &Dataset) -> Result<()> {
        self.run_batch(Piece::Step, batch, 0, 1.0)?;
        self.by_hand.gathered = Gathered::Nothing;
        self.steps_done = self.steps_done.saturating_add(1);
        Ok(())
    }

    /// Loss and metrics of the batch that was last given to [`Model::queue_step`], [`Model::train_on_batch`],
    /// [`Model::compute_gradients`], [`Model::accumulate_gradients`] or [`Model::input_gradients_of_loss`], with the
    /// weights of that time. Waits until the device is done with it.
    ///
    /// # Errors
    /// [`Error::Value`] before the first batch; [`Error::Gpu`].
    pub fn last_evaluation(&mut self) -> Result<Evaluation> {
        let Some(last) = &self.by_hand.last else {
            let wanted = "run first (train_on_batch, queue_step, compute_gradients or accumulate_gradients)";
            return Err(Error::value("last_evaluation", "batch", wanted, "none"));
        };
        let log = self.executor.read(last.id, BufferRange::of(Buffer::Log, last.slots * last.batch))?;
        let logged = Logged {
            log,
            slots: last.slots,
            batch: last.batch,
            order: (0..last.rows as u32).collect(),
            rows: last.rows,
            targets: &last.targets,
            weights: last.weights.as_deref(),
            target_weights: last.target_weights.clone(),
        };
        report::evaluation(self, &logged)
    }

    /// Queues `piece` on the rows of `batch`, batch number `number` of the next update, whose results have the share
    /// `share` in what they are blended with.
    pub(super) fn run_batch(
        &mut self,
        piece: Piece,
        batch: &Dataset,
        number: u32,
        share: f32,
    ) -> Result<(usize, PlanId)> {
        let classes = self.check_data(batch)?;
        let index = self.hold(piece, batch.len(), &classes)?;
        let mut step = self.by_hand_step(batch.len(), batch.weight(0..batch.len() as u32), number);
        step.share = share;
        let tensors = tensors(batch, &self.by_hand.plans[index].plan);
        let id = self.run_held(index, tensors, step)?;
        let held = &self.by_hand.plans[index];
        let (size, slots) = (held.batch, held.plan.log_slots);
        let weights = batch.weights().map(<[f32]>::to_vec);
        let asked = self.program().watched.iter().any(|watched| !watched.metrics.is_empty());
        let targets = if asked { batch.targets().to_vec() } else { Vec::new() };
        let (rows, target_weights) = (batch.len(), target_weights(batch));
        self.by_hand.last = Some(LastBatch { id, batch: size, slots, rows, weights, target_weights, targets });
        Ok((index, id))
    }

    /// Updates done so far, by [`Model::fit`] and by hand.
    pub fn steps_done(&self) -> u64 {
        self.steps_done
    }

    /// The learning rate that the next step by hand uses.
    pub fn learning_rate(&self) -> f32 {
        self.program().optimizer.learning_rate()
    }

    /// Changes the learning rate from the next step on.
    ///
    /// # Errors
    /// [`Error::Value`] unless `rate` is positive and finite; the old one stays then.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(0.1))?;
    /// model.set_learning_rate(0.05)?;
    /// assert_eq!(model.learning_rate(), 0.05);
    /// assert!(model.set_learning_rate(-1.0).is_err());
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn set_learning_rate(&mut self, rate: f32) -> Result<()> {
        let mut changed = self.program().optimizer;
        changed.set_learning_rate(rate);
        changed.check()?;
        self.program_mut().optimizer = changed;
        Ok(())
    }

    /// Sets the seed of the dropout masks of steps by hand. Default 0, which is also that of
    /// [`Fit`](crate::train::Fit).
    pub fn set_seed(&mut self, seed: u64) {
        self.by_hand.seed = seed;
    }
}
