//! Data sets larger than memory: read in chunks, shuffled in windows, handed out in batches.
//!
//! A thread reads ahead while batches are trained on, so that reading and computing overlap.

use super::shuffle::permutation;
use super::{Dataset, Matrix, Targets};
use crate::random::{stream_key, threefry2x32};
use crate::{Error, Result};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// Orders of windows are drawn from a stream of their own.
const WINDOW_STREAM: u32 = u32::from_be_bytes(*b"wind");

/// Gives chunk 0, 1, 2, … and then nothing.
type Reader = dyn FnMut(usize) -> Result<Option<Dataset>> + Send;

/// A data set that is read anew in each epoch, chunk by chunk: [`Dataset::stream`] makes it.
///
/// In memory are at most three windows (without shuffling: what of a chunk makes whole batches) and a chunk.
#[derive(Clone)]
pub struct Stream {
    reader: Arc<Mutex<Reader>>,
    batch: usize,
    shuffle: Option<(usize, u64)>,
}

impl Dataset {
    /// A data set larger than memory: `read` gives its chunks by their numbers, from 0 on, in every epoch anew, and `None`
    /// behind the last.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let stream = Dataset::stream(|chunk| {
    ///     let x: Vec<[f32; 1]> = (0..100).map(|row| [(100 * chunk + row) as f32 / 1000.0]).collect();
    ///     let y: Vec<f32> = x.iter().map(|x| 3.0 * x[0]).collect();
    ///     if chunk < 10 { Dataset::new(x, y).map(Some) } else { Ok(None) }
    /// });
    /// let stream = stream.batch_size(32).shuffle(512, 1);
    /// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.02))?;
    /// for epoch in 0..20 {
    ///     for batch in stream.epoch(epoch)? {
    ///         model.queue_step(&batch?)?;
    ///     }
    /// }
    /// assert!(model.last_evaluation()?.loss() < 0.01);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn stream(read: impl FnMut(usize) -> Result<Option<Dataset>> + Send + 'static) -> Stream {
        Stream { reader: Arc::new(Mutex::new(read)), batch: 32, shuffle: None }
    }
}

impl Stream {
    /// A data set of several files, each read by `read` when it is its turn: `Stream::files(paths, |path| read_csv(path,
    /// options.clone()))`.
    pub fn files(
        paths: impl IntoIterator<Item = impl Into<PathBuf>>,
        mut read: impl FnMut(&Path) -> Result<Dataset> + Send + 'static,
    ) -> Self {
        let paths: Vec<PathBuf> = paths.into_iter().map(Into::into).collect();
        Dataset::stream(move |chunk| paths.get(chunk).map(|path| read(path)).transpose())
    }

