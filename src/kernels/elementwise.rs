//! `y = a ∘ b` for two matrices, either of which may be a row, a column or a scalar repeated.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};

/// An operation on two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// `a + b`.
    Add,
    /// `a - b`.
    Sub,
    /// `a · b`.
    Mul,
}

impl Op {
    /// The number of this operation in `shaders/elementwise.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            Op::Add => 0,
            Op::Sub => 1,
            Op::Mul => 2,
        }
    }
}

params! {
    /// `Params` of `elementwise`. A stride of 0 repeats the operand in that direction.
    pub struct ElementwiseParams {
        /// Rows of `y`.
        rows: u32,
        /// Columns of `y`.
        cols: u32,
        /// Elements from one row of `a` to the next.
        a_row: u32,
        /// Elements from one column of `a` to the next.
        a_col: u32,
        /// Elements from one row of `b` to the next.
        b_row: u32,
        /// Elements from one column of `b` to the next.
        b_col: u32,
    }
}

/// `y = a ∘ b` with broadcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Elementwise {
    /// The operation.
    pub op: Op,
    /// The uniform.
    pub params: ElementwiseParams,
}

impl Elementwise {
    /// `y (rows, cols) = a ∘ b`, where a dimension of `a` or `b` that is 1 is repeated.
    pub fn new(op: Op, a: (u32, u32), b: (u32, u32)) -> Self {
        let stride = |(rows, cols): (u32, u32)| (if rows == 1 { 0 } else { cols }, u32::from(cols != 1));
        let ((a_row, a_col), (b_row, b_col)) = (stride(a), stride(b));
        let params = ElementwiseParams { rows: a.0.max(b.0), cols: a.1.max(b.1), a_row, a_col, b_row, b_col };
        Self { op, params }
    }
}

/// `shaders/elementwise.wgsl`.
pub const SHADER: Shader = Shader {
    name: "elementwise",
    sources: &[
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/lib/cells.wgsl"),
        include_str!("../../shaders/elementwise.wgsl"),
    ],
    params: ElementwiseParams::MEMBERS,
    overrides: &["OP"],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "a").or_half(), Binding::read(2, "b").or_half(), Binding::write(3, "y").or_half()],
    }],
};

impl Spec for Elementwise {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![("OP", f64::from(self.op.kind()))]
    }

    fn workgroups(&self) -> u64 {
        groups(self.params.rows as usize * self.params.cols as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let p = &self.params;
        let (last_row, last_col) = (p.rows.saturating_sub(1) as usize, p.cols.saturating_sub(1) as usize);
        let reach = |row: u32, col: u32| last_row * row as usize + last_col * col as usize + 1;
        vec![reach(p.a_row, p.a_col), reach(p.b_row, p.b_col), p.rows as usize * p.cols as usize]
    }

    fn flops(&self) -> u64 {
        cells(self.params.rows, self.params.cols)
    }
}
