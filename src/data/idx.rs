//! The IDX format of the MNIST files (Y. LeCun, C. Cortes, C. J. C. Burges).
//!
//! ```text
//! 0 0 type sides   4 bytes; type: 8 u8, 9 i8, 11 i16, 12 i32, 13 f32, 14 f64
//! side ...         `sides` big-endian u32
//! value ...        row-major, big-endian
//! ```
//! The header says how many bytes must follow, so a truncated file, a wrong file and trailing bytes are all
//! found, and no more is ever read, or allocated, than the file has and the header asks for.

use super::file::{check_range, open};
use super::{Array, Dataset};
use crate::{Error, Result};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The array of an IDX file.
pub type IdxArray = Array;

/// Reads an IDX file, plain or gzip.
///
/// # Errors
/// [`Error::File`] where it cannot be read or unpacked; [`Error::Data`] where it is not an IDX file, holds more or fewer
/// values than its header says, or a value that f32 cannot hold: an i32 from 2²⁴ up that it would round, an f64 that it
/// would make infinite.
///
/// ```
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-{}.idx", std::process::id()));
/// std::fs::write(&path, [0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 10, 20, 30]).unwrap();
/// let array = axone::data::read_idx(&path)?;
/// assert_eq!((array.shape, array.data), (vec![1, 3], vec![10.0, 20.0, 30.0]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_idx(path: impl AsRef<Path>) -> Result<IdxArray> {
    let path = path.as_ref();
    let mut file = open(path)?;
    let header = Header::read(path, &mut file)?;
    let values = read(path, &mut file, header.size + 1)?;
    header.check_size(path, values.len() as u64)?;
    Ok(IdxArray { data: header.decode(path, &values, 0)?, shape: header.shape })
}

/// The sides of the array in an IDX file, of which no value is read.
///
/// # Errors
/// As [`read_idx`] for what stands in front of the values.
pub fn idx_shape(path: impl AsRef<Path>) -> Result<Vec<usize>> {
    let path = path.as_ref();
    Ok(Header::read(path, &mut open(path)?)?.shape)
}

/// Some rows of an IDX file, and no more of it is read: for files larger than memory
/// ([`Stream::ranges`](super::Stream::ranges)).
///
/// # Errors
/// As [`read_idx`]; [`Error::Value`] for rows that the file does not have; [`Error::Data`] for a gzip file, which has no
/// middle to read from.
///
/// ```
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-rows-{}.idx", std::process::id()));
/// std::fs::write(&path, [0, 0, 8, 1, 0, 0, 0, 3, 10, 20, 30]).unwrap();
/// assert_eq!(axone::data::idx_shape(&path)?, [3]);
/// assert_eq!(axone::data::read_idx_rows(&path, 1..3)?.data, [20.0, 30.0]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_idx_rows(path: impl AsRef<Path>, rows: Range<usize>) -> Result<IdxArray> {
    let path = path.as_ref();
    let failed = |error: std::io::Error| Error::file(path, error);
    let mut file = File::open(path).map_err(failed)?;
    let length = file.metadata().map_err(failed)?.len();
    let header = Header::read(path, &mut file)?;
    header.check_size(path, length.saturating_sub(header.start()))?;
    let Some((&all, sides)) = header.shape.split_first() else {
        return Err(Error::data(path.display().to_string(), "one number, which has no rows"));
    };
    check_range(&path.display().to_string(), &rows, all)?;
    let row = header.size.checked_div(all as u64).unwrap_or(0);
    file.seek(SeekFrom::Start(header.start() + row * rows.start as u64)).map_err(failed)?;
    let values = read(path, &mut file, row * rows.len() as u64)?;
    let data = header.decode(path, &values, (row / header.kind.bytes()) as usize * rows.start)?;
    Ok(IdxArray { shape: [&[rows.len()], sides].concat(), data })
}

/// At most `limit` bytes: fewer where there are no more.
fn read(path: &Path, file: &mut dyn Read, limit: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(limit).read_to_end(&mut bytes).map_err(|error| Error::file(path, error))?;
    Ok(bytes)
}

fn wrong(path: &Path, problem: String) -> Error {
    Error::data(path.display().to_string(), problem)
}

/// What stands in front of the values.
struct Header {
    kind: Kind,
    shape: Vec<usize>,
    /// Bytes of the values.
    size: u64,
}

impl Header {
    fn read(path: &Path, file: &mut dyn Read) -> Result<Self> {
        let wrong = |problem: String| wrong(path, problem);
        let magic = read(path, file, 4)?;
        let &[0, 0, kind, sides] = magic.as_slice() else {
            return Err(wrong(format!("not an IDX file: it starts with {magic:?}, expected 0, 0, type, sides")));
        };
        let kind = Kind::of(kind).ok_or_else(|| {
            wrong(format!("IDX type {kind:#04x} is unknown, expected 0x08, 0x09, 0x0b, 0x0c, 0x0d or 0x0e"))
        })?;
        let header = read(path, file, 4 * u64::from(sides))?;
        let (header, rest) = header.as_chunks::<4>();
        if header.len() != usize::from(sides) || !rest.is_empty() {
            return Err(wrong(format!("the file ends within the header of {sides} sides")));
        }
        let shape: Vec<u32> = header.iter().map(|side| u32::from_be_bytes(*side)).collect();
        let size = shape.iter().try_fold(kind.bytes(), |size, &side| size.checked_mul(u64::from(side)));
        let size =
            size.filter(|&size| size < u64::MAX).ok_or_else(|| wrong(format!("shape {shape:?} is too large")))?;
        Ok(Self { kind, shape: shape.into_iter().map(|side| side as usize).collect(), size })
    }

