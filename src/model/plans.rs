//! The plans of a model: made when they are asked for, and let go.

use super::{Model, Program, Purpose};
use crate::plan::{Plan, PlanId};
use crate::{Error, Result};

/// A plan that the executor has loaded.
#[derive(Clone)]
pub(crate) struct LoadedPlan {
    pub(super) purpose: Purpose,
    pub batch: usize,
    classes: Vec<bool>,
    pub id: PlanId,
    pub plan: Plan,
}

/// What `attempt` makes of `most` rows, or, as often as that is too large for the device, of half as many.
pub(super) fn halved<T>(most: usize, mut attempt: impl FnMut(usize) -> Result<T>) -> Result<T> {
    let (mut rows, mut refusal) = (most, None);
    loop {
        match attempt(rows) {
            Err(error @ Error::TooLarge { .. }) => {
                let first = refusal.get_or_insert(error);
                if rows == 1 {
                    return Err(first.clone());
                }
                rows /= 2;
            }
            outcome => return outcome,
        }
    }
}

impl Model {
    /// The plan for `purpose` at batch size `batch`, loaded if it is not. A plan for another batch size is let go, but
    /// for predictions, whose few batch sizes stay.
    pub(crate) fn load(&mut self, purpose: Purpose, batch: usize, classes: &[bool]) -> Result<&LoadedPlan> {
        self.bindings += u64::from(purpose != Purpose::Predict);
        if purpose == Purpose::Train {
            // Its steps write over them.
            self.by_hand.forget_gradients();
            self.by_hand.scaled = true;
        }
        let fits = |l: &LoadedPlan| l.purpose == purpose && l.batch == batch && l.classes == classes;
        if let Some(i) = self.plans.iter().position(fits) {
            return Ok(&self.plans[i]);
        }
        let made = self.make(purpose, batch, classes)?;
        let outdated = |loaded: &LoadedPlan| loaded.purpose == purpose && purpose != Purpose::Predict;
        if let Some(i) = self.plans.iter().position(outdated) {
            self.executor.unload(self.plans.swap_remove(i).id);
        }
        self.plans.push(made);
        Ok(&self.plans[self.plans.len() - 1])
    }

    /// As [`load`](Self::load), at no more than `batch` rows. Returns how many the device can bind.
    pub(super) fn load_at_most(&mut self, purpose: Purpose, batch: usize, classes: &[bool]) -> Result<usize> {
        halved(batch, |rows| self.load(purpose, rows, classes).map(|loaded| loaded.batch))
    }

    fn make(&mut self, purpose: Purpose, batch: usize, classes: &[bool]) -> Result<LoadedPlan> {
        let plan = self.program.plan(purpose, batch, classes, true)?;
        let id = self.executor.load(&plan)?;
        Ok(LoadedPlan { purpose, batch, classes: classes.to_vec(), id, plan })
    }

    /// Lets go of the data that are bound to the plans for `purposes`.
    pub(crate) fn release_data(&mut self, purposes: &[Purpose]) -> Result<()> {
        let plans = self.plans.iter().filter(|loaded| purposes.contains(&loaded.purpose));
        plans.map(|loaded| loaded.id).try_for_each(|id| self.executor.release_data(id))
    }

    /// Lets go of the plans for which `outdated` holds.
    pub(super) fn unload(&mut self, outdated: impl Fn(Purpose) -> bool) {
        self.bindings += 1;
        self.plans.retain(|loaded| {
            let stays = !outdated(loaded.purpose);
            if !stays {
                self.executor.unload(loaded.id);
            }
            stays
        });
    }

    /// Makes the training plan anew, for the same batch size (or less, if that no longer fits) and targets; the slabs
    /// stay.
    pub(super) fn reload_training(&mut self) -> Result<()> {
        let at = self.plans.iter().position(|loaded| loaded.purpose == Purpose::Train);
        let at = at.ok_or_else(|| Error::Internal("no training plan is loaded".to_owned()))?;
        let LoadedPlan { purpose, batch, classes, id: old, .. } = self.plans[at].clone();
        self.plans[at] = halved(batch, |rows| self.make(purpose, rows, &classes))?;
        self.executor.unload(old);
        self.bindings += 1;
        Ok(())
    }

    /// Replaces the program by one of the same parameters; the slabs stay. Plans of `outdated` purposes are let go.
    pub(super) fn replace_program(&mut self, program: Program, outdated: impl Fn(Purpose) -> bool) -> Result<()> {
        let before = std::mem::replace(&mut self.program, program);
        if let Err(error) = self.reload_training() {
            self.program = before;
            return Err(error);
        }
        self.unload(outdated);
        self.batches.forget();
        self.release_plans_by_hand();
        Ok(())
    }
}
