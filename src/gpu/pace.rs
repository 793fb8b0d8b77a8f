//! How long a submission is: enough steps that the host's cost vanishes, few enough that no driver's watchdog ends it.

use super::loaded::STEPS_PER_WRITE;
use std::time::{Duration, Instant};

/// A submission should take about this long; Windows resets a device after 2 s.
const SUBMISSION: Duration = Duration::from_millis(40);

/// Floating-point operations of a submission of which nothing is known yet: what a slow GPU does in [`SUBMISSION`].
const CAUTIOUS: u64 = 2_000_000_000;

/// How much of a plan goes into a submission, by how long its last ones took: several steps, or a part of one.
pub(super) struct Pace {
    steps: usize,
    parts: usize,
    /// Parts of a step that are still to be timed, and the longest of those that were.
    untimed: usize,
    longest: Duration,
}

impl Pace {
    /// For steps of `flops` operations: one at a time or less, and then more.
    pub fn new(flops: u64) -> Self {
        let parts = flops.div_ceil(CAUTIOUS).max(1) as usize;
        Self { steps: 1, parts, untimed: parts, longest: Duration::ZERO }
    }

    /// Steps in the next submission.
    pub fn steps(&self) -> usize {
        self.steps
    }

    /// Dispatches in the next submission, of a step that has `all`.
    pub fn dispatches(&self, all: usize) -> usize {
        all.div_ceil(self.parts).max(1)
    }

    /// A submission `took` so long.
    pub fn done(&mut self, took: Duration) {
        if took > SUBMISSION * 2 {
            match self.steps {
                1 => self.cut(self.parts.saturating_mul(2)),
                steps => self.steps = steps / 2,
            }
            return;
        }
        self.longest = self.longest.max(took);
        self.untimed = self.untimed.saturating_sub(1);
        // One long dispatch among short ones keeps the step in parts.
        if self.untimed == 0 {
            if self.longest < SUBMISSION / 2 {
                match self.parts {
                    1 => self.steps = (self.steps * 2).min(STEPS_PER_WRITE),
                    parts => self.parts = parts / 2,
                }
            }
            self.cut(self.parts);
        }
    }

    fn cut(&mut self, parts: usize) {
        (self.parts, self.untimed, self.longest) = (parts, parts, Duration::ZERO);
    }
}

/// Since when the device works on the oldest submission in flight.
pub(super) struct Clock(Instant);

impl Clock {
    pub fn new() -> Self {
        Self(Instant::now())
    }

    /// A submission is queued at `now`. Where the device was idle it begins at once: the time before is not its own.
    pub fn queued(&mut self, idle: bool, now: Instant) {
        if idle {
            self.0 = now;
        }
    }

    /// How long the oldest submission took, which is done at `now`.
    pub fn done(&mut self, now: Instant) -> Duration {
        now.duration_since(std::mem::replace(&mut self.0, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHORT: Duration = Duration::from_millis(1);
    const LONG: Duration = Duration::from_millis(500);

    /// A pause between two epochs is no slow submission.
    #[test]
    fn idle_time_does_not_count() {
        let begun = Instant::now();
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        let mut clock = Clock(begun);
        clock.queued(true, at(10_000));
        assert_eq!(clock.done(at(10_030)), Duration::from_millis(30));
        clock.queued(false, at(10_031));
        assert_eq!(clock.done(at(10_040)), Duration::from_millis(10));
    }

    #[test]
    fn short_steps_share_a_submission() {
        let mut pace = Pace::new(1);
        for steps in [1, 2, 4] {
            assert_eq!((pace.steps(), pace.dispatches(7)), (steps, 7));
            pace.done(SHORT);
        }
        pace.done(SUBMISSION);
        assert_eq!(pace.steps(), 8);
        pace.done(LONG);
        assert_eq!(pace.steps(), 4);
    }

    /// As on an integrated GPU of 100 GFLOP/s, where a step of 0.7 TFLOP takes seconds.
    #[test]
    fn a_long_step_is_cut_into_submissions() {
        let mut pace = Pace::new(1);
        for dispatches in [11, 6, 3, 2, 1, 1] {
            assert_eq!((pace.steps(), pace.dispatches(11)), (1, dispatches));
            pace.done(LONG);
        }
        let mut pace = Pace::new(3 * CAUTIOUS);
        assert_eq!(pace.dispatches(9), 3, "before anything is known");
        // One long part keeps it so.
        [SHORT, SUBMISSION, SHORT].into_iter().for_each(|took| pace.done(took));
        assert_eq!(pace.dispatches(9), 3);
        [SHORT; 3].into_iter().for_each(|took| pace.done(took));
        assert_eq!(pace.dispatches(9), 9);
    }
}
