//! Files opened for reading, unpacked on the way where their first bytes are those of gzip.

use crate::{Error, Result};
use flate2::read::MultiGzDecoder;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

/// The file's bytes, those of its content where it is a gzip file, whatever its name.
pub(super) fn open(path: &Path) -> Result<Box<dyn Read>> {
    let failed = |error: std::io::Error| Error::file(path, error);
    let mut file = BufReader::new(File::open(path).map_err(failed)?);
    let gzip = file.fill_buf().map_err(failed)?.starts_with(&[0x1f, 0x8b]);
    Ok(if gzip { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) })
}
