//! How far a kernel's f32 result may lie from the f64 twin that was fed the same bytes. Derived, not chosen.
//!
//! Write `u = 2⁻²⁴` for the unit roundoff of f32 and `ulp = 2u`.
//!
//! * **A sum of n terms** is allowed `2 √n u Σ abs(term)`. If the rounding errors of the partial sums are
//!   independent and uniform, and the partial sums grow no faster than in proportion, their standard deviation is
//!   `√n u Σ abs(term) / 3` (Higham & Mary 2019 prove the √n), so this is six standard deviations; a product adds
//!   its own `u`.
//! * **An elementary function** is allowed `ulp (6 abs(y) + 2 abs(x ∂y/∂x))`: a result that is 6 ulp away from the
//!   exact function of an argument that is 2 ulp away. `shaders/lib/math.wgsl` states at most 3.7 ulp for each
//!   function with exact division, to which WGSL lets a division add 2.5; the second term is what the rounding of
//!   the argument on the way in can do. `x ∂y/∂x` is a central difference of the f64 twin.
//! * **Everything else** is allowed one ulp for each rounding, on the terms before they cancel.
//! * A GPU may flush results below the smallest normal number to 0, so every bound has that number added.

use crate::cpu;
use crate::kernels::{
    self as k, Activation, ActivationForward, ActivationGrad, ElementwiseLoss, ElementwiseOp, Epilogue, Kernel, Matmul,
    Part, Step,
};
use crate::{Error, Result};

const U: f64 = 1.0 / 16_777_216.0;
const ULP: f64 = 2.0 * U;
const SMALLEST: f64 = f32::MIN_POSITIVE as f64;
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
}

/// The allowed distance of each element of each written buffer.
pub fn tolerance(judged: &Judged<'_>) -> Result<Vec<Vec<f64>>> {
    let mut allowed = relative_to_terms(judged)?;
    for bound in allowed.iter_mut().flatten() {
        *bound += SMALLEST;
    }
    Ok(allowed)
}

fn sum_bound(terms: usize, magnitude: f64) -> f64 {
    2.0 * (terms.max(1) as f64).sqrt() * U * magnitude
}

fn ulps(count: f64, values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| count * ULP * value.abs()).collect()
}

fn relative_to_terms(judged: &Judged<'_>) -> Result<Vec<Vec<f64>>> {
    let Judged { kernel, reads, before, expected, step } = *judged;
    let y = expected.first().map_or(&[][..], Vec::as_slice);
    Ok(match (kernel, reads) {
        (Kernel::Matmul(p), [a, b, ..]) => vec![matmul(p, a, b, reads.get(2), y)?],
        (Kernel::BiasAdd(_) | Kernel::Scale(_) | Kernel::Dropout(_) | Kernel::GatherWeights(_), _) => {
            vec![ulps(1.0, y)]
        }
        (Kernel::Elementwise(p), _) => match p.op {
            ElementwiseOp::Add | ElementwiseOp::Sub | ElementwiseOp::Mul => vec![ulps(1.0, y)],
        },
        (Kernel::Fill(_) | Kernel::CopyColumns(_) | Kernel::Gather(_) | Kernel::Log(_), _) => vec![vec![0.0; y.len()]],
        (Kernel::Accuracy(_), _) => vec![ulps(4.0, y)],
        (Kernel::SumRows(p), [x]) => {
            let size = run_f64(&Kernel::SumRows(*p), &[absolute(x)], y.len())?;
            vec![size.iter().map(|size| sum_bound(p.rows as usize, *size)).collect()]
        }
        (Kernel::SumCols(p), [x]) => {
            let size = run_f64(&Kernel::SumCols(*p), &[absolute(x)], y.len())?;
            vec![size.iter().map(|size| sum_bound(p.cols as usize, *size)).collect()]
        }
        (Kernel::WeightedSum(_), [values, weights]) => {
            let size: f64 = values.iter().zip(weights).map(|(v, w)| (v * w).abs()).sum();
            vec![vec![sum_bound(values.len(), size) + ULP * size]]
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
            vec![rows(kernel, reads, y)]
        }
        (Kernel::SoftmaxCrossEntropy(p), [logits, target, ..]) => {
            let (loss, slope) = cross_entropy(p, logits, target, reads.get(2));
            let place = (p.params.log_stride, p.params.log_at);
            by_part(p.part, loss, slope, place, judged)
        }
        (Kernel::ElementwiseLoss(p), [prediction, target, ..]) => {
            let (loss, slope) = elementwise_loss(p, prediction, target, reads.get(2));
            let place = (p.params.log_stride, p.params.log_at);
            by_part(p.part, loss, slope, place, judged)
        }
        (Kernel::Sgd(_), [gradient]) => {
            let rate = f64::from(step.learning_rate);
            vec![y.iter().zip(gradient).map(|(p, g)| ULP * (p.abs() + (rate * g).abs())).collect()]
        }
        (Kernel::Adam(p), [gradient]) => adam(p, gradient, before, expected, step),
        _ => return Err(Error::Internal(format!("no tolerance for {}", kernel.spec().shader().name))),
    })
}

