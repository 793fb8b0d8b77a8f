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

use super::file::{check_range, open};
use super::table::quoted;
use super::{Array, Targets};
use crate::file::write_whole;
use crate::{Error, Result, size};
use half::f16;
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// Longest header that is read: NumPy itself takes no more than 10,000 bytes unless told to.
const MOST_HEADER: u32 = 1 << 16;

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

/// An NPZ file, whose arrays are read by name: what `numpy.savez` and `savez_compressed` write.
///
/// ```
/// use axone::data::{Dataset, Matrix, Npz, Targets, write_npz};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-{}.npz", std::process::id()));
/// write_npz(&path, [("x", Targets::from(Matrix::from([[0.5], [1.5]]))), ("y", Targets::from([0, 1]))])?;
/// let mut file = Npz::open(&path)?;
/// assert_eq!(file.names(), ["x", "y"]);
/// let set = Dataset::new(file.read("x")?.into_matrix()?, file.read("y")?.to_labels()?)?;
/// assert_eq!((set.len(), set.classes()), (2, Some(2)));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, or is no ZIP archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let file = File::open(&path).map_err(|error| Error::file(&path, error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| Error::file(&path, error))?;
        Ok(Self { path, archive })
    }

    /// The names of its arrays, in the order of the archive.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect()
    }

    /// The array of that name.
    ///
    /// # Errors
    /// [`Error::Value`] for a name that is not there; as [`read_npy`] for its content.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        self.source(name)?.array()
    }

    /// The array of that name as the fields of a table: a row for each index of the first side, text as it is and numbers
    /// as they are printed.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Data`] for what is no Unicode.
    ///
    /// ```
    /// use axone::data::{Npz, NpzWriter};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-texts-{}.npz", std::process::id()));
    /// let mut file = NpzWriter::new(&path);
    /// file.add_texts("town", &["Ulm", "Köln"])?;
    /// file.finish()?;
    /// assert_eq!(Npz::open(&path)?.read_fields("town")?, [["Ulm"], ["Köln"]]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_fields(&mut self, name: &str) -> Result<Vec<Vec<String>>> {
        self.source(name)?.fields()
    }

    fn source(&mut self, name: &str) -> Result<Source<'_>> {
        let known: Vec<String> = self.names().iter().take(20).map(|name| quoted(name)).collect();
        let Some(at) = self.archive.index_for_name(&format!("{name}.npy")) else {
            let (place, expected) = (self.path.display().to_string(), format!("one of {}", known.join(", ")));
            return Err(Error::value(place, "array", expected, quoted(name)));
        };
        let file = self.archive.by_index(at).map_err(|error| Error::file(&self.path, error))?;
        let place = format!("{}, array {}", self.path.display(), quoted(name));
        Ok(Source { path: &self.path, place, file: Box::new(file) })
    }
}

/// Where the bytes of an array come from.
struct Source<'a> {
    path: &'a Path,
    /// What errors call it.
    place: String,
    file: Box<dyn Read + 'a>,
}

