//! How long a submission is: enough steps that the host's cost vanishes, few enough that no driver's watchdog ends it.

use super::loaded::STEPS_PER_WRITE;
use std::time::{Duration, Instant};

/// A submission should take about this long; Windows resets a device after 2 s.
const SUBMISSION: Duration = Duration::from_millis(40);

/// How many steps go into a submission, by how long the last one took.
pub(super) struct Pace {
    group: usize,
    /// Since when the device works on the oldest submission in flight.
    since: Instant,
}

impl Pace {
    /// One step, and then more.
    pub fn new() -> Self {
        Self { group: 1, since: Instant::now() }
    }

    /// Training steps in the next submission.
    pub fn steps(&self) -> usize {
        self.group
    }

    /// A submission is queued at `now`. Where the device was idle it begins at once: the time before is not its own.
    pub fn queued(&mut self, idle: bool, now: Instant) {
        if idle {
            self.since = now;
        }
    }

    /// The oldest submission is done at `now`.
    pub fn done(&mut self, now: Instant) {
        let took = now.duration_since(self.since);
        self.since = now;
        if took < SUBMISSION / 2 {
            self.group = (self.group * 2).min(STEPS_PER_WRITE);
        } else if took > SUBMISSION * 2 {
            self.group = (self.group / 2).max(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pause between two epochs is no slow submission.
    #[test]
    fn idle_time_does_not_count() {
        let begun = Instant::now();
        let mut pace = Pace { group: 64, since: begun };
        let at = |milliseconds| begun + Duration::from_millis(milliseconds);
        pace.queued(true, at(10_000));
        pace.done(at(10_030));
        assert_eq!(pace.group, 64, "30 ms are neither fast nor slow");
        pace.queued(false, at(10_031));
        pace.done(at(10_040));
        assert_eq!(pace.group, 128);
        pace.done(at(10_200));
        assert_eq!(pace.group, 64);
    }
}
