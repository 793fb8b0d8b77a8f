//! Batch and layer normalisation.
//!
//! * **A middle** `x₁ + Σ (x - x₁) / n`: each difference is rounded by half an ulp, then the sum in blocks, the quotient
//!   (2.5 ulp) and the sum with x₁.
//! * **A mean of n values** is `middle + Σ (x - middle) / n`: the same again of differences that are the values' own spread
//!   and what the middle is off by, and so no more than a rounding of the mean itself.
//! * **A variance** `Σ (x - middle)² / n - (Σ (x - middle) / n)²`: each difference is rounded, which costs 2 u of its square,
//!   and the square 1 u. What is subtracted is no more than the square of what the middle is off by.
//! * **`1 / √(v + ε)`**: half the relative error of `v + ε`, and WGSL's 4.5 ulp for the root, 2.5 for the quotient, half
//!   for the sum: [`INVERSE`] ulp in all.
//! * **A normalised value** `n = (x - mean) / √(v + ε)` from exact statistics: the difference (half an ulp), the inverse,
//!   the product: [`NORMAL`] ulp.

use super::{ULP, blocks_bound};
use crate::kernels::columns;
use crate::kernels::rows::lanes;
use crate::kernels::{
    BatchNorm, BatchNormGrad, BatchNormGradPart, LayerNorm, LayerNormGrad, LayerNormScaleGrad, NormPart,
    RunningStatistics, Step,
};

const INVERSE: f64 = 7.5;
const NORMAL: f64 = INVERSE + 1.0;
/// Ulps of what a gradient does with normalised values and sums: a quotient by the count (2.5), its product with a sum
/// (1), two sums (1), two products with scale and inverse (1 + INVERSE).
const BACK: f64 = NORMAL + INVERSE + 5.5;

/// Mean and variance of some values with what each may be off by.
#[derive(Clone, Copy)]
struct Measured {
    mean: f64,
    variance: f64,
    mean_bound: f64,
    variance_bound: f64,
}

impl Measured {
    /// Of values whose sums `lanes` invocations share.
    fn of(values: impl ExactSizeIterator<Item = f64> + Clone, lanes: u32) -> Self {
        let n = values.len();
        let count = n as f64;
        let mean = values.clone().sum::<f64>() / count;
        let variance = values.clone().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
        let first = values.clone().next().unwrap_or(mean);
        // Of a mean of differences from `around`: the mean of their sizes, and what it is off by.
        let differences = |around: f64, off: f64| {
            let size = values.clone().map(|x| (x - around).abs()).sum::<f64>() / count + off;
            (size, blocks_bound(n, lanes, size) + 3.0 * ULP * size)
        };
        let middle_bound = differences(first, 0.0).1 + ULP * mean.abs();
        let off_bound = differences(mean, middle_bound).1;
        let squares = variance + middle_bound * middle_bound;
        let subtracted = (2.0 * middle_bound + off_bound) * off_bound + ULP * middle_bound * middle_bound;
        let variance_bound = blocks_bound(n, lanes, squares) + 4.0 * ULP * squares + subtracted + ULP * variance;
        Self { mean, variance, mean_bound: off_bound + ULP * mean.abs(), variance_bound }
    }

    fn known(mean: f64, variance: f64) -> Self {
        Self { mean, variance, mean_bound: 0.0, variance_bound: 0.0 }
    }

    /// `1 / √(variance + ε)` and its relative error.
    fn inverse(&self, epsilon: f64) -> (f64, f64) {
        let sum = self.variance + epsilon;
        (1.0 / sum.sqrt(), 0.5 * self.variance_bound / sum + INVERSE * ULP)
    }
}

/// Bound of `scale (x - mean) inverse + shift`.
fn normalized(x: f64, mean: (f64, f64), inverse: (f64, f64), scale: f64, shift: f64) -> f64 {
    let (n, d) = ((x - mean.0) * inverse.0, x - mean.0);
    let n_bound = inverse.0 * (mean.1 + ULP * d.abs()) + n.abs() * (inverse.1 + ULP);
    scale.abs() * n_bound + ULP * (2.0 * (scale * n).abs() + shift.abs())
}

