//! Room that products keep between calls, in words of 8 bytes, which serve f32 and f64.

use crate::cpu::Real;

/// The first `elements` elements of `room`, which grows where it must.
pub(super) fn room_for<T: Real>(room: &mut Vec<u64>, elements: usize) -> &mut [T] {
    let words = (elements * size_of::<T>()).div_ceil(8);
    if room.len() < words {
        room.resize(words, 0);
    }
    &mut bytemuck::cast_slice_mut::<u64, T>(room)[..elements]
}