impl Source<'_> {
    fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::data(&self.place, problem)
    }

    /// At most `limit` bytes: fewer where there are no more.
    fn read(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(limit).read_to_end(&mut bytes);
        read.map_err(|error| Error::file(self.path, error))?;
        Ok(bytes)
    }

    fn array(mut self) -> Result<Array> {
        let (header, _) = self.header()?;
        self.numbers(header)
    }

    fn fields(mut self) -> Result<Vec<Vec<String>>> {
        let (Header { kind, is_big, is_fortran, shape }, _) = self.any_header()?;
        let rows = |shape: &[usize], texts: Vec<String>| {
            let width = texts.len() / shape.first().copied().unwrap_or(1).max(1);
            texts.chunks(width.max(1)).map(<[String]>::to_vec).collect()
        };
        match kind {
            Ok(kind) => {
                let Array { shape, data } = self.numbers(Header { kind, is_big, is_fortran, shape })?;
                Ok(rows(&shape, data.iter().map(f32::to_string).collect()))
            }
            Err(NoNumber { characters: Some(length), .. }) => {
                let values = self.values(length.saturating_mul(4), "text", &shape)?;
                let points = values.as_chunks::<4>().0.iter();
                let point =
                    |bytes: &[u8; 4]| if is_big { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
                let points: Vec<u32> = points.map(point).collect();
                let mut texts = Vec::with_capacity(points.len() / length as usize);
                for points in points.chunks(length as usize) {
                    let end = points.iter().rposition(|point| *point != 0).map_or(0, |last| last + 1);
                    let text: Option<String> = points.iter().take(end).map(|point| char::from_u32(*point)).collect();
                    texts.push(text.ok_or_else(|| self.wrong(format!("text {} is no Unicode", texts.len())))?);
                }
                Ok(rows(&shape, if is_fortran && shape.len() > 1 { in_rows(&shape, &texts) } else { texts }))
            }
            Err(problem) => Err(self.wrong(problem)),
        }
    }

    /// The header of an array of numbers, and how many bytes it takes.
    fn header(&mut self) -> Result<(Header<Kind>, u64)> {
        let (Header { kind, is_big, is_fortran, shape }, bytes) = self.any_header()?;
        let kind = kind.map_err(|problem| self.wrong(problem))?;
        Ok((Header { kind, is_big, is_fortran, shape }, bytes))
    }

    fn any_header(&mut self) -> Result<(Header<Result<Kind, NoNumber>>, u64)> {
        let start = self.read(8)?;
        let &[0x93, b'N', b'U', b'M', b'P', b'Y', version, _] = start.as_slice() else {
            return Err(self.wrong(format!("not an NPY file: it starts with {start:?}, expected 147, then NUMPY")));
        };
        let length = match (version, self.read(if version == 1 { 2 } else { 4 })?.as_slice()) {
            (1, &[a, b]) => u32::from(u16::from_le_bytes([a, b])),
            (2 | 3, &[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]),
            (1..=3, _) => return Err(self.wrong("the file ends within its header")),
            _ => return Err(self.wrong(format!("version {version} of the format, known are 1, 2 and 3"))),
        };
        if length > MOST_HEADER {
            return Err(self.wrong(format!("a header of {length} bytes, more than {MOST_HEADER}")));
        }
        let text = self.read(u64::from(length))?;
        if text.len() as u64 != u64::from(length) {
            return Err(self.wrong("the file ends within its header"));
        }
        let header = Header::of(&text).map_err(|problem| self.wrong(problem))?;
        Ok((header, 8 + if version == 1 { 2 } else { 4 } + u64::from(length)))
    }

    /// Bytes of all values, each of so many.
    fn size(&self, width: u64, shape: &[usize]) -> Result<u64> {
        let count = size::product(shape).and_then(|count| (count as u64).checked_mul(width));
        let size = count.filter(|size| *size < u64::MAX);
        size.ok_or_else(|| self.wrong(format!("shape {shape:?} is too large")))
    }

    /// Refuses other bytes than those of the values behind the header; `got` says how many there are.
    fn check_size(&self, kind: &str, shape: &[usize], size: u64, got: u64) -> Result<()> {
        if got == size {
            return Ok(());
        }
        let got = if got > size { "more".into() } else { got.to_string() };
        Err(self.wrong(format!("shape {shape:?} of {kind} takes {size} bytes after the header, the file has {got}")))
    }

    /// The bytes of all values, each of `width`, and nothing behind them.
    fn values(&mut self, width: u64, kind: &str, shape: &[usize]) -> Result<Vec<u8>> {
        let size = self.size(width, shape)?;
        let values = self.read(size + 1)?;
        self.check_size(kind, shape, size, values.len() as u64)?;
        Ok(values)
    }

    /// The numbers of `values`, the first of which is element `first` of the array.
    fn decode(&self, header: &Header<Kind>, mut values: Vec<u8>, first: usize) -> Result<Vec<f32>> {
        let Header { kind, is_big, is_fortran, shape } = header;
        if *is_big {
            values.chunks_exact_mut(kind.bytes() as usize).for_each(<[u8]>::reverse);
        }
        kind.decode(&values).map_err(|(at, value)| {
            let place = index(shape, first + at, *is_fortran);
            self.wrong(format!("value {place:?} is {value}, which f32 cannot hold"))
        })
    }

    fn numbers(&mut self, header: Header<Kind>) -> Result<Array> {
        let values = self.values(header.kind.bytes(), &format!("{:?}", header.kind), &header.shape)?;
        let mut data = self.decode(&header, values, 0)?;
        if header.is_fortran && header.shape.len() > 1 {
            data = in_rows(&header.shape, &data);
        }
        Ok(Array { shape: header.shape, data })
    }
}

