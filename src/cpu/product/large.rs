//! Large products, by the `gemm` crates.
//!
//! Two things around it gain a tenth of a training step (`docs/decisions.md`, 48): a right operand that lies transposed is
//! transposed first, since `gemm` packs it element by element, and the threads get blocks of their own.

use super::scratch::{NARROW, TURNED, room_for};
use crate::cpu::{Real, parallel};
use crate::kernels::Matmul;
use gemm_common::Parallelism;
use std::ops::Range;

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL_FROM: usize = 1 << 20;

/// Whether the product is shared out between threads.
pub(in crate::cpu) fn is_shared(p: &Matmul) -> bool {
    p.params.m as usize * p.params.n as usize * p.params.k as usize >= PARALLEL_FROM
}

/// `c (m, n) = op(a) op(b)`, summed over the steps `range` of k; the operands have exactly their elements. One copy serves
/// the callers, who are compiled for several instruction sets: `gemm` picks its own.
#[inline(never)]
pub(super) fn large<T: Real>(p: &Matmul, range: Range<usize>, a: &[T], b: &[T], c: &mut [T]) {
    if p.transpose_b && is_shared(p) {
        let (n, k) = (p.params.n as usize, p.params.k as usize);
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
    let threads = if m * n * k < PARALLEL_FROM { 1 } else { parallel::threads() };
    let (a, b) = (&a[range.start * a_col as usize..], &b[range.start * b_row as usize..]);
    let (a, b, c) = (a.as_ptr(), b.as_ptr(), c.as_mut_ptr());
    let part = Block { m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row: n as isize };
    // SAFETY: `product` cut the operands to m k, k n and m n elements, so every index (i, l), (l, j), (i, j) of the
    // strided operands lies inside its slice for l in `range`, whose start the pointers have been moved to; `c` is
    // borrowed mutably, so it overlaps neither.
    unsafe { part.compute(threads) }
}

/// A block of the rows and columns of a product.
#[derive(Clone, Copy)]
struct Block<T> {
    m: usize,
    n: usize,
    k: usize,
    a: *const T,
    a_row: isize,
    a_col: isize,
    b: *const T,
    b_row: isize,
    b_col: isize,
    c: *mut T,
    c_row: isize,
}

// SAFETY: it stands for borrowed slices that outlive the computation: `a` and `b` are only read, and parts that go to
// different threads write different elements of `c`.
unsafe impl<T: Sync> Send for Block<T> {}

/// Rows and columns are split at multiples of this, so that no thread is left with part of a register.
const SPLIT: usize = 32;

impl<T: Real> Block<T> {
    /// Whether registers along the rows of `c` are fuller than along its columns, and the columns then worth turning:
    /// the gradient of the weights of a narrow layer.
    fn is_better_turned(&self) -> bool {
        let lanes = 64 / size_of::<T>();
        let registers = |side: usize| side.div_ceil(lanes);
        // Elements computed for each one that is wanted: n' m against m' n.
        let wasted = 4 * registers(self.n) * lanes * self.m > 5 * registers(self.m) * lanes * self.n;
        self.a_row == 1 && self.k >= 128 && wasted
    }

    /// Shares the work out by halving the longer side: what both halves pack is then the smaller operand, and nothing
    /// has to wait. `gemm` packs together and waits for it, which is slower where there are few threads.
    ///
    /// # Safety
    /// Every index of the strided operands lies inside a slice that nobody writes, and every index of `c` inside one
    /// that nobody else reads or writes.
    unsafe fn compute(self, threads: usize) {
        let Self { m, n, k, a, a_row, a_col, b, b_row, b_col, c, c_row } = self;
        if threads > 1 && m.max(n) >= 2 * SPLIT {
            let first = threads / 2;
            let at = |side: usize| (side * first / threads).next_multiple_of(SPLIT).min(side - 1);
            let (left, right) = if n >= m {
                let at = at(n);
                // SAFETY: column `at` is one of the columns of `b` and `c`.
                let (b, c) = unsafe { (b.offset(at as isize * b_col), c.add(at)) };
                (Self { n: at, ..self }, Self { n: n - at, b, c, ..self })
            } else {
                let at = at(m);
                // SAFETY: row `at` is one of the rows of `a` and `c`.
                let (a, c) = unsafe { (a.offset(at as isize * a_row), c.offset(at as isize * c_row)) };
                (Self { m: at, ..self }, Self { m: m - at, a, c, ..self })
            };
            // SAFETY: both are blocks of this one, and have no element of `c` in common.
            rayon::join(move || unsafe { left.compute(first) }, move || unsafe { right.compute(threads - first) });
            return;
        }
        let (zero, one, none) = (T::zero(), T::one(), Parallelism::None);
        if self.is_better_turned() {
            let mut room = NARROW.take();
            let columns = room_for::<T>(&mut room, m * n);
            // SAFETY: as the caller says; the result goes to a buffer of its own, of m n elements.
            unsafe {
                let to = columns.as_mut_ptr();
                T::gemm()(
                    m, n, k, to, m as isize, 1, false, a, a_col, a_row, b, b_col, b_row, zero, one, false, false,
                    false, none,
                );
                for (j, column) in columns.chunks_exact(m).enumerate() {
                    column.iter().enumerate().for_each(|(i, x)| *c.offset(i as isize * c_row + j as isize) = *x);
                }
            }
            NARROW.set(room);
            return;
        }
        // SAFETY: as the caller says.
        unsafe {
            // It wants the columns of its result in one piece: those of `c` transposed, for which the operands change
            // places.
            T::gemm()(
                n, m, k, c, c_row, 1, false, b, b_row, b_col, a, a_row, a_col, zero, one, false, false, false, none,
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The gradient of the weights of narrow layers, whose result is turned: the bits of a wide one, of which they are
    /// the first columns.
    #[test]
    fn a_turned_result_has_the_same_bits() {
        let (m, k, wide) = (64, 300, 64);
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 97.0 - 5.0;
        let a: Vec<f32> = (0..k * m).map(number).collect();
        let b: Vec<f32> = (0..k * wide).map(|i| number(i + 31)).collect();
        let compute = |n: usize| {
            let b: Vec<f32> = b.chunks_exact(wide).flat_map(|row| &row[..n]).copied().collect();
            let mut c = vec![f32::NAN; m * n];
            large(&Matmul::new(m, n, k, true, false), 0..k, &a, &b, &mut c);
            c
        };
        let whole = compute(wide);
        for n in [1, 5, 10, 20] {
            let narrow: Vec<f32> = whole.chunks_exact(wide).flat_map(|row| &row[..n]).copied().collect();
            assert_eq!(compute(n), narrow, "{n} columns");
        }
    }
}
