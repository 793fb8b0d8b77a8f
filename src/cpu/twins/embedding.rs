//! Twins of `shaders/embedding.wgsl` and `embedding_grad.wgsl`.

use super::Real;
use super::sums::{COLUMNS, ROWS, by_columns};
use crate::kernels::{Embedding, EmbeddingGrad, EmbeddingParams};

/// `y[r, to_column + c width ..] = table[x[r, from_column + c]]`.
#[inline(always)]
pub fn embedding<T: Real>(
    Embedding(p): &Embedding,
    x: &[T],     // (rows, from_width)
    table: &[T], // (categories, width)
    y: &mut [T], // (rows, to_width)
) {
    let (width, to) = (p.width as usize, p.to_column as usize);
    for (x, y) in x.chunks_exact(p.from_width as usize).zip(y.chunks_exact_mut(p.to_width as usize)) {
        for (x, y) in x[p.from_column as usize..][..p.columns as usize].iter().zip(y[to..].chunks_exact_mut(width)) {
            y.copy_from_slice(&table[place(p, *x)..][..width]);
        }
    }
}

/// `dtable[k]`: the sum of the `dy` where `x` is k, rows in order.
#[inline(always)]
pub fn embedding_grad<T: Real>(
    EmbeddingGrad(p): &EmbeddingGrad,
    x: &[T],          // (rows, from_width)
    dy: &[T],         // (rows, to_width)
    dtable: &mut [T], // (categories, width)
) {
    let (width, columns) = (p.width as usize, p.columns as usize);
    let category = |pair: usize| {
        let (row, column) = (pair / columns, pair % columns);
        place(p, x[row * p.from_width as usize + p.from_column as usize + column]) / width
    };
    let gradient = |pair: usize| {
        let (row, column) = (pair / columns, pair % columns);
        &dy[row * p.to_width as usize + p.to_column as usize + column * width..][..width]
    };
    // The pairs (row, column) by category, each category's in order.
    let pairs = p.rows as usize * columns;
    let mut ends = vec![0; p.categories as usize + 1];
    (0..pairs).for_each(|pair| ends[category(pair) + 1] += 1);
    for category in 1..ends.len() {
        ends[category] += ends[category - 1];
    }
    let mut sorted = vec![0; pairs];
    for pair in 0..pairs {
        let next = &mut ends[category(pair)];
        sorted[*next] = pair;
        *next += 1;
    }
    dtable.fill(T::zero());
    for own in sorted.chunk_by(|a, b| category(*a) == category(*b)) {
        let table = &mut dtable[category(own[0]) * width..][..width];
        if own.len() <= ROWS {
            for pair in own {
                table.iter_mut().zip(gradient(*pair)).for_each(|(sum, dy)| *sum += *dy);
            }
            continue;
        }
        for (block, table) in table.chunks_mut(COLUMNS).enumerate() {
            let [sums] = by_columns(own.len(), table.len(), |i, [sums]: &mut [[T; COLUMNS]; 1]| {
                let dy = &gradient(own[i])[block * COLUMNS..];
                sums.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += *dy);
            });
            table.iter_mut().zip(sums).for_each(|(to, sum)| *to = T::of(sum));
        }
    }
}

/// Where in the table the row of category `x` begins.
fn place<T: Real>(p: &EmbeddingParams, x: T) -> usize {
    (x.wide() as usize).min(p.categories as usize - 1) * p.width as usize
}
