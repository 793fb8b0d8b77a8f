//! How far a kernel's f32 result may lie from the f64 twin that was fed the same bytes. Derived, not chosen.
//!
//! Write `u = 2⁻²⁴` for the unit roundoff of f32 and `ulp = 2u`.
//!
//! * **A sum of n terms** is allowed `2 √n u Σ abs(term)`. If the rounding errors of the partial sums are
//!   independent and uniform, and the partial sums grow no faster than in proportion, their standard deviation is
//!   `√n u Σ abs(term) / 3` (Higham & Mary 2019 prove the √n), so this is six standard deviations; a product adds
//!   its own `u`.
//! * **A sum in blocks** counts as long as the most additions that a term passes on its way (`src/kernels/sums.rs`): the
//!   squares of its partial sums add up to no more than those of a chain of that length.
//! * **An elementary function** is allowed `ulp (6 abs(y) + 2 abs(x ∂y/∂x))`: a result that is 6 ulp away from the
//!   exact function of an argument that is 2 ulp away. `shaders/lib/math.wgsl` states at most 3.7 ulp for each
//!   function with exact division, to which WGSL lets a division add 2.5; the second term is what the rounding of
//!   the argument on the way in can do. `x ∂y/∂x` is a central difference of the f64 twin.
//! * **An update of a slab** is its twin on numbers that carry their error (`near.rs`).
//! * **Everything else** is allowed one ulp for each rounding, on the terms before they cancel.
//! * **A result that is stored in f16** is allowed one ulp of f16, because WGSL lets a conversion round either way:
//!   `2⁻¹⁰ abs(y)`, or `2⁻²⁴` below the smallest normal f16; and the same share of what was allowed before.
//! * A GPU may flush results below the smallest normal number to 0, so every bound has that number added.

mod expression;
mod lbfgs;
mod losses;
mod matmul;
mod near;
mod norms;
mod rows;
mod update;

use crate::cpu;
use crate::kernels::rows::lanes;
use crate::kernels::{Access, Activation, ActivationForward, ActivationGrad, ElementwiseOp, Halves, Kernel, Step};
use crate::kernels::{columns, sums, weighted_sum};
use crate::{Error, Result};

const U: f64 = 1.0 / 16_777_216.0;
const ULP: f64 = 2.0 * U;
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;
/// Of a normal f16, relative; and the distance of two f16 below the smallest normal one.
const HALF_ULP: f64 = 1.0 / 1024.0;
const SMALLEST_HALF: f64 = 1.0 / 16_777_216.0;
/// Ulps of an elementary function, and of its argument.
const FUNCTION: f64 = 6.0;
const ARGUMENT: f64 = 2.0;

/// What a kernel read and should have written.
pub struct Judged<'a> {
    /// The kernel.
    pub kernel: &'a Kernel,
    /// Its read buffers, widened.
    pub reads: &'a [Vec<f64>],
    /// Its written buffers as they were before, widened.
    pub before: &'a [Vec<f64>],
    /// What the f64 twin wrote.
    pub expected: &'a [Vec<f64>],
    /// What changes from step to step.
    pub step: &'a Step,
    /// Which of its buffers hold f16.
    pub halves: Halves,
}

/// The allowed distance of each element of each written buffer.
pub fn tolerance(judged: &Judged<'_>) -> Result<Vec<Vec<f64>>> {
    let mut allowed = relative_to_terms(judged)?;
    for bound in allowed.iter_mut().flatten() {
        *bound += SMALLEST;
    }
    let written = judged.kernel.spec().entry().bindings.iter().filter(|binding| binding.access != Access::Read);
    for ((_, bounds), expected) in
        written.zip(&mut allowed).zip(judged.expected).filter(|((binding, _), _)| judged.halves.has(binding))
    {
        for (bound, y) in bounds.iter_mut().zip(expected) {
            *bound += (HALF_ULP * (y.abs() + *bound)).max(SMALLEST_HALF);
        }
    }
    Ok(allowed)
}

fn sum_bound(terms: usize, magnitude: f64) -> f64 {
    2.0 * (terms.max(1) as f64).sqrt() * U * magnitude
}

