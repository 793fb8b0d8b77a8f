//! Work shared out between threads, without more threads than cores.

use crate::{Error, Result};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

/// A system takes minutes to start more threads, where it can.
const MOST_THREADS: usize = 1024;

/// Refuses numbers of workers, and of threads for each, that nothing can run.
pub(super) fn check(place: &str, workers: usize, threads: usize) -> Result<()> {
    for (name, value) in [("workers", workers), ("threads", threads)] {
        if value == 0 {
            return Err(Error::value(place, name, "at least 1", value));
        }
        if value > MOST_THREADS {
            return Err(Error::value(place, name, format!("at most {MOST_THREADS}"), value));
        }
    }
    Ok(())
}

/// How many workers of that many threads the cores have room for.
pub(super) fn room(threads: usize) -> usize {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    (cores / threads.max(1)).max(1)
}

/// Runs `work` within a pool of its own, so that whatever the CPU backend shares out stays on its threads.
pub(super) fn on_own_threads<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> Result<R> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::value("search", "threads", "as many as the system starts", error))?;
    Ok(pool.install(work))
}

/// `work` for 0, 1, 2, …, `workers` at a time, each on threads of its own; the results in order, or the error of the
/// lowest number that has one. Within such a worker (a trial that cross-validates) it is done on the spot.
pub(super) fn for_each<R: Send>(
    (workers, threads): (usize, usize),
    count: usize,
    work: impl Fn(usize) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    if rayon::current_thread_index().is_some() {
        return (0..count).map(work).collect();
    }
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let worker = || loop {
        let number = next.fetch_add(1, Ordering::Relaxed);
        if number >= count {
            return;
        }
        let result = work(number);
        if result.is_err() {
            next.store(count, Ordering::Relaxed); // those that run come to their end
        }
        results.lock().unwrap_or_else(PoisonError::into_inner).push((number, result));
    };
    let outcomes: Vec<Result<()>> = std::thread::scope(|scope| {
        let workers: Vec<_> =
            (0..workers.min(count)).map(|_| scope.spawn(|| on_own_threads(threads, worker))).collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    });
    outcomes.into_iter().collect::<Result<Vec<()>>>()?;
    let mut results = results.into_inner().unwrap_or_else(PoisonError::into_inner);
    results.sort_by_key(|(number, _)| *number);
    results.into_iter().map(|(_, result)| result).collect()
}
