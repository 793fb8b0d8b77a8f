//! `c = op(a) op(b)`: large products by the `gemm` crate, small ones by a plain loop over 4 rows of one panel of `b`.
//!
//! `gemm` packs both operands so that they stream through the caches. Where they lie in the first-level cache anyway,
//! that costs more than it brings (`docs/decisions.md`, v). The loop here copies only `b`, into panels as wide as two
//! registers, and keeps 4 rows of one panel's sums in registers. Each output is one chain of multiply-adds in the order
//! of k, as in the shaders.

use super::{Real, parallel};
use crate::kernels::Matmul;
use std::cell::Cell;
use std::ops::Range;

/// Multiply-adds below which a second thread costs more than it brings.
pub(super) const PARALLEL_FROM: usize = 1 << 20;
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
    if p.transpose_b && m * n * k >= PARALLEL_FROM {
        let mut room = TURNED.take();
        let turned = room_for::<T>(&mut room, k * n);
        turn(b, k, turned);
        by_gemm(&Matmul { transpose_b: false, ..p.clone() }, range, a, turned, c);
        TURNED.set(room);
    } else {
        by_gemm(p, range, a, b, c);
    }
}

/// Side of the blocks in which a matrix is transposed.
const SIDE: usize = 16;

/// `turned (cols, rows) = b (rows, cols)` transposed.
fn turn<T: Real>(b: &[T], cols: usize, turned: &mut [T]) {
    let rows = b.len() / cols;
    parallel::row_blocks(turned, rows, &|first, turned| {
        for (i, strip) in turned.chunks_mut(SIDE * rows).enumerate() {
            let col = first + i * SIDE;
            for row in (0..rows).step_by(SIDE) {
                let width = SIDE.min(rows - row);
                for (j, to) in strip.chunks_exact_mut(rows).enumerate() {
                    let from = b[row * cols + col + j..].iter().step_by(cols);
                    to[row..row + width].iter_mut().zip(from).for_each(|(to, from)| *to = *from);
                }
            }
        }
    });
}

fn by_gemm<T: Real>(p: &Matmul, range: Range<usize>, a: &[T], b: &[T], c: &mut [T]) {
    let (m, n, all, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize, range.len());
    let strides =
        |rows: usize, cols: usize, transposed: bool| if transposed { (1, rows as isize) } else { (cols as isize, 1) };
    let (a_row, a_col) = strides(m, all, p.transpose_a);
    let (b_row, b_col) = strides(all, n, p.transpose_b);
    let threads = if m * n * k < PARALLEL_FROM { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(0) };
    let (a, b) = (&a[range.start * a_col as usize..], &b[range.start * b_row as usize..]);
    let (c, a, b) = (c.as_mut_ptr(), a.as_ptr(), b.as_ptr());
    let (zero, one) = (T::zero(), T::one());
    // SAFETY: `product` cut the operands to m k, k n and m n elements, so every index (i, l), (l, j), (i, j) of the
    // strided operands lies inside its slice for l in `range`, whose start the pointers have been moved to; `c` is
    // borrowed mutably, so it overlaps neither.
    unsafe {
        let c_stride = n as isize;
        gemm::gemm(
            m, n, k, c, 1, c_stride, false, a, a_col, a_row, b, b_col, b_row, zero, one, false, false, false, threads,
        );
    }
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
    fn with_simd<S: pulp::Simd>(self, _: S) -> bool {
        if S::IS_SCALAR {
            return false;
        }
        let lanes = size_of::<S::f32s>() / size_of::<T>();
        let (p, n) = (self.p, self.p.params.n as usize);
        match if n <= lanes { lanes } else { 2 * lanes } {
            32 => panels::<T, 32>(p, self.a, self.b, self.c),
            16 => panels::<T, 16>(p, self.a, self.b, self.c),
            8 => panels::<T, 8>(p, self.a, self.b, self.c),
            _ => panels::<T, 4>(p, self.a, self.b, self.c),
        }
        true
    }
}