    /// Where the values begin.
    fn start(&self) -> u64 {
        4 + 4 * self.shape.len() as u64
    }

    /// Refuses other bytes than those of the values; `got` says how many there are.
    fn check_size(&self, path: &Path, got: u64) -> Result<()> {
        let Self { kind, shape, size } = self;
        if got == *size {
            return Ok(());
        }
        let got = if got > *size { "more".into() } else { got.to_string() };
        let takes = format!("shape {shape:?} of {kind:?} takes {size} bytes after the header, the file has {got}");
        Err(wrong(path, takes))
    }

    /// The numbers of `values`, the first of which is value `first` of the file.
    fn decode(&self, path: &Path, values: &[u8], first: usize) -> Result<Vec<f32>> {
        let held = |(at, value)| wrong(path, format!("value {} is {value}, which f32 cannot hold", first + at));
        self.kind.decode(values).map_err(held)
    }
}

/// The type of the values, printed as Rust names it.
#[derive(Debug, Clone, Copy)]
#[allow(non_camel_case_types, reason = "the names of Rust's types")]
enum Kind {
    u8,
    i8,
    i16,
    i32,
    f32,
    f64,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        match byte {
            0x08 => Some(Kind::u8),
            0x09 => Some(Kind::i8),
            0x0b => Some(Kind::i16),
            0x0c => Some(Kind::i32),
            0x0d => Some(Kind::f32),
            0x0e => Some(Kind::f64),
            _ => None,
        }
    }

    fn bytes(self) -> u64 {
        match self {
            Kind::u8 | Kind::i8 => 1,
            Kind::i16 => 2,
            Kind::i32 | Kind::f32 => 4,
            Kind::f64 => 8,
        }
    }

    /// The values, or the place and the text of the first that f32 cannot hold.
    fn decode(self, values: &[u8]) -> Result<Vec<f32>, (usize, String)> {
        match self {
            Kind::u8 => Ok(values.iter().map(|&value| f32::from(value)).collect()),
            Kind::i8 => Ok(values.iter().map(|&value| f32::from(value as i8)).collect()),
            Kind::i16 => words(values, i16::from_be_bytes, |value| Some(f32::from(value))),
            Kind::i32 => words(values, i32::from_be_bytes, |value| {
                Some(value as f32).filter(|rounded| f64::from(*rounded) == f64::from(value))
            }),
            Kind::f32 => words(values, f32::from_be_bytes, Some),
            Kind::f64 => words(values, f64::from_be_bytes, |value| {
                Some(value as f32).filter(|rounded| rounded.is_finite() || !value.is_finite())
            }),
        }
    }
}

fn words<const N: usize, T: Copy + std::fmt::Debug>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> T,
    narrow: impl Fn(T) -> Option<f32>,
) -> Result<Vec<f32>, (usize, String)> {
    let values = bytes.as_chunks().0.iter().map(|word| decode(*word)).enumerate();
    values.map(|(at, value)| narrow(value).ok_or_else(|| (at, format!("{value:?}")))).collect()
}

/// Reads MNIST, or a set in its form such as Fashion-MNIST: `(train, test)`, pixels scaled to 0..1, input shape
/// `[28, 28]`.
///
/// `folder` holds `train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, `t10k-images-idx3-ubyte` and
/// `t10k-labels-idx1-ubyte`, each plain or with `.gz` added, and each also with a point for the second dash, as some
/// archives have it: `train-images.idx3-ubyte`.
///
/// # Errors
/// [`Error::File`] for a file that is missing or cannot be read; [`Error::Data`] and [`Error::Shape`] for one
/// that is not of that form.
///
/// ```no_run
/// let (train, test) = axone::data::read_mnist("data/fashion-mnist")?;
/// println!("{} images to train on, {} to test with", train.len(), test.len());
/// # Ok::<(), axone::Error>(())
/// ```
pub fn read_mnist(folder: impl AsRef<Path>) -> Result<(Dataset, Dataset)> {
    let folder = folder.as_ref();
    Ok((read_part(folder, "train")?, read_part(folder, "t10k")?))
}

fn read_part(folder: &Path, part: &str) -> Result<Dataset> {
    let path = find(folder, &format!("{part}-images"), "idx3-ubyte")?;
    let mut images = read_idx(&path)?;
    let &[_, height, width] = images.shape.as_slice() else {
        let got = format!("{:?}", images.shape);
        return Err(Error::shape(path.display().to_string(), "three sides, [images, height, width]", got));
    };
    images.data.iter_mut().for_each(|pixel| *pixel /= 255.0);
    let labels = read_idx(find(folder, &format!("{part}-labels"), "idx1-ubyte")?)?.to_labels()?;
    Dataset::new(images.into_matrix()?, labels)?.with_input_shape(&[height, width])
}

/// The first file of `folder` that one of the spellings of `name` and `kind` names.
fn find(folder: &Path, name: &str, kind: &str) -> Result<PathBuf> {
    let [dash, point] = [format!("{name}-{kind}"), format!("{name}.{kind}")];
    let spellings = [dash.clone(), format!("{dash}.gz"), point.clone(), format!("{point}.gz")];
    let found = spellings.iter().map(|spelling| folder.join(spelling)).find(|path| path.is_file());
    found.ok_or_else(|| Error::file(folder.join(dash), format!("no such file, nor {point}, nor one with .gz added")))
}
