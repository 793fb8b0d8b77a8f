//! `y = op(a) op(b)` in each row of a batch, whose rows hold matrices.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Sizes, and the elements from one row and from one column of each matrix to the next.
    pub struct BatchMatmul {
        /// Rows of the batch.
        rows: u32,
        /// Rows of `op(a)` and of the product.
        m: u32,
        /// Columns of `op(b)` and of the product.
        n: u32,
        /// Columns of `op(a)`, rows of `op(b)`.
        k: u32,
        /// Of `op(a)`, by row.
        a_row: u32,
        /// By column.
        a_col: u32,
        /// Of `op(b)`, by row.
        b_row: u32,
        /// By column.
        b_col: u32,
    }
}

impl BatchMatmul {
    /// `(m, k) (k, n)` in each of `rows` rows; what is transposed lies as `(k, m)` or `(n, k)`.
    pub fn new(rows: u32, [m, k, n]: [u32; 3], transpose_a: bool, transpose_b: bool) -> Self {
        let strides = |transposed, rows, cols| if transposed { (1, rows) } else { (cols, 1) };
        let ((a_row, a_col), (b_row, b_col)) = (strides(transpose_a, m, k), strides(transpose_b, k, n));
        Self { rows, m, n, k, a_row, a_col, b_row, b_col }
    }

    fn cells(&self) -> usize {
        self.rows as usize * self.m as usize * self.n as usize
    }
}

/// `shaders/batch_matmul.wgsl`.
pub const SHADER: Shader = Shader {
    name: "batch_matmul",
    sources: &[include_str!("../../shaders/batch_matmul.wgsl")],
    params: BatchMatmul::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "a"), Binding::read(2, "b"), Binding::write(3, "y")],
    }],
};

impl Spec for BatchMatmul {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.cells(), 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, k) = (self.rows as usize, self.k as usize);
        vec![rows * self.m as usize * k, rows * k * self.n as usize, self.cells()]
    }

    fn flops(&self) -> u64 {
        2 * self.cells() as u64 * u64::from(self.k)
    }
}
