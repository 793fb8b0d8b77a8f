//! From sums of products to the factors of the next direction.
//!
//! The two-loop recursion (Nocedal 1980) asks for products of `q = g - Σ αⱼ yⱼ` and of `r` with the pairs `(s, y)`. Both are
//! sums of the vectors that are kept, so products of those with one another and with the gradient suffice (the compact
//! form: Byrd, Nocedal & Schnabel 1994; kept apart from the vectors: Chen, Wang & Zhou 2014). The host runs it in f64 on
//! a few hundred numbers, and the device forms one sum of vectors.

use super::vectors::{Factors, OfSlot, Sums};

/// A pair that is kept: `s = step · d`.
#[derive(Debug, Clone, Copy)]
struct Pair {
    slot: usize,
    step: f64,
}

/// What is known of the curvature: products of the vectors in the slots.
pub(super) struct Curvature {
    slots: usize,
    /// Oldest first.
    pairs: Vec<Pair>,
    /// `dᵢ yⱼ` at `i · slots + j`, for `i` no newer than `j`; `yᵢ yⱼ`.
    dy: Vec<f64>,
    yy: Vec<f64>,
    /// Products with the gradient at the point that the search stands on.
    now: Vec<OfSlot>,
}

impl Curvature {
    /// For `slots` slots: one more than pairs are kept, since the direction that is tried has one.
    pub fn new(slots: usize) -> Self {
        let square = vec![0.0; slots * slots];
        Self { slots, pairs: Vec::new(), dy: square.clone(), yy: square, now: Vec::new() }
    }

    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    pub fn forget(&mut self) {
        self.pairs.clear();
    }

    /// A slot that no pair is in.
    pub fn free_slot(&self) -> usize {
        (0..self.slots).find(|slot| self.pairs.iter().all(|pair| pair.slot != *slot)).unwrap_or(0)
    }

    /// Slots in use, with the free one.
    pub fn used(&self) -> usize {
        self.pairs.iter().map(|pair| pair.slot).chain([self.free_slot()]).max().unwrap_or(0) + 1
    }

    /// Keeps the direction in `slot` and the change of the gradient along it, in place of the oldest pair if it must. A
    /// curvature that is not positive, but for rounding, is not kept, as in L-BFGS-B.
    pub fn learn(&mut self, slot: usize, step: f64, sums: &Sums) {
        self.now.clone_from(&sums.of_slots);
        let OfSlot { dy, yy, .. } = sums.of_slots[slot];
        if !(dy > -f64::from(f32::EPSILON) * sums.slope_before && yy > 0.0) {
            return;
        }
        for (other, products) in sums.of_slots.iter().enumerate() {
            self.dy[other * self.slots + slot] = products.dy;
            self.yy[other * self.slots + slot] = products.yy;
            self.yy[slot * self.slots + other] = products.yy;
        }
        if self.pairs.len() + 1 == self.slots {
            self.pairs.remove(0);
        }
        self.pairs.push(Pair { slot, step });
    }

