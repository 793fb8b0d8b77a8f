//! Rows drawn from a stream that is read once: Algorithm R (J. S. Vitter, "Random sampling with a reservoir", ACM TOMS 11,
//! 1985).

use super::{Stream, held};
use crate::data::Dataset;
use crate::random::{self, stream_key};
use crate::{Error, Result};
use rand_core::Rng;

/// Samples are drawn from a stream of their own.
const SAMPLE_STREAM: u32 = u32::from_be_bytes(*b"rese");

/// Which of the rows that come one by one are kept: each with the same chance.
pub(in crate::data) struct Reservoir<T> {
    most: usize,
    seen: u64,
    words: random::Stream,
    /// The number of each row, and the row.
    kept: Vec<(u64, T)>,
}

impl<T> Reservoir<T> {
    /// One of `most` rows, drawn with `seed`; `place` asks for it.
    pub fn new(place: &str, most: usize, seed: u64) -> Result<Self> {
        if most == 0 {
            return Err(Error::value(place, "rows", "at least 1", most));
        }
        Ok(Self { most, seen: 0, words: random::Stream::of_key(stream_key(seed, SAMPLE_STREAM, 0)), kept: Vec::new() })
    }

    /// Shows it the next row, which is made only if it is kept.
    pub fn offer(&mut self, row: impl FnOnce() -> Result<T>) -> Result<()> {
        let number = self.seen;
        self.seen += 1;
        if self.kept.len() < self.most {
            self.kept.push((number, row()?));
            return Ok(());
        }
        // A draw below n of 64 bits: the chances of any two differ by less than n / 2^64.
        let draw = ((u128::from(self.words.next_u64()) * u128::from(self.seen)) >> 64) as usize;
        if let Some(place) = self.kept.get_mut(draw) {
            *place = (number, row()?);
        }
        Ok(())
    }

    /// The rows kept, in the order in which they came.
    pub fn into_rows(mut self) -> impl Iterator<Item = T> {
        self.kept.sort_by_key(|(number, _)| *number);
        self.kept.into_iter().map(|(_, row)| row)
    }
}

impl Stream {
    /// `rows` rows, or all where there are fewer, each with the same chance, in the order in which they came: to fit a scaler
    /// to, to look at, to validate on. Reads the stream once.
    ///
    /// # Errors
    /// [`Error::Value`] for no rows; what the reader returns; as an epoch for chunks of several kinds, and for none.
    ///
    /// ```
    /// use axone::data::{Dataset, Stream};
    /// let stream = Stream::ranges(10_000, 1000, |rows| {
    ///     let x: Vec<[f32; 1]> = rows.map(|row| [row as f32]).collect();
    ///     Dataset::new(x.clone(), x)
    /// });
    /// let sample = stream.sample(500, 7)?;
    /// let mean = sample.inputs()[0].data().iter().sum::<f32>() / 500.0;
    /// assert!((mean - 5000.0).abs() < 5.0 * 129.0); // five standard errors
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn sample(&self, rows: usize, seed: u64) -> Result<Dataset> {
        let mut reader = held(&self.reader)?;
        let mut reservoir = Reservoir::new("Stream::sample", rows, seed)?;
        let mut first = None;
        for chunk in 0.. {
            let Some(set) = reader(chunk)? else { break };
            let alike = first.get_or_insert_with(|| set.gather(&[0])).check_alike(&set);
            alike.map_err(|error| super::pass::in_chunk(chunk, error))?;
            (0..set.len()).try_for_each(|row| reservoir.offer(|| Ok(set.gather(&[row]))))?;
        }
        let rows: Vec<_> = reservoir.into_rows().map(|row| (row, 0..1)).collect();
        if rows.is_empty() {
            return Err(Error::data("stream", "the reader gave no rows"));
        }
        let sample = Dataset::joined(&rows)?;
        sample.check_part("Stream::sample", &(0..sample.len()).collect::<Vec<_>>())?;
        Ok(sample)
    }
}
