//! Threads where they pay: elementwise kernels over long buffers.

use super::Real;
use crate::Result;
use crate::kernels::{RULE, RULE_BLOCK};
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Elements below which a second thread costs more than it brings.
const GRAIN: usize = 1 << 13;

/// Runs `work` on a thread of the pool, where sharing out work costs a tenth of what it costs from outside. Where it
/// `shares` enough, the other threads stay awake meanwhile: `rayon` lets them sleep after a few microseconds, and a step
/// that alternates between kernels for one thread and for all would wait 50 for them each time.
///
/// Not from within the pool: threads that wait for one of several models could not go on with their own.
pub(super) fn on_the_pool<R: Send>(shares: bool, work: impl FnOnce() -> R + Send) -> R {
    struct Done<'a>(&'a AtomicBool);

    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    let others = if shares && rayon::current_thread_index().is_none() { rayon::current_num_threads() - 1 } else { 0 };
    let done = &AtomicBool::new(false);
    rayon::scope(|scope| {
        let own = rayon::current_thread_index();
        for _ in 0..others {
            scope.spawn(move |_| {
                // The thread that works may come here too, while it waits for another; it has no time to lose.
                while rayon::current_thread_index() != own && !done.load(Ordering::Relaxed) {
                    if rayon::yield_now() != Some(rayon::Yield::Executed) {
                        std::thread::yield_now();
                    }
                }
            });
        }
        let _done = Done(done);
        work()
    })
}

thread_local! {
    /// Whether this thread shares its work with no other.
    static ALONE: Cell<bool> = const { Cell::new(false) };
}

/// Runs `work` on this thread, without the pool.
pub(super) fn alone<R>(work: impl FnOnce() -> R) -> R {
    struct Before(bool);

    impl Drop for Before {
        fn drop(&mut self) {
            ALONE.set(self.0);
        }
    }

    let _before = Before(ALONE.replace(true));
    work()
}

/// Threads that share the work of this one.
pub(super) fn threads() -> usize {
    if ALONE.get() { 1 } else { rayon::current_num_threads() }
}

/// What is done to a part of every buffer: reads, then writes.
type Work<'a, T> = dyn Fn(&[&[T]], &mut [&mut [T]]) -> Result<()> + Sync + 'a;

/// Most buffers of a flat kernel that are read, and written.
const READS: usize = 4;
const WRITES: usize = 4;

/// Calls `work` on the same part of every buffer, for parts that together make the whole. A read buffer with one rule a
/// block is cut with the rest; one of another length is given to every part whole.
pub(super) fn halves<T: Real>(reads: &[&[T]], writes: &mut [&mut [T]], work: &Work<'_, T>) -> Result<()> {
    let len = writes.first().map_or(0, |write| write.len());
    let equal = writes.iter().all(|write| write.len() == len);
    if len < 2 * GRAIN || !equal || reads.len() > READS || writes.len() > WRITES || threads() == 1 {
        return work(reads, writes);
    }
    let middle = (len / 2).next_multiple_of(RULE_BLOCK);
    let (mut left_reads, mut right_reads): ([&[T]; READS], [&[T]; READS]) = Default::default();
    for (i, read) in reads.iter().enumerate() {
        (left_reads[i], right_reads[i]) = match read.len() {
            all if all == len => read.split_at(middle),
            rules if rules == len / RULE_BLOCK * RULE => read.split_at(middle / RULE_BLOCK * RULE),
            _ => (*read, *read),
        };
    }
    let (mut left_writes, mut right_writes): ([&mut [T]; WRITES], [&mut [T]; WRITES]) = Default::default();
    let (read_count, write_count) = (reads.len(), writes.len());
    for (i, write) in writes.iter_mut().enumerate() {
        (left_writes[i], right_writes[i]) = write.split_at_mut(middle);
    }
    let (left, right) = rayon::join(
        || halves(&left_reads[..read_count], &mut left_writes[..write_count], work),
        || halves(&right_reads[..read_count], &mut right_writes[..write_count], work),
    );
    left.and(right)
}

/// Calls `work` on blocks of whole rows of `matrix`, with the index of each block's first row.
pub(super) fn row_blocks<T: Real>(matrix: &mut [T], cols: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
    fn cut<T: Real>(first: usize, matrix: &mut [T], cols: usize, work: &(dyn Fn(usize, &mut [T]) + Sync)) {
        let rows = matrix.len() / cols;
        if rows < 2 || matrix.len() < 2 * GRAIN || threads() == 1 {
            return work(first, matrix);
        }
        let (above, below) = matrix.split_at_mut(rows / 2 * cols);
        rayon::join(|| cut(first, above, cols, work), || cut(first + rows / 2, below, cols, work));
    }
    cut(0, matrix, cols, work);
}