    /// Rows of a batch; 32 if not told. The last batch of an epoch may be smaller.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch = rows;
        self
    }

    /// Shuffles the rows of each `window` rows, in each epoch otherwise. Without it they come in the order in which they
    /// are read, and training steps have the bits of the same rows in memory.
    pub fn shuffle(mut self, window: usize, seed: u64) -> Self {
        self.shuffle = Some((window, seed));
        self
    }

    /// The batches of epoch `number`, which decides the order of the rows. Reading begins at once, and ahead of what is
    /// asked for; what goes wrong there comes out as an item, and the last one.
    ///
    /// # Errors
    /// [`Error::Value`] for batches without rows, and for a window of fewer rows than a batch.
    pub fn epoch(&self, number: u64) -> Result<Batches> {
        if self.batch == 0 {
            return Err(Error::value("stream", "batch_size", "at least 1", 0));
        }
        if let Some((window, _)) = self.shuffle.filter(|(window, _)| *window < self.batch) {
            return Err(Error::value("stream", "window", format!("at least a batch of {} rows", self.batch), window));
        }
        let (sender, receiver) = sync_channel(1);
        let stream = self.clone();
        let thread = std::thread::spawn(move || {
            let outcome = stream.read(number, &sender);
            // Nobody listens to an epoch that was broken off.
            let _broken_off = sender.send(outcome.map_or_else(Part::Failed, |()| Part::End));
        });
        Ok(Batches { batch: self.batch, window: None, next: 0, reading: Some((receiver, thread)) })
    }

    /// Reads an epoch and sends its windows.
    fn read(&self, number: u64, sender: &SyncSender<Part>) -> Result<()> {
        let Ok(mut reader) = self.reader.try_lock() else {
            return Err(Error::value("stream", "epoch", "the only one that is read", "a second one at the same time"));
        };
        let size = self.shuffle.map_or(self.batch, |(window, _)| window / self.batch * self.batch);
        // Chunks that are too few rows yet, with their numbers.
        let (mut waiting, mut windows): (Vec<(usize, Dataset)>, u32) = (Vec::new(), 0);
        let mut send = |rows: Dataset| {
            let order = self.shuffle.map(|(_, seed)| {
                let key = threefry2x32(stream_key(seed, WINDOW_STREAM, crate::random::counter(number)), [windows, 0]);
                permutation(rows.len() as u32, key).into_iter().map(|row| row as usize).collect::<Vec<_>>()
            });
            windows = windows.wrapping_add(1);
            sender.send(Part::Window(order.map_or(rows.clone(), |order| rows.gather(&order)))).is_ok()
        };
        for chunk in 0.. {
            let Some(read) = reader(chunk)? else { break };
            waiting.push((chunk, read));
            if waiting.iter().map(|(_, rows)| rows.len()).sum::<usize>() < size {
                continue;
            }
            let rows = Dataset::joined(std::mem::take(&mut waiting))?;
            // Unshuffled rows go on as soon as they make whole batches.
            let whole = rows.len() / size * size;
            let step = if self.shuffle.is_some() { size } else { whole.max(1) };
            for first in (0..whole).step_by(step) {
                if !send(rows.gather(&(first..first + step).collect::<Vec<_>>())) {
                    return Ok(());
                }
            }
            if whole < rows.len() {
                waiting.push((chunk, rows.gather(&(whole..rows.len()).collect::<Vec<_>>())));
            }
        }
        if !waiting.is_empty() {
            send(Dataset::joined(waiting)?);
        } else if windows == 0 {
            return Err(Error::data("stream", "the reader gave no rows"));
        }
        Ok(())
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("batch", &self.batch).field("shuffle", &self.shuffle).finish_non_exhaustive()
    }
}

/// What comes from the thread that reads.
enum Part {
    Window(Dataset),
    Failed(Error),
    End,
}

/// The batches of an epoch of a [`Stream`]. Dropping it ends the reading.
#[derive(Debug)]
pub struct Batches {
    batch: usize,
    window: Option<Dataset>,
    /// The next row of the window.
    next: usize,
    reading: Option<(Receiver<Part>, JoinHandle<()>)>,
}

impl Batches {
    fn finish(&mut self) {
        if let Some((receiver, thread)) = self.reading.take() {
            drop(receiver); // so that the thread does not wait for somebody to take what it sends
            let _panicked = thread.join();
        }
    }
}

impl Iterator for Batches {
    type Item = Result<Dataset>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(window) = self.window.as_ref().filter(|window| self.next < window.len()) {
                let rows = self.next..window.len().min(self.next + self.batch);
                self.next = rows.end;
                return Some(Ok(window.gather(&rows.collect::<Vec<_>>())));
            }
            let (receiver, _) = self.reading.as_ref()?;
            match receiver.recv() {
                Ok(Part::Window(window)) => (self.window, self.next) = (Some(window), 0),
                Ok(Part::Failed(error)) => {
                    self.finish();
                    return Some(Err(error));
                }
                Ok(Part::End) => self.finish(),
                Err(_) => {
                    self.finish();
                    return Some(Err(Error::data("stream", "its reader panicked")));
                }
            }
        }
    }
}