/// The place of element `at` along each side; in Fortran order the first side runs fastest.
fn index(shape: &[usize], mut at: usize, is_fortran: bool) -> Vec<usize> {
    let mut index = vec![0; shape.len()];
    let mut along = |side: usize, length: usize| {
        if let Some(place) = index.get_mut(side) {
            (*place, at) = (at % length.max(1), at / length.max(1));
        }
    };
    let sides = shape.iter().copied().enumerate();
    if is_fortran {
        sides.for_each(|(side, length)| along(side, length))
    } else {
        sides.rev().for_each(|(side, length)| along(side, length))
    }
    index
}

/// Values in Fortran order, row by row instead.
fn in_rows<T: Clone + Default>(shape: &[usize], data: &[T]) -> Vec<T> {
    let mut strides = Vec::with_capacity(shape.len());
    let mut stride = 1usize;
    for length in shape {
        strides.push(stride);
        stride = stride.saturating_mul(*length);
    }
    let (mut out, mut place, mut from) = (Vec::with_capacity(data.len()), vec![0usize; shape.len()], 0);
    for _ in 0..data.len() {
        out.push(data.get(from).cloned().unwrap_or_default());
        for ((place, length), stride) in place.iter_mut().zip(shape).zip(&strides).rev() {
            *place += 1;
            from += stride;
            if *place < *length {
                break;
            }
            (*place, from) = (0, from - length * stride);
        }
    }
    out
}

/// The type of values that are no numbers.
struct NoNumber {
    problem: String,
    /// Of a text in Unicode: how long it may be.
    characters: Option<u64>,
}

impl From<NoNumber> for String {
    fn from(no_number: NoNumber) -> Self {
        no_number.problem
    }
}

/// What the header says of the values.
struct Header<K> {
    kind: K,
    is_big: bool,
    is_fortran: bool,
    shape: Vec<usize>,
}

