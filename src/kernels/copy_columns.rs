//! `y[r, to_column + c] = x[r, from_column + c]`: a block of columns from one matrix to another.
//!
//! Concatenation is one such copy for every input, its gradient one for every output. Columns of `y`
//! outside the block keep their values.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};

params! {
    /// Which block of columns goes where.
    pub struct CopyColumns {
        /// Rows of `x` and `y`.
        rows: u32,
        /// Columns to copy.
        cols: u32,
        /// Columns of `x`.
        from_width: u32,
        /// First column read.
        from_column: u32,
        /// Columns of `y`.
        to_width: u32,
        /// First column written.
        to_column: u32,
    }
}

/// `shaders/copy_columns.wgsl`.
pub const SHADER: Shader = Shader {
    name: "copy_columns",
    sources: &[
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/lib/cells.wgsl"),
        include_str!("../../shaders/copy_columns.wgsl"),
    ],
    params: CopyColumns::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x").or_half(), Binding::update(2, "y").or_half()] }],
};

impl Spec for CopyColumns {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize * self.cols as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let rows = self.rows as usize;
        vec![rows * self.from_width as usize, rows * self.to_width as usize]
    }

    /// What is bound is wider than what is copied.
    fn touched(&self, _: &[usize]) -> u64 {
        2 * cells(self.rows, self.cols)
    }
}
