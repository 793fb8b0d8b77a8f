//! `c = op(a) op(b)`: large products by the `gemm` crates (`large.rs`), small ones by a plain loop over 4 rows of one panel
//! of `b`.
//!
//! `gemm` packs both operands so that they stream through the caches. Where they lie in the first-level cache anyway,
//! that costs more than it brings (`docs/decisions.md`, 47). The loop here copies only `b`, into panels as wide as two
//! registers, and keeps 4 rows of one panel's sums in registers. Each output is one chain of multiply-adds in the order
//! of k, as in the shaders.

mod large;
mod packed;
mod scratch;

pub(super) use large::is_shared;
pub(super) use packed::Packed;
pub(super) use scratch::{release, release_own};

use super::Real;
use crate::kernels::Matmul;
use large::large;
use scratch::{PANEL, room_for};
use std::ops::Range;

/// Multiply-adds up to which the loop here is no slower than `gemm` on one thread.
const SMALL: usize = 1 << 18;
/// Rows of a block of sums.
const ROWS: usize = 4;

/// `c (m, n) = op(a) op(b)`, summed over the steps `range` of k.
pub(super) fn product<T: Real>(p: &Matmul, range: Range<usize>, a: &[T], b: &[T], c: &mut [T]) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    let fits = a.len() >= m * k && b.len() >= k * n && c.len() >= m * n && range.end <= k;
    assert!(fits && !range.is_empty(), "matmul operands do not fit {m} x {n} x {k}");
    let (a, b, c) = (&a[..m * k], &b[..k * n], &mut c[..m * n]);
    let is_small = m >= ROWS && range.len() == k && m * n * k <= SMALL;
    if is_small && pulp::Arch::new().dispatch(Small { p, a, b, c }) {
        return;
    }
    large(p, range, a, b, c);
}

/// A small product, to be run with the CPU's own instruction set: `false` where that has no fused multiply-add.
struct Small<'a, T> {
    p: &'a Matmul,
    a: &'a [T],
    b: &'a [T],
    c: &'a mut [T],
}

impl<T: Real> pulp::WithSimd for Small<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) -> bool {
        if S::IS_SCALAR {
            return false;
        }
        if self.p.params.n as usize <= size_of::<T::Register<S>>() / size_of::<T>() {
            panels::<T, S, 1>(simd, self);
        } else {
            panels::<T, S, 2>(simd, self);
        }
        true
    }
}

/// The product, as many columns at a time as lie in `WIDE` registers.
#[inline(always)]
fn panels<T: Real, S: pulp::Simd, const WIDE: usize>(simd: S, Small { p, a, b, c }: Small<'_, T>) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    let full = WIDE * size_of::<T::Register<S>>() / size_of::<T>();
    let mut room = PANEL.take();
    let panel = room_for::<T>(&mut room, k * full);
    for col in (0..n).step_by(full) {
        let width = full.min(n - col);
        pack(p, b, col..col + width, full, panel);
        let (registers, _) = T::registers::<S>(panel).as_chunks::<WIDE>();
        for row in (0..m).step_by(ROWS) {
            // The last block reaches back over rows that are done: their sums come out the same.
            let row = row.min(m - ROWS);
            let sums = if p.transpose_a {
                let steps = a.chunks_exact(m).map(|a| *a[row..].first_chunk().unwrap_or(&[T::zero(); ROWS]));
                block::<T, S, WIDE>(simd, registers, steps)
            } else {
                let of = |r: usize| a[(row + r) * k..][..k].iter();
                let steps = of(0).zip(of(1)).zip(of(2)).zip(of(3));
                block::<T, S, WIDE>(simd, registers, steps.map(|(((a0, a1), a2), a3)| [*a0, *a1, *a2, *a3]))
            };
            for (r, sums) in sums.iter().enumerate() {
                let (c, sums) = (&mut c[(row + r) * n + col..][..width], bytemuck::cast_slice::<_, T>(sums));
                // Of a constant length it is a store, not a call; so in `pack`.
                if width == full { c.copy_from_slice(&sums[..full]) } else { c.copy_from_slice(&sums[..width]) }
            }
        }
    }
    PANEL.set(room);
}

/// `panel[l] = op(b)[l, cols]`; past the last column it is 0, to a width of `full`.
#[inline(always)]
fn pack<T: Real>(p: &Matmul, b: &[T], cols: Range<usize>, full: usize, panel: &mut [T]) {
    let (n, k) = (p.params.n as usize, p.params.k as usize);
    if p.transpose_b {
        for j in 0..full {
            let column = (j < cols.len()).then(|| &b[(cols.start + j) * k..][..k]);
            for (l, row) in panel.chunks_exact_mut(full).enumerate() {
                row[j] = column.map_or(T::zero(), |column| column[l]);
            }
        }
        return;
    }
    for (row, b) in panel.chunks_exact_mut(full).zip(b.chunks_exact(n)) {
        if cols.len() == full {
            row.copy_from_slice(&b[cols.start..][..full]);
        } else {
            let (some, rest) = row.split_at_mut(cols.len());
            some.copy_from_slice(&b[cols.clone()]);
            rest.fill(T::zero());
        }
    }
}

/// The sums of `ROWS` rows with a panel; `steps` has their elements at each step of k. In registers by name: left to
/// itself the compiler keeps them there in one program and in memory, 5 times slower, in another.
#[inline(always)]
fn block<T: Real, S: pulp::Simd, const WIDE: usize>(
    simd: S,
    panel: &[[T::Register<S>; WIDE]],
    steps: impl Iterator<Item = [T; ROWS]>,
) -> [[T::Register<S>; WIDE]; ROWS] {
    let mut sums = [[T::splat(simd, T::zero()); WIDE]; ROWS];
    for (b, a) in panel.iter().zip(steps) {
        for r in 0..ROWS {
            let a = T::splat(simd, a[r]);
            for j in 0..WIDE {
                sums[r][j] = T::mul_add_registers(simd, a, b[j], sums[r][j]);
            }
        }
    }
    sums
}