impl Header<Result<Kind, NoNumber>> {
    /// Reads the Python dictionary of a header.
    fn of(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "the header is not text".to_owned())?.trim();
        let inside = text.strip_prefix('{').and_then(|text| text.strip_suffix('}'));
        let inside = inside.ok_or_else(|| format!("the header is {}, expected a dictionary", quoted(text)))?;
        let value = |key: &str| {
            let at = inside.find(&format!("'{key}'")).map(|at| at + key.len() + 2);
            let rest = at.and_then(|at| inside.get(at..)).and_then(|rest| rest.trim_start().strip_prefix(':'));
            let rest = rest.map(str::trim_start);
            rest.ok_or_else(|| format!("the header {} has no {key}", quoted(text)))
        };
        let descr = value("descr")?;
        let inside = descr.strip_prefix('\'').and_then(|rest| rest.split('\'').next());
        let Some(name) = inside else {
            return Err(format!("records of several types ({}); take their columns apart", quoted(descr)));
        };
        let (order, kind) = match name.split_at_checked(1) {
            Some((order @ ("<" | ">" | "=" | "|"), kind)) => (order, kind),
            _ => ("|", name),
        };
        let kind = Kind::of(kind).ok_or_else(|| {
            let is_text = kind.starts_with(['U', 'S']);
            let hint = if is_text { " (text: number it before it is saved)" } else { "" };
            NoNumber {
                problem: format!(
                    "values of type {}{hint}, known are b1, u1 to u8, i1 to i8, f2, f4 and f8",
                    quoted(name)
                ),
                characters: kind.strip_prefix('U').and_then(|length| length.parse().ok()).filter(|length| *length > 0),
            }
        });
        let is_fortran = match value("fortran_order")? {
            order if order.starts_with("False") => false,
            order if order.starts_with("True") => true,
            other => return Err(format!("fortran_order is {}, expected True or False", quoted(other))),
        };
        let sides = value("shape")?;
        let wrong = || format!("shape is {}, expected sides such as (3, 4)", quoted(sides));
        let list = sides.strip_prefix('(').and_then(|rest| rest.split_once(')')).ok_or_else(wrong)?.0;
        let side = |side: &str| side.trim_end_matches('L').parse::<usize>().map_err(|_| wrong());
        let sides = list.split(',').map(str::trim).filter(|side| !side.is_empty());
        Ok(Self { kind, is_big: order == ">", is_fortran, shape: sides.map(side).collect::<Result<_, _>>()? })
    }
}

/// The type of the values, printed as NumPy names it.
#[derive(Debug, Clone, Copy)]
#[allow(non_camel_case_types, reason = "the names of NumPy's types")]
enum Kind {
    b1,
    u1,
    u2,
    u4,
    u8,
    i1,
    i2,
    i4,
    i8,
    f2,
    f4,
    f8,
}

impl Kind {
    fn of(name: &str) -> Option<Self> {
        use Kind::*;
        let all = [b1, u1, u2, u4, u8, i1, i2, i4, i8, f2, f4, f8];
        all.into_iter().find(|kind| format!("{kind:?}") == name)
    }

    fn bytes(self) -> u64 {
        match self {
            Kind::b1 | Kind::u1 | Kind::i1 => 1,
            Kind::u2 | Kind::i2 | Kind::f2 => 2,
            Kind::u4 | Kind::i4 | Kind::f4 => 4,
            Kind::u8 | Kind::i8 | Kind::f8 => 8,
        }
    }

    /// The little-endian values, or the place and the text of the first that f32 cannot hold.
    fn decode(self, values: &[u8]) -> Result<Vec<f32>, (usize, String)> {
        // Whole numbers up to 2^64 are exact in i128, and so is what f32 makes of them.
        let exact = |whole: i128| Some(whole as f32).filter(|rounded| *rounded as i128 == whole);
        match self {
            Kind::b1 => Ok(values.iter().map(|&value| f32::from(value != 0)).collect()),
            Kind::u1 => Ok(values.iter().map(|&value| f32::from(value)).collect()),
            Kind::i1 => Ok(values.iter().map(|&value| f32::from(value as i8)).collect()),
            Kind::u2 => words(values, u16::from_le_bytes, |value| Some(f32::from(value))),
            Kind::i2 => words(values, i16::from_le_bytes, |value| Some(f32::from(value))),
            Kind::u4 => words(values, u32::from_le_bytes, |value| exact(value.into())),
            Kind::i4 => words(values, i32::from_le_bytes, |value| exact(value.into())),
            Kind::u8 => words(values, u64::from_le_bytes, |value| exact(value.into())),
            Kind::i8 => words(values, i64::from_le_bytes, |value| exact(value.into())),
            Kind::f2 => words(values, f16::from_le_bytes, |value| Some(value.to_f32())),
            Kind::f4 => words(values, f32::from_le_bytes, Some),
            Kind::f8 => words(values, f64::from_le_bytes, |value| {
                Some(value as f32).filter(|rounded| rounded.is_finite() || !value.is_finite())
            }),
        }
    }
}

