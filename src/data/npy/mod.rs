//! NumPy's files: NPY, an array, and NPZ, a ZIP archive of such.
//!
//! ```text
//! 0x93 NUMPY major minor   8 bytes
//! length                   little-endian u16 (major 1) or u32 (2, 3)
//! {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
//! value ...
//! ```
//! The header says how many bytes must follow, and no more is read, or allocated, than the file has and the header asks
//! for. Nothing is unpickled: arrays of objects are refused by the name of their type, and so are arrays of text where
//! numbers are read.

mod npz;
mod source;

pub use npz::{Npz, NpzWriter, write_npz};

use super::file::{check_range, open};
use super::{Array, Targets};
use crate::file::write_whole;
use crate::{Error, Result};
use source::Source;
use std::fs::File;
use std::io::{BufReader, Seek, SeekFrom};
use std::ops::Range;
use std::path::Path;

/// Reads an NPY file, plain or gzip: numbers and bools of any width and byte order, in C and in Fortran order.
///
/// # Errors
/// [`Error::File`] where it cannot be read; [`Error::Data`] where it is no NPY file, holds what is no number, more or fewer
/// values than its header says, or one that f32 cannot hold: an integer that it would round, a number that it would make
/// infinite.
///
/// ```
/// use axone::data::{Matrix, read_npy, write_npy};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-{}.npy", std::process::id()));
/// write_npy(&path, Matrix::from([[1.5, 2.0, -3.0]]))?;
/// let array = read_npy(&path)?;
/// assert_eq!((array.shape, array.data), (vec![1, 3], vec![1.5, 2.0, -3.0]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_npy(path: impl AsRef<Path>) -> Result<Array> {
    let path = path.as_ref();
    Source { path, place: path.display().to_string(), file: open(path)? }.array()
}

/// The sides of the array in an NPY file, of which no value is read.
///
/// # Errors
/// As [`read_npy`] for what stands in front of the values.
pub fn npy_shape(path: impl AsRef<Path>) -> Result<Vec<usize>> {
    let path = path.as_ref();
    let mut source = Source { path, place: path.display().to_string(), file: open(path)? };
    Ok(source.header()?.0.shape)
}

/// Some rows of an NPY file, and no more of it is read: for files larger than memory
/// ([`Stream::ranges`](super::Stream::ranges)).
///
/// # Errors
/// As [`read_npy`]; [`Error::Value`] for rows that the file does not have; [`Error::Data`] for a gzip file, which has no
/// middle to read from, and for columns that lie one behind the other (Fortran order).
///
/// ```
/// use axone::data::{Dataset, Matrix, Stream, npy_shape, read_npy_rows, write_npy};
/// # fn main() -> axone::Result<()> {
/// # let folder = std::env::temp_dir().join(format!("axone-doc-rows-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder).unwrap();
/// let (x, y) = (folder.join("x.npy"), folder.join("y.npy"));
/// write_npy(&x, Matrix::new(1000, 4, vec![0.5; 4000])?)?;
/// write_npy(&y, vec![1; 1000])?;
/// let stream = Stream::ranges(npy_shape(&x)?[0], 256, move |rows| {
///     Dataset::new(read_npy_rows(&x, rows.clone())?.into_matrix()?, read_npy_rows(&y, rows)?.to_labels()?)
/// });
/// assert_eq!(stream.epoch(0)?.count(), 32);
/// # std::fs::remove_dir_all(&folder).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_npy_rows(path: impl AsRef<Path>, rows: Range<usize>) -> Result<Array> {
    let path = path.as_ref();
    let failed = |error: std::io::Error| Error::file(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let place = path.display().to_string();
    let mut source = Source { path, place, file: Box::new(BufReader::new(file.try_clone().map_err(failed)?)) };
    let (header, start) = source.header()?;
    let size = source.size(header.kind.bytes(), &header.shape)?;
    let kind = format!("{:?}", header.kind);
    source.check_size(&kind, &header.shape, size, length.saturating_sub(start))?;
    let Some((&all, sides)) = header.shape.split_first() else {
        return Err(source.wrong("one number, which has no rows"));
    };
    if header.is_fortran && !sides.is_empty() {
        return Err(source.wrong("its columns lie one behind the other (fortran_order); rows must, to be read alone"));
    }
    check_range(&source.place, &rows, all)?;
    let row = size.checked_div(all as u64).unwrap_or(0);
    file.seek(SeekFrom::Start(start + row * rows.start as u64)).map_err(failed)?;
    source.file = Box::new(file);
    let values = source.read(row * rows.len() as u64)?;
    let data = source.decode(&header, values, (row / header.kind.bytes()) as usize * rows.start)?;
    Ok(Array { shape: [&[rows.len()], sides].concat(), data })
}

/// Writes an NPY file: a matrix as f4 of two sides, class numbers as u4 of one. The file is whole or not there.
///
/// # Errors
/// [`Error::File`] where it cannot be written.
///
/// ```
/// # let path = std::env::temp_dir().join(format!("axone-doc-labels-{}.npy", std::process::id()));
/// axone::data::write_npy(&path, vec![0, 2, 1])?; // numpy.load(path): array([0, 2, 1], dtype=uint32)
/// assert_eq!(axone::data::read_npy(&path)?.to_labels()?, [0, 2, 1]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok::<(), axone::Error>(())
/// ```
pub fn write_npy(path: impl AsRef<Path>, values: impl Into<Targets>) -> Result<()> {
    write_whole(path.as_ref(), &npy(&values.into()))
}

/// The bytes of an NPY file.
fn npy(values: &Targets) -> Vec<u8> {
    match values {
        Targets::Classes(labels) => framed("u4", &format!("({},)", labels.len()), bytemuck::cast_slice(labels)),
        Targets::Values(matrix) => {
            framed("f4", &format!("({}, {})", matrix.rows(), matrix.cols()), bytemuck::cast_slice(matrix.data()))
        }
    }
}

/// `values` behind the header that says what they are.
fn framed(kind: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    // As memory has them: little-endian on every machine that wgpu runs on.
    let order = if cfg!(target_endian = "little") { '<' } else { '>' };
    let mut header = format!("{{'descr': '{order}{kind}', 'fortran_order': False, 'shape': {shape}, }}");
    // The values begin at a multiple of 64, behind a line end.
    let padding = 63 - (10 + header.len()) % 64;
    header.extend(std::iter::repeat_n(' ', padding).chain(['\n']));
    let length = (header.len() as u16).to_le_bytes();
    [&[0x93][..], b"NUMPY\x01\x00", &length, header.as_bytes(), values].concat()
}
