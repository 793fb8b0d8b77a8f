//! Twin of `shaders/elementwise_loss.wgsl`.

use super::Real;
use super::activation::{sigmoid, softplus};
use super::log::log_rows;
use super::sums::sum2;
use crate::kernels::{ElementwiseLoss, ElementwiseLossKernel, Step};

/// The mean loss of each row, and `drow` times its gradient. What `p.part` leaves out is `None`.
#[inline(always)]
pub fn elementwise_loss<T: Real>(
    p: &ElementwiseLossKernel,
    pred: &[T],                 // (rows, cols)
    target: &[T],               // (rows, cols)
    drow: Option<&[T]>,         // (rows)
    row_loss: Option<&mut [T]>, // (rows), or the log
    dpred: Option<&mut [T]>,    // (rows, cols)
    step: &Step,
) {
    let cols = p.params.cols as usize;
    let width = T::of(cols as f64);
    if let Some(row_loss) = row_loss {
        let row_loss = log_rows(row_loss, p.params.log_stride, p.params.log_at, p.params.rows, step);
        for ((p_row, t_row), loss) in pred.chunks_exact(cols).zip(target.chunks_exact(cols)).zip(row_loss) {
            *loss = sum2(p_row, t_row, |y, t| loss_at(p.loss, y, t)) / width;
        }
    }
    if let (Some(drow), Some(dpred)) = (drow, dpred) {
        let rows = pred.chunks_exact(cols).zip(target.chunks_exact(cols)).zip(dpred.chunks_exact_mut(cols)).zip(drow);
        for (((p_row, t_row), d_row), drow) in rows {
            let scale = *drow / width;
            for ((d, y), t) in d_row.iter_mut().zip(p_row).zip(t_row) {
                *d = scale * grad_at(p.loss, *y, *t);
            }
        }
    }
}

#[inline(always)]
fn loss_at<T: Real>(loss: ElementwiseLoss, p: T, t: T) -> T {
    let (d, half, one) = (p - t, T::of(0.5), T::one());
    match loss {
        ElementwiseLoss::Mse => d * d,
        ElementwiseLoss::Mae => d.abs(),
        ElementwiseLoss::Huber { delta } => {
            let delta = T::of(delta.into());
            if d.abs() > delta { delta * (d.abs() - half * delta) } else { half * d * d }
        }
        ElementwiseLoss::BinaryCrossEntropy => (t - one) * clamp_log((-p).ln_1p()) - t * clamp_log(p.ln()),
        ElementwiseLoss::SigmoidBinaryCrossEntropy => {
            let linear = if p > T::zero() { p * (one - t) } else { -p * t };
            linear + (-p.abs()).exponential().ln_1p()
        }
        ElementwiseLoss::Focal { gamma, positive, negative } => {
            let gamma = T::of(gamma.into());
            T::of(positive.into()) * t * focal(gamma, p) + T::of(negative.into()) * (one - t) * focal(gamma, -p)
        }
        ElementwiseLoss::Hinge => above_zero(margin(p, t)),
        ElementwiseLoss::SquaredHinge => above_zero(margin(p, t)) * above_zero(margin(p, t)),
        ElementwiseLoss::PoissonLog => p.exponential() - t * p,
        ElementwiseLoss::Poisson => p - t * (p + T::of(RATE_FLOOR)).ln(),
        ElementwiseLoss::Quantile { quantile } => {
            let quantile = T::of(quantile.into());
            if d > T::zero() { d * (one - quantile) } else { -d * quantile }
        }
        ElementwiseLoss::LogCosh => log_cosh(d),
    }
}

