//! The vectors of L-BFGS, and the sums of their products.

use super::{Judged, ULP, sum_bound};
use crate::kernels::{FACTORS_AT, Lbfgs, LbfgsPart, NORM_CHUNK, RULE_BLOCK, SUMS_OF_SLOT};

pub(super) fn lbfgs(p: &Lbfgs, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    match p.part {
        LbfgsPart::Advance => advance(p, judged),
        LbfgsPart::Measure => measure(p, judged),
        LbfgsPart::Accept => judged.before.iter().map(|buffer| vec![0.0; buffer.len()]).collect(),
    }
}

/// A direction is a sum of products; the step is a product and a sum, and carries what the direction is off by.
fn advance(p: &Lbfgs, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    let ([factors], [before, _], [after, moved]) = (judged.reads, judged.before, judged.expected) else {
        return Vec::new();
    };
    let (n, own, is_new) = (p.params.n as usize, 2 + factors[1] as usize, factors[2] != 0.0);
    let mut bounds = [vec![0.0; after.len()], vec![0.0; moved.len()]];
    let rows: Vec<(f64, usize)> =
        std::iter::once((factors[4], 1)).chain(factors[FACTORS_AT..].iter().copied().zip(2..)).collect();
    for i in 0..n {
        if is_new {
            let size: f64 = rows.iter().map(|(factor, row)| (factor * before[row * n + i]).abs()).sum();
            bounds[0][own * n + i] = sum_bound(rows.len(), size) + ULP * size;
        }
        let step = (factors[0] * after[own * n + i]).abs();
        bounds[1][i] = factors[0].abs() * bounds[0][own * n + i] + ULP * (before[i].abs() + 2.0 * step);
    }
    bounds.to_vec()
}

/// The gradient is off by a product and a sum, its change by that and a difference; a sum of products by its own
/// additions and by what its factors are off by.
fn measure(p: &Lbfgs, judged: &Judged<'_>) -> Vec<Vec<f64>> {
    let ([factors, penalty, parameter], [given, before, _], [gradient, memory, sums]) =
        (judged.reads, judged.before, judged.expected)
    else {
        return Vec::new();
    };
    let (n, slots, slot, used) = (p.params.n as usize, p.slots(), factors[1] as usize, factors[3] as usize);
    let pull = |i: usize| penalty[i / RULE_BLOCK] * parameter[i];
    let off_g: Vec<f64> = (0..n).map(|i| 2.0 * ULP * (given[i].abs() + pull(i).abs())).collect();
    let off_y: Vec<f64> = (0..n).map(|i| off_g[i] + ULP * (gradient[i].abs() + before[n + i].abs())).collect();
    let own = 2 + slots + slot;
    let off = |row: usize, i: usize| if row == own { off_y[i] } else { 0.0 };
    let mut of_memory = vec![0.0; memory.len()];
    of_memory[own * n..(own + 1) * n].copy_from_slice(&off_y);
    let mut of_sums = Vec::with_capacity(sums.len());
    for first in (0..n).step_by(NORM_CHUNK) {
        let chunk = first..n.min(first + NORM_CHUNK);
        // Of Σ a b, of which a is off by `off_a` and b by `off_b`.
        let product = |a: &dyn Fn(usize) -> (f64, f64), b: &dyn Fn(usize) -> (f64, f64)| {
            let (mut size, mut carried) = (0.0, 0.0);
            for i in chunk.clone() {
                let ((a, off_a), (b, off_b)) = (a(i), b(i));
                size += (a * b).abs();
                carried += a.abs() * off_b + b.abs() * off_a + off_a * off_b;
            }
            sum_bound(NORM_CHUNK, size) + 2.0 * ULP * size + carried
        };
        let row = |row: usize| move |i: usize| (memory[row * n + i], off(row, i));
        let (y, g) = (row(own), |i: usize| (gradient[i], off_g[i]));
        for j in 0..slots {
            let rows = [2 + j, 2 + slots + j].into_iter();
            let bounds = rows.flat_map(|at| [product(&row(at), &y), product(&row(at), &g)]);
            of_sums.extend(bounds.map(|bound| if j < used { bound } else { 0.0 }).take(SUMS_OF_SLOT));
        }
        let with_penalty = |i: usize| (pull(i), ULP * pull(i).abs());
        let most = off_g[chunk.clone()].iter().fold(0.0f64, |most, off| most.max(*off));
        of_sums.extend([
            product(&row(2 + slot), &row(1)),
            product(&|i| (parameter[i], 0.0), &with_penalty),
            product(&g, &g),
            most,
        ]);
    }
    vec![off_g, of_memory, of_sums]
}
