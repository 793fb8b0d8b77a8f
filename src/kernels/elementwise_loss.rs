//! Losses that compare a prediction with its target element by element; a row's loss is the mean.

use super::loss_part::{ENTRIES, Part};
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Entry, Shader, Spec, params};

/// A loss of a prediction `p` and a target `t`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub enum ElementwiseLoss {
    /// `(p - t)²`.
    Mse,
    /// `|p - t|`; the gradient at 0 is 0.
    Mae,
    /// `(p - t)² / 2` where `|p - t| ≤ delta`, else `delta (|p - t| - delta / 2)`.
    Huber {
        /// Where the parabola becomes a line; above 0.
        delta: f32,
    },
    /// `-(t log p + (1 - t) log(1 - p))` of a probability `p`. Logarithms are clamped at -100 and the
    /// denominator of the gradient `(p - t) / (p (1 - p))` at 1e-12, as in PyTorch.
    BinaryCrossEntropy,
    /// Binary cross-entropy of the probability `sigmoid(p)`: `max(p, 0) - p t + log(1 + exp(-|p|))`.
    SigmoidBinaryCrossEntropy,
}

impl ElementwiseLoss {
    /// Every loss, with PyTorch's default parameters, in the order of [`ElementwiseLoss::kind`].
    pub const ALL: [ElementwiseLoss; 5] = [
        ElementwiseLoss::Mse,
        ElementwiseLoss::Mae,
        ElementwiseLoss::Huber { delta: 1.0 },
        ElementwiseLoss::BinaryCrossEntropy,
        ElementwiseLoss::SigmoidBinaryCrossEntropy,
    ];

    /// The number of this loss in `shaders/elementwise_loss.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            ElementwiseLoss::Mse => 0,
            ElementwiseLoss::Mae => 1,
            ElementwiseLoss::Huber { .. } => 2,
            ElementwiseLoss::BinaryCrossEntropy => 3,
            ElementwiseLoss::SigmoidBinaryCrossEntropy => 4,
        }
    }

    /// The parameter of the loss; 0 where it has none.
    pub const fn delta(self) -> f32 {
        match self {
            ElementwiseLoss::Huber { delta } => delta,
            _ => 0.0,
        }
    }

    /// The name in summaries and plans.
    pub const fn name(self) -> &'static str {
        match self {
            ElementwiseLoss::Mse => "mse",
            ElementwiseLoss::Mae => "mae",
            ElementwiseLoss::Huber { .. } => "huber",
            ElementwiseLoss::BinaryCrossEntropy => "binary_cross_entropy",
            ElementwiseLoss::SigmoidBinaryCrossEntropy => "sigmoid_binary_cross_entropy",
        }
    }
}

params! {
    /// `Params` of `elementwise_loss`.
    pub struct ElementwiseLossParams {
        /// Rows.
        rows: u32,
        /// Columns, over which the mean is taken.
        cols: u32,
        /// [`ElementwiseLoss::delta`].
        delta: f32,
        /// Elements of the log from one step to the next; 0 where `row_loss` is no log.
        log_stride: u32,
        /// Where the losses of a step begin.
        log_at: u32,
    }
}

/// The mean loss of each row, its gradient times `drow`, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementwiseLossKernel {
    /// What to compute.
    pub part: Part,
    /// Which loss.
    pub loss: ElementwiseLoss,
    /// The uniform.
    pub params: ElementwiseLossParams,
}

impl ElementwiseLossKernel {
    /// `part` of `loss` over a (rows, cols) prediction.
    pub fn new(part: Part, loss: ElementwiseLoss, rows: u32, cols: u32) -> Self {
        Self { part, loss, params: ElementwiseLossParams { rows, cols, delta: loss.delta(), log_stride: 0, log_at: 0 } }
    }
}

/// `shaders/elementwise_loss.wgsl`.
pub const SHADER: Shader = Shader {
    name: "elementwise_loss",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/rows.wgsl"),
        include_str!("../../shaders/elementwise_loss.wgsl"),
    ],
    params: ElementwiseLossParams::MEMBERS,
    overrides: &["LANES", "LOSS"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: ENTRIES,
};

impl Spec for ElementwiseLossKernel {
    fn shader(&self) -> &'static Shader {
        &SHADER
    }

    fn entry(&self) -> &'static Entry {
        self.part.entry()
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.params.cols), ("LOSS", f64::from(self.loss.kind()))]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.params.rows, self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let elements = self.params.rows as usize * self.params.cols as usize;
        self.part.sizes(elements, elements, self.params.rows as usize)
    }
}
