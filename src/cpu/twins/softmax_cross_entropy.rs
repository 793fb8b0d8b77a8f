//! Twin of `shaders/softmax_cross_entropy.wgsl`.

use super::Real;
use super::sums::{larger, max, sum, sum2};
use crate::kernels::{EntropyKind, SoftmaxCrossEntropy, Step};

/// Rows whose exponentials are taken together: short rows alone would leave most of a register empty.
const ROWS: usize = 16;
/// Columns of a short row.
const SHORT: usize = 32;

/// `loss = Σt · log Σ exp(z - max) - Σ t (z - max)` and `dlogits = drow (Σt · softmax(z) - t)` by rows.
/// Of a focal loss and of a divergence: see the shader. What `p.part` leaves out is `None`.
#[inline(always)]
pub fn softmax_cross_entropy<T: Real>(
    p: &SoftmaxCrossEntropy,
    logits: &[T],                   // (rows, cols)
    target: &[T],                   // (rows, 1) classes, or (rows, cols) probabilities
    drow: Option<&[T]>,             // (rows)
    mut row_loss: Option<&mut [T]>, // (rows), or the log
    mut dlogits: Option<&mut [T]>,  // (rows, cols)
    step: &Step,
) {
    let log = step.log_row as usize * p.params.log_stride as usize;
    let cols = p.params.cols as usize;
    let smoothing = T::of(p.params.smoothing.into());
    let floor = smoothing / T::of(cols as f64);
    for (block, all) in logits.chunks(ROWS * cols).enumerate() {
        let tops = by_rows(all, cols, T::min_value(), larger, max);
        // The gradient is made of the same exponentials: where it is wanted, its rows hold them meanwhile.
        let mut gradients = dlogits.as_mut().map(|dlogits| &mut dlogits[block * ROWS * cols..][..all.len()]);
        let mut totals = [T::zero(); ROWS];
        if let Some(gradients) = &mut gradients {
            for ((dz, z), top) in gradients.chunks_exact_mut(cols).zip(all.chunks_exact(cols)).zip(tops) {
                dz.iter_mut().zip(z).for_each(|(dz, z)| *dz = *z - top);
            }
            gradients.iter_mut().for_each(|dz| *dz = dz.exponential());
            totals = by_rows(gradients, cols, T::zero(), |a, b| a + b, |row| sum(row, |e| e));
        }
        for (i, (z, top)) in all.chunks_exact(cols).zip(tops).enumerate() {
            let row = block * ROWS + i;
            // `as` of a negative or NaN class is 0, as in WGSL.
            let class = if p.classes { target[row].wide() as usize } else { 0 };
            let gradient = gradients.as_mut().map(|gradients| &mut gradients[i * cols..][..cols]);
            let total = if gradient.is_some() { totals[i] } else { sum(z, |z| (z - top).exponential()) };
            let (own_sum, own_dot) = if p.classes {
                (T::one(), z.get(class).map_or(T::zero(), |z| *z - top))
            } else {
                let t = &target[row * cols..(row + 1) * cols];
                let dot = match p.kind {
                    EntropyKind::Divergence => {
                        sum2(t, z, |t, z| if t == T::zero() { t } else { t * ((z - top) - t.ln()) })
                    }
                    _ => sum2(t, z, |t, z| if t == T::zero() { t } else { t * (z - top) }),
                };
                (sum(t, |t| t), dot)
            };
            let spread = if smoothing > T::zero() { sum(z, |z| z - top) } else { T::zero() };
            let target_sum = (T::one() - smoothing) * own_sum + smoothing;
            let target_dot = (T::one() - smoothing) * own_dot + floor * spread;
            let (mut loss, mut factor) = (target_sum * total.ln() - target_dot, T::one());
            if let EntropyKind::Focal { gamma } = p.kind {
                (loss, factor) = focal(T::of(gamma.into()), loss);
            }
            if let Some(row_loss) = &mut row_loss {
                row_loss[log + p.params.log_at as usize + row] = loss;
                if p.hit {
                    // The first of equal maxima is the answer.
                    let is_top = z.get(class).is_some_and(|own| *own == top);
                    let hit = is_top && z[..class].iter().all(|z| *z != top);
                    row_loss[log + p.params.hit_at as usize + row] = if hit { T::one() } else { T::zero() };
                }
            }
            if let (Some(drow), Some(dz)) = (drow, gradient) {
                let (upstream, keep) = (drow[row] * factor, T::one() - smoothing);
                let share = target_sum / total;
                for dz in dz.iter_mut() {
                    *dz = upstream * (share * *dz - floor);
                }
                if p.classes {
                    if let Some(dz) = dz.get_mut(class) {
                        *dz -= upstream * keep;
                    }
                } else {
                    for (dz, t) in dz.iter_mut().zip(&target[row * cols..]) {
                        *dz -= upstream * keep * *t;
                    }
                }
            }
        }
    }
}

