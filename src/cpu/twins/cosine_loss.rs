//! Twin of `shaders/cosine_loss.wgsl`.

use super::Real;
use super::log::log_rows;
use super::sums::{sum, sum2};
use crate::kernels::{CosineLoss, Step};

/// A row over its largest element, and how long that is; `None` for a row without a direction.
#[derive(Clone, Copy)]
struct Scale<T> {
    top: T,
    length: T,
}

impl<T: Real> Scale<T> {
    #[inline(always)]
    fn of(x: &[T]) -> Option<Self> {
        let top = x.iter().fold(T::zero(), |top, x| if x.abs() > top { x.abs() } else { top });
        let length = sum(x, |x| (x / top) * (x / top)).sqrt();
        (top >= T::of(f32::MIN_POSITIVE.into())).then_some(Self { top, length })
    }

    #[inline(always)]
    fn unit(self, x: T) -> T {
        x / self.top / self.length
    }
}

/// `1 - cos` of each row, and `drow` times its gradient. What `k.part` leaves out is `None`.
#[inline(always)]
pub fn cosine_loss<T: Real>(
    k: &CosineLoss,
    pred: &[T],                  // (rows, cols)
    target: &[T],                // (rows, cols)
    drow: Option<&[T]>,          // (rows)
    row_loss: Option<&mut [T]>,  // (rows), or the log
    mut dpred: Option<&mut [T]>, // (rows, cols)
    step: &Step,
) {
    let cols = k.params.cols as usize;
    let mut row_loss = row_loss.map(|log| log_rows(log, k.params.log_stride, k.params.log_at, k.params.rows, step));
    for (row, (p, t)) in pred.chunks_exact(cols).zip(target.chunks_exact(cols)).enumerate() {
        let scales = Scale::of(p).zip(Scale::of(t));
        let apart = |(u, v): (Scale<T>, Scale<T>)| {
            let apart = |p, t| u.unit(p) - v.unit(t);
            T::of(0.5) * sum2(p, t, |p, t| apart(p, t) * apart(p, t))
        };
        let loss = scales.map_or(T::one(), apart);
        if let Some(row_loss) = &mut row_loss {
            row_loss[row] = loss;
        }
        let (Some(drow), Some(dpred)) = (drow, &mut dpred) else { continue };
        let gradient = &mut dpred[row * cols..(row + 1) * cols];
        let Some((u, v)) = scales else {
            gradient.fill(T::zero());
            continue;
        };
        let scale = drow[row] / u.length / u.top;
        for ((d, p), t) in gradient.iter_mut().zip(p).zip(t) {
            *d = scale * (u.unit(*p) - v.unit(*t) - loss * u.unit(*p));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::LossPart;

    /// Loss and gradient of one row.
    fn of<T: Real>(p: &[T], t: &[T]) -> (T, Vec<T>) {
        let kernel = CosineLoss::new(LossPart::LossAndGrad, 1, p.len() as u32);
        let (mut loss, mut gradient) = ([T::nan()], vec![T::nan(); p.len()]);
        cosine_loss(&kernel, p, t, Some(&[T::one()]), Some(&mut loss), Some(&mut gradient), &Step::default());
        (loss[0], gradient)
    }

    #[test]
    fn angles_of_the_plane() {
        assert_eq!(of(&[3.0f64, 0.0], &[5.0, 0.0]), (0.0, vec![0.0, 0.0]));
        assert_eq!(of(&[2.0f64, 0.0], &[0.0, 7.0]), (1.0, vec![0.0, -0.5]));
        assert_eq!(of(&[1.0f64, 0.0], &[-4.0, 0.0]).0, 2.0);
    }

    #[test]
    fn no_size_overflows_and_zeros_have_no_direction() {
        assert_eq!(of(&[1e38f32, 0.0], &[1e-30, 0.0]), (0.0, vec![0.0, 0.0]));
        assert_eq!(of(&[1e-30f32, 0.0], &[0.0, 1e38]), (1.0, vec![0.0, -1e30]));
        assert_eq!(of(&[0.0f32, 0.0], &[0.0, 1.0]), (1.0, vec![0.0, 0.0]));
        assert_eq!(of(&[1.0f32, 2.0], &[0.0, 0.0]), (1.0, vec![0.0, 0.0]));
        assert!(of(&[f32::NAN, 1.0], &[1.0, 1.0]).0.is_nan());
    }
}
