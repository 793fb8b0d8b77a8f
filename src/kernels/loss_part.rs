//! What the two families of loss kernels share: three entry points over the same five buffers.

use super::spec::{Binding, Entry};

/// What a loss kernel computes in one dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LossPart {
    /// The loss of each row.
    Loss,
    /// The gradient.
    Grad,
    /// Both.
    LossAndGrad,
}

impl LossPart {
    /// Its entry point.
    pub(crate) fn entry(self) -> &'static Entry {
        match self {
            LossPart::Loss => &ENTRIES[0],
            LossPart::Grad => &ENTRIES[1],
            LossPart::LossAndGrad => &ENTRIES[2],
        }
    }

    /// Element counts of the buffers of that entry: prediction, target, `drow`, `row_loss`, gradient.
    pub(crate) fn sizes(self, predictions: usize, targets: usize, rows: usize) -> Vec<usize> {
        match self {
            LossPart::Loss => vec![predictions, targets, rows],
            LossPart::Grad => vec![predictions, targets, rows, predictions],
            LossPart::LossAndGrad => vec![predictions, targets, rows, rows, predictions],
        }
    }
}

const PREDICTION: Binding = Binding::read(1, "prediction");
const TARGET: Binding = Binding::read(2, "target_");
const DROW: Binding = Binding::read(3, "drow");
/// A log is written in part.
const ROW_LOSS: Binding = Binding::update(4, "row_loss");
const DPREDICTION: Binding = Binding::write(5, "dprediction");

/// The entry points of a loss kernel, in the order of [`LossPart`]. A prediction is logits where the loss says so.
pub(super) const ENTRIES: &[Entry] = &[
    Entry { name: "loss", bindings: &[PREDICTION, TARGET, ROW_LOSS] },
    Entry { name: "grad", bindings: &[PREDICTION, TARGET, DROW, DPREDICTION] },
    Entry { name: "loss_and_grad", bindings: &[PREDICTION, TARGET, DROW, ROW_LOSS, DPREDICTION] },
];
