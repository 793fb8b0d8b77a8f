//! Twin of `shaders/lbfgs.wgsl`.

use super::Real;
use super::sums::{larger, pair_of_sums, sum, sum2};
use crate::kernels::{FACTORS_AT, Lbfgs, LbfgsPart, NORM_CHUNK, RULE_BLOCK, SUMS_OF_SLOT};

/// One of the three dispatches.
#[inline(always)]
pub fn lbfgs<T: Real>(p: &Lbfgs, reads: &[&[T]], writes: &mut [&mut [T]]) -> bool {
    match (p.part, reads, writes) {
        (LbfgsPart::Advance, [coefficients], [memory, moved]) => advance(p, coefficients, memory, moved),
        (LbfgsPart::Measure, [coefficients, penalty, parameter], [gradient, memory, sums]) => {
            measure(p, coefficients, penalty, parameter, gradient, memory, sums);
        }
        (LbfgsPart::Accept, [parameter], [gradient, memory]) => accept(p, parameter, gradient, memory),
        _ => return false,
    }
    true
}

/// The next direction, if it is new, and the point `x + t d`.
#[inline(always)]
fn advance<T: Real>(
    p: &Lbfgs,
    coefficients: &[T], // (8 + 2 slots)
    memory: &mut [T],   // (2 + 2 slots, n)
    moved: &mut [T],    // (n)
) {
    let n = p.params.n as usize;
    let [t, slot, is_new, _, of_g, ..] = coefficients else { return };
    let own = (2 + index(*slot)) * n;
    // The factors of g and, in their order, of the directions and of the changes: each with its row of memory.
    let factors = coefficients[FACTORS_AT..].iter().zip(2..).filter(|(factor, _)| **factor != T::zero());
    let terms: Vec<(T, usize)> = factors.map(|(factor, row)| (*factor, row * n)).collect();
    for at in (0..n).step_by(RULE_BLOCK) {
        let mut d = [T::zero(); RULE_BLOCK];
        if *is_new != T::zero() {
            add(&mut d, *of_g, &memory[n + at..]);
            terms.iter().for_each(|(factor, row)| add(&mut d, *factor, &memory[row + at..]));
            memory[own + at..][..RULE_BLOCK].copy_from_slice(&d);
        } else {
            d.copy_from_slice(&memory[own + at..][..RULE_BLOCK]);
        }
        for ((moved, d), x) in moved[at..][..RULE_BLOCK].iter_mut().zip(&d).zip(&memory[at..]) {
            // A frozen -0 stays one.
            *moved = if *d == T::zero() { *x } else { *x + *t * *d };
        }
    }
}

/// `d += factor · row`.
#[inline(always)]
fn add<T: Real>(d: &mut [T; RULE_BLOCK], factor: T, row: &[T]) {
    for (d, value) in d.iter_mut().zip(row) {
        *d += factor * *value;
    }
}

/// Adds the penalty to the gradient, keeps how it has changed, and sums the products of every chunk.
#[inline(always)]
fn measure<T: Real>(
    p: &Lbfgs,
    coefficients: &[T], // (8 + 2 slots)
    penalty: &[T],      // (n / 64)
    parameter: &[T],    // (n)
    gradient: &mut [T], // (n)
    memory: &mut [T],   // (2 + 2 slots, n)
    sums: &mut [T],     // (partials, 4 slots + 4)
) {
    let (n, slots) = (p.params.n as usize, p.slots());
    let [_, slot, _, used, ..] = coefficients else { return };
    let (slot, used) = (index(*slot), index(*used).min(slots));
    let [d, change] = [2 + slot, 2 + slots + slot].map(|row| row * n);
    let chunks = (0..n).step_by(NORM_CHUNK).zip(sums.chunks_exact_mut(p.sums_width()));
    for (at, sums) in chunks {
        let len = NORM_CHUNK.min(n - at);
        let (parameter, gradient) = (&parameter[at..at + len], &mut gradient[at..at + len]);
        let mut penalised = T::zero();
        let blocks = gradient.chunks_exact_mut(RULE_BLOCK).zip(parameter.chunks_exact(RULE_BLOCK));
        for ((gradient, parameter), factor) in blocks.zip(&penalty[at / RULE_BLOCK..]) {
            if *factor != T::zero() {
                gradient.iter_mut().zip(parameter).for_each(|(g, p)| *g += *factor * *p);
                penalised += *factor * sum(parameter, |p| p * p);
            }
        }
        let (before, changes) = memory.split_at_mut(change);
        let before = &before[n + at..];
        for ((y, g), before) in changes[at..at + len].iter_mut().zip(&*gradient).zip(before) {
            *y = *g - *before;
        }
        let row = |row: usize| &memory[row * n + at..][..len];
        let (y, g) = (row(2 + slots + slot), &*gradient);
        let (of_slots, own) = sums.split_at_mut(SUMS_OF_SLOT * slots);
        for (j, sums) in of_slots.chunks_exact_mut(SUMS_OF_SLOT).enumerate() {
            let products = if j < used {
                let ([dy, dg], [yy, yg]) = (pair_of_sums(row(2 + j), y, g), pair_of_sums(row(2 + slots + j), y, g));
                [dy, dg, yy, yg]
            } else {
                [T::zero(); SUMS_OF_SLOT]
            };
            sums.copy_from_slice(&products);
        }
        let largest = g.iter().fold(T::zero(), |most, g| larger(most, g.abs()));
        own.copy_from_slice(&[
            sum2(&memory[d + at..][..len], row(1), |d, g| d * g),
            penalised,
            sum(g, |g| g * g),
            largest,
        ]);
    }
}

/// The point that was tried becomes the one the search stands on.
#[inline(always)]
fn accept<T: Real>(
    p: &Lbfgs,
    parameter: &[T],  // (n)
    gradient: &[T],   // (n)
    memory: &mut [T], // (2 + 2 slots, n)
) {
    let n = p.params.n as usize;
    memory[..n].copy_from_slice(&parameter[..n]);
    memory[n..2 * n].copy_from_slice(&gradient[..n]);
}

/// A small whole number that travels as a real one.
#[inline(always)]
fn index<T: Real>(value: T) -> usize {
    value.wide() as usize
}
