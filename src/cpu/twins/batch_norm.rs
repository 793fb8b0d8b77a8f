//! Twins of `shaders/batch_norm.wgsl`, `batch_norm_grad.wgsl` and `running_statistics.wgsl`.
//!
//! Columns are taken in blocks: what is known of a block lies on the stack, and rows are read as they lie.

use super::Real;
use super::sums::{COLUMNS as BLOCK, add_rows, by_columns, moments};
use crate::kernels::{
    BatchNorm, BatchNormGrad, BatchNormGradParams, BatchNormGradPart, BatchNormParams, NormPart, RunningStatistics,
    Step,
};

/// Rows that are real.
fn valid(rows: u32, step: &Step) -> usize {
    step.valid.min(rows) as usize
}

/// Mean and variance of the columns, the columns normalised by them, or both.
#[inline(always)]
pub fn batch_norm<T: Real>(spec: &BatchNorm, reads: &[&[T]], writes: &mut [&mut [T]], step: &Step) -> bool {
    let p = &spec.params;
    match (spec.part, reads, writes) {
        (NormPart::Measure, [x, running], [statistics]) => measure(p, x, running, statistics, step),
        (NormPart::Normalize, [x, scale, shift, known], [y]) => normalize(p, p.known_at, x, scale, shift, known, y),
        (NormPart::Both, [x, running, scale, shift], [statistics, y]) => {
            measure(p, x, running, statistics, step);
            normalize(p, p.cols, x, scale, shift, statistics, y);
        }
        _ => return false,
    }
    true
}

/// Gradients of that: of the input, of the scale, or of the input, the scale and the shift.
#[inline(always)]
pub fn batch_norm_grad<T: Real>(spec: &BatchNormGrad, reads: &[&[T]], writes: &mut [&mut [T]], step: &Step) -> bool {
    let p = &spec.params;
    match (spec.part, reads, writes) {
        (BatchNormGradPart::Input, [x, statistics, scale, dy], [dx]) => {
            input_grad(p, x, statistics, scale, dy, dx, step);
        }
        (BatchNormGradPart::Scale, [x, statistics, dy], [dscale]) => scale_grad(p, x, statistics, dy, dscale, step),
        (BatchNormGradPart::All, [x, statistics, scale, dy], [dx, dparameters]) => {
            input_grad(p, x, statistics, scale, dy, dx, step);
            let (dscale, dshift) = dparameters.split_at_mut(p.shift_at as usize);
            scale_grad(p, x, statistics, dy, dscale, step);
            shift_grad(p, dy, dshift, step);
        }
        _ => return false,
    }
    true
}

/// Mean and biased variance of each column; the running ones where there are fewer than two rows.
#[inline(always)]
fn measure<T: Real>(
    p: &BatchNormParams,
    x: &[T],              // (rows, cols)
    running: &[T],        // mean (cols), from running_at on variance (cols)
    statistics: &mut [T], // (2, cols)
    step: &Step,
) {
    let (cols, count) = (p.cols as usize, valid(p.rows, step));
    let (mean, variance) = statistics.split_at_mut(cols);
    if count < 2 {
        mean.copy_from_slice(&running[..cols]);
        variance.copy_from_slice(&running[p.running_at as usize..][..cols]);
        return;
    }
    for first in (0..cols).step_by(BLOCK) {
        let block = first..cols.min(first + BLOCK);
        // About the first row, so that a constant column comes out exact; then about what that makes of the mean.
        let mut shift = [T::zero(); BLOCK];
        shift[..block.len()].copy_from_slice(&x[block.clone()]);
        let row = |row: usize| &x[row * cols + first..][..block.len()];
        let [sums] = by_columns(count, block.len(), |at, [sums]: &mut [[T; BLOCK]; 1]| {
            sums.iter_mut().zip(&shift).zip(row(at)).for_each(|((sum, shift), x)| *sum += *x - *shift);
        });
        shift.iter_mut().zip(sums).for_each(|(shift, sum)| *shift += T::of(sum / count as f64));
        let [sums, squares] = by_columns(count, block.len(), |at, [sums, squares]: &mut [[T; BLOCK]; 2]| {
            for (((sum, square), shift), x) in sums.iter_mut().zip(squares).zip(&shift).zip(row(at)) {
                let d = *x - *shift;
                *sum += d;
                *square += d * d;
            }
        });
        for (i, col) in block.enumerate() {
            (mean[col], variance[col]) = moments(shift[i], count, [sums[i], squares[i]]);
        }
    }
}

/// `1 / √(variance + ε)` of the columns from `first` on.
#[inline(always)]
fn inverse_deviations<T: Real>(variance: &[T], epsilon: f32, first: usize) -> [T; BLOCK] {
    let mut inverse = [T::zero(); BLOCK];
    for (inverse, variance) in inverse.iter_mut().zip(&variance[first..]) {
        *inverse = T::one() / (*variance + T::of(epsilon.into())).sqrt();
    }
    inverse
}

