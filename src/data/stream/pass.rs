//! A stream read once, by a thread of its own: windows of rows and the order in which they are visited.

use super::pieces::Pieces;
use super::{Stream, held};
use crate::data::Dataset;
use crate::data::shuffle::permutation;
use crate::random::{counter, stream_key, threefry2x32};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Orders of windows are drawn from a stream of their own.
const WINDOW_STREAM: u32 = u32::from_be_bytes(*b"wind");

/// Refuses a chunk.
pub(crate) type Check = Box<dyn FnMut(&Dataset) -> Result<()> + Send>;

/// How a stream is read once.
pub(crate) struct Pass {
    /// The number of the epoch, which decides the order of shuffled rows.
    pub number: u64,
    /// Windows are whole batches, but for the last.
    pub batch: usize,
    /// Window and seed.
    pub shuffle: Option<(usize, u64)>,
    /// How many rows there must be, where that is known.
    pub rows: Option<usize>,
    /// Called on the thread that reads.
    pub check: Check,
}

/// Some rows of a set that lies in memory.
#[derive(Debug)]
pub(crate) struct Window {
    pub rows: Dataset,
    /// Those that are visited, one after the other.
    pub order: Vec<u32>,
}

/// What comes from the thread that reads.
enum Part {
    Window(Window),
    Failed(Error),
    End,
}

/// The windows of a pass. Dropping it ends the reading.
#[derive(Debug)]
pub(crate) struct Windows(Option<(Receiver<Part>, JoinHandle<()>)>);

impl Stream {
    /// Begins to read, one window ahead of what is asked for. What goes wrong comes out as an item, and the last one.
    pub(crate) fn pass(&self, pass: Pass) -> Windows {
        let (sender, receiver) = sync_channel(0);
        let stream = self.clone();
        let thread = std::thread::spawn(move || {
            let outcome = stream.read(pass, &sender);
            // Nobody listens to a pass that was broken off.
            let _broken_off = sender.send(outcome.map_or_else(Part::Failed, |()| Part::End));
        });
        Windows(Some((receiver, thread)))
    }

    /// Reads all chunks and sends their windows.
    fn read(&self, mut pass: Pass, sender: &SyncSender<Part>) -> Result<()> {
        let mut reader = held(&self.reader)?;
        let size = pass.shuffle.map_or(pass.batch, |(window, _)| window / pass.batch * pass.batch);
        let (mut pieces, mut rows, mut windows, mut first) = (Pieces::default(), 0usize, 0u32, None);
        let mut send = |pieces: &mut Pieces, count: usize| {
            let (set, place) = pieces.take(count)?;
            let order = match pass.shuffle {
                None => place.map(|row| row as u32).collect(),
                Some((_, seed)) => {
                    let key = stream_key(seed, WINDOW_STREAM, counter(pass.number));
                    let order = permutation(count as u32, threefry2x32(key, [windows, 0]));
                    order.into_iter().map(|row| row + place.start as u32).collect()
                }
            };
            windows = windows.wrapping_add(1);
            Ok::<bool, Error>(sender.send(Part::Window(Window { rows: set, order })).is_ok())
        };
        for chunk in 0.. {
            let Some(set) = reader(chunk)? else { break };
            let alike = first.get_or_insert_with(|| set.gather(&[0])).check_alike(&set);
            alike.and_then(|()| (pass.check)(&set)).map_err(|error| in_chunk(chunk, error))?;
            rows = rows.saturating_add(set.len());
            check_rows(pass.rows, rows, |known| rows > known, "or more")?;
            pieces.push(set);
            while pieces.len() >= size {
                // Unshuffled rows go on as soon as they make whole batches, without being joined.
                let whole = pieces.first() / size * size;
                if !send(&mut pieces, if pass.shuffle.is_some() { size } else { whole.max(size) })? {
                    return Ok(());
                }
            }
        }
        if rows == 0 {
            return Err(Error::data("stream", "the reader gave no rows"));
        }
        check_rows(pass.rows, rows, |known| rows < known, "alone")?;
        if pieces.len() > 0 {
            let rest = pieces.len();
            send(&mut pieces, rest)?;
        }
        Ok(())
    }
}

/// Refuses `rows` where they are not those known.
fn check_rows(known: Option<usize>, rows: usize, differs: impl Fn(usize) -> bool, how: &str) -> Result<()> {
    match known {
        Some(known) if differs(known) => {
            let problem = format!("an epoch of {rows} rows {how}, where {known} were told or were in the epoch before");
            Err(Error::data("stream", problem))
        }
        _ => Ok(()),
    }
}

/// An error with the number of the chunk that it is about.
pub(super) fn in_chunk(chunk: usize, error: Error) -> Error {
    match error {
        Error::Data { place, problem } => Error::Data { place: format!("chunk {chunk} {place}"), problem },
        Error::Shape { place, expected, got } => {
            Error::Shape { place: format!("chunk {chunk} {place}"), expected, got }
        }
        other => other,
    }
}

impl Windows {
    fn finish(&mut self) {
        if let Some((receiver, thread)) = self.0.take() {
            drop(receiver); // so that the thread does not wait for somebody to take what it sends
            let _panicked = thread.join();
        }
    }
}

impl Iterator for Windows {
    type Item = Result<Window>;

    fn next(&mut self) -> Option<Self::Item> {
        let (receiver, _) = self.0.as_ref()?;
        let part = receiver.recv();
        if let Ok(Part::Window(window)) = part {
            return Some(Ok(window));
        }
        self.finish();
        match part {
            Ok(Part::Failed(error)) => Some(Err(error)),
            Ok(_) => None,
            Err(_) => Some(Err(Error::data("stream", "its reader panicked"))),
        }
    }
}

impl Drop for Windows {
    fn drop(&mut self) {
        self.finish();
    }
}
