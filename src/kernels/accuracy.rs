//! The share of right answers in each row. Of equal maxima the first wins.

use super::Kernel;
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, params, touched_or};

/// How a prediction is compared with its target.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum AccuracyKind {
    /// The largest column of the prediction is the class, (rows, 1), of the target.
    Classes,
    /// The largest column of the prediction is the largest of the target.
    OneHot,
    /// The mean over the columns of `(prediction > threshold) == (target > 0.5)`.
    Binary {
        /// Above it a prediction means yes: 0.5 for probabilities, 0 for logits.
        threshold: f32,
    },
}

impl AccuracyKind {
    /// The number of this comparison in `shaders/accuracy.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            AccuracyKind::Classes => 0,
            AccuracyKind::OneHot => 1,
            AccuracyKind::Binary { .. } => 2,
        }
    }

    /// The threshold; 0 where there is none.
    pub const fn threshold(self) -> f32 {
        match self {
            AccuracyKind::Binary { threshold } => threshold,
            _ => 0.0,
        }
    }
}

params! {
    /// `Params` of `accuracy`.
    pub struct AccuracyParams {
        /// Rows.
        rows: u32,
        /// Columns of the prediction.
        cols: u32,
        /// [`AccuracyKind::threshold`].
        threshold: f32,
        /// Elements of the log from one step to the next; 0 where `row_metric` is no log.
        log_stride: u32,
        /// Where the metrics of a step begin.
        log_at: u32,
    }
}

/// The share of right answers of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Accuracy {
    /// How to compare.
    pub kind: AccuracyKind,
    /// The uniform.
    pub params: AccuracyParams,
}

impl Accuracy {
    /// Accuracy of a (rows, cols) prediction.
    pub fn new(kind: AccuracyKind, rows: u32, cols: u32) -> Self {
        Self { kind, params: AccuracyParams { rows, cols, threshold: kind.threshold(), log_stride: 0, log_at: 0 } }
    }
}

/// `shaders/accuracy.wgsl`.
pub const SHADER: Shader = Shader {
    name: "accuracy",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/rows.wgsl"),
        include_str!("../../shaders/accuracy.wgsl"),
    ],
    params: AccuracyParams::MEMBERS,
    overrides: &["LANES", "KIND"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: &[Entry {
        name: "main",
        // A log is written in part.
        bindings: &[Binding::read(1, "pred"), Binding::read(2, "target_"), Binding::update(3, "row_metric")],
    }],
};

impl Spec for Accuracy {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.params.cols), ("KIND", f64::from(self.kind.kind()))]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.params.rows, self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        let target = if self.kind == AccuracyKind::Classes { rows } else { rows * cols };
        vec![rows * cols, target, rows]
    }

    fn flops(&self) -> u64 {
        cells(self.params.rows, self.params.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [self.params.rows.into(); 3])
    }

    fn to_log(&self, log_stride: u32, log_at: u32) -> Option<Kernel> {
        let params = AccuracyParams { log_stride, log_at, ..self.params };
        Some(Self { params, ..self.clone() }.into())
    }
}