    /// The factors of `-H g`; `None` where nothing is known.
    pub fn direction(&self) -> Option<Factors> {
        let newest = self.pairs.last()?;
        let sy = |i: &Pair, j: &Pair| i.step * self.dy[i.slot * self.slots + j.slot];
        let yy = |i: &Pair, j: &Pair| self.yy[i.slot * self.slots + j.slot];
        let scale = sy(newest, newest) / yy(newest, newest);
        let count = self.pairs.len();
        let mut alpha = vec![0.0; count];
        for (i, pair) in self.pairs.iter().enumerate().rev() {
            let newer = self.pairs.iter().zip(&alpha).skip(i + 1);
            let sq = newer.fold(pair.step * self.now[pair.slot].dg, |sq, (other, alpha)| sq - alpha * sy(pair, other));
            alpha[i] = sq / sy(pair, pair);
        }
        let mut factors = Factors { of_g: -scale, of_d: vec![0.0; self.slots], of_y: vec![0.0; self.slots] };
        let mut of_s = vec![0.0; count];
        for (i, pair) in self.pairs.iter().enumerate() {
            let all = self.pairs.iter().zip(&alpha);
            let yq = all.fold(self.now[pair.slot].yg, |yq, (other, alpha)| yq - alpha * yy(pair, other));
            let older = self.pairs.iter().zip(&of_s).take(i);
            let yr = older.fold(scale * yq, |yr, (other, of_s)| yr + of_s * sy(other, pair));
            of_s[i] = alpha[i] - yr / sy(pair, pair);
            factors.of_d[pair.slot] = -of_s[i] * pair.step;
            factors.of_y[pair.slot] = scale * alpha[i];
        }
        Some(factors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dot(a: &[f64], b: &[f64]) -> f64 {
        a.iter().zip(b).map(|(a, b)| a * b).sum()
    }

    /// The recursion on the vectors themselves, as Nocedal & Wright (2006) print it (algorithm 7.4).
    fn two_loops(pairs: &[(Vec<f64>, Vec<f64>)], g: &[f64]) -> Vec<f64> {
        let mut q = g.to_vec();
        let mut alphas = Vec::new();
        for (s, y) in pairs.iter().rev() {
            let alpha = dot(s, &q) / dot(s, y);
            q.iter_mut().zip(y).for_each(|(q, y)| *q -= alpha * y);
            alphas.push(alpha);
        }
        let (s, y) = pairs.last().unwrap();
        let mut r: Vec<f64> = q.iter().map(|q| q * dot(s, y) / dot(y, y)).collect();
        for ((s, y), alpha) in pairs.iter().zip(alphas.iter().rev()) {
            let beta = dot(y, &r) / dot(s, y);
            r.iter_mut().zip(s).for_each(|(r, s)| *r += (alpha - beta) * s);
        }
        r.iter().map(|r| -r).collect()
    }

    /// More pairs than there is room for, one of them with a negative curvature.
    #[test]
    fn directions_are_those_of_the_recursion_on_vectors() {
        let (slots, n) = (4, 7);
        let number = |k: usize| ((k * 7919 + 104_729) % 1000) as f64 / 500.0 - 1.0;
        let vector = |k: usize| (0..n).map(|i| number(k * n + i)).collect::<Vec<f64>>();
        let (mut d, mut y) = (vec![vec![0.0; n]; slots], vec![vec![0.0; n]; slots]);
        let mut curvature = Curvature::new(slots);
        let mut kept: Vec<(Vec<f64>, Vec<f64>)> = Vec::new();
        for k in 0..9 {
            let (slot, step, g) = (curvature.free_slot(), 0.25 + 0.125 * k as f64, vector(200 + k));
            d[slot] = vector(k);
            // Around a positive multiple of d, so that the curvature is positive.
            let sign = if k == 5 { -3.0 } else { 3.0 };
            y[slot] = d[slot].iter().zip(vector(100 + k)).map(|(d, noise)| sign * d + 0.5 * noise).collect();
            let of_slots = (0..slots).map(|j| OfSlot {
                dy: dot(&d[j], &y[slot]),
                dg: dot(&d[j], &g),
                yy: dot(&y[j], &y[slot]),
                yg: dot(&y[j], &g),
            });
            let sums = Sums { of_slots: of_slots.collect(), slope_before: -1.0, penalty: 0.0, gg: 1.0, largest: 1.0 };
            curvature.learn(slot, step, &sums);
            if k != 5 {
                kept.push((d[slot].iter().map(|d| step * d).collect(), y[slot].clone()));
            }
            let kept = &kept[kept.len().saturating_sub(slots - 1)..];
            let factors = curvature.direction().unwrap();
            let wanted = two_loops(kept, &g);
            for i in 0..n {
                let of = |factors: &[f64], rows: &[Vec<f64>]| -> f64 {
                    factors.iter().zip(rows).map(|(factor, row)| factor * row[i]).sum()
                };
                let got = factors.of_g * g[i] + of(&factors.of_d, &d) + of(&factors.of_y, &y);
                assert!((got - wanted[i]).abs() < 1e-9, "{k}: {got} for {}", wanted[i]);
            }
        }
    }
}
