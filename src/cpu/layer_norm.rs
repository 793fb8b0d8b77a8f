//! Twins of `shaders/layer_norm.wgsl`, `layer_norm_grad.wgsl` and `layer_norm_scale_grad.wgsl`.

use super::Real;
use super::sums::{sum, sum2};
use crate::kernels::{LayerNormGrad, LayerNormParams, LayerNormScaleGrad};

/// Mean and `1 / √(variance + ε)` of each row.
#[inline(always)]
pub fn measure<T: Real>(
    p: &LayerNormParams,
    x: &[T],              // (rows, cols)
    statistics: &mut [T], // (rows, 2)
) {
    let (count, epsilon) = (T::of(p.cols.into()), T::of(p.epsilon.into()));
    for (x, statistics) in x.chunks_exact(p.cols as usize).zip(statistics.chunks_exact_mut(2)) {
        let mean = sum(x, |x| x) / count;
        let variance = sum(x, |x| (x - mean) * (x - mean)) / count;
        statistics[0] = mean;
        statistics[1] = T::one() / (variance + epsilon).sqrt();
    }
}

/// `y = scale (x - mean) / deviation + shift`.
#[inline(always)]
pub fn normalize<T: Real>(
    p: &LayerNormParams,
    x: &[T],          // (rows, cols)
    scale: &[T],      // (cols)
    shift: &[T],      // (cols)
    statistics: &[T], // (rows, 2)
    y: &mut [T],      // (rows, cols)
) {
    let cols = p.cols as usize;
    for ((x, y), statistics) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)).zip(statistics.chunks_exact(2)) {
        let (mean, inverse) = (statistics[0], statistics[1]);
        for (((y, x), scale), shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
            *y = (*x - mean) * inverse * *scale + *shift;
        }
    }
}

/// `dx = (g - (Σ g + n Σ g n) / cols) / deviation` with `g = scale dy` and `n = (x - mean) / deviation`.
#[inline(always)]
pub fn layer_norm_grad<T: Real>(
    p: &LayerNormGrad,
    x: &[T],          // (rows, cols)
    statistics: &[T], // (rows, 2)
    scale: &[T],      // (cols)
    dy: &[T],         // (rows, cols)
    dx: &mut [T],     // (rows, cols)
) {
    let (cols, count) = (p.cols as usize, T::of(p.cols.into()));
    let rows = x.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(statistics.chunks_exact(2));
    for (((x, dy), statistics), dx) in rows.zip(dx.chunks_exact_mut(cols)) {
        let (mean, inverse) = (statistics[0], statistics[1]);
        for ((dx, dy), scale) in dx.iter_mut().zip(dy).zip(scale) {
            *dx = *scale * *dy;
        }
        let total = sum(dx, |g| g);
        let product = sum2(dx, x, |g, x| g * ((x - mean) * inverse));
        for (dx, x) in dx.iter_mut().zip(x) {
            *dx = inverse * (*dx - (total + (*x - mean) * inverse * product) / count);
        }
    }
}

/// `dscale = Σ_r dy (x - mean) / deviation`, and `dshift = Σ_r dy` if told so.
#[inline(always)]
pub fn layer_norm_scale_grad<T: Real>(
    p: &LayerNormScaleGrad,
    x: &[T],               // (rows, cols)
    statistics: &[T],      // (rows, 2)
    dy: &[T],              // (rows, cols)
    dparameters: &mut [T], // dscale (cols), from shift_at on dshift (cols)
) {
    let cols = p.params.cols as usize;
    let at = if p.with_shift { p.params.shift_at as usize } else { cols };
    let (dscale, dshift) = dparameters.split_at_mut(at);
    let dscale = &mut dscale[..cols];
    dscale.fill(T::zero());
    dshift.fill(T::zero());
    for ((x, dy), statistics) in x.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(statistics.chunks_exact(2)) {
        let (mean, inverse) = (statistics[0], statistics[1]);
        for ((sum, x), dy) in dscale.iter_mut().zip(x).zip(dy) {
            *sum += *dy * ((*x - mean) * inverse);
        }
        for (sum, dy) in dshift.iter_mut().zip(dy) {
            *sum += *dy;
        }
    }
}