fn words<const N: usize, T: Copy + Debug>(
    bytes: &[u8],
    decode: impl Fn([u8; N]) -> T,
    narrow: impl Fn(T) -> Option<f32>,
) -> Result<Vec<f32>, (usize, String)> {
    let values = bytes.as_chunks().0.iter().map(|word| decode(*word)).enumerate();
    values.map(|(at, value)| narrow(value).ok_or_else(|| (at, format!("{value:?}")))).collect()
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

/// Writes an NPZ file of arrays by their names, uncompressed as `numpy.savez` does.
///
/// # Errors
/// [`Error::Value`] for a name that stands there twice; [`Error::File`] where it cannot be written.
pub fn write_npz(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (impl AsRef<str>, impl Into<Targets>)>,
) -> Result<()> {
    let mut file = NpzWriter::new(path);
    arrays.into_iter().try_for_each(|(name, values)| file.add(name.as_ref(), values))?;
    file.finish()
}

/// An NPZ file that is written array by array; it is there, whole, once it is [finished](Self::finish).
///
/// ```
/// use axone::data::{Matrix, NpzWriter, Npz};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-writer-{}.npz", std::process::id()));
/// let mut file = NpzWriter::new(&path);
/// file.add("probabilities", Matrix::from([[0.9, 0.1]]))?;
/// file.add_integers("class", &[-1])?;
/// file.add_texts("name", &["cat"])?;
/// file.finish()?;
/// assert_eq!(Npz::open(&path)?.names(), ["probabilities", "class", "name"]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct NpzWriter {
    path: PathBuf,
    archive: ZipWriter<Cursor<Vec<u8>>>,
    names: BTreeSet<String>,
}

impl NpzWriter {
    /// A file for `path`; nothing is written yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let archive = ZipWriter::new(Cursor::new(Vec::new()));
        Self { path: path.as_ref().to_owned(), archive, names: BTreeSet::new() }
    }

    /// Adds a matrix as f4 of two sides, or class numbers as u4 of one.
    ///
    /// # Errors
    /// [`Error::Value`] for a name that is taken.
    pub fn add(&mut self, name: &str, values: impl Into<Targets>) -> Result<()> {
        self.push(name, &npy(&values.into()))
    }

    /// Adds whole numbers as i8 (64 bits) of one side.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_integers(&mut self, name: &str, values: &[i64]) -> Result<()> {
        self.push(name, &framed("i8", &format!("({},)", values.len()), bytemuck::cast_slice(values)))
    }

    /// Adds texts as U of one side: 32 bits a character, as many of them as the longest text has.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_texts(&mut self, name: &str, values: &[impl AsRef<str>]) -> Result<()> {
        let longest = values.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0).max(1);
        let padded = |text: &str| -> Vec<u32> {
            text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest).collect()
        };
        let characters: Vec<u32> = values.iter().flat_map(|text| padded(text.as_ref())).collect();
        let shape = format!("({},)", values.len());
        self.push(name, &framed(&format!("U{longest}"), &shape, bytemuck::cast_slice(&characters)))
    }

    fn push(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if !self.names.insert(name.to_owned()) {
            return Err(Error::value(self.path.display().to_string(), "array", "named once", quoted(name)));
        }
        // Arrays of more than 4 GiB need the longer form.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.archive.start_file(format!("{name}.npy"), options).map_err(|error| Error::file(&self.path, error))?;
        self.archive.write_all(bytes).map_err(|error| Error::file(&self.path, error))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be written.
    pub fn finish(self) -> Result<()> {
        let bytes = self.archive.finish().map_err(|error| Error::file(&self.path, error))?;
        write_whole(&self.path, bytes.get_ref())
    }
}

impl std::fmt::Debug for NpzWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NpzWriter({}, {:?})", self.path.display(), self.names)
    }
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
