//! Softmax and cross-entropy in one pass over the logits, with its gradient.
//!
//! With `m` the row maximum and `t' = (1 - s) t + s / C` the smoothed target (PyTorch's),
//! `loss = Σt' · log Σ exp(z - m) - Σ t' (z - m)`: nothing overflows, and the logarithm of a
//! probability that underflowed is never taken. `dlogits = drow · (Σt' · softmax(z) - t')`.
//! Focal loss and divergence are functions of the same sums, chosen by an override: [`EntropyKind`].

use super::Kernel;
use super::loss_part::{ENTRIES, LossPart};
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Entry, Shader, Spec, cells, params, touched_or};

/// Which function of the row's sums is the loss.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum EntropyKind {
    /// `-Σ t' log softmax(z)`.
    CrossEntropy {
        /// Label smoothing s, from 0 up to 1.
        smoothing: f32,
    },
    /// `-(1 - p)^gamma log p` of the probability `p` of the one class with `t = 1` (Lin et al. 2017).
    Focal {
        /// Above 0.
        gamma: f32,
    },
    /// Kullback-Leibler divergence of `softmax(z)` from the distribution t: `Σ t (log t - log softmax(z))`.
    Divergence,
}

impl EntropyKind {
    /// The number of this function in `shaders/softmax_cross_entropy.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            EntropyKind::CrossEntropy { .. } => 0,
            EntropyKind::Focal { .. } => 1,
            EntropyKind::Divergence => 2,
        }
    }

    /// The name in reports of checks.
    pub const fn name(self) -> &'static str {
        match self {
            EntropyKind::CrossEntropy { .. } => "cross_entropy",
            EntropyKind::Focal { .. } => "focal",
            EntropyKind::Divergence => "divergence",
        }
    }
}

params! {
    /// `Params` of `softmax_cross_entropy`.
    pub struct SoftmaxCrossEntropyParams {
        /// Rows.
        rows: u32,
        /// Classes, C.
        cols: u32,
        /// Label smoothing s, from 0 up to 1.
        smoothing: f32,
        /// Elements of the log from one step to the next; 0 where `row_loss` is no log.
        log_stride: u32,
        /// Where the losses of a step begin.
        log_at: u32,
        /// Where the hits of a step begin.
        hit_at: u32,
        /// Exponent of a focal loss.
        gamma: f32,
    }
}

/// Cross-entropy of the softmax of logits against classes or probabilities.
#[derive(Debug, Clone, PartialEq)]
pub struct SoftmaxCrossEntropy {
    /// What to compute.
    pub part: LossPart,
    /// Whether the target is the index of the class, (rows, 1); otherwise probabilities, (rows, cols).
    pub classes: bool,
    /// Which loss.
    pub kind: EntropyKind,
    /// Also log, at `hit_at`, whether the first of the largest logits is the class: the accuracy of each row.
    pub hit: bool,
    /// The uniform.
    pub params: SoftmaxCrossEntropyParams,
}

impl SoftmaxCrossEntropy {
    /// `part` of the cross-entropy of (rows, cols) logits.
    pub fn new(part: LossPart, classes: bool, smoothing: f32, rows: u32, cols: u32) -> Self {
        Self::of_kind(part, classes, EntropyKind::CrossEntropy { smoothing }, rows, cols)
    }

    /// `part` of a loss of (rows, cols) logits.
    pub fn of_kind(part: LossPart, classes: bool, kind: EntropyKind, rows: u32, cols: u32) -> Self {
        let (smoothing, gamma) = match kind {
            EntropyKind::CrossEntropy { smoothing } => (smoothing, 0.0),
            EntropyKind::Focal { gamma } => (0.0, gamma),
            EntropyKind::Divergence => (0.0, 0.0),
        };
        let params = SoftmaxCrossEntropyParams { rows, cols, smoothing, log_stride: 0, log_at: 0, hit_at: 0, gamma };
        Self { part, classes, kind, hit: false, params }
    }
}

/// `shaders/softmax_cross_entropy.wgsl`.
pub const SHADER: Shader = Shader {
    name: "softmax_cross_entropy",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/rows.wgsl"),
        include_str!("../../shaders/softmax_cross_entropy.wgsl"),
    ],
    params: SoftmaxCrossEntropyParams::MEMBERS,
    overrides: &["LANES", "CLASSES", "KIND", "HIT"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: ENTRIES,
};

impl Spec for SoftmaxCrossEntropy {
    fn entry(&self) -> &'static Entry {
        self.part.entry()
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        let flag = |set: bool| f64::from(u8::from(set));
        let kind = f64::from(self.kind.kind());
        vec![lanes_override(self.params.cols), ("CLASSES", flag(self.classes)), ("KIND", kind), ("HIT", flag(self.hit))]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.params.rows, self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        self.part.sizes(rows * cols, if self.classes { rows } else { rows * cols }, rows)
    }

    /// Maximum, difference, exp, sum; target dot logits; a quotient, a difference, a product.
    fn flops(&self) -> u64 {
        let each = match self.part {
            LossPart::Loss => 6,
            LossPart::Grad => 7,
            LossPart::LossAndGrad => 9,
        };
        (each + u64::from(self.hit)) * cells(self.params.rows, self.params.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [cells(self.params.rows, 1 + u32::from(self.hit)); 5])
    }

    fn to_log(&self, log_stride: u32, log_at: u32) -> Option<Kernel> {
        let params = SoftmaxCrossEntropyParams { log_stride, log_at, ..self.params };
        Some(Self { params, ..self.clone() }.into())
    }

    fn with_part(&self, part: LossPart) -> Option<Kernel> {
        Some(Self { part, ..self.clone() }.into())
    }
}
