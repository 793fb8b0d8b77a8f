//! An epoch of a stream in batches, for training by hand.

use super::pass::{Window, Windows};
use crate::Result;
use crate::data::Dataset;

/// The batches of an epoch of a [`Stream`](super::Stream). Dropping it ends the reading.
#[derive(Debug)]
pub struct Batches {
    windows: Windows,
    batch: usize,
    window: Option<Window>,
    /// The next of the window's rows.
    next: usize,
}

impl Batches {
    /// Batches of `batch` rows of whole windows of such.
    pub(super) fn new(windows: Windows, batch: usize) -> Self {
        Self { windows, batch, window: None, next: 0 }
    }
}

impl Iterator for Batches {
    type Item = Result<Dataset>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(Window { rows, order }) = self.window.as_ref().filter(|window| self.next < window.order.len()) {
                let end = order.len().min(self.next + self.batch);
                let batch: Vec<usize> = order.get(self.next..end)?.iter().map(|row| *row as usize).collect();
                self.next = end;
                return Some(Ok(rows.gather(&batch)));
            }
            match self.windows.next()? {
                Ok(window) => (self.window, self.next) = (Some(window), 0),
                Err(error) => return Some(Err(error)),
            }
        }
    }
}
