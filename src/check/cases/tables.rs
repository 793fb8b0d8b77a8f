//! Embeddings: one table for a column in the middle, one for all columns; small and large.

use super::{Shape, numbers};
use crate::kernels::{Embedding, EmbeddingGrad, EmbeddingParams, Kernel};

pub(super) fn tables(s: &mut Shape) {
    // A table of 2,049 rows is one whose gradient is tiled, with tiles that end amid a row.
    for categories in [7, 2_049] {
        embedding(s, categories);
    }
}

fn embedding(s: &mut Shape, categories: u32) {
    let (rows, width) = (s.rows, 3);
    // Every third pair picks one row of the table.
    let pick = |i: u32| if i.is_multiple_of(3) { categories / 2 } else { (i * 5 + i / 7) % categories };
    let x: Vec<f32> = (0..s.n() as u32).map(|i| pick(i) as f32).collect();
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
