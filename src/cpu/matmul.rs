//! Twin of `shaders/matmul.wgsl`: the product by the `gemm` crate, the epilogue in plain loops.

use super::Real;
use crate::kernels::{Epilogue, Matmul};

/// Multiply-adds below which a second thread costs more than it brings.
const PARALLEL_FROM: usize = 1 << 20;

/// `c = op(a) op(b)` with its epilogue; `extra` is the bias, or what the gradient saved.
pub fn matmul<T: Real>(
    p: &Matmul,
    a: &[T],     // (m, k), or (k, m) if transpose_a
    b: &[T],     // (k, n), or (n, k) if transpose_b
    extra: &[T], // bias (1, n), saved (m, n), or empty
    c: &mut [T], // (m, n); with a bias row also (1, n) at bias_at
) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    product(p, a, b, &mut c[..m * n]);
    match p.epilogue {
        Epilogue::Plain => {}
        Epilogue::BiasRow { at } => {
            let db = &mut c[at..at + n];
            db.fill(T::zero());
            for k in 0..k {
                for (col, sum) in db.iter_mut().enumerate() {
                    *sum += if p.transpose_b { b[col * p.params.k as usize + k] } else { b[k * n + col] };
                }
            }
        }
        Epilogue::Bias(f) => {
            for row in c.chunks_exact_mut(n) {
                for (z, bias) in row.iter_mut().zip(extra) {
                    *z += *bias;
                }
            }
            super::activation::activate_in_place(f, c);
        }
        Epilogue::Gradient(f) => super::activation::multiply_by_gradient(f, extra, c),
    }
}

/// `c (m, n) = op(a) op(b)`.
fn product<T: Real>(p: &Matmul, a: &[T], b: &[T], c: &mut [T]) {
    let (m, n, k) = (p.params.m as usize, p.params.n as usize, p.params.k as usize);
    assert!(a.len() >= m * k && b.len() >= k * n && c.len() >= m * n, "matmul operands do not fit {m} x {n} x {k}");
    let strides = |rows: usize, cols: usize, transposed: bool| {
        if transposed { (1, rows as isize) } else { (cols as isize, 1) }
    };
    let (a_row, a_col) = strides(m, k, p.transpose_a);
    let (b_row, b_col) = strides(k, n, p.transpose_b);
    let threads = if m * n * k < PARALLEL_FROM { gemm::Parallelism::None } else { gemm::Parallelism::Rayon(0) };
    // SAFETY: the assertion above holds every index (i, l), (l, j), (i, j) of the strided operands inside its slice,
    // and `c` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            m, n, k,
            c.as_mut_ptr(), 1, n as isize, false,
            a.as_ptr(), a_col, a_row,
            b.as_ptr(), b_col, b_row,
            T::zero(), T::one(), false, false, false, threads,
        );
    }
}
