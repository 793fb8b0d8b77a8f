//! Data sets larger than memory: read in chunks, shuffled in windows, trained on by `fit` or handed out in batches.
//!
//! A thread reads ahead while rows are trained on, so that reading and computing overlap.

mod batches;
mod pass;
mod pieces;
mod sample;
#[cfg(feature = "datasets")]
mod table;

pub use batches::Batches;
pub(crate) use pass::{Pass, Window};

use super::Dataset;
use crate::{Error, Result};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};

/// Gives chunk 0, 1, 2, … and then nothing.
type Reader = dyn FnMut(usize) -> Result<Option<Dataset>> + Send;

/// A data set that is read anew in each epoch, chunk by chunk: [`Dataset::stream`] makes it of a closure, `Stream::table` of
/// a table that is a file. [`Model::fit`](crate::model::Model::fit) trains on it.
///
/// In memory are at most three windows (without shuffling: none) and three chunks.
#[derive(Clone)]
pub struct Stream {
    reader: Arc<Mutex<Reader>>,
    batch: Option<usize>,
    shuffle: Option<(usize, u64)>,
    rows: Option<usize>,
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
    /// let stream = stream.shuffle(512, 1);
    /// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.02))?;
    /// let history = model.fit(&stream, &Fit::new().epochs(20).silent())?;
    /// assert!(history.last("loss").unwrap() < 0.01);
    ///
    /// // The same by hand.
    /// for batch in stream.epoch(21)? {
    ///     model.queue_step(&batch?)?;
    /// }
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn stream(read: impl FnMut(usize) -> Result<Option<Dataset>> + Send + 'static) -> Stream {
        Stream { reader: Arc::new(Mutex::new(read)), batch: None, shuffle: None, rows: None }
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

    /// A data set of `rows` rows that `read` gives by their places, `of` rows at a time: files whose rows can be read from
    /// the middle, as `read_npy_rows` and `read_idx_rows` do.
    ///
    /// ```
    /// use axone::data::{Dataset, Stream};
    /// let stream = Stream::ranges(1000, 300, |rows| {
    ///     let x: Vec<[f32; 1]> = rows.map(|row| [row as f32]).collect();
    ///     Dataset::new(x.clone(), x)
    /// });
    /// let sizes = stream.batch_size(400).epoch(0)?.map(|batch| Ok(batch?.len())).collect::<axone::Result<Vec<_>>>()?;
    /// assert_eq!(sizes, [400, 400, 200]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn ranges(
        rows: usize,
        of: usize,
        mut read: impl FnMut(Range<usize>) -> Result<Dataset> + Send + 'static,
    ) -> Self {
        let stream = Dataset::stream(move |chunk| {
            if of == 0 {
                return Err(Error::value("Stream::ranges", "of", "at least 1", of));
            }
            let first = chunk.saturating_mul(of);
            (first < rows).then(|| read(first..rows.min(first.saturating_add(of)))).transpose()
        });
        stream.rows(rows)
    }

    /// Rows of a batch of [`epoch`](Self::epoch); 32 if not told. The last batch of an epoch may be smaller. Batches of
    /// [`Model::fit`](crate::model::Model::fit) are those of [`Fit::batch_size`](crate::train::Fit::batch_size), and another
    /// size told here is refused there.
    pub fn batch_size(mut self, rows: usize) -> Self {
        self.batch = Some(rows);
        self
    }

    /// Shuffles the rows of each `window` rows, in each epoch otherwise. Without it they come in the order in which they
    /// are read, and training has the bits of the same rows in memory.
    pub fn shuffle(mut self, window: usize, seed: u64) -> Self {
        self.shuffle = Some((window, seed));
        self
    }

    /// How many rows an epoch has, where that is known before it is read: then the first epoch has a bar with an end, and
    /// schedules that span the run can be used. An epoch of more or fewer is an error.
    pub fn rows(mut self, rows: usize) -> Self {
        self.rows = Some(rows);
        self
    }

