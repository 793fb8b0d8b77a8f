//! What metrics need of a row of scores: the class it predicts, or the rank of its target.
//!
//! The rank is the number of columns that come before the target: larger scores come first, of equal ones the first
//! column. So the target is among the k best exactly where its rank is less than k. A target whose score is NaN comes
//! after all columns.

use super::Kernel;
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, params, touched_or};

/// What is written for each row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RankKind {
    /// The first of the largest columns of the prediction; the target, (rows, 1), is not looked at.
    Predicted,
    /// The rank of the class, (rows, 1), of the target.
    OfClass,
    /// The rank of the first of the largest columns of the target.
    OfOneHot,
}

impl RankKind {
    /// The number of this kind in `shaders/rank.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            RankKind::Predicted => 0,
            RankKind::OfClass => 1,
            RankKind::OfOneHot => 2,
        }
    }
}

params! {
    /// `Params` of `rank`.
    pub struct RankParams {
        /// Rows.
        rows: u32,
        /// Columns of the prediction.
        cols: u32,
        /// Elements of the log from one step to the next; 0 where `row_metric` is no log.
        log_stride: u32,
        /// Where the values of a step begin.
        log_at: u32,
    }
}

/// The predicted class, or the rank of the target, of each row.
#[derive(Debug, Clone, PartialEq)]
pub struct Rank {
    /// Which of them.
    pub kind: RankKind,
    /// The uniform.
    pub params: RankParams,
}

impl Rank {
    /// `kind` of a (rows, cols) prediction.
    pub fn new(kind: RankKind, rows: u32, cols: u32) -> Self {
        Self { kind, params: RankParams { rows, cols, log_stride: 0, log_at: 0 } }
    }
}

/// `shaders/rank.wgsl`.
pub const SHADER: Shader = Shader {
    name: "rank",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/rows.wgsl"),
        include_str!("../../shaders/rank.wgsl"),
    ],
    params: RankParams::MEMBERS,
    overrides: &["LANES", "KIND"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: &[Entry {
        name: "main",
        // A log is written in part.
        bindings: &[Binding::read(1, "pred"), Binding::read(2, "target_"), Binding::update(3, "row_metric")],
    }],
};

impl Spec for Rank {
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
        let target = if self.kind == RankKind::OfOneHot { rows * cols } else { rows };
        vec![rows * cols, target, rows]
    }

    fn flops(&self) -> u64 {
        cells(self.params.rows, self.params.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [self.params.rows.into(); 3])
    }

    fn to_log(&self, log_stride: u32, log_at: u32) -> Option<Kernel> {
        let params = RankParams { log_stride, log_at, ..self.params };
        Some(Self { params, ..self.clone() }.into())
    }
}
