//! Twin of `shaders/copy_columns.wgsl`.

use super::Real;
use crate::kernels::CopyColumns;

/// `y[r, to_column + c] = x[r, from_column + c]`.
#[inline(always)]
pub fn copy_columns<T: Real>(
    p: &CopyColumns,
    x: &[T],     // (rows, from_width)
    y: &mut [T], // (rows, to_width)
) {
    let (from, to, cols) = (p.from_column as usize, p.to_column as usize, p.cols as usize);
    for (x, y) in x.chunks_exact(p.from_width as usize).zip(y.chunks_exact_mut(p.to_width as usize)) {
        y[to..to + cols].copy_from_slice(&x[from..from + cols]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_columns_keep_their_values() {
        let p = CopyColumns { rows: 2, cols: 2, from_width: 3, from_column: 1, to_width: 4, to_column: 0 };
        let mut y = [9.0f32; 8];
        copy_columns(&p, &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], &mut y);
        assert_eq!(y, [2.0, 3.0, 9.0, 9.0, 5.0, 6.0, 9.0, 9.0]);
    }
}
