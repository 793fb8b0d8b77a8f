//! Twins of `shaders/softmax.wgsl`, `softmax_grad.wgsl`, `log_softmax.wgsl` and `log_softmax_grad.wgsl`.

use super::Real;
use super::sums::{max, sum, sum2};
use crate::kernels::{LogSoftmax, LogSoftmaxGrad, Softmax, SoftmaxGrad};

/// `y = exp(x - max) / Σ exp(x - max)` by rows.
#[inline(always)]
pub fn softmax<T: Real>(
    p: &Softmax,
    x: &[T],     // (rows, cols)
    y: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
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

    #[test]
    fn far_logits_do_not_overflow() {
        let (x, mut y) = ([1e4f32, -1e4, 1e4, -3e38], [f32::NAN; 4]);
        softmax(&Softmax { rows: 1, cols: 4 }, &x, &mut y);
        assert_eq!(y, [0.5, 0.0, 0.5, 0.0]);
        log_softmax(&LogSoftmax { rows: 2, cols: 2 }, &[1e4f32, 1e4, 0.0, -1e4], &mut y);
        assert_eq!(y, [-(2f32.ln()), -(2f32.ln()), 0.0, -1e4]);
    }
}
