//! `1 - cos` of the angle between prediction and target in each row.
//!
//! With unit vectors `u = p / |p|` and `v = t / |t|` the loss is `|u - v|² / 2`, where nothing cancels as it would in
//! `1 - u·v`, and its gradient `drow (u - v - loss u) / |p|`. A row without an element above the smallest normal
//! number has no direction: its loss is 1, its gradient 0.

use super::Kernel;
use super::loss_part::{ENTRIES, LossPart};
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Entry, Shader, Spec, cells, params, touched_or};

params! {
    /// `Params` of `cosine_loss`.
    pub struct CosineLossParams {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Elements of the log from one step to the next; 0 where `row_loss` is no log.
        log_stride: u32,
        /// Where the losses of a step begin.
        log_at: u32,
    }
}

/// `1 - cos` of each row, its gradient times `drow`, or both.
#[derive(Debug, Clone, PartialEq)]
pub struct CosineLoss {
    /// What to compute.
    pub part: LossPart,
    /// The uniform.
    pub params: CosineLossParams,
}

impl CosineLoss {
    /// `part` of the loss of a (rows, cols) prediction.
    pub fn new(part: LossPart, rows: u32, cols: u32) -> Self {
        Self { part, params: CosineLossParams { rows, cols, log_stride: 0, log_at: 0 } }
    }
}

/// `shaders/cosine_loss.wgsl`.
pub const SHADER: Shader = Shader {
    name: "cosine_loss",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/rows.wgsl"),
        include_str!("../../shaders/cosine_loss.wgsl"),
    ],
    params: CosineLossParams::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: ENTRIES,
};

impl Spec for CosineLoss {
    fn entry(&self) -> &'static Entry {
        self.part.entry()
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.params.cols)]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.params.rows, self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        self.part.sizes(rows * cols, rows * cols, rows)
    }

    /// Of both operands the largest size, a quotient, a square, its sum; two quotients, a difference, a square, its sum;
    /// then two differences and two products.
    fn flops(&self) -> u64 {
        let each = match self.part {
            LossPart::Loss => 13,
            LossPart::Grad | LossPart::LossAndGrad => 17,
        };
        each * cells(self.params.rows, self.params.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [self.params.rows.into(); 5])
    }

    fn to_log(&self, log_stride: u32, log_at: u32) -> Option<Kernel> {
        let params = CosineLossParams { log_stride, log_at, ..self.params };
        Some(Self { params, ..self.clone() }.into())
    }

    fn with_part(&self, part: LossPart) -> Option<Kernel> {
        Some(Self { part, ..self.clone() }.into())
    }
}
