//! Rows of a table picked by category, and the gradient of the table.
//!
//! Categories travel as f32, as class indices do: exact up to 2^24.

use super::rows::{WORKGROUP, lanes, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};

params! {
    /// `Params` of `embedding` and `embedding_grad`: which columns of categories become which columns of values.
    pub struct EmbeddingParams {
        /// Rows of the batch.
        rows: u32,
        /// Columns of categories.
        columns: u32,
        /// Rows of the table.
        categories: u32,
        /// Columns of the table.
        width: u32,
        /// Columns of `x`.
        from_width: u32,
        /// First column of categories.
        from_column: u32,
        /// Columns of `y` and `dy`.
        to_width: u32,
        /// First column of values.
        to_column: u32,
    }
}

/// `y[r, to_column + c width ..][..width] = table[x[r, from_column + c]]`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Embedding(pub EmbeddingParams);

/// `dtable[k]`: the sum of the `dy` of every place where `x` is k.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EmbeddingGrad(pub EmbeddingParams);

/// `shaders/embedding.wgsl`.
pub const SHADER: Shader = Shader {
    name: "embedding",
    sources: &[
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/lib/cells.wgsl"),
        include_str!("../../shaders/embedding.wgsl"),
    ],
    params: EmbeddingParams::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "x"), Binding::read(2, "table"), Binding::update(3, "y")],
    }],
};

/// `shaders/embedding_grad.wgsl`.
pub const GRAD_SHADER: Shader = Shader {
    name: "embedding_grad",
    sources: &[include_str!("../../shaders/lib/rows.wgsl"), include_str!("../../shaders/embedding_grad.wgsl")],
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "x"), Binding::read(2, "dy"), Binding::write(3, "dtable")],
    }],
    ..SHADER
};

/// `shaders/embedding_grad_tiled.wgsl`.
pub const TILED_GRAD_SHADER: Shader = Shader {
    name: "embedding_grad_tiled",
    sources: &[include_str!("../../shaders/embedding_grad_tiled.wgsl")],
    entries: GRAD_SHADER.entries,
    ..SHADER
};

/// Elements of a table from which on its gradient is tiled. Fewer cannot keep a GPU busy that way.
const TILED_FROM: usize = 1024;

/// Elements of a table that a workgroup of the tiled gradient owns.
const OWN: usize = 2048;

/// The most pairs of which it takes the gradient: of more, all of one category, llvmpipe would cut its loops off.
const TILED_TO: u32 = 1 << 17;

impl EmbeddingParams {
    fn table(&self) -> usize {
        self.categories as usize * self.width as usize
    }

    /// Categories of the batch that pick from this table.
    fn pairs(&self) -> u32 {
        self.rows * self.columns
    }

    /// Values of the batch that these columns make.
    fn values(&self) -> usize {
        self.pairs() as usize * self.width as usize
    }
}

impl EmbeddingGrad {
    fn is_tiled(&self) -> bool {
        self.0.table() >= TILED_FROM && self.0.pairs() <= TILED_TO
    }

    /// Invocations that share the sum of an element.
    pub(crate) fn lanes(&self) -> u32 {
        if self.is_tiled() { 1 } else { lanes(self.0.pairs()) }
    }
}

impl Spec for Embedding {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.0)
    }

    fn workgroups(&self) -> u64 {
        groups(self.0.values(), 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        let rows = self.0.rows as usize;
        vec![rows * self.0.from_width as usize, self.0.table(), rows * self.0.to_width as usize]
    }

    /// A table may be larger than what is picked from it.
    fn touched(&self, _: &[usize]) -> u64 {
        cells(self.0.rows, self.0.columns) * u64::from(1 + 2 * self.0.width)
    }
}

impl Spec for EmbeddingGrad {
    fn shader(&self) -> &'static Shader {
        if self.is_tiled() { &TILED_GRAD_SHADER } else { &GRAD_SHADER }
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.0)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        if self.is_tiled() { Vec::new() } else { vec![lanes_override(self.0.pairs())] }
    }

    fn workgroups(&self) -> u64 {
        if self.is_tiled() { groups(self.0.table(), OWN) } else { row_groups(self.0.table() as u32, self.0.pairs()) }
    }

    fn sizes(&self) -> Vec<usize> {
        let rows = self.0.rows as usize;
        vec![rows * self.0.from_width as usize, rows * self.0.to_width as usize, self.0.table()]
    }

    fn flops(&self) -> u64 {
        cells(self.0.rows, self.0.columns) * u64::from(self.0.width)
    }

    fn touched(&self, _: &[usize]) -> u64 {
        let picked = cells(self.0.rows, self.0.columns) * u64::from(1 + self.0.width);
        picked + cells(self.0.categories, self.0.width)
    }
}