pub(super) fn batch_norm(p: &BatchNorm, reads: &[Vec<f64>], step: &Step) -> Vec<Vec<f64>> {
    let (cols, valid) = (p.params.cols as usize, step.valid.min(p.params.rows) as usize);
    let (x, epsilon) = (&reads[0], f64::from(p.params.epsilon));
    let column = |col: usize| (0..valid).map(move |row| x[row * cols + col]);
    let is_given = p.part == NormPart::Normalize;
    let (given, at) = if is_given { (&reads[3], p.params.known_at) } else { (&reads[1], p.params.running_at) };
    let measured: Vec<Measured> = (0..cols)
        .map(|col| match is_given || valid < 2 {
            true => Measured::known(given[col], given[at as usize + col]),
            false => Measured::of(column(col), columns::lanes(p.params.cols)),
        })
        .collect();
    let mut bounds = Vec::new();
    if p.part != NormPart::Normalize {
        let means = measured.iter().map(|m| m.mean_bound);
        bounds.push(means.chain(measured.iter().map(|m| m.variance_bound)).collect());
    }
    if p.part != NormPart::Measure {
        let (scale, shift) = if is_given { (&reads[1], &reads[2]) } else { (&reads[2], &reads[3]) };
        let bound = |(i, x): (usize, &f64)| {
            let (col, m) = (i % cols, measured[i % cols]);
            normalized(*x, (m.mean, m.mean_bound), m.inverse(epsilon), scale[col], shift[col])
        };
        bounds.push(x.iter().enumerate().map(bound).collect());
    }
    bounds
}

/// Sums of `dy` and `dy n` over some places, with their bounds.
#[derive(Clone, Copy)]
struct Sums {
    lanes: u32,
    terms: usize,
    total: f64,
    total_size: f64,
    product: f64,
    product_size: f64,
}

impl Sums {
    /// None yet, of those that `lanes` invocations share.
    fn shared_by(lanes: u32) -> Self {
        Self { lanes, terms: 0, total: 0.0, total_size: 0.0, product: 0.0, product_size: 0.0 }
    }

    fn with(self, values: impl Iterator<Item = (f64, f64)>) -> Self {
        values.fold(self, |sums, (dy, n)| sums.and(dy, n))
    }

    fn and(self, dy: f64, n: f64) -> Self {
        Self {
            terms: self.terms + 1,
            total: self.total + dy,
            total_size: self.total_size + dy.abs(),
            product: self.product + dy * n,
            product_size: self.product_size + (dy * n).abs(),
            ..self
        }
    }

    fn total_bound(&self) -> f64 {
        blocks_bound(self.terms, self.lanes, self.total_size)
    }

    fn product_bound(&self) -> f64 {
        blocks_bound(self.terms, self.lanes, self.product_size) + (NORMAL + 1.0) * ULP * self.product_size
    }

    /// Bound of `dy - (total + n product) / count`.
    fn slope_bound(&self, dy: f64, n: f64, count: f64) -> f64 {
        let sums = (self.total_bound() + n.abs() * self.product_bound()) / count;
        sums + BACK * ULP * (dy.abs() + (self.total.abs() + (n * self.product).abs()) / count)
    }
}

pub(super) fn batch_norm_grad(p: &BatchNormGrad, reads: &[Vec<f64>], step: &Step) -> Vec<Vec<f64>> {
    let (cols, valid) = (p.params.cols as usize, step.valid.min(p.params.rows) as usize);
    let Some((x, statistics, dy)) = reads.first().zip(reads.get(1)).zip(reads.last()).map(|((x, s), dy)| (x, s, dy))
    else {
        return Vec::new();
    };
    let inverse =
        |col: usize| 1.0 / (statistics[p.params.variance_at as usize + col] + f64::from(p.params.epsilon)).sqrt();
    let normal = |row: usize, col: usize| (x[row * cols + col] - statistics[col]) * inverse(col);
    let none = Sums::shared_by(columns::lanes(p.params.cols));
    let sums: Vec<Sums> =
        (0..cols).map(|col| none.with((0..valid).map(|row| (dy[row * cols + col], normal(row, col))))).collect();
    let scale_bounds = sums.iter().map(Sums::product_bound);
    let mut bounds = Vec::new();
    if p.part != BatchNormGradPart::Scale {
        let mut slopes = vec![0.0; x.len()];
        for (i, slope) in slopes[..valid * cols].iter_mut().enumerate() {
            let (row, col) = (i / cols, i % cols);
            let bound = match valid {
                _ if p.params.known == 1 => BACK * ULP * dy[i].abs(),
                0 | 1 => BACK * ULP * dy[i].abs(),
                _ => sums[col].slope_bound(dy[i], normal(row, col), valid as f64),
            };
            *slope = reads[2][col].abs() * inverse(col) * bound;
        }
        bounds.push(slopes);
    }
    match p.part {
        BatchNormGradPart::Input => {}
        BatchNormGradPart::Scale => bounds.push(scale_bounds.collect()),
        BatchNormGradPart::All => {
            let gap = vec![0.0; p.params.shift_at as usize - cols];
            let shift_bounds: Vec<f64> = sums.iter().map(Sums::total_bound).collect();
            bounds.push(scale_bounds.chain(gap).chain(shift_bounds).collect());
        }
    }
    bounds
}

