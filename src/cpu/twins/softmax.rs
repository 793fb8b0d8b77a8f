//! Twins of `shaders/softmax.wgsl`, `softmax_grad.wgsl`, `log_softmax.wgsl` and `log_softmax_grad.wgsl`.

use super::Real;
use super::sums::{larger, max, sum, sum2, tree};
use crate::kernels::{LogSoftmax, LogSoftmaxGrad, Softmax, SoftmaxGrad};

/// Columns that one loop without a remainder covers.
const NARROW: usize = 16;

/// `y = exp(x - max) / Σ exp(x - max)` by rows.
#[inline(always)]
pub fn softmax<T: Real>(
    p: &Softmax,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    if cols <= NARROW {
        // Whole registers, with what of the next rows fills the last: that is left out, and written over.
        let mut outside = [T::neg_infinity(); NARROW];
        outside[..cols].fill(T::zero());
        for at in (0..y.len()).step_by(cols) {
            match (x.get(at..).and_then(<[T]>::first_chunk), y.get_mut(at..).and_then(<[T]>::first_chunk_mut)) {
                (Some(x), Some(y)) => *y = narrow(&outside, x),
                _ => {
                    let mut row = [T::zero(); NARROW];
                    row[..cols].copy_from_slice(&x[at..at + cols]);
                    y[at..at + cols].copy_from_slice(&narrow(&outside, &row)[..cols]);
                }
            }
        }
        return;
    }
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let top = max(x);
        for (y, x) in y.iter_mut().zip(x) {
            *y = (*x - top).exponential();
        }
        let total = sum(y, |y| y);
        for y in y {
            *y /= total;
        }
    }
}

/// A row of softmax, of the columns for which `outside` is 0 and not -∞: the bits of the loop for any number of them.
#[inline(always)]
fn narrow<T: Real>(outside: &[T; NARROW], x: &[T; NARROW]) -> [T; NARROW] {
    let (mut y, mut eight, mut four) = ([T::zero(); NARROW], [T::zero(); 8], [T::zero(); 4]);
    // Also where NaN or ∞ stands outside: their sum with -∞ is larger than nothing.
    for at in 0..NARROW {
        y[at] = larger(T::min_value(), x[at] + outside[at]);
    }
    for at in 0..8 {
        eight[at] = larger(y[at], y[at + 8]);
    }
    for at in 0..4 {
        four[at] = larger(eight[at], eight[at + 4]);
    }
    let top = larger(larger(four[0], four[2]), larger(four[1], four[3]));
    for at in 0..NARROW {
        let exponential = (x[at] - top).exponential();
        y[at] = if outside[at] == T::zero() { exponential } else { T::zero() };
    }
    let mut chains = [T::zero(); 8];
    for at in 0..8 {
        chains[at] = y[at] + y[at + 8];
    }
    let total = tree(chains);
    for y in &mut y {
        *y /= total;
    }
    y
}

/// `dx = y (dy - Σ y dy)` by rows.
#[inline(always)]
pub fn softmax_grad<T: Real>(
    p: &SoftmaxGrad,
    y: &[T],      // (rows, cols)
    dy: &[T],     // (rows, cols)
    dx: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact_mut(cols)) {
        let total = sum2(y, dy, |y, dy| y * dy);
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = *y * (*dy - total);
        }
    }
}

/// `y = (x - max) - log Σ exp(x - max)` by rows.
#[inline(always)]
pub fn log_softmax<T: Real>(
    p: &LogSoftmax,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
        let top = max(x);
        let log_total = sum(x, |x| (x - top).exponential()).ln();
        for (y, x) in y.iter_mut().zip(x) {
            *y = (*x - top) - log_total;
        }
    }
}

/// `dx = dy - exp(y) Σ dy` by rows.
#[inline(always)]
pub fn log_softmax_grad<T: Real>(
    p: &LogSoftmaxGrad,
    y: &[T],      // (rows, cols)
    dy: &[T],     // (rows, cols)
    dx: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    for ((y, dy), dx) in y.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact_mut(cols)) {
        let total = sum(dy, |dy| dy);
        for ((dx, y), dy) in dx.iter_mut().zip(y).zip(dy) {
            *dx = *dy - y.exponential() * total;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row is the same alone, as the first columns of a wider one whose rest is as good as nothing, and as the loop has it.
    #[test]
    fn narrow_rows_have_the_bits_of_wide_ones() {
        let number = |i: usize| ((i * 7919) % 1013) as f32 / 97.0 - 5.0;
        for cols in 1..=NARROW {
            let rows = 9;
            let mut x: Vec<f32> = (0..rows * cols).map(number).collect();
            x[cols / 2] = f32::NEG_INFINITY;
            let mut y = vec![f32::NAN; rows * cols];
            softmax(&Softmax { rows: rows as u32, cols: cols as u32 }, &x, &mut y);
            for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact(cols)) {
                let mut wide = [f32::NEG_INFINITY; 24];
                wide[..cols].copy_from_slice(x);
                let mut expected = [0.0; 24];
                softmax(&Softmax { rows: 1, cols: 24 }, &wide, &mut expected);
                let bits = |y: &[f32]| y.iter().map(|y| y.to_bits()).collect::<Vec<_>>();
                // Of a single -∞ nothing is left to divide by.
                if x != [f32::NEG_INFINITY] {
                    assert_eq!(bits(y), bits(&expected[..cols]), "{cols} columns");
                }
            }
        }
    }

    #[test]
    fn far_logits_do_not_overflow() {
        let (x, mut y) = ([1e4f32, -1e4, 1e4, -3e38], [f32::NAN; 4]);
        softmax(&Softmax { rows: 1, cols: 4 }, &x, &mut y);
        assert_eq!(y, [0.5, 0.0, 0.5, 0.0]);
        log_softmax(&LogSoftmax { rows: 2, cols: 2 }, &[1e4f32, 1e4, 0.0, -1e4], &mut y);
        assert_eq!(y, [-(2f32.ln()), -(2f32.ln()), 0.0, -1e4]);
    }
}
