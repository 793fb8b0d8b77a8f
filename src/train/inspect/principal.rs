//! The two directions in which a path goes furthest: its principal components.

use crate::{Error, Result};

/// The largest number of sweeps of Jacobi's method; it needs about ten.
const SWEEPS: usize = 60;

/// Two directions at right angles, of length 1, and the share of the path that lies along each.
pub(super) struct Plane {
    pub directions: [Vec<f64>; 2],
    pub shares: [f64; 2],
}

/// Of points given by their `offsets` from the middle of the plane.
///
/// With the offsets as rows of `D`, the directions are `Dᵀ v / √λ` for the largest eigenvalues `λ` of `D Dᵀ`.
pub(super) fn plane(offsets: &[Vec<f64>]) -> Result<Plane> {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let gram: Vec<Vec<f64>> = offsets.iter().map(|a| offsets.iter().map(|b| dot(a, b)).collect()).collect();
    let (values, vectors) = eigen(gram);
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]));
    let total: f64 = values.iter().map(|value| value.max(0.0)).sum();
    let [first, second, ..] = order[..] else {
        return Err(Error::data("loss surface", "the path has fewer than three points: run more epochs"));
    };
    // What rounding leaves of a straight path is no direction.
    if values[second] <= 1e-12 * values[first] {
        return Err(Error::data("loss surface", "the path lies on a line: it spans no plane"));
    }
    let width = offsets.first().map_or(0, Vec::len);
    let direction = |at: usize| {
        let mut direction = vec![0.0; width];
        for (row, offset) in offsets.iter().enumerate() {
            let factor = vectors[row][at] / values[at].sqrt();
            direction.iter_mut().zip(offset).for_each(|(sum, x)| *sum += factor * x);
        }
        direction
    };
    Ok(Plane {
        directions: [direction(first), direction(second)],
        shares: [values[first] / total, values[second] / total],
    })
}

/// Eigenvalues of a symmetric matrix, and its eigenvectors as columns, by Jacobi's rotations.
fn eigen(mut a: Vec<Vec<f64>>) -> (Vec<f64>, Vec<Vec<f64>>) {
    let n = a.len();
    let mut v: Vec<Vec<f64>> = (0..n).map(|i| (0..n).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    for _ in 0..SWEEPS {
        let off: f64 = (0..n).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| a[i][j] * a[i][j]).sum();
        let on: f64 = (0..n).map(|i| a[i][i] * a[i][i]).sum();
        if off <= 1e-28 * on {
            break;
        }
        for (p, q) in (0..n).flat_map(|p| (p + 1..n).map(move |q| (p, q))) {
            if a[p][q] == 0.0 {
                continue;
            }
            let theta = (a[q][q] - a[p][p]) / (2.0 * a[p][q]);
            let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
            let (cos, sin) = (1.0 / t.hypot(1.0), t / t.hypot(1.0));
            let turn = |x: &mut f64, y: &mut f64| (*x, *y) = (cos * *x - sin * *y, sin * *x + cos * *y);
            for row in a.iter_mut().chain(v.iter_mut()) {
                let (left, right) = row.split_at_mut(q);
                turn(&mut left[p], &mut right[0]);
            }
            let (above, below) = a.split_at_mut(q);
            above[p].iter_mut().zip(&mut below[0]).for_each(|(x, y)| turn(x, y));
        }
    }
    ((0..n).map(|i| a[i][i]).collect(), v)
}

#[cfg(test)]
mod tests {
    use super::plane;

    #[test]
    fn an_ellipse_has_its_axes() {
        // Along (0.6, 0.8, 0) three times as far as along (0, 0, 1).
        let at = |angle: f64| vec![3.0 * 0.6 * angle.cos(), 3.0 * 0.8 * angle.cos(), angle.sin()];
        let points: Vec<Vec<f64>> = (0..12).map(|i| at(f64::from(i) * std::f64::consts::TAU / 12.0)).collect();
        let plane = plane(&points).unwrap();
        let near = |found: &[f64], wanted: [f64; 3]| {
            let dot: f64 = found.iter().zip(wanted).map(|(a, b)| a * b).sum();
            assert!((dot.abs() - 1.0).abs() < 1e-12, "{found:?}");
        };
        near(&plane.directions[0], [0.6, 0.8, 0.0]);
        near(&plane.directions[1], [0.0, 0.0, 1.0]);
        assert!((plane.shares[0] - 0.9).abs() < 1e-12);
    }

    #[test]
    fn a_line_is_no_plane() {
        let line: Vec<Vec<f64>> = (0..5).map(|i| vec![f64::from(i), 2.0 * f64::from(i)]).collect();
        assert!(plane(&line).is_err());
        assert!(plane(&line[..1]).is_err());
    }
}