/// The bounds of a loss kernel's outputs. A loss that goes to the log touches nothing there but its own place (and
/// that of the hits, which are exact).
fn by_part(
    part: Part,
    loss: Vec<f64>,
    slope: Vec<f64>,
    (stride, at): (u32, u32),
    judged: &Judged<'_>,
) -> Vec<Vec<f64>> {
    let log = || {
        let expected = judged.expected.first().map_or(&[][..], Vec::as_slice);
        let mut all = vec![0.0; expected.len()];
        let first = (judged.step.log_row * stride + at) as usize;
        for ((all, loss), y) in all[first..].iter_mut().zip(loss).zip(&expected[first..]) {
            *all = loss + ULP * y.abs();
        }
        all
    };
    match part {
        Part::Loss => vec![log()],
        Part::Grad => vec![slope],
        Part::LossAndGrad => vec![log(), slope],
    }
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

fn matmul(p: &Matmul, a: &[f64], b: &[f64], extra: Option<&Vec<f64>>, y: &[f64]) -> Result<Vec<f64>> {
    let (n, k) = (p.params.n as usize, p.params.k as usize);
    let plain = Matmul { epilogue: Epilogue::Plain, ..p.clone() };
    let bias_row = |epilogue| matches!(epilogue, Epilogue::BiasRow { .. });
    let same_size = if bias_row(p.epilogue) { p.clone() } else { plain.clone() };
    let size = run_f64(&Kernel::Matmul(same_size), &[absolute(a), absolute(b)], y.len())?;
    let sum: Vec<f64> = size.iter().map(|size| sum_bound(k, *size)).collect();
    let Some(extra) = extra else { return Ok(sum) };
    let product = run_f64(&Kernel::Matmul(plain), &[a.to_vec(), b.to_vec()], y.len())?;
    Ok(match p.epilogue {
        Epilogue::Bias(f) => {
            let z: Vec<f64> = product.iter().enumerate().map(|(i, sum)| sum + extra[i % n]).collect();
            let function = forward(f, &z)?;
            let slope = f.lipschitz();
            sum.iter().zip(&z).zip(function).map(|((sum, z), own)| slope * (sum + ULP * z.abs()) + own).collect()
        }
        Epilogue::Gradient(f) => {
            let one = run_f64(&grad_kernel(f, extra.len()), &[extra.clone(), vec![1.0; extra.len()]], extra.len())?;
            let own = gradient(f, extra)?;
            let terms = sum.iter().zip(&product).zip(one.iter().zip(&own));
            terms.map(|((sum, dy), (slope, own))| slope.abs() * sum + dy.abs() * (own + ULP * slope.abs())).collect()
        }
        Epilogue::Plain | Epilogue::BiasRow { .. } => sum,
    })
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

/// Of one row of logits: `z - max`, the probabilities, the log of the sum, and the relative bound of the sum.
struct Softmax {
    shifted: Vec<f64>,
    probability: Vec<f64>,
    log_sum: f64,
    sum_bound: f64,
}

impl Softmax {
    /// `z - max` is rounded, so each exponential is off by `u abs(z - max)` of itself; the sum averages that.
    fn of(z: &[f64]) -> Self {
        let max = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let shifted: Vec<f64> = z.iter().map(|z| z - max).collect();
        let sum: f64 = shifted.iter().map(|d| d.exp()).sum();
        let probability: Vec<f64> = shifted.iter().map(|d| d.exp() / sum).collect();
        let each = probability.iter().zip(&shifted).map(|(p, d)| p * (U * d.abs() + FUNCTION * ULP)).sum::<f64>();
        Self { probability, log_sum: sum.ln(), sum_bound: each + sum_bound(z.len(), 1.0), shifted }
    }

    /// Bound of probability `i`.
    fn bound(&self, i: usize) -> f64 {
        self.probability[i] * (self.sum_bound + U * self.shifted[i].abs() + 2.0 * FUNCTION * ULP)
    }

    fn log_sum_bound(&self) -> f64 {
        self.sum_bound + FUNCTION * ULP * self.log_sum.abs()
    }
}

fn rows(kernel: &Kernel, reads: &[Vec<f64>], y: &[f64]) -> Vec<f64> {
    let cols = match kernel {
        Kernel::Softmax(p) => p.cols,
        Kernel::LogSoftmax(p) => p.cols,
        Kernel::SoftmaxGrad(p) => p.cols,
        Kernel::LogSoftmaxGrad(p) => p.cols,
        _ => 1,
    } as usize;
    let mut bounds = Vec::with_capacity(y.len());
    for (row, y) in y.chunks_exact(cols).enumerate() {
        let part = |i: usize| &reads[i][row * cols..(row + 1) * cols];
        match kernel {
            Kernel::Softmax(_) => {
                let softmax = Softmax::of(part(0));
                bounds.extend((0..cols).map(|i| softmax.bound(i)));
            }
            Kernel::LogSoftmax(_) => {
                let softmax = Softmax::of(part(0));
                let bound = |(d, y): (&f64, &f64)| softmax.log_sum_bound() + ULP * (d.abs() + y.abs());
                bounds.extend(softmax.shifted.iter().zip(y).map(bound));
            }
            Kernel::SoftmaxGrad(_) => {
                let (p, dy) = (part(0), part(1));
                let size: f64 = p.iter().zip(dy).map(|(p, dy)| (p * dy).abs()).sum();
                let dot: f64 = p.iter().zip(dy).map(|(p, dy)| p * dy).sum();
                let sum = sum_bound(cols, size) + ULP * size;
                bounds.extend(p.iter().zip(dy).map(|(p, dy)| p.abs() * (sum + 2.0 * ULP * (dy.abs() + dot.abs()))));
            }
            _ => {
                let (log_p, dy) = (part(0), part(1));
                let size: f64 = dy.iter().map(|dy| dy.abs()).sum();
                let total: f64 = dy.iter().sum();
                let bound = |(log_p, dy): (&f64, &f64)| {
                    let function = (FUNCTION + ARGUMENT * log_p.abs()) * ULP;
                    2.0 * ULP * dy.abs() + log_p.exp() * (sum_bound(cols, size) + function * total.abs())
                };
                bounds.extend(log_p.iter().zip(dy).map(bound));
            }
        }
    }
    bounds
}

fn cross_entropy(
    p: &k::SoftmaxCrossEntropy,
    logits: &[f64],
    target: &[f64],
    drow: Option<&Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let cols = p.params.cols as usize;
    let smoothing = f64::from(p.params.smoothing);
    let (mut losses, mut slopes) = (Vec::new(), Vec::new());
    for (row, z) in logits.chunks_exact(cols).enumerate() {
        let softmax = Softmax::of(z);
        let t: Vec<f64> = (0..cols)
            .map(|i| {
                let own = match p.classes {
                    true => f64::from(u8::from(target[row] == i as f64)),
                    false => target[row * cols + i],
                };
                (1.0 - smoothing) * own + smoothing / cols as f64
            })
            .collect();
        let (total, size): (f64, f64) = (t.iter().sum(), t.iter().map(|t| t.abs()).sum());
        let total_bound = sum_bound(cols, size) + FUNCTION * ULP * size;
        let crossed: f64 = t.iter().zip(&softmax.shifted).map(|(t, d)| (t * d).abs()).sum();
        let dot = sum_bound(cols, crossed) + FUNCTION * ULP * crossed;
        let log_sum = softmax.log_sum.abs();
        losses.push(total.abs() * (softmax.log_sum_bound() + 2.0 * ULP * log_sum) + total_bound * log_sum + dot);
        let upstream = drow.map_or(0.0, |drow| drow[row].abs());
        for (i, t) in t.iter().enumerate() {
            let p = softmax.probability[i];
            let terms = p * total.abs() + t.abs();
            slopes.push(upstream * (total.abs() * softmax.bound(i) + p * total_bound + FUNCTION * ULP * terms));
        }
    }
    (losses, slopes)
}

fn elementwise_loss(
    p: &k::ElementwiseLossKernel,
    prediction: &[f64],
    target: &[f64],
    drow: Option<&Vec<f64>>,
) -> (Vec<f64>, Vec<f64>) {
    let cols = p.params.cols as usize;
    let (mut losses, mut slopes) = (Vec::new(), Vec::new());
    for (row, (y, t)) in prediction.chunks_exact(cols).zip(target.chunks_exact(cols)).enumerate() {
        let (mut size, mut own) = (0.0, 0.0);
        let upstream = drow.map_or(0.0, |drow| drow[row].abs()) / cols as f64;
        for (&y, &t) in y.iter().zip(t) {
            let (terms, extra, slope_terms) = loss_terms(p.loss, y, t);
            size += terms;
            own += FUNCTION * ULP * terms + ULP * extra;
            slopes.push(upstream * 2.0 * FUNCTION * ULP * slope_terms);
        }
        losses.push((sum_bound(cols, size) + own + FUNCTION * ULP * size) / cols as f64);
    }
    (losses, slopes)
}

/// Of one element: the sizes of the terms of its loss, an absolute error in ulps, the sizes of its gradient's terms.
fn loss_terms(loss: ElementwiseLoss, y: f64, t: f64) -> (f64, f64, f64) {
    let e = (y - t).abs();
    match loss {
        ElementwiseLoss::Mse => (e * e, 0.0, 2.0 * e),
        ElementwiseLoss::Mae => (e, 0.0, 1.0),
        ElementwiseLoss::Huber { delta } => {
            let delta = f64::from(delta);
            (if e <= delta { e * e / 2.0 } else { delta * e }, 0.0, e.min(delta))
        }
        ElementwiseLoss::BinaryCrossEntropy => {
            let log = |p: f64| p.ln().max(-100.0).abs();
            // 1 - y is rounded: an absolute error of u in its logarithm.
            (t.abs() * log(y) + (1.0 - t).abs() * log(1.0 - y), (1.0 - t).abs(), e / (y * (1.0 - y)).max(1e-12))
        }
        ElementwiseLoss::SigmoidBinaryCrossEntropy => {
            let sigmoid = 1.0 / (1.0 + (-y).exp());
            (y.max(0.0) + (y * t).abs() + (-y.abs()).exp().ln_1p(), 0.0, sigmoid + t.abs())
        }
    }
}

fn adam(p: &k::Adam, gradient: &[f64], before: &[Vec<f64>], expected: &[Vec<f64>], step: &Step) -> Vec<Vec<f64>> {
    let [parameter, m, v] = expected else { return Vec::new() };
    let [_, m_before, _] = before else { return Vec::new() };
    let (c1, c2) = (f64::from(step.correction1), f64::from(step.correction2));
    let rate = f64::from(step.learning_rate) / c1;
    let mut bounds = vec![Vec::new(), Vec::new(), Vec::new()];
    for i in 0..gradient.len() {
        let m_terms = (f64::from(p.beta1) * m_before[i]).abs() + (f64::from(p.one_minus_beta1) * gradient[i]).abs();
        let m_bound = 2.0 * ULP * m_terms;
        let denominator = (v[i].max(0.0) / c2).sqrt() + f64::from(p.epsilon);
        let update = (rate * m[i] / denominator).abs();
        // Two square roots and two divisions at 2.5 to 4.5 ulp each, and v is off by 2 ulp.
        bounds[0].push(ULP * (parameter[i].abs() + 16.0 * update) + rate * m_bound / denominator);
        bounds[1].push(m_bound);
        bounds[2].push(3.0 * ULP * v[i].abs());
    }
    bounds
}
