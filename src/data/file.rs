//! Files opened for reading, unpacked on the way where their first bytes are those of gzip.

use crate::{Error, Result};
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::ops::Range;
use std::path::Path;

/// The file's bytes, those of its content where it is a gzip file, whatever its name.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read + Send>> {
    let failed = |error: io::Error| Error::file(path, error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let gzip = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(Members(Some(GzDecoder::new(file)))) } else { Box::new(file) })
}

/// Refuses rows that are not among the `all` of the file that errors call `place`.
pub(super) fn check_range(place: &str, rows: &Range<usize>, all: usize) -> Result<()> {
    if rows.start <= rows.end && rows.end <= all {
        return Ok(());
    }
    Err(Error::value(place, "rows", format!("within 0..{all}"), format!("{}..{}", rows.start, rows.end)))
}

/// What the members of a gzip file hold, one behind the other. Zeros may stand between and behind them, as tools that
/// write in blocks leave them; `None` once the last is read.
struct Members(Option<GzDecoder<BufReader<File>>>);

impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.0 {
            let count = member.read(buffer)?;
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            let next = self.0.take().map(GzDecoder::into_inner).map(after_zeros).transpose()?;
            self.0 = next.flatten().map(GzDecoder::new);
        }
        Ok(0)
    }
}

/// `file` at the first byte that is not 0, if there is one.
fn after_zeros(mut file: BufReader<File>) -> io::Result<Option<BufReader<File>>> {
    loop {
        let bytes = file.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let (zeros, all) = (bytes.iter().take_while(|byte| **byte == 0).count(), bytes.len());
        file.consume(zeros);
        if zeros < all {
            return Ok(Some(file));
        }
    }
}
