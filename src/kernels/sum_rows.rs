//! `y = Σ_r x[r, :]`: the sum of the rows of a matrix, as a bias gradient needs it.
//!
//! A workgroup of 256 takes up to 16 neighbouring columns, so that reads stay contiguous, and deals the
//! rows to the 256 / columns invocations of each column. The split depends on the shape alone: the
//! order of the sum is fixed.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

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
    sources: &[include_str!("../../shaders/sum_rows.wgsl")],
    params: SumRows::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x"), Binding::write(2, "y")] }],
};

const WORKGROUP: u32 = 256;

impl SumRows {
    /// Columns that one workgroup sums.
    fn columns(&self) -> u32 {
        self.cols.clamp(1, 16).next_power_of_two()
    }
}

impl Spec for SumRows {
    fn shader(&self) -> &'static Shader {
        &SHADER
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![("LANES", f64::from(WORKGROUP / self.columns()))]
    }

    fn workgroups(&self) -> u64 {
        groups(self.cols as usize, self.columns() as usize)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.rows as usize * self.cols as usize, self.cols as usize]
    }
}