/// `y = scale (x - mean) / √(variance + ε) + shift`.
#[inline(always)]
fn normalize<T: Real>(
    p: &BatchNormParams,
    known_at: u32,
    x: &[T],     // (rows, cols)
    scale: &[T], // (cols)
    shift: &[T], // (cols)
    known: &[T], // mean (cols), from known_at on variance (cols)
    y: &mut [T], // (rows, cols)
) {
    let cols = p.cols as usize;
    let variance = &known[known_at as usize..][..cols];
    for first in (0..cols).step_by(BLOCK) {
        let (inverse, block) = (inverse_deviations(variance, p.epsilon, first), first..cols.min(first + BLOCK));
        for (x, y) in x.chunks_exact(cols).zip(y.chunks_exact_mut(cols)) {
            let parameters = scale[block.clone()].iter().zip(&shift[block.clone()]);
            let known = known[block.clone()].iter().zip(&inverse).zip(parameters);
            for ((y, x), ((mean, inverse), (scale, shift))) in y[block.clone()].iter_mut().zip(&x[first..]).zip(known) {
                *y = (*x - *mean) * *inverse * *scale + *shift;
            }
        }
    }
}

/// `dx = scale (dy - (dshift + n dscale) / v) / √(variance + ε)` with `n = (x - mean) / √(variance + ε)`.
#[inline(always)]
fn input_grad<T: Real>(
    p: &BatchNormGradParams,
    x: &[T],          // (rows, cols)
    statistics: &[T], // mean (cols), from variance_at on variance (cols)
    scale: &[T],      // (cols)
    dy: &[T],         // (rows, cols)
    dx: &mut [T],     // (rows, cols)
    step: &Step,
) {
    let (cols, count) = (p.cols as usize, valid(p.rows, step));
    let (mean, variance) = statistics.split_at(p.variance_at as usize);
    let share = if count > 1 && p.known == 0 { T::one() / T::of(count as f64) } else { T::zero() };
    for first in (0..cols).step_by(BLOCK) {
        let (inverse, block) = (inverse_deviations(variance, p.epsilon, first), first..cols.min(first + BLOCK));
        let normal = |x: T, i: usize| (x - mean[first + i]) * inverse[i];
        let sums = by_columns(count, block.len(), |row, [totals, products]: &mut [[T; BLOCK]; 2]| {
            let at = row * cols + first..row * cols + block.end;
            for (i, (x, dy)) in x[at.clone()].iter().zip(&dy[at]).enumerate() {
                totals[i] += *dy;
                products[i] += *dy * normal(*x, i);
            }
        });
        let [total, product] = sums.map(|sums| sums.map(T::of));
        for (row, ((x, dy), dx)) in
            x.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(dx.chunks_exact_mut(cols)).enumerate()
        {
            let dx = &mut dx[block.clone()];
            if row >= count {
                dx.fill(T::zero());
                continue;
            }
            for (i, ((dx, x), dy)) in dx.iter_mut().zip(&x[first..]).zip(&dy[first..]).enumerate() {
                let around = (total[i] + normal(*x, i) * product[i]) * share;
                *dx = scale[first + i] * inverse[i] * (*dy - around);
            }
        }
    }
}

/// `dscale = Σ dy (x - mean) / √(variance + ε)`.
#[inline(always)]
fn scale_grad<T: Real>(
    p: &BatchNormGradParams,
    x: &[T],          // (rows, cols)
    statistics: &[T], // mean (cols), from variance_at on variance (cols)
    dy: &[T],         // (rows, cols)
    dscale: &mut [T], // (cols)
    step: &Step,
) {
    let cols = p.cols as usize;
    let (mean, variance) = statistics.split_at(p.variance_at as usize);
    for first in (0..cols).step_by(BLOCK) {
        let (inverse, block) = (inverse_deviations(variance, p.epsilon, first), first..cols.min(first + BLOCK));
        let [sums] = by_columns(valid(p.rows, step), block.len(), |row, [sums]: &mut [[T; BLOCK]; 1]| {
            let at = row * cols + first..row * cols + block.end;
            let known = mean[block.clone()].iter().zip(&inverse);
            for (((sum, (mean, inverse)), x), dy) in sums.iter_mut().zip(known).zip(&x[at.clone()]).zip(&dy[at]) {
                *sum += *dy * ((*x - *mean) * *inverse);
            }
        });
        dscale[block].iter_mut().zip(sums).for_each(|(dscale, sum)| *dscale = T::of(sum));
    }
}

/// `dshift = Σ dy`.
#[inline(always)]
fn shift_grad<T: Real>(
    p: &BatchNormGradParams,
    dy: &[T],         // (rows, cols)
    dshift: &mut [T], // (cols)
    step: &Step,
) {
    add_rows(valid(p.rows, step), dy, &mut dshift[..p.cols as usize]);
}

/// `running ← (1 - momentum) running + momentum · statistics`, the variance unbiased.
#[inline(always)]
pub fn running_statistics<T: Real>(
    p: &RunningStatistics,
    statistics: &[T],  // (2, cols)
    running: &mut [T], // mean (cols), from running_at on variance (cols)
    step: &Step,
) {
    let (cols, count) = (p.cols as usize, valid(p.rows, step));
    if count < 2 {
        return;
    }
    let momentum = T::of(p.momentum.into());
    let unbiased = T::of(count as f64) / T::of(count as f64 - 1.0);
    let (mean, variance) = statistics.split_at(cols);
    let moved = |old: T, new: T| (T::one() - momentum) * old + momentum * new;
    for (running, mean) in running[..cols].iter_mut().zip(mean) {
        *running = moved(*running, *mean);
    }
    for (running, variance) in running[p.running_at as usize..].iter_mut().zip(variance) {
        *running = moved(*running, *variance * unbiased);
    }
}