/// The bound of a sum in blocks that `lanes` invocations share.
fn blocks_bound(terms: usize, lanes: u32, magnitude: f64) -> f64 {
    sum_bound(sums::path(terms, lanes), magnitude)
}

fn ulps(count: f64, values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| count * ULP * value.abs()).collect()
}

fn relative_to_terms(judged: &Judged<'_>) -> Result<Vec<Vec<f64>>> {
    let Judged { kernel, reads, before, expected, step, .. } = *judged;
    let y = expected.first().map_or(&[][..], Vec::as_slice);
    Ok(match (kernel, reads) {
        (Kernel::Matmul(p), [a, b, ..]) => vec![matmul::matmul(p, a, b, reads.get(2), y)?],
        (Kernel::BatchMatmul(p), [a, b]) => {
            let size = run_f64(kernel, &[absolute(a), absolute(b)], y.len())?;
            vec![size.iter().map(|size| sum_bound(p.k as usize, *size)).collect()]
        }
        (Kernel::BiasAdd(_) | Kernel::Scale(_) | Kernel::Dropout(_) | Kernel::GatherWeights(_), _) => {
            vec![ulps(1.0, y)]
        }
        (Kernel::Elementwise(p), _) => match p.op {
            ElementwiseOp::Add | ElementwiseOp::Sub | ElementwiseOp::Mul => vec![ulps(1.0, y)],
        },
        (Kernel::Expression(p), _) => vec![expression::expression(p, judged)],
        (Kernel::Fill(_) | Kernel::CopyColumns(_) | Kernel::Gather(_) | Kernel::Log(_) | Kernel::Rank(_), _) => {
            vec![vec![0.0; y.len()]]
        }
        (Kernel::Accuracy(_), _) => vec![ulps(4.0, y)],
        (Kernel::SumRows(p), [x]) => {
            let size = run_f64(&Kernel::SumRows(*p), &[absolute(x)], y.len())?;
            let lanes = columns::lanes(p.cols);
            vec![size.iter().map(|size| blocks_bound(p.rows as usize, lanes, *size)).collect()]
        }
        (Kernel::SumCols(p), [x]) => {
            let size = run_f64(&Kernel::SumCols(*p), &[absolute(x)], y.len())?;
            vec![size.iter().map(|size| blocks_bound(p.cols as usize, lanes(p.cols), *size)).collect()]
        }
        (Kernel::WeightedSum(_), [values, weights]) => {
            let size: f64 = values.iter().zip(weights).map(|(v, w)| (v * w).abs()).sum();
            vec![vec![blocks_bound(values.len(), weighted_sum::SHADER.workgroup_size, size) + ULP * size]]
        }
        (Kernel::GatherBatch(_), _) => {
            let [x, y, row_scale] = expected else { return Ok(Vec::new()) };
            vec![vec![0.0; x.len()], vec![0.0; y.len()], ulps(1.0, row_scale)]
        }
        (Kernel::Activation(p), [x]) => vec![forward(p.function, x)?],
        (Kernel::ActivationGrad(p), [saved, dy]) => {
            let slope = gradient(p.function, saved)?;
            vec![slope.iter().zip(dy).zip(y).map(|((slope, dy), dx)| slope * dy.abs() + ULP * dx.abs()).collect()]
        }
        (Kernel::Softmax(_) | Kernel::LogSoftmax(_) | Kernel::SoftmaxGrad(_) | Kernel::LogSoftmaxGrad(_), _) => {
            vec![rows::rows(kernel, reads, y)]
        }
        (Kernel::SoftmaxCrossEntropy(p), [logits, target, ..]) => {
            let (loss, slope) = losses::cross_entropy(p, logits, target, reads.get(2));
            let place = (p.params.log_stride, p.params.log_at);
            losses::by_part(p.part, loss, slope, place, judged)
        }
        (Kernel::ElementwiseLoss(p), [prediction, target, ..]) => {
            let (loss, slope) = losses::elementwise_loss(p, prediction, target, reads.get(2));
            let place = (p.params.log_stride, p.params.log_at);
            losses::by_part(p.part, loss, slope, place, judged)
        }
        (Kernel::AlphaDropout(p), [x]) => {
            // A product and a sum; what is dropped is exact.
            let term = |(x, y): (&f64, &f64)| ULP * ((f64::from(p.scale) * x).abs() + y.abs());
            vec![x.iter().zip(y).map(term).collect()]
        }
        (Kernel::BatchNorm(p), _) => norms::batch_norm(p, reads, step),
        (Kernel::BatchNormGrad(p), _) => norms::batch_norm_grad(p, reads, step),
        (Kernel::RunningStatistics(p), [statistics]) => vec![norms::running_statistics(p, statistics, before, step)],
        (Kernel::LayerNorm(p), _) => norms::layer_norm(p, reads),
        (Kernel::LayerNormGrad(p), [x, statistics, scale, dy]) => {
            vec![norms::layer_norm_grad(p, x, statistics, scale, dy)]
        }
        (Kernel::LayerNormScaleGrad(p), [x, statistics, dy]) => {
            vec![norms::layer_norm_scale_grad(p, x, statistics, dy)]
        }
        (Kernel::Embedding(_), _) => vec![vec![0.0; y.len()]],
        (Kernel::EmbeddingGrad(p), [x, dy]) => {
            let size = run_f64(kernel, &[x.clone(), absolute(dy)], y.len())?;
            let pairs = (p.0.rows * p.0.columns) as usize;
            vec![size.iter().map(|size| blocks_bound(pairs, p.lanes(), *size)).collect()]
        }
        (Kernel::CosineLoss(p), [prediction, target, ..]) => {
            let (loss, slope) = losses::cosine(p, prediction, target, reads.get(2));
            let place = (p.params.log_stride, p.params.log_at);
            losses::by_part(p.part, loss, slope, place, judged)
        }
        (Kernel::Blend(p), _) => update::blend(p, judged),
        (Kernel::Update(p), _) => update::update(p, judged),
        (Kernel::GradientNorm(p), _) => update::gradient_norm(p, judged),
        (Kernel::Lbfgs(p), _) => lbfgs::lbfgs(p, judged),
        _ => return Err(Error::Internal(format!("no tolerance for {}", kernel.spec().shader().name))),
    })
}