#[inline(always)]
fn grad_at<T: Real>(loss: ElementwiseLoss, p: T, t: T) -> T {
    let d = p - t;
    match loss {
        ElementwiseLoss::Mse => T::of(2.0) * d,
        ElementwiseLoss::Mae if d > T::zero() => T::one(),
        ElementwiseLoss::Mae if d < T::zero() => -T::one(),
        ElementwiseLoss::Mae => T::zero() * d,
        ElementwiseLoss::Huber { delta } => {
            let delta = T::of(delta.into());
            if d > delta {
                delta
            } else if d < -delta {
                -delta
            } else {
                d
            }
        }
        ElementwiseLoss::BinaryCrossEntropy => d / (p * (T::one() - p)).max(T::of(1e-12)),
        ElementwiseLoss::SigmoidBinaryCrossEntropy => sigmoid(p) - t,
        ElementwiseLoss::Focal { gamma, positive, negative } => {
            let (gamma, other) = (T::of(gamma.into()), T::one() - t);
            let (yes, no) = (focal_grad(gamma, p), focal_grad(gamma, -p));
            T::of(positive.into()) * t * yes - T::of(negative.into()) * other * no
        }
        ElementwiseLoss::Hinge if margin(p, t) <= T::zero() => T::zero(),
        ElementwiseLoss::Hinge => -answer(t),
        ElementwiseLoss::SquaredHinge => -T::of(2.0) * above_zero(margin(p, t)) * answer(t),
        ElementwiseLoss::PoissonLog => p.exponential() - t,
        ElementwiseLoss::Poisson => T::one() - t / (p + T::of(RATE_FLOOR)),
        ElementwiseLoss::Quantile { quantile } => {
            let quantile = T::of(quantile.into());
            if d > T::zero() {
                T::one() - quantile
            } else if d < T::zero() {
                -quantile
            } else {
                T::zero()
            }
        }
        ElementwiseLoss::LogCosh => d.tanh(),
    }
}

/// Added to a rate before its logarithm.
const RATE_FLOOR: f64 = 1e-8;

/// The focal loss of a logit `x` whose answer is yes: `sigmoid(-x)^gamma log(1 + exp(-x))`.
#[inline(always)]
fn focal<T: Real>(gamma: T, x: T) -> T {
    (-gamma * softplus(x)).exponential() * softplus(-x)
}

#[inline(always)]
fn focal_grad<T: Real>(gamma: T, x: T) -> T {
    -(-gamma * softplus(x)).exponential() * (gamma * sigmoid(x) * softplus(-x) + sigmoid(-x))
}

/// 1 for yes, -1 for no.
#[inline(always)]
fn answer<T: Real>(t: T) -> T {
    if t > T::of(0.5) { T::one() } else { -T::one() }
}

/// `1 - s p` for the answer `s`.
#[inline(always)]
fn margin<T: Real>(p: T, t: T) -> T {
    T::one() - answer(t) * p
}

/// `max(0, x)`, NaN for NaN.
#[inline(always)]
fn above_zero<T: Real>(x: T) -> T {
    if x < T::zero() { T::zero() } else { x }
}

/// `log cosh d`; for small `d` from `cosh d - 1 = (exp d - 1)² / (2 exp d)`, where nothing cancels.
#[inline(always)]
fn log_cosh<T: Real>(d: T) -> T {
    let (a, one, half) = (d.abs(), T::one(), T::of(0.5));
    if a < one {
        let e = a.exp_m1();
        return (half * e * e / (one + e)).ln_1p();
    }
    a + ((-(a + a)).exponential().ln_1p() - T::of(std::f64::consts::LN_2))
}

/// A logarithm of a probability, from -100 to 0; NaN stays.
#[inline(always)]
fn clamp_log<T: Real>(log: T) -> T {
    let low = T::of(-100.0);
    if log < low {
        low
    } else if log > T::zero() {
        T::zero()
    } else {
        log
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gradients_are_central_differences() {
        for loss in ElementwiseLoss::ALL {
            for (y, t) in [(0.3, 1.0), (0.7, 0.0), (0.25, 0.6), (0.9, -3.0)] {
                let h = 1e-6;
                let slope = (loss_at(loss, y + h, t) - loss_at(loss, y - h, t)) / (2.0 * h);
                let grad: f64 = grad_at(loss, y, t);
                assert!((grad - slope).abs() < 1e-7 * slope.abs().max(1.0), "{} at {y}, {t}", loss.name());
            }
        }
    }

    #[test]
    fn certain_answers_stay_finite() {
        let [bce, logits] = [ElementwiseLoss::BinaryCrossEntropy, ElementwiseLoss::SigmoidBinaryCrossEntropy];
        assert_eq!(loss_at(bce, 0.0f32, 1.0), 100.0);
        assert_eq!(loss_at(bce, 1.0f32, 1.0), 0.0);
        assert_eq!(loss_at(logits, 1e4f32, 0.0), 1e4);
        assert_eq!(loss_at(logits, 1e30f32, 1.0), 0.0);
        assert_eq!(grad_at(logits, -1e30f32, 1.0), -1.0);
    }
}