thread_local! {
    /// Room for one panel of `b`; words of 8 bytes serve f32 and f64.
    static PANEL: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    /// Room for all of a transposed `b`.
    static TURNED: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// The first `elements` elements of `room`, which grows where it must.
fn room_for<T: Real>(room: &mut Vec<u64>, elements: usize) -> &mut [T] {
    let words = (elements * size_of::<T>()).div_ceil(8);
    if room.len() < words {
        room.resize(words, 0);
    }
    &mut bytemuck::cast_slice_mut::<u64, T>(room)[..elements]
}

/// The product, `WIDTH` columns at a time.
#[inline(always)]
fn panels<T: Real, const WIDTH: usize>(p: &Matmul, a: &[T], b: &[T], c: &mut [T]) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    let mut room = PANEL.take();
    let (panel, _) = room_for::<T>(&mut room, k * WIDTH).as_chunks_mut::<WIDTH>();
    for col in (0..n).step_by(WIDTH) {
        let width = WIDTH.min(n - col);
        pack(p, b, col, width, panel);
        for row in (0..m).step_by(ROWS) {
            // The last block reaches back over rows that are done: their sums come out the same.
            let row = row.min(m - ROWS);
            let sums = if p.transpose_a { down::<T, WIDTH>(a, m, row, panel) } else { along(a, k, row, panel) };
            for (r, sums) in sums.iter().enumerate() {
                c[(row + r) * n + col..][..width].copy_from_slice(&sums[..width]);
            }
        }
    }
    PANEL.set(room);
}

/// `panel[l] = op(b)[l, col .. col + width]`; columns past the last are 0.
#[inline(always)]
fn pack<T: Real, const WIDTH: usize>(p: &Matmul, b: &[T], col: usize, width: usize, panel: &mut [[T; WIDTH]]) {
    let (n, k) = (p.params.n as usize, p.params.k as usize);
    if p.transpose_b {
        for j in 0..WIDTH {
            let column = (j < width).then(|| &b[(col + j) * k..][..k]);
            for (l, row) in panel.iter_mut().enumerate() {
                row[j] = column.map_or(T::zero(), |column| column[l]);
            }
        }
        return;
    }
    for (row, b) in panel.iter_mut().zip(b.chunks_exact(n)) {
        if width == WIDTH {
            row.copy_from_slice(&b[col..col + WIDTH]);
        } else {
            row.fill(T::zero());
            row[..width].copy_from_slice(&b[col..col + width]);
        }
    }
}

/// The sums of rows `row .. row + 4` of `a (m, k)` with `panel`.
#[inline(always)]
fn along<T: Real, const WIDTH: usize>(a: &[T], k: usize, row: usize, panel: &[[T; WIDTH]]) -> [[T; WIDTH]; ROWS] {
    let mut sums = [[T::zero(); WIDTH]; ROWS];
    let of = |r: usize| &a[(row + r) * k..][..k];
    for ((((b, a0), a1), a2), a3) in panel.iter().zip(of(0)).zip(of(1)).zip(of(2)).zip(of(3)) {
        add(&mut sums, [*a0, *a1, *a2, *a3], b);
    }
    sums
}

/// The sums of columns `row .. row + 4` of `a (k, m)` with `panel`.
#[inline(always)]
fn down<T: Real, const WIDTH: usize>(a: &[T], m: usize, row: usize, panel: &[[T; WIDTH]]) -> [[T; WIDTH]; ROWS] {
    let mut sums = [[T::zero(); WIDTH]; ROWS];
    for (b, a) in panel.iter().zip(a.chunks_exact(m)) {
        if let Some(a) = a[row..].first_chunk() {
            add(&mut sums, *a, b);
        }
    }
    sums
}

#[inline(always)]
fn add<T: Real, const WIDTH: usize>(sums: &mut [[T; WIDTH]; ROWS], a: [T; ROWS], b: &[T; WIDTH]) {
    for (sums, a) in sums.iter_mut().zip(a) {
        for (sum, b) in sums.iter_mut().zip(b) {
            *sum = a.mul_add(*b, *sum);
        }
    }
}
