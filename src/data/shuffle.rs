//! Permutations as a pure function of a key.
//!
//! Fisher and Yates' shuffle gives every order the same chance if each draw below `bound` is unbiased. A 32-bit
//! word times `bound` puts the draw in the high half; the words whose low half falls below `2^32 mod bound`
//! belong to no full cycle and are drawn again (D. Lemire, "Fast random integer generation in an interval",
//! ACM TOMACS 29, 2019). The words are Threefry's at counters 0, 1, 2, …: the same key, the same order, on
//! every machine.

use crate::random::{Stream, stream_key};
use rand_core::Rng;

/// Splits of data sets draw from a stream of their own, away from initialisation, shuffling and dropout.
const SPLIT_STREAM: u32 = u32::from_be_bytes(*b"spli");

/// A random order of `0..n`, fixed by `key`.
pub(crate) fn permutation(n: u32, key: [u32; 2]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..n).collect();
    let mut words = Stream::of_key(key);
    for last in (1..n).rev() {
        order.swap(last as usize, below(&mut words, last + 1) as usize);
    }
    order
}

/// The order in which rows are dealt out to the parts of a split.
pub(crate) fn split_order(rows: usize, seed: u64) -> Vec<usize> {
    order_of(rows, seed, 0)
}

/// Another order of the same rows, for those that are in a part already: whoever takes the first of them takes a sample.
pub(crate) fn part_order(rows: usize, seed: u64) -> Vec<usize> {
    order_of(rows, seed, 1)
}

fn order_of(rows: usize, seed: u64, number: u32) -> Vec<usize> {
    let rows = u32::try_from(rows).unwrap_or(u32::MAX); // a Dataset has no more
    permutation(rows, stream_key(seed, SPLIT_STREAM, number)).into_iter().map(|row| row as usize).collect()
}

/// Uniform in `0..bound`, for `bound` ≥ 1.
fn below(words: &mut Stream, bound: u32) -> u32 {
    let incomplete = bound.wrapping_neg() % bound; // 2^32 mod bound
    loop {
        let product = u64::from(words.next_u32()) * u64::from(bound);
        if product as u32 >= incomplete {
            return (product >> 32) as u32;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permutation_holds_each_index_once() {
        for n in [0, 1, 2, 3, 1000] {
            let mut order = permutation(n, [1, 2]);
            order.sort_unstable();
            assert_eq!(order, (0..n).collect::<Vec<_>>());
        }
        assert_eq!(permutation(100, [1, 2]), permutation(100, [1, 2]));
        assert_ne!(permutation(100, [1, 2]), permutation(100, [1, 3]));
    }

    /// All 24 orders of 4 elements, 24,000 keys: chi-square with 23 degrees of freedom stays below 49.7
    /// (p = 0.001); a Fisher-Yates that draws over the whole range each time exceeds 1000.
    #[test]
    fn permutation_is_uniform() {
        let mut counts = std::collections::BTreeMap::new();
        for key in 0..24_000 {
            *counts.entry(permutation(4, [key, 7])).or_insert(0u32) += 1;
        }
        assert_eq!(counts.len(), 24);
        let chi_square: f64 = counts.values().map(|&count| (f64::from(count) - 1000.0).powi(2) / 1000.0).sum();
        assert!(chi_square < 49.7, "chi-square {chi_square}");
    }

    /// With `bound` = 3·2^30 a plain multiply gives every third value twice the chance of the others.
    #[test]
    fn below_rejects_incomplete_cycles() {
        let mut words = Stream::of_key([5, 6]);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[(below(&mut words, 3 << 30) % 3) as usize] += 1;
        }
        assert!(counts.iter().all(|&count| count.abs_diff(10_000) < 400), "{counts:?}");
    }
}
