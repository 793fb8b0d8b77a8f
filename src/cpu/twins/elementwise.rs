//! Twin of `shaders/elementwise.wgsl`.

use super::Real;
use crate::kernels::Elementwise;
use crate::kernels::elementwise::Op;

/// `y = a ∘ b`; a stride of 0 repeats.
#[inline(always)]
pub fn elementwise<T: Real>(
    p: &Elementwise,
    a: &[T],     // strides a_row, a_col
    b: &[T],     // strides b_row, b_col
    y: &mut [T], // (rows, cols)
) {
    match p.op {
        Op::Add => apply(p, a, b, y, |a, b| a + b),
        Op::Sub => apply(p, a, b, y, |a, b| a - b),
        Op::Mul => apply(p, a, b, y, |a, b| a * b),
    }
}

#[inline(always)]
fn apply<T: Real>(p: &Elementwise, a: &[T], b: &[T], y: &mut [T], f: impl Fn(T, T) -> T) {
    let p = &p.params;
    for (row, y) in y.chunks_exact_mut(p.cols as usize).enumerate() {
        let (a, b) = (&a[row * p.a_row as usize..], &b[row * p.b_row as usize..]);
        if p.a_col == 1 && p.b_col == 1 {
            for ((y, a), b) in y.iter_mut().zip(a).zip(b) {
                *y = f(*a, *b);
            }
        } else {
            for (col, y) in y.iter_mut().enumerate() {
                *y = f(a[col * p.a_col as usize], b[col * p.b_col as usize]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_columns_and_scalars_repeat() {
        let mut y = [f64::NAN; 4];
        elementwise(&Elementwise::new(Op::Sub, (2, 2), (1, 2)), &[1.0, 2.0, 3.0, 4.0], &[10.0, 20.0], &mut y);
        assert_eq!(y, [-9.0, -18.0, -7.0, -16.0]);
        elementwise(&Elementwise::new(Op::Mul, (2, 1), (1, 2)), &[2.0, 3.0], &[5.0, 7.0], &mut y);
        assert_eq!(y, [10.0, 14.0, 15.0, 21.0]);
        elementwise(&Elementwise::new(Op::Add, (1, 1), (2, 2)), &[1.0], &[1.0, 2.0, 3.0, 4.0], &mut y);
        assert_eq!(y, [2.0, 3.0, 4.0, 5.0]);
    }
}
