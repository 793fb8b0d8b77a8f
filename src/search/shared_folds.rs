//! Folds of trials that run, for workers that have no trial of their own left: the last trials of a study would
//! otherwise each keep one core.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

type Job<'a> = Box<dyn FnOnce() + Send + 'a>;

/// What trials have handed out.
#[derive(Default)]
pub(super) struct SharedFolds<'a> {
    state: Mutex<State<'a>>,
    changed: Condvar,
}

#[derive(Default)]
struct State<'a> {
    jobs: VecDeque<Job<'a>>,
    /// Trials that may still hand something out.
    running: usize,
}

/// A trial that may hand folds out, until it is dropped.
pub(super) struct Sharing<'s, 'a>(&'s SharedFolds<'a>);

impl<'a> SharedFolds<'a> {
    fn lock(&self) -> MutexGuard<'_, State<'a>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'g>(&self, state: MutexGuard<'g, State<'a>>) -> MutexGuard<'g, State<'a>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    pub fn begin(&self) -> Sharing<'_, 'a> {
        self.lock().running += 1;
        Sharing(self)
    }

    /// Does what is handed out, until no trial runs.
    pub fn help(&self) {
        let mut state = self.lock();
        while state.running > 0 {
            state = match state.jobs.pop_front() {
                Some(job) => self.run(job, state),
                None => self.wait(state),
            };
        }
    }

    /// Runs a job without the lock; those who wait hear of its end, even if it panics.
    fn run<'g>(&'g self, job: Job<'a>, state: MutexGuard<'g, State<'a>>) -> MutexGuard<'g, State<'a>> {
        struct Ended<'s, 'a>(&'s SharedFolds<'a>);
        impl Drop for Ended<'_, '_> {
            fn drop(&mut self) {
                // Who looked before that and does not wait yet has the lock.
                drop(self.0.lock());
                self.0.changed.notify_all();
            }
        }
        drop(state);
        let ended = Ended(self);
        job();
        drop(ended);
        self.lock()
    }
}

impl<'a> Sharing<'_, 'a> {
    /// `work` for each of `numbers`, here and by whoever helps; the results in order, `None` where it panicked.
    pub fn for_each<R: Send + 'a>(
        &self,
        numbers: Range<usize>,
        work: impl Fn(usize) -> R + Send + Sync + 'a,
    ) -> Vec<Option<R>> {
        let (work, first) = (Arc::new(work), numbers.start);
        let results: Arc<Mutex<Vec<Option<R>>>> = Arc::new(Mutex::new(numbers.clone().map(|_| None).collect()));
        let jobs = numbers.map(|number| {
            let (work, results) = (Arc::clone(&work), Arc::clone(&results));
            Box::new(move || {
                let result = work(number);
                results.lock().unwrap_or_else(PoisonError::into_inner)[number - first] = Some(result);
            }) as Job<'a>
        });
        let mut state = self.0.lock();
        state.jobs.extend(jobs);
        self.0.changed.notify_all();
        // What has not been done holds on to the results.
        while Arc::strong_count(&results) > 1 {
            state = match state.jobs.pop_back() {
                Some(job) => self.0.run(job, state),
                None => self.0.wait(state),
            };
        }
        drop(state);
        let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
        results.drain(..).collect()
    }
}

impl Drop for Sharing<'_, '_> {
    fn drop(&mut self) {
        self.0.lock().running -= 1;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::sync::Barrier;

    /// Two jobs that wait for each other need a helper, and results come in order.
    #[test]
    fn a_helper_takes_part() {
        let both = Barrier::new(2);
        let folds = SharedFolds::default();
        let sharing = folds.begin();
        std::thread::scope(|scope| {
            scope.spawn(|| folds.help());
            let threads = sharing.for_each(3..5, |number| {
                both.wait();
                (number, format!("{:?}", std::thread::current().id()))
            });
            let threads: Vec<(usize, String)> = threads.into_iter().flatten().collect();
            assert_eq!(threads.iter().map(|(number, _)| *number).collect::<Vec<_>>(), [3, 4]);
            assert_eq!(threads.into_iter().map(|(_, thread)| thread).collect::<BTreeSet<_>>().len(), 2);
            drop(sharing);
        });
    }

    /// The trial that waits for it comes to its end.
    #[test]
    fn a_helper_that_panics_leaves_nothing() {
        let (both, owner) = (Barrier::new(2), std::thread::current().id());
        let folds = SharedFolds::default();
        let sharing = folds.begin();
        std::thread::scope(|scope| {
            let helper = scope.spawn(|| folds.help());
            let results = sharing.for_each(0..2, |number| {
                both.wait();
                assert!(std::thread::current().id() == owner, "a helper's own fault");
                number
            });
            assert_eq!(results.into_iter().flatten().count(), 1);
            assert!(helper.join().is_err());
        });
    }
}
