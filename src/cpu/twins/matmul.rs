//! Twin of `shaders/matmul.wgsl`: the product (`product.rs`), then the epilogue in plain loops.

use super::product::{is_shared, product};
use super::sums::{add_rows, sum};
use super::{Real, activation, parallel};
use crate::kernels::{Activation, Epilogue, Matmul};

/// `c = op(a) op(b)` with its epilogue, for which `a` and `b` are followed by the bias, or by what the gradient saved.
#[inline(always)]
pub fn matmul<T: Real>(p: &Matmul, reads: &[&[T]], writes: &mut [&mut [T]]) -> bool {
    match (reads, writes) {
        ([a, b], [c]) => with_epilogue(p, a, b, &[], c),
        ([a, b, extra], [c]) => with_epilogue(p, a, b, extra, c),
        _ => return false,
    }
    true
}

#[inline(always)]
fn with_epilogue<T: Real>(
    p: &Matmul,
    a: &[T],     // (m, k), or (k, m) if transpose_a
    b: &[T],     // (k, n), or (n, k) if transpose_b
    extra: &[T], // bias (1, n), saved (m, n), or empty
    c: &mut [T], // (m, n); with a bias row also (1, n) at bias_at; in parts (parts, m, n)
) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    if let Epilogue::InParts { steps } = p.epilogue {
        for (part, c) in c.chunks_exact_mut(m * n).enumerate() {
            product(p, part * steps..k.min((part + 1) * steps), a, b, c);
        }
        return;
    }
    let (sums, rest) = c.split_at_mut(m * n);
    if let Epilogue::BiasRow { at } = p.epilogue {
        let db = &mut rest[at - m * n..at - m * n + n];
        if !is_shared(p) || parallel::threads() == 1 {
            product(p, 0..k, a, b, sums);
            return column_sums(b, p.transpose_b, k, db);
        }
        rayon::join(|| product(p, 0..k, a, b, sums), || column_sums(b, p.transpose_b, k, db));
        return;
    }
    product(p, 0..k, a, b, sums);
    match p.epilogue {
        Epilogue::Plain | Epilogue::BiasRow { .. } | Epilogue::InParts { .. } => {}
        Epilogue::Bias(f) => parallel::row_blocks(c, n, &|_, c| widest(Block { f, extra, c, gradient: false })),
        Epilogue::Gradient(f) => parallel::row_blocks(c, n, &|first, c| {
            let extra = &extra[first * n..first * n + c.len()];
            widest(Block { f, extra, c, gradient: true });
        }),
    }
}

/// `db = Σ_k op(b)[k, :]`.
fn column_sums<T: Real>(b: &[T], transposed: bool, k: usize, db: &mut [T]) {
    if transposed {
        db.iter_mut().zip(b.chunks_exact(k)).for_each(|(db, b)| *db = sum(b, |b| b));
    } else {
        add_rows(k, b, db);
    }
}

/// Some rows of `c`, while they are in the cache of one core.
struct Block<'a, T> {
    f: Activation,
    extra: &'a [T], // bias (1, n), or saved (rows, n)
    c: &'a mut [T], // (rows, n)
    gradient: bool,
}

/// Runs a block with the widest instructions that this CPU has.
fn widest<T: Real>(block: Block<'_, T>) {
    pulp::Arch::new().dispatch(block);
}

impl<T: Real> pulp::WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) {
        if self.gradient {
            activation::multiply_by_gradient(self.f, self.extra, self.c);
        } else {
            activation::add_bias_and_activate(self.f, self.extra, self.c);
        }
    }
}
