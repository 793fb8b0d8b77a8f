//! What a model keeps for training by hand (`src/train/by_hand`).

use super::Piece;
use crate::data::Targets;
use crate::plan::{Buffer, Plan, PlanId};

/// What a model keeps for training by hand.
#[derive(Default)]
pub(crate) struct ByHand {
    pub plans: Vec<Held>,
    pub seed: u64,
    pub gathered: Gathered,
    /// The gradients in the slab are those of `fit`, whose loss may have been scaled.
    pub scaled: bool,
    pub last: Option<LastBatch>,
}

/// A plan that stays loaded.
pub(crate) struct Held {
    pub piece: Piece,
    pub classes: Vec<bool>,
    pub batch: usize,
    pub id: PlanId,
    pub plan: Plan,
    /// The parts of the data set that the plan reads.
    pub data: Vec<Buffer>,
}

/// What lies in the slab of gradients since the last update.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) enum Gathered {
    #[default]
    Nothing,
    /// The mean over batches of this weight together.
    Mean { weight: f64, batches: u32 },
    /// What the program has given.
    Given,
}

/// The batch whose losses lie in the log of plan `id`.
pub(crate) struct LastBatch {
    pub id: PlanId,
    pub batch: usize,
    pub slots: usize,
    pub rows: usize,
    pub weights: Option<Vec<f32>>,
    /// By output, where that has weights of its own.
    pub target_weights: Vec<Option<Vec<f32>>>,
    /// Where metrics ask for them.
    pub targets: Vec<Targets>,
}

impl ByHand {
    /// The gradients are used up, or no longer those of this model's weights.
    pub fn forget_gradients(&mut self) {
        self.gathered = Gathered::Nothing;
    }
}
