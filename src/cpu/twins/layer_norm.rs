//! Twins of `shaders/layer_norm.wgsl`, `layer_norm_grad.wgsl` and `layer_norm_scale_grad.wgsl`.

use super::Real;
use super::sums::{COLUMNS, by_columns, moments, sum, sum2};
use crate::kernels::{LayerNorm, LayerNormGrad, LayerNormParams, LayerNormScaleGrad, NormPart};

/// Mean and variance of the rows, the rows normalised by them, or both.
#[inline(always)]
pub fn layer_norm<T: Real>(spec: &LayerNorm, reads: &[&[T]], writes: &mut [&mut [T]]) -> bool {
    let p = &spec.params;
    match (spec.part, reads, writes) {
        (NormPart::Measure, [x], [statistics]) => measure(p, x, statistics),
        (NormPart::Normalize, [x, scale, shift, known], [y]) => normalize(p, x, scale, shift, known, y),
        (NormPart::Both, [x, scale, shift], [statistics, y]) => {
            measure(p, x, statistics);
            normalize(p, x, scale, shift, statistics, y);
        }
        _ => return false,
    }
    true
}

/// Mean and `1 / √(variance + ε)` of each row.
#[inline(always)]
fn measure<T: Real>(
    p: &LayerNormParams,
    x: &[T],              // (rows, cols)
    statistics: &mut [T], // (rows, 2)
) {
    let (cols, epsilon) = (p.cols as usize, T::of(p.epsilon.into()));
    for (x, statistics) in x.chunks_exact(cols).zip(statistics.chunks_exact_mut(2)) {
        let shift = x[0] + sum(x, |each| each - x[0]) / T::of(p.cols.into());
        let sums = [sum(x, |x| x - shift).wide(), sum(x, |x| (x - shift) * (x - shift)).wide()];
        let (mean, variance) = moments(shift, cols, sums);
        statistics[0] = mean;
        statistics[1] = T::one() / (variance + epsilon).sqrt();
    }
}

/// `y = scale (x - mean) / deviation + shift`.
#[inline(always)]
fn normalize<T: Real>(
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
    let rows = statistics.len() / 2;
    for first in (0..cols).step_by(COLUMNS) {
        let width = COLUMNS.min(cols - first);
        let [products, totals] = by_columns(rows, width, |row, [products, totals]: &mut [[T; COLUMNS]; 2]| {
            let (mean, inverse) = (statistics[2 * row], statistics[2 * row + 1]);
            let (x, dy) = (&x[row * cols + first..][..width], &dy[row * cols + first..][..width]);
            for (((product, total), x), dy) in products.iter_mut().zip(totals).zip(x).zip(dy) {
                *product += *dy * ((*x - mean) * inverse);
                *total += *dy;
            }
        });
        dscale[first..first + width].iter_mut().zip(products).for_each(|(to, sum)| *to = T::of(sum));
        if p.with_shift {
            dshift[first..first + width].iter_mut().zip(totals).for_each(|(to, sum)| *to = T::of(sum));
        }
    }
}