/// One number for each of up to `ROWS` rows. Short rows are folded side by side, one column after the other, so that
/// none waits for its own last addition; long ones by `long`.
#[inline(always)]
fn by_rows<T: Real>(x: &[T], cols: usize, start: T, fold: impl Fn(T, T) -> T, long: impl Fn(&[T]) -> T) -> [T; ROWS] {
    let mut results = [start; ROWS];
    if cols > SHORT {
        results.iter_mut().zip(x.chunks_exact(cols)).for_each(|(result, row)| *result = long(row));
        return results;
    }
    for col in 0..cols {
        for (result, row) in results.iter_mut().zip(x.chunks_exact(cols)) {
            *result = fold(*result, row[col]);
        }
    }
    results
}

/// `(1 - p)^gamma e` of a class with `-log p = e`, and its derivative by e; e / (1 - p) is 1 where p is.
#[inline(always)]
fn focal<T: Real>(gamma: T, entropy: T) -> (T, T) {
    let rest = -(-entropy).exp_m1();
    let focus = (gamma * rest.ln()).exponential();
    let ratio = if rest == T::zero() { T::one() } else { entropy / rest };
    (focus * entropy, focus * (gamma * (-entropy).exponential() * ratio + T::one()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LossPart;

    fn kernel(classes: bool, smoothing: f32, cols: u32) -> SoftmaxCrossEntropy {
        SoftmaxCrossEntropy::new(LossPart::LossAndGrad, classes, smoothing, 1, cols)
    }

    #[test]
    fn equal_logits_cost_log_of_the_classes() {
        let (mut loss, mut dz) = ([0.0], [0.0; 4]);
        let p = kernel(true, 0.0, 4);
        softmax_cross_entropy(&p, &[3.0f64; 4], &[2.0], Some(&[2.0]), Some(&mut loss), Some(&mut dz), &Step::default());
        assert!((loss[0] - 4f64.ln()).abs() < 1e-15);
        assert_eq!(dz, [0.5, 0.5, -1.5, 0.5]);
    }

    #[test]
    fn a_far_wrong_class_costs_its_distance() {
        let (mut loss, mut dz) = ([0.0], [0.0; 2]);
        let p = kernel(true, 0.0, 2);
        softmax_cross_entropy(
            &p,
            &[1e4f32, -1e4],
            &[1.0],
            Some(&[1.0]),
            Some(&mut loss),
            Some(&mut dz),
            &Step::default(),
        );
        assert_eq!((loss[0], dz), (2e4, [1.0, -1.0]));
    }

    #[test]
    fn smoothed_classes_are_smoothed_probabilities() {
        let z = [0.3f64, -1.2, 2.5];
        let (mut a, mut b, mut da, mut db) = ([0.0], [0.0], [0.0; 3], [0.0; 3]);
        softmax_cross_entropy(
            &kernel(true, 0.1, 3),
            &z,
            &[1.0],
            Some(&[1.0]),
            Some(&mut a),
            Some(&mut da),
            &Step::default(),
        );
        let s = f64::from(0.1f32);
        let t = [s / 3.0, 1.0 - s + s / 3.0, s / 3.0];
        softmax_cross_entropy(
            &kernel(false, 0.0, 3),
            &z,
            &t,
            Some(&[1.0]),
            Some(&mut b),
            Some(&mut db),
            &Step::default(),
        );
        assert!((a[0] - b[0]).abs() < 1e-15 && da.iter().zip(db).all(|(a, b)| (a - b).abs() < 1e-15));
    }
}
