//! `y = x + bias`: a row vector added to every row of a matrix.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};

params! {
    /// Sizes of the matrix.
    pub struct BiasAdd {
        /// Rows of `x` and `y`.
        rows: u32,
        /// Columns of `x` and `y`, elements of `bias`.
        cols: u32,
    }
}

/// `shaders/bias_add.wgsl`.
pub const SHADER: Shader = Shader {
    name: "bias_add",
    sources: &[
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/lib/cells.wgsl"),
        include_str!("../../shaders/bias_add.wgsl"),
    ],
    params: BiasAdd::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "x").or_half(), Binding::read(2, "bias"), Binding::write(3, "y").or_half()],
    }],
};

impl Spec for BiasAdd {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize * self.cols as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.rows as usize, self.cols as usize);
        vec![rows * cols, cols, rows * cols]
    }

    fn flops(&self) -> u64 {
        cells(self.rows, self.cols)
    }
}
