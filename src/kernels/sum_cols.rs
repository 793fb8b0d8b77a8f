//! `y = Σ_c x[:, c]`: the sum of each row of a matrix.

use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, params};

params! {
    /// Sizes of the matrix.
    pub struct SumCols {
        /// Rows of `x`, elements of `y`.
        rows: u32,
        /// Columns of `x`.
        cols: u32,
    }
}

/// `shaders/sum_cols.wgsl`.
pub const SHADER: Shader = Shader {
    name: "sum_cols",
    sources: &[include_str!("../../shaders/lib/rows.wgsl"), include_str!("../../shaders/sum_cols.wgsl")],
    params: SumCols::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x"), Binding::write(2, "y")] }],
};

impl Spec for SumCols {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.cols)]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.rows, self.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.rows as usize * self.cols as usize, self.rows as usize]
    }

    fn flops(&self) -> u64 {
        cells(self.rows, self.cols)
    }
}
