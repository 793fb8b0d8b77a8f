//! Random numbers as a function of a key and a counter: Threefry2x32-20 of Salmon, Moraes, Dror & Shaw,
//! "Parallel random numbers: as easy as 1, 2, 3" (2011).
//!
//! Nothing is carried from one number to the next, so the host and every GPU invocation draw the same
//! bits in any order; `shaders/lib/random.wgsl` is the same text in WGSL.

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

#[cfg(test)]
mod tests {
    use super::*;

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
