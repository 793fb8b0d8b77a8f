//! Training by hand: the pieces of a training step, driven by the program instead of [`Model::fit`].
//!
//! Each piece is a plan of its own, loaded for the size of its batch when it is first asked for and then kept, so that
//! going on creates nothing on the device. The rows of a batch are written over those of the last one, while steps
//! that are queued still see theirs. What a piece leaves for the next (gradients, weights) stays on the device.

#[cfg(feature = "save")]
mod checkpoint;
mod gradients;
mod outputs;
mod step;

use super::feed::tensors::Tensor;
use crate::kernels::Step;
use crate::model::by_hand::{Gathered, Held, LastBatch};
use crate::model::{Model, Piece};
use crate::plan::{Buffer, Plan, PlanId, PlanStep};
use crate::random::stream_key;
use crate::{Error, Result};

/// Batches of one update draw their dropout masks from this stream; shuffling and layers have others.
const MASK_STREAM: u32 = u32::from_be_bytes(*b"hand");
/// Batch sizes of a piece that get plans of their own. Later ones are rounded up to powers of two: their plans are few
/// then, and the buffers of all of them less than twice those of the largest.
const OWN_PLANS: usize = 4;

/// The batch size of the plan that runs `rows` rows, if plans of `sizes` are loaded: one that is at most half empty,
/// or a new one.
fn batch_size(sizes: &[usize], rows: usize) -> usize {
    let fitting = sizes.iter().copied().filter(|size| (rows..=rows.saturating_mul(2)).contains(size)).min();
    fitting.unwrap_or(if sizes.len() < OWN_PLANS { rows } else { rows.next_power_of_two() })
}

impl Model {
    /// The place in the list of a plan for `piece` and `rows` rows, loaded if it is not.
    fn hold(&mut self, piece: Piece, rows: usize, classes: &[bool]) -> Result<usize> {
        let fits = |held: &&Held| held.piece == piece && held.classes == classes;
        let sizes: Vec<usize> = self.by_hand.plans.iter().filter(fits).map(|held| held.batch).collect();
        let batch = batch_size(&sizes, rows);
        let known = self.by_hand.plans.iter().position(|held| fits(&held) && held.batch == batch);
        if let Some(index) = known {
            return Ok(index);
        }
        let (batch, id, plan) = self.load_task(piece, (rows, batch), classes)?;
        if matches!(piece, Piece::Accumulate | Piece::Backward { adds: true, .. }) {
            // No longer what was there of a layer that has been frozen since.
            self.executor.write_slab(Buffer::BatchGradients, 0, &vec![0.0; plan.slab])?;
        }
        let data: Vec<Buffer> = plan.data_sizes(batch, 1).into_iter().map(|(buffer, _)| buffer).collect();
        if !data.is_empty() {
            let order: Vec<u32> = (0..batch as u32).collect();
            let bound = self.executor.bind_data(id, batch, 1);
            if let Err(error) = bound.and_then(|()| self.executor.write_order(id, &order)) {
                self.executor.unload(id);
                return Err(error);
            }
        }
        self.by_hand.plans.push(Held { piece, classes: classes.to_vec(), batch, id, plan, data });
        Ok(self.by_hand.plans.len() - 1)
    }

    /// Loads a plan for `piece` at `most` rows. What was rounded up beyond what the device can bind is brought half way
    /// back to `rows`, as often as it takes.
    fn load_task(
        &mut self,
        piece: Piece,
        (rows, most): (usize, usize),
        classes: &[bool],
    ) -> Result<(usize, PlanId, Plan)> {
        let mut batch = most;
        loop {
            let plan = self.program().piece_plan(piece, batch, classes);
            match plan.and_then(|plan| Ok((batch, self.executor.load(&plan)?, plan))) {
                Err(Error::TooLarge { .. }) if batch > rows => batch = rows.midpoint(batch),
                outcome => return outcome,
            }
        }
    }

    /// Writes the rows of a batch and queues one run of plan `index`.
    fn run_held<'a>(
        &mut self,
        index: usize,
        tensors: impl IntoIterator<Item = Tensor<'a>>,
        step: Step,
    ) -> Result<PlanId> {
        let held = &self.by_hand.plans[index];
        // All plans by hand are in f32.
        let writes = |step: &PlanStep| step.writes().any(|range| range.buffer == Buffer::Gradients);
        self.by_hand.scaled &= !held.plan.steps.iter().any(writes);
        for tensor in tensors {
            if held.data.contains(&tensor.buffer) {
                self.executor.write(held.id, tensor.buffer, 0, &tensor.all())?;
            }
        }
        self.executor.run(held.id, &[step])?;
        Ok(held.id)
    }

    /// Queues one run of the plan for `piece`, which has no batch, after `prepare`, which finds its slabs there.
    pub(crate) fn run_without_batch(
        &mut self,
        piece: Piece,
        step: Step,
        prepare: impl FnOnce(&mut Self) -> Result<()>,
    ) -> Result<()> {
        let index = self.hold(piece, 1, &[])?;
        prepare(self)?;
        self.run_held(index, [], step)?;
        Ok(())
    }

    /// The uniform of a batch of `rows` rows of this weight, the batch number `number` (from 0) of the next update:
    /// each has dropout masks of its own, and the first those that `fit` would draw.
    fn by_hand_step(&self, rows: usize, weight: f64, number: u32) -> Step {
        let seed = self.by_hand.seed;
        let mut step = Step { share: 1.0, ..Step::over(0, rows, weight).seeded(seed) };
        if number > 0 {
            [step.seed_low, step.seed_high] = stream_key(seed, MASK_STREAM, number);
        }
        self.program().optimizer.fill(self.steps_done.saturating_add(1), &mut step);
        step
    }

    /// Lets all plans go, to be made anew when they are asked for.
    pub(crate) fn release_plans_by_hand(&mut self) {
        for held in std::mem::take(&mut self.by_hand.plans) {
            self.executor.unload(held.id);
        }
        self.by_hand.last = None;
    }
}

#[cfg(test)]
mod tests {
    use super::batch_size;

    #[test]
    fn few_sizes_are_exact_and_many_are_rounded() {
        assert_eq!(batch_size(&[], 100), 100);
        assert_eq!(batch_size(&[100], 50), 100);
        assert_eq!(batch_size(&[100], 49), 49);
        assert_eq!(batch_size(&[100, 64], 60), 64);
        assert_eq!(batch_size(&[100, 49, 3, 1000], 300), 512);
        // However many sizes come, the plans are few and the buffers together less than twice the largest.
        let mut sizes: Vec<usize> = Vec::new();
        for rows in (1..5000).rev().chain(1..5000) {
            let size = batch_size(&sizes, rows);
            assert!(size >= rows && size <= 2 * rows, "{size} for {rows}");
            if !sizes.contains(&size) {
                sizes.push(size);
            }
        }
        assert!(sizes.len() <= OWN + 13, "{sizes:?}");
    }

    const OWN: usize = super::OWN_PLANS;
}