/// Two products, a sum, and for the variance a quotient of counts and its product.
pub(super) fn running_statistics(
    p: &RunningStatistics,
    statistics: &[f64],
    before: &[Vec<f64>],
    step: &Step,
) -> Vec<f64> {
    let running = before.first().map_or(&[][..], Vec::as_slice);
    let (cols, valid) = (p.cols as usize, step.valid.min(p.rows));
    let mut bounds = vec![0.0; running.len()];
    if valid < 2 {
        return bounds;
    }
    for (i, new) in statistics.iter().enumerate() {
        let at = if i < cols { i } else { p.running_at as usize + i - cols };
        let new = if i < cols { *new } else { new * f64::from(valid) / f64::from(valid - 1) };
        bounds[at] = ULP * (2.0 * running[at].abs() + 5.5 * f64::from(p.momentum) * new.abs());
    }
    bounds
}

pub(super) fn layer_norm(p: &LayerNorm, reads: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let (cols, epsilon) = (p.params.cols as usize, f64::from(p.params.epsilon));
    let x = &reads[0];
    // Mean and its bound, inverse and its relative bound.
    let rows: Vec<[(f64, f64); 2]> = match (p.part, reads) {
        (NormPart::Normalize, [.., known]) => {
            known.chunks_exact(2).map(|pair| [(pair[0], 0.0), (pair[1], 0.0)]).collect()
        }
        _ => {
            let measured = x.chunks_exact(cols).map(|row| Measured::of(row.iter().copied(), lanes(p.params.cols)));
            measured.map(|m| [(m.mean, m.mean_bound), m.inverse(epsilon)]).collect()
        }
    };
    let mut bounds = Vec::new();
    if p.part != NormPart::Normalize {
        let pair = |[mean, inverse]: &[(f64, f64); 2]| [mean.1, inverse.0 * inverse.1];
        bounds.push(rows.iter().flat_map(pair).collect());
    }
    if p.part != NormPart::Measure {
        let bound = |(i, x): (usize, &f64)| {
            let ([mean, inverse], col) = (rows[i / cols], i % cols);
            normalized(*x, mean, inverse, reads[1][col], reads[2][col])
        };
        bounds.push(x.iter().enumerate().map(bound).collect());
    }
    bounds
}

pub(super) fn layer_norm_grad(p: &LayerNormGrad, x: &[f64], statistics: &[f64], scale: &[f64], dy: &[f64]) -> Vec<f64> {
    let cols = p.cols as usize;
    let mut bounds = Vec::with_capacity(x.len());
    for ((x, dy), pair) in x.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(statistics.chunks_exact(2)) {
        let terms = || x.iter().zip(dy).zip(scale).map(|((x, dy), scale)| (scale * dy, (x - pair[0]) * pair[1]));
        let sums = Sums::shared_by(lanes(p.cols)).with(terms());
        // The products with the scale are rounded before they are summed.
        let rounded = |n: f64| ULP * (sums.total_size + n.abs() * sums.product_size) / cols as f64;
        bounds.extend(terms().map(|(g, n)| pair[1].abs() * (sums.slope_bound(g, n, cols as f64) + rounded(n))));
    }
    bounds
}

pub(super) fn layer_norm_scale_grad(p: &LayerNormScaleGrad, x: &[f64], statistics: &[f64], dy: &[f64]) -> Vec<f64> {
    let cols = p.params.cols as usize;
    let mut sums = vec![Sums::shared_by(columns::lanes(p.params.cols)); cols];
    for ((x, dy), pair) in x.chunks_exact(cols).zip(dy.chunks_exact(cols)).zip(statistics.chunks_exact(2)) {
        for ((sums, x), dy) in sums.iter_mut().zip(x).zip(dy) {
            *sums = sums.and(*dy, (x - pair[0]) * pair[1]);
        }
    }
    let scale_bounds = sums.iter().map(Sums::product_bound);
    if !p.with_shift {
        return scale_bounds.collect();
    }
    let gap = vec![0.0; p.params.shift_at as usize - cols];
    scale_bounds.chain(gap).chain(sums.iter().map(Sums::total_bound)).collect()
}
