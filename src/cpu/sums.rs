//! Sums in a fixed order that the compiler can vectorise. No chain of additions in `T` is long: terms are added up in
//! blocks, and the blocks in f64.

use super::Real;

/// Rows of a block of [`by_columns`].
pub(super) const ROWS: usize = crate::kernels::sums::BLOCK;
/// Columns whose sums lie on the stack at a time.
pub(super) const COLUMNS: usize = 128;
/// Numbers that are added at once, where there are as many.
const REGISTER: usize = 16;
/// Elements of a block of [`sum`]: eight chains of `ROWS`.
const ELEMENTS: usize = 8 * ROWS;

/// `N` sums over `rows` rows for each of `cols` columns, at most [`COLUMNS`]; `add` adds the terms of a row to those of its
/// block.
#[inline(always)]
pub(super) fn by_columns<T: Real, const N: usize>(
    rows: usize,
    cols: usize,
    add: impl Fn(usize, &mut [[T; COLUMNS]; N]),
) -> [[f64; COLUMNS]; N] {
    let mut totals = [[0.0; COLUMNS]; N];
    for first in (0..rows).step_by(ROWS) {
        let mut block = [[T::zero(); COLUMNS]; N];
        for row in first..rows.min(first + ROWS) {
            add(row, &mut block);
        }
        for (totals, sums) in totals.iter_mut().zip(&block) {
            totals[..cols].iter_mut().zip(sums).for_each(|(total, sum)| *total += sum.wide());
        }
    }
    totals
}

/// `y = Σ_r x[r, :]`.
#[inline(always)]
pub(super) fn add_rows<T: Real>(
    rows: usize,
    x: &[T],     // (rows or more, cols)
    y: &mut [T], // (cols)
) {
    let cols = y.len();
    for (block, y) in y.chunks_mut(COLUMNS).enumerate() {
        let [sums] = by_columns(rows, y.len(), |row, [sums]: &mut [[T; COLUMNS]; 1]| {
            // Whole registers, with what of the next row fills the last: those sums are left out.
            let at = row * cols + block * COLUMNS;
            let whole = x.get(at..at + y.len().next_multiple_of(REGISTER)).unwrap_or(&x[at..at + y.len()]);
            let ((of, rest), (x, x_rest)) = (sums.as_chunks_mut::<REGISTER>(), whole.as_chunks::<REGISTER>());
            debug_assert!(rest.is_empty());
            for (sums, x) in of.iter_mut().zip(x) {
                sums.iter_mut().zip(x).for_each(|(sum, x)| *sum += *x);
            }
            let left = of.as_flattened_mut()[whole.len() - x_rest.len()..].iter_mut();
            left.zip(x_rest).for_each(|(sum, x)| *sum += *x);
        });
        y.iter_mut().zip(sums).for_each(|(y, sum)| *y = T::of(sum));
    }
}

/// `Σ f(x)`.
#[inline(always)]
pub(super) fn sum<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    T::of(x.chunks(ELEMENTS).map(|x| block(x, &f).wide()).sum())
}

#[inline(always)]
fn block<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut chains = [T::zero(); 8];
    for chunk in chunks {
        for (chain, x) in chains.iter_mut().zip(chunk) {
            *chain += f(*x);
        }
    }
    for (chain, x) in chains.iter_mut().zip(rest) {
        *chain += f(*x);
    }
    tree(chains)
}

/// `Σ f(x, y)`.
#[inline(always)]
pub(super) fn sum2<T: Real>(x: &[T], y: &[T], f: impl Fn(T, T) -> T) -> T {
    T::of(x.chunks(ELEMENTS).zip(y.chunks(ELEMENTS)).map(|(x, y)| block2(x, y, &f).wide()).sum())
}

#[inline(always)]
fn block2<T: Real>(x: &[T], y: &[T], f: impl Fn(T, T) -> T) -> T {
    let n = x.len().min(y.len());
    let ((x_chunks, x_rest), (y_chunks, y_rest)) = (x[..n].as_chunks::<8>(), y[..n].as_chunks::<8>());
    let mut chains = [T::zero(); 8];
    for (x, y) in x_chunks.iter().zip(y_chunks) {
        for ((chain, x), y) in chains.iter_mut().zip(x).zip(y) {
            *chain += f(*x, *y);
        }
    }
    for ((chain, x), y) in chains.iter_mut().zip(x_rest).zip(y_rest) {
        *chain += f(*x, *y);
    }
    tree(chains)
}

/// Mean and biased variance of `rows` values: from the sums of `x - shift`, `shift` being near the mean, and of its
/// squares. What the mean is off by from `shift` is taken out of both.
#[inline(always)]
pub(super) fn moments<T: Real>(shift: T, rows: usize, [sum, squares]: [f64; 2]) -> (T, T) {
    let count = rows as f64;
    let off = sum / count;
    let variance = squares / count - off * off;
    // Not `max`: it would turn NaN into a number.
    (T::of(shift.wide() + off), T::of(if variance < 0.0 { 0.0 } else { variance }))
}

/// `Σ v y` and `Σ v g`, in as many chains as hide the latency of an addition.
#[inline(always)]
pub(super) fn pair_of_sums<T: Real>(v: &[T], y: &[T], g: &[T]) -> [T; 2] {
    const CHAINS: usize = 32;
    let (mut of_y, mut of_g) = ([T::zero(); CHAINS], [T::zero(); CHAINS]);
    let len = v.len().min(y.len()).min(g.len());
    for ((v, y), g) in v[..len].chunks(CHAINS).zip(y[..len].chunks(CHAINS)).zip(g[..len].chunks(CHAINS)) {
        for (((of_y, of_g), v), (y, g)) in of_y.iter_mut().zip(&mut of_g).zip(v).zip(y.iter().zip(g)) {
            *of_y += *v * *y;
            *of_g += *v * *g;
        }
    }
    [sum(&of_y, |x| x), sum(&of_g, |x| x)]
}

/// The sum of the chains of a block.
#[inline(always)]
pub(super) fn tree<T: Real>(c: [T; 8]) -> T {
    ((c[0] + c[4]) + (c[2] + c[6])) + ((c[1] + c[5]) + (c[3] + c[7]))
}

/// The largest element; NaN is passed over, as by WGSL's `max` on most adapters.
#[inline(always)]
pub(super) fn max<T: Real>(x: &[T]) -> T {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut chains = [T::min_value(); 8];
    for chunk in chunks.iter().map(<[T; 8]>::as_slice).chain([rest]) {
        for (chain, x) in chains.iter_mut().zip(chunk) {
            *chain = larger(*chain, *x);
        }
    }
    chains.into_iter().fold(T::min_value(), larger)
}

/// The larger of two numbers; `a` where `b` is NaN.
#[inline(always)]
pub(super) fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
