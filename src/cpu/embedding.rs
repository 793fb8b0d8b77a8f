//! Twins of `shaders/embedding.wgsl` and `embedding_grad.wgsl`.

use super::Real;
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
    let (width, to) = (p.width as usize, p.to_column as usize);
    dtable.fill(T::zero());
    for (x, dy) in x.chunks_exact(p.from_width as usize).zip(dy.chunks_exact(p.to_width as usize)) {
        for (x, dy) in x[p.from_column as usize..][..p.columns as usize].iter().zip(dy[to..].chunks_exact(width)) {
            for (sum, dy) in dtable[place(p, *x)..][..width].iter_mut().zip(dy) {
                *sum += *dy;
            }
        }
    }
}

/// Where in the table the row of category `x` begins.
fn place<T: Real>(p: &EmbeddingParams, x: T) -> usize {
    (x.wide() as usize).min(p.categories as usize - 1) * p.width as usize
}