    /// The same stream with each chunk through `f`: scaling by what a [`sample`](Self::sample) taught, weights, new columns.
    ///
    /// ```
    /// use axone::data::{Dataset, Standardizer, Stream};
    /// let stream = Stream::ranges(1000, 100, |rows| {
    ///     let x: Vec<[f32; 1]> = rows.map(|row| [row as f32]).collect();
    ///     Dataset::new(x.clone(), x)
    /// });
    /// let scaler = Standardizer::fit(&stream.sample(200, 1)?.inputs()[0])?;
    /// let scaled = stream.map(move |chunk| chunk.map_inputs(|x| scaler.transform(x)));
    /// # assert!(scaled.epoch(0)?.next().unwrap()?.inputs()[0].data()[0] < -1.0);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn map(self, mut f: impl FnMut(Dataset) -> Result<Dataset> + Send + 'static) -> Self {
        let reader = self.reader.clone();
        let read = move |chunk| held(&reader)?(chunk)?.map(&mut f).transpose();
        Self { reader: Arc::new(Mutex::new(read)), ..self }
    }

    /// All rows in batches of `batch` rows, as a run reads them: shuffled by window and seed, as many as there must be, each
    /// chunk checked on the thread that reads.
    pub(crate) fn batches(&self, pass: Pass) -> Batches {
        let batch = pass.batch;
        Batches::new(self.pass(pass), batch)
    }

    /// The batches of epoch `number`, which decides the order of the rows. Reading begins at once, and ahead of what is
    /// asked for; what goes wrong there comes out as an item, and the last one.
    ///
    /// # Errors
    /// [`Error::Value`] for batches without rows, and for a window of fewer rows than a batch.
    pub fn epoch(&self, number: u64) -> Result<Batches> {
        let batch = self.batch.unwrap_or(32);
        self.check(batch)?;
        let pass = Pass { number, batch, shuffle: self.shuffle, rows: self.rows, check: Box::new(|_| Ok(())) };
        Ok(self.batches(pass))
    }

    /// The first `batch` rows of an epoch.
    pub(crate) fn first_batch(&self, batch: usize) -> Result<Dataset> {
        let first = self.clone().batch_size(batch).epoch(1)?.next();
        first.unwrap_or_else(|| Err(Error::Internal("a stream without rows".to_owned())))
    }

    /// Refuses batches without rows, and windows of fewer rows than a batch.
    fn check(&self, batch: usize) -> Result<()> {
        if batch == 0 {
            return Err(Error::value("stream", "batch_size", "at least 1", 0));
        }
        match self.shuffle {
            Some((window, _)) if window < batch => {
                Err(Error::value("stream", "window", format!("at least a batch of {batch} rows"), window))
            }
            Some((window, _)) if u32::try_from(window).is_err() => {
                Err(Error::value("stream", "window", format!("at most {} rows", u32::MAX), window))
            }
            _ => Ok(()),
        }
    }

    /// [`check`](Self::check) for a run in batches of `batch` rows.
    pub(crate) fn check_run(&self, batch: usize) -> Result<()> {
        match self.batch {
            Some(own) if own != batch => {
                let wanted = format!("that of the run, {batch} (`Fit::batch_size`), or not told");
                Err(Error::value("stream", "batch_size", wanted, own))
            }
            _ => self.check(batch),
        }
    }

    /// Window and seed, where it is shuffled.
    pub(crate) fn window(&self) -> Option<(usize, u64)> {
        self.shuffle
    }

    /// The rows of an epoch, where they were told.
    pub(crate) fn known_rows(&self) -> Option<usize> {
        self.rows
    }
}

/// The reader, for one who reads.
fn held(reader: &Mutex<Reader>) -> Result<MutexGuard<'_, Reader>> {
    match reader.try_lock() {
        Ok(reader) => Ok(reader),
        // A panic was told where it arose; chunk 0 begins anew.
        Err(TryLockError::Poisoned(poisoned)) => Ok(poisoned.into_inner()),
        Err(TryLockError::WouldBlock) => {
            Err(Error::value("stream", "epoch", "the only one that is read", "a second one at the same time"))
        }
    }
}

/// The same stream of the same settings.
impl PartialEq for Stream {
    fn eq(&self, other: &Self) -> bool {
        let settings = |stream: &Self| (stream.batch, stream.shuffle, stream.rows);
        Arc::ptr_eq(&self.reader, &other.reader) && settings(self) == settings(other)
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = f.debug_struct("Stream");
        out.field("batch", &self.batch)
            .field("shuffle", &self.shuffle)
            .field("rows", &self.rows)
            .finish_non_exhaustive()
    }
}