fn absolute(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| value.abs()).collect()
}

/// The f64 twin of a kernel with one output.
fn run_f64(kernel: &Kernel, reads: &[Vec<f64>], len: usize) -> Result<Vec<f64>> {
    let reads: Vec<&[f64]> = reads.iter().map(Vec::as_slice).collect();
    let mut out = vec![0.0; len];
    cpu::run(kernel, &reads, &mut [&mut out], &[], &Step::default())?;
    Ok(out)
}

fn grad_kernel(f: Activation, n: usize) -> Kernel {
    Kernel::ActivationGrad(ActivationGrad::new(f, n as u32))
}

/// Bound of `f(x)`: see the head of this file.
fn forward(f: Activation, x: &[f64]) -> Result<Vec<f64>> {
    function(|x| run_f64(&Kernel::Activation(ActivationForward::new(f, x.len() as u32)), &[x.to_vec()], x.len()), x)
}

/// Bound of `f'`, as computed from what is saved for it.
fn gradient(f: Activation, saved: &[f64]) -> Result<Vec<f64>> {
    function(|s| run_f64(&grad_kernel(f, s.len()), &[s.to_vec(), vec![1.0; s.len()]], s.len()), saved)
}

fn function(f: impl Fn(&[f64]) -> Result<Vec<f64>>, x: &[f64]) -> Result<Vec<f64>> {
    const STEP: f64 = 1e-6;
    let moved = |factor: f64| f(&x.iter().map(|x| x * factor).collect::<Vec<_>>());
    let (y, above, below) = (f(x)?, moved(1.0 + STEP)?, moved(1.0 - STEP)?);
    let condition = above.iter().zip(&below).map(|(above, below)| ((above - below) / (2.0 * STEP)).abs());
    Ok(y.iter().zip(condition).map(|(y, condition)| ULP * (FUNCTION * y.abs() + ARGUMENT * condition)).collect())
}
