//! Sums over slices in a fixed order that the compiler can vectorise: eight chains, then a tree.

use super::Real;

/// `Σ f(x)`.
#[inline(always)]
pub(super) fn sum<T: Real>(x: &[T], f: impl Fn(T) -> T) -> T {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut chains = [T::zero(); 8];
    for chunk in chunks {
        for (chain, x) in chains.iter_mut().zip(chunk) {
            *chain += f(*x);
        }
    }
    for (chain, x) in chains.iter_mut().zip(rest) {
        *chain += f(*x);
    }
    tree(chains)
}

/// `Σ f(x, y)`.
#[inline(always)]
pub(super) fn sum2<T: Real>(x: &[T], y: &[T], f: impl Fn(T, T) -> T) -> T {
    let n = x.len().min(y.len());
    let ((x_chunks, x_rest), (y_chunks, y_rest)) = (x[..n].as_chunks::<8>(), y[..n].as_chunks::<8>());
    let mut chains = [T::zero(); 8];
    for (x, y) in x_chunks.iter().zip(y_chunks) {
        for ((chain, x), y) in chains.iter_mut().zip(x).zip(y) {
            *chain += f(*x, *y);
        }
    }
    for ((chain, x), y) in chains.iter_mut().zip(x_rest).zip(y_rest) {
        *chain += f(*x, *y);
    }
    tree(chains)
}

#[inline(always)]
fn tree<T: Real>(c: [T; 8]) -> T {
    ((c[0] + c[4]) + (c[2] + c[6])) + ((c[1] + c[5]) + (c[3] + c[7]))
}

/// The largest element; NaN is passed over, as by WGSL's `max` on most adapters.
#[inline(always)]
pub(super) fn max<T: Real>(x: &[T]) -> T {
    let (chunks, rest) = x.as_chunks::<8>();
    let mut chains = [T::min_value(); 8];
    for chunk in chunks.iter().map(<[T; 8]>::as_slice).chain([rest]) {
        for (chain, x) in chains.iter_mut().zip(chunk) {
            *chain = larger(*chain, *x);
        }
    }
    chains.into_iter().fold(T::min_value(), larger)
}

/// The larger of two numbers; `a` where `b` is NaN.
#[inline(always)]
pub(super) fn larger<T: Real>(a: T, b: T) -> T {
    if b > a { b } else { a }
}
