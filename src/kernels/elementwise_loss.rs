//! Losses that compare a prediction with its target element by element; a row's loss is the mean.

use super::Kernel;
use super::loss_part::{ENTRIES, LossPart};
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Entry, Shader, Spec, cells, params, touched_or};

/// A loss of a prediction `p` and a target `t`.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
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
    /// Focal loss (Lin et al. 2017) of the probability `s = sigmoid(p)`:
    /// `-positive · t (1 - s)^gamma log s - negative · (1 - t) s^gamma log(1 - s)`.
    Focal {
        /// The exponent of the factor that makes well predicted elements count less; at least 0.
        gamma: f32,
        /// Weight of the elements with `t = 1`.
        positive: f32,
        /// Weight of the elements with `t = 0`.
        negative: f32,
    },
    /// `max(0, 1 - s p)` with `s = 1` where `t > 1/2`, else `-1`; the gradient at the margin is 0.
    Hinge,
    /// `max(0, 1 - s p)²`, `s` as in the hinge.
    SquaredHinge,
    /// Poisson of the logarithm `p` of a rate: `exp(p) - t p`.
    PoissonLog,
    /// Poisson of a rate `p`: `p - t log(p + 1e-8)`, as in PyTorch.
    Poisson,
    /// `quantile · (t - p)` where `p ≤ t`, else `(1 - quantile)(p - t)`; the gradient at 0 is 0.
    Quantile {
        /// The quantile, between 0 and 1.
        quantile: f32,
    },
    /// `log cosh(p - t)`.
    LogCosh,
}

impl ElementwiseLoss {
    /// Every loss, with the usual parameters, in the order of [`ElementwiseLoss::kind`].
    pub const ALL: [ElementwiseLoss; 12] = [
        ElementwiseLoss::Mse,
        ElementwiseLoss::Mae,
        ElementwiseLoss::Huber { delta: 1.0 },
        ElementwiseLoss::BinaryCrossEntropy,
        ElementwiseLoss::SigmoidBinaryCrossEntropy,
        ElementwiseLoss::Focal { gamma: 2.0, positive: 0.25, negative: 0.75 },
        ElementwiseLoss::Hinge,
        ElementwiseLoss::SquaredHinge,
        ElementwiseLoss::PoissonLog,
        ElementwiseLoss::Poisson,
        ElementwiseLoss::Quantile { quantile: 0.9 },
        ElementwiseLoss::LogCosh,
    ];

    /// The number of this loss in `shaders/elementwise_loss.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            ElementwiseLoss::Mse => 0,
            ElementwiseLoss::Mae => 1,
            ElementwiseLoss::Huber { .. } => 2,
            ElementwiseLoss::BinaryCrossEntropy => 3,
            ElementwiseLoss::SigmoidBinaryCrossEntropy => 4,
            ElementwiseLoss::Focal { .. } => 5,
            ElementwiseLoss::Hinge => 6,
            ElementwiseLoss::SquaredHinge => 7,
            ElementwiseLoss::PoissonLog => 8,
            ElementwiseLoss::Poisson => 9,
            ElementwiseLoss::Quantile { .. } => 10,
            ElementwiseLoss::LogCosh => 11,
        }
    }

    /// The parameter of the loss, of a focal loss its gamma; 0 where it has none.
    pub const fn parameter(self) -> f32 {
        match self {
            ElementwiseLoss::Huber { delta } => delta,
            ElementwiseLoss::Focal { gamma, .. } => gamma,
            ElementwiseLoss::Quantile { quantile } => quantile,
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
            ElementwiseLoss::Focal { .. } => "focal",
            ElementwiseLoss::Hinge => "hinge",
            ElementwiseLoss::SquaredHinge => "squared_hinge",
            ElementwiseLoss::PoissonLog => "poisson_log",
            ElementwiseLoss::Poisson => "poisson",
            ElementwiseLoss::Quantile { .. } => "quantile",
            ElementwiseLoss::LogCosh => "log_cosh",
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
        /// [`ElementwiseLoss::parameter`].
        parameter: f32,
        /// Elements of the log from one step to the next; 0 where `row_loss` is no log.
        log_stride: u32,
        /// Where the losses of a step begin.
        log_at: u32,
        /// Weight of t in a focal loss.
        positive: f32,
        /// Weight of 1 - t in a focal loss.
        negative: f32,
    }
}

/// The mean loss of each row, its gradient times `drow`, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct ElementwiseLossKernel {
    /// What to compute.
    pub part: LossPart,
    /// Which loss.
    pub loss: ElementwiseLoss,
    /// The uniform.
    pub params: ElementwiseLossParams,
}

impl ElementwiseLossKernel {
    /// `part` of `loss` over a (rows, cols) prediction.
    pub fn new(part: LossPart, loss: ElementwiseLoss, rows: u32, cols: u32) -> Self {
        let (positive, negative) = match loss {
            ElementwiseLoss::Focal { positive, negative, .. } => (positive, negative),
            _ => (0.0, 0.0),
        };
        let parameter = loss.parameter();
        let params = ElementwiseLossParams { rows, cols, parameter, log_stride: 0, log_at: 0, positive, negative };
        Self { part, loss, params }
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

    /// Difference, function, sum; derivative, product.
    fn flops(&self) -> u64 {
        let each = match self.part {
            LossPart::Loss | LossPart::Grad => 3,
            LossPart::LossAndGrad => 5,
        };
        each * cells(self.params.rows, self.params.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [self.params.rows.into(); 5])
    }

    fn to_log(&self, log_stride: u32, log_at: u32) -> Option<Kernel> {
        let params = ElementwiseLossParams { log_stride, log_at, ..self.params };
        Some(Self { params, ..self.clone() }.into())
    }

    fn with_part(&self, part: LossPart) -> Option<Kernel> {
        Some(Self { part, ..self.clone() }.into())
    }
}
