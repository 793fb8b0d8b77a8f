//! Room that products keep between calls, in words of 8 bytes, which serve f32 and f64.

use crate::cpu::Real;
use std::cell::Cell;

thread_local! {
    /// One panel of the right operand of a small product.
    pub(super) static PANEL: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    /// All of a transposed right operand.
    pub(super) static TURNED: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
    /// The columns of a narrow result.
    pub(super) static NARROW: Cell<Vec<u64>> = const { Cell::new(Vec::new()) };
}

/// Lets go of all of it, on every thread; a thread that computes does so when it is done.
pub(in crate::cpu) fn release() {
    rayon::spawn_broadcast(|_| release_own());
    release_own();
}

/// The same on this thread alone.
pub(in crate::cpu) fn release_own() {
    [&PANEL, &TURNED, &NARROW].into_iter().for_each(|room| drop(room.take()));
}

/// The first `elements` elements of `room`, which grows where it must.
pub(super) fn room_for<T: Real>(room: &mut Vec<u64>, elements: usize) -> &mut [T] {
    let words = (elements * size_of::<T>()).div_ceil(8);
    if room.len() < words {
        room.resize(words, 0);
    }
    &mut bytemuck::cast_slice_mut::<u64, T>(room)[..elements]
}
