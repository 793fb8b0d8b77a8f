//! `y = Σ_r x[r, :]`: the sum of the rows of a matrix, as a bias gradient needs it.

use super::columns::{WORKGROUP, column_groups, lanes_override};
use super::spec::{Binding, Entry, Shader, Spec, cells, params};

params! {
    /// Sizes of the matrix.
    pub struct SumRows {
        /// Rows of `x`.
        rows: u32,
        /// Columns of `x`, elements of `y`.
        cols: u32,
    }
}

/// `shaders/sum_rows.wgsl`.
pub const SHADER: Shader = Shader {
    name: "sum_rows",
    sources: &[include_str!("../../shaders/lib/columns.wgsl"), include_str!("../../shaders/sum_rows.wgsl")],
    params: SumRows::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x").or_half(), Binding::write(2, "y")] }],
};

impl Spec for SumRows {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.cols)]
    }

    fn workgroups(&self) -> u64 {
        column_groups(self.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.rows as usize * self.cols as usize, self.cols as usize]
    }

    fn flops(&self) -> u64 {
        cells(self.rows, self.cols)
    }
}
