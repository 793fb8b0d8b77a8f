//! Embeddings: one table for a column in the middle, one for all columns.

use super::{Shape, numbers};
use crate::kernels::{Embedding, EmbeddingGrad, EmbeddingParams, Kernel};

pub(super) fn tables(s: &mut Shape) {
    let (rows, width, categories) = (s.rows, 3, 7);
    let x: Vec<f32> = (0..s.n() as u32).map(|i| ((i * 5 + i / 7) % categories) as f32).collect();
    let table = numbers(15, (categories * width) as usize, -2.0, 2.0);
    // The last column alone, to a place between others; then every column.
    let one = EmbeddingParams {
        rows,
        columns: 1,
        categories,
        width,
        from_width: s.cols,
        from_column: s.cols - 1,
        to_width: width + 2,
        to_column: 1,
    };
    let all = EmbeddingParams { columns: s.cols, from_column: 0, to_width: s.cols * width, to_column: 0, ..one };
    for p in [one, all] {
        let values = (rows * p.to_width) as usize;
        let dy = numbers(16, values, -2.0, 2.0);
        s.update(Kernel::Embedding(Embedding(p)), vec![x.clone(), table.clone()], vec![vec![0.5; values]]);
        s.add(Kernel::EmbeddingGrad(EmbeddingGrad(p)), vec![x.clone(), dy], &[table.len()]);
    }
}
