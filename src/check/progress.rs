//! What a check says while it runs, on standard error: a bar for a person at a terminal, a line for each tenth in a log.

use crate::text::{say, thousands};
use crate::train::Verbosity;
use std::time::Instant;

/// The progress over the cases of one device.
pub(super) struct Progress {
    verbosity: Verbosity,
    device: String,
    total: usize,
    done: usize,
    begun: Instant,
    #[cfg(feature = "progress")]
    bar: Option<indicatif::ProgressBar>,
}

impl Progress {
    pub(super) fn new(verbosity: Verbosity, device: &str, total: usize) -> Self {
        Self {
            verbosity,
            device: device.to_owned(),
            total,
            done: 0,
            begun: Instant::now(),
            #[cfg(feature = "progress")]
            bar: crate::train::bar(verbosity, "{prefix} [{bar:30}] {pos}/{len} cases  {msg}", total)
                .map(|bar| bar.with_prefix(device.to_owned())),
        }
    }

    /// The case `name` begins.
    #[cfg_attr(not(feature = "progress"), allow(unused_variables))]
    pub(super) fn begin(&self, name: &str) {
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.set_message(name.to_owned());
        }
    }

    /// It ended.
    pub(super) fn end(&mut self) {
        self.done += 1;
        #[cfg(feature = "progress")]
        if let Some(bar) = &self.bar {
            bar.inc(1);
            return;
        }
        let tenth = |done: usize| 10 * done / self.total.max(1);
        if self.verbosity != Verbosity::Silent && tenth(self.done) > tenth(self.done - 1) {
            say(&self.line(self.begun.elapsed().as_secs_f64()));
        }
    }

    fn line(&self, seconds: f64) -> String {
        let [done, total] = [self.done, self.total].map(|cases| thousands(cases as u64));
        format!("{}: {done} of {total} cases, {seconds:.1} s", self.device)
    }
}

#[cfg(feature = "progress")]
impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_it_is() {
        let mut progress = Progress::new(Verbosity::Silent, "CPU", 3214);
        (0..1607).for_each(|_| progress.end());
        assert_eq!(progress.line(12.34), "CPU: 1,607 of 3,214 cases, 12.3 s");
    }
}
