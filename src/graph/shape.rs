//! Shapes of graph values: two dimensions, of which the first may be the batch.

use std::fmt;

/// The number of rows of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rows {
    /// As many as the batch has; known when the graph is lowered to a plan.
    Batch,
    /// A fixed number.
    Fixed(usize),
}

/// Shape `(rows, cols)` of a graph value. Images and other grids are flattened into columns before
/// they enter the graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shape {
    /// Rows.
    pub rows: Rows,
    /// Columns.
    pub cols: usize,
}

impl Shape {
    /// `(B, cols)`: one row per example of the batch.
    pub const fn batch(cols: usize) -> Self {
        Self { rows: Rows::Batch, cols }
    }

    /// `(rows, cols)`, whatever the batch.
    pub const fn fixed(rows: usize, cols: usize) -> Self {
        Self { rows: Rows::Fixed(rows), cols }
    }

    /// `(1, 1)`.
    pub const SCALAR: Self = Self::fixed(1, 1);

    /// Rows once the batch size is known.
    pub const fn rows(&self, batch: usize) -> usize {
        match self.rows {
            Rows::Batch => batch,
            Rows::Fixed(rows) => rows,
        }
    }

    /// Elements once the batch size is known; `usize::MAX` where there are more, which no plan takes.
    pub const fn len(&self, batch: usize) -> usize {
        self.rows(batch).saturating_mul(self.cols)
    }

    /// The shape of `a ∘ b` under NumPy's broadcasting, if there is one.
    pub(crate) fn broadcast(a: Self, b: Self) -> Option<Self> {
        let rows = match (a.rows, b.rows) {
            (x, y) if x == y => x,
            (Rows::Fixed(1), other) | (other, Rows::Fixed(1)) => other,
            _ => return None,
        };
        let cols = match (a.cols, b.cols) {
            (x, y) if x == y => x,
            (1, other) | (other, 1) => other,
            _ => return None,
        };
        Some(Self { rows, cols })
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.rows {
            Rows::Batch => write!(f, "(B, {})", self.cols),
            Rows::Fixed(rows) => write!(f, "({rows}, {})", self.cols),
        }
    }
}
