//! Random numbers as a function of a key and a counter: Threefry2x32-20 of Salmon, Moraes, Dror & Shaw,
//! "Parallel random numbers: as easy as 1, 2, 3" (2011).
//!
//! Nothing is carried from one number to the next, so the host and every GPU invocation draw the same
//! bits in any order; `shaders/lib/random.wgsl` is the same text in WGSL. [`Stream`] hands the numbers out one by one,
//! as a generator of the crate `rand`.

use rand_core::{TryRng, utils};
use std::convert::Infallible;

const ROTATIONS: [u32; 8] = [13, 15, 26, 6, 17, 29, 16, 24];

/// 64 random bits of `counter` under `key`.
pub fn threefry2x32(key: [u32; 2], counter: [u32; 2]) -> [u32; 2] {
    let keys = [key[0], key[1], key[0] ^ key[1] ^ 0x1bd1_1bda];
    let mut x = [counter[0].wrapping_add(key[0]), counter[1].wrapping_add(key[1])];
    for round in 0..20 {
        x[0] = x[0].wrapping_add(x[1]);
        x[1] = x[1].rotate_left(ROTATIONS[round % 8]) ^ x[0];
        if round % 4 == 3 {
            let injection = round / 4 + 1;
            x[0] = x[0].wrapping_add(keys[injection % 3]);
            x[1] = x[1].wrapping_add(keys[(injection + 1) % 3]).wrapping_add(injection as u32);
        }
    }
    x
}

/// Uniform in [0, 1): the upper 24 bits, all an f32 can hold.
pub fn uniform(bits: u32) -> f32 {
    (bits >> 8) as f32 * (1.0 / 16_777_216.0)
}

/// The key of one stream (the dropout of a layer, say) at one step.
pub fn stream_key(seed: u64, stream: u32, step: u32) -> [u32; 2] {
    threefry2x32([seed as u32, (seed >> 32) as u32], [stream, step])
}

/// A count of steps or epochs as the counter of a stream: its low half. What is drawn begins anew after 2³² of them.
pub fn counter(count: u64) -> u32 {
    count as u32
}

/// A stream of random numbers for the crates `rand` and `rand_distr`: the words of [`threefry2x32`] at the counters
/// 0, 1, 2, … under one key. The same key, the same numbers, on every machine; another key, numbers that have nothing
/// to do with these. 2^65 words, after which it begins anew.
///
/// ```
/// use axone::random::Stream;
/// use rand::RngExt;
///
/// // Stream 7 of the seed 42, at step 0.
/// let mut random = Stream::new(42, 7, 0);
/// let rate: f64 = random.random_range(0.001..0.1);
/// assert_eq!(rate, Stream::new(42, 7, 0).random_range(0.001..0.1));
/// assert_ne!(rate, Stream::new(42, 7, 1).random_range(0.001..0.1));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    counter: u64,
    spare: Option<u32>,
}

impl Stream {
    /// The numbers of `stream` at `step`, as [`stream_key`] keys them.
    pub fn new(seed: u64, stream: u32, step: u32) -> Self {
        Self::of_key(stream_key(seed, stream, step))
    }

    /// The numbers under a key.
    pub fn of_key(key: [u32; 2]) -> Self {
        Self { key, counter: 0, spare: None }
    }

    fn word(&mut self) -> u32 {
        if let Some(word) = self.spare.take() {
            return word;
        }
        let [first, second] = threefry2x32(self.key, [self.counter as u32, (self.counter >> 32) as u32]);
        self.counter = self.counter.wrapping_add(1);
        self.spare = Some(second);
        first
    }
}

/// What makes it a `Rng` of `rand`: it never fails.
impl TryRng for Stream {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.word())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        utils::next_u64_via_u32(self)
    }

    fn try_fill_bytes(&mut self, target: &mut [u8]) -> Result<(), Infallible> {
        utils::fill_bytes_via_next_word(target, || Ok(self.word()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_core::Rng;

    /// Words in the order of the counter, first of a pair first; a u64 has the earlier word below.
    #[test]
    fn a_stream_walks_the_counter() {
        let key = stream_key(42, 7, 3);
        let words: Vec<u32> = (0..2).flat_map(|counter| threefry2x32(key, [counter, 0])).collect();
        let mut stream = Stream::new(42, 7, 3);
        assert_eq!([stream.next_u32(), stream.next_u32(), stream.next_u32(), stream.next_u32()], words[..]);
        let mut stream = Stream::of_key(key);
        assert_eq!(stream.next_u64(), u64::from(words[1]) << 32 | u64::from(words[0]));
        let mut bytes = [0; 6];
        stream.fill_bytes(&mut bytes);
        assert_eq!(bytes[..4], words[2].to_le_bytes());
        assert_eq!(bytes[4..], words[3].to_le_bytes()[..2]);
    }

    /// Beyond 2^32 words the high half of the counter counts on.
    #[test]
    fn a_stream_goes_beyond_32_bits() {
        let mut stream = Stream { key: [1, 2], counter: 1 << 32, spare: None };
        assert_eq!(stream.next_u32(), threefry2x32([1, 2], [0, 1])[0]);
    }

    /// The known-answer tests of the Random123 distribution.
    #[test]
    fn threefry_known_answers() {
        assert_eq!(threefry2x32([0, 0], [0, 0]), [0x6b20_0159, 0x99ba_4efe]);
        assert_eq!(threefry2x32([!0, !0], [!0, !0]), [0x1cb9_96fc, 0xbb00_2be7]);
        assert_eq!(threefry2x32([0x1319_8a2e, 0x0370_7344], [0x243f_6a88, 0x85a3_08d3]), [0xc492_3a9c, 0x483d_f7a0]);
    }

    #[test]
    fn uniform_stays_below_one() {
        assert_eq!(uniform(0), 0.0);
        assert_eq!(uniform(u32::MAX), 1.0 - 2f32.powi(-24));
    }
}
