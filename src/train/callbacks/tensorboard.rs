//! Event files for TensorBoard, written by hand: three messages and two checksums.
//!
//! A file is a row of records (TensorFlow's `lib/io/record_writer.h`): the length of the data as u64, its masked
//! CRC-32C, the data, their masked CRC-32C, all little-endian. The data are protobuf messages `Event`
//! (`tensorflow/core/util/event.proto`): wall_time = 1 (double), step = 2 (int64), and either file_version = 3
//! (string), in the first record, or summary = 5 (`Summary`, whose value = 1 repeats: tag = 1 (string), simple_value
//! = 2 (float)).

use super::growing::Growing;
use crate::train::report::Epoch;
use crate::train::run::{Callback, Run};
use crate::{Error, Result};
use std::fs::File;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

const NAME: &str = "tensorboard";

/// Writes every value of every epoch, and the learning rate, as scalars that `tensorboard --logdir FOLDER` shows; the
/// step is the number of the epoch. Each run writes a file of its own in `folder`, which is made if it is not there; a
/// run that is resumed in the same folder goes on with its curves. What cannot be written is a warning
/// ([`History::warnings`](crate::train::History::warnings)) and follows later.
///
/// ```
/// use axone::prelude::*;
///
/// let settings = Fit::new().epochs(50).callback(TensorBoard::new("runs/first"));
/// ```
#[derive(Debug)]
pub struct TensorBoard {
    folder: PathBuf,
    file: Growing,
}

impl TensorBoard {
    /// To the folder `folder`, one for each run that is to have curves of its own.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), file: Growing::default() }
    }
}

impl Callback for TensorBoard {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn begin(&mut self, _: &mut Run<'_>) -> Result<()> {
        std::fs::create_dir_all(&self.folder).map_err(|error| Error::file(&self.folder, error))?;
        // TensorBoard reads every file with `tfevents` in its name, in the order of the names. Two runs may begin in
        // the same second: the number tells them apart.
        let (now, process) = (seconds() as u64, std::process::id());
        let mut number = 0;
        let file = loop {
            let path = self.folder.join(format!("events.out.tfevents.{now:010}.{process}.{number}.axone"));
            self.file = Growing::new(&path);
            match File::create_new(&path) {
                Ok(file) => break file,
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => number += 1,
                Err(error) => return Err(Error::file(path, error)),
            }
        };
        let mut event = Message::default();
        event.double(1, seconds());
        event.bytes(3, b"brain.Event:2");
        self.file.begin(file, &record(&event.0))
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let event = run.history().epochs.last().map(|epoch| record(&event(epoch)));
        self.file.add(NAME, run, &event.unwrap_or_default());
        Ok(())
    }
}

fn seconds() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

fn event(epoch: &Epoch) -> Vec<u8> {
    let rate = ("learning_rate", f64::from(epoch.learning_rate));
    let mut summary = Message::default();
    for (name, number) in epoch.values.iter().map(|(name, value)| (name.as_str(), *value)).chain([rate]) {
        let mut value = Message::default();
        value.bytes(1, name.as_bytes());
        value.float(2, number as f32);
        summary.bytes(1, &value.0);
    }
    let mut event = Message::default();
    event.double(1, seconds());
    event.integer(2, epoch.epoch as u64);
    event.bytes(5, &summary.0);
    event.0
}

/// A protobuf message: fields of a number, a wire type and a value.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    /// Seven bits a byte, the lowest first; all but the last byte have the highest bit.
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn integer(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn double(&mut self, field: u64, value: f64) {
        self.varint((field << 3) | 1);
        self.0.extend(value.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, value: &[u8]) {
        self.varint((field << 3) | 2);
        self.varint(value.len() as u64);
        self.0.extend(value);
    }

    fn float(&mut self, field: u64, value: f32) {
        self.varint((field << 3) | 5);
        self.0.extend(value.to_le_bytes());
    }
}

fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length, &masked(&length).to_le_bytes()[..], data, &masked(data).to_le_bytes()].concat()
}

/// A checksum that may itself lie in checksummed data: rotated, and moved by a constant.
fn masked(data: &[u8]) -> u32 {
    crc32c(data).rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32C (Castagnoli): polynomial 0x1edc6f41, bits reversed.
fn crc32c(data: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut i = 0;
        while i < 256 {
            let (mut crc, mut bit) = (i as u32, 0);
            while bit < 8 {
                crc = if crc & 1 == 1 { (crc >> 1) ^ 0x82f6_3b78 } else { crc >> 1 };
                bit += 1;
            }
            table[i] = crc;
            i += 1;
        }
        table
    };
    !data.iter().fold(!0, |crc, byte| (crc >> 8) ^ TABLE[usize::from(crc as u8 ^ byte)])
}

#[cfg(test)]
mod tests {
    /// The check value of the Castagnoli polynomial, and the examples of RFC 3720, B.4.
    #[test]
    fn checksums_are_those_of_the_standard() {
        assert_eq!(super::crc32c(b"123456789"), 0xe306_9283);
        assert_eq!(super::crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(super::crc32c(&[0xff; 32]), 0x62a8_ab43);
        assert_eq!(super::crc32c(&(0..32).collect::<Vec<u8>>()), 0x46dd_794e);
    }
}