impl Drop for Batches {
    fn drop(&mut self) {
        self.finish();
    }
}

impl Dataset {
    /// The rows of `chunks`, one behind the other; each comes with its number.
    fn joined(chunks: Vec<(usize, Self)>) -> Result<Self> {
        let Some(((_, first), others)) = chunks.split_first() else {
            return Err(Error::Internal("no chunks are joined".to_owned()));
        };
        others.iter().try_for_each(|(chunk, more)| first.check_alike(more, *chunk))?;
        let all = || chunks.iter().map(|(_, set)| set);
        let inputs =
            (0..first.inputs.len()).map(|i| Matrix::vstack(&all().map(|set| &set.inputs[i]).collect::<Vec<_>>()));
        let targets = first.targets.iter().enumerate().map(|(i, target)| match target {
            Targets::Classes(_) => {
                Ok(Targets::Classes(all().filter_map(|set| set.targets[i].labels()).flatten().copied().collect()))
            }
            Targets::Values(_) => {
                let values: Vec<&Matrix> = all().filter_map(|set| set.targets[i].values()).collect();
                Matrix::vstack(&values).map(Targets::Values)
            }
        });
        let weights = first.weights.is_some();
        let of_target = |i: usize| -> Option<Arc<Vec<f32>>> {
            first.target_weights(i)?;
            Some(Arc::new(all().filter_map(|set| set.target_weights(i)).flatten().copied().collect()))
        };
        Ok(Self {
            rows: all().map(Self::len).sum(),
            inputs: Arc::new(inputs.collect::<Result<_>>()?),
            shapes: first.shapes.clone(),
            targets: Arc::new(targets.collect::<Result<_>>()?),
            weights: weights.then(|| Arc::new(all().filter_map(Self::weights).flatten().copied().collect())),
            target_weights: (0..first.target_weights.len()).map(of_target).collect(),
        })
    }

    /// Refuses `more`, of chunk `chunk`, where its rows are not of the kind of these.
    fn check_alike(&self, more: &Self, chunk: usize) -> Result<()> {
        let misfit = |what: &str, expected: String, got: String| {
            Err(Error::shape(format!("chunk {chunk} {what}"), expected, got))
        };
        if (self.inputs.len(), self.targets.len()) != (more.inputs.len(), more.targets.len()) {
            let count = |set: &Self| format!("{} inputs and {} targets", set.inputs.len(), set.targets.len());
            return misfit("data", count(self), count(more));
        }
        let columns = |what: String, a: usize, b: usize| match a == b {
            true => Ok(()),
            false => misfit(&what, format!("{a} columns"), b.to_string()),
        };
        for (i, (a, b)) in self.inputs.iter().zip(more.inputs.iter()).enumerate() {
            columns(format!("inputs[{i}]"), a.cols(), b.cols())?;
        }
        for (i, pair) in self.targets.iter().zip(more.targets.iter()).enumerate() {
            let what = format!("targets[{i}]");
            match pair {
                (Targets::Classes(_), Targets::Classes(_)) => {}
                (Targets::Values(a), Targets::Values(b)) => columns(what, a.cols(), b.cols())?,
                (Targets::Classes(_), Targets::Values(_)) => return misfit(&what, "classes".into(), "values".into()),
                (Targets::Values(_), Targets::Classes(_)) => return misfit(&what, "values".into(), "classes".into()),
            }
        }
        let both = |what: &str, before: bool, now: bool| match (before, now) {
            (true, false) => misfit(what, "some, as before".into(), "none".into()),
            (false, true) => misfit(what, "none, as before".into(), "some".into()),
            (false, false) | (true, true) => Ok(()),
        };
        for i in 0..self.targets.len() {
            let of = |set: &Self| set.target_weights(i).is_some();
            both(&format!("target_weights[{i}]"), of(self), of(more))?;
        }
        both("weights", self.weights.is_some(), more.weights.is_some())
    }
}
