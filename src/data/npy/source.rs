//! The bytes of an array: its header, its type, its values.

use crate::data::Array;
use crate::data::table::quoted;
use crate::{Error, Result, size};
use half::f16;
use std::fmt::Debug;
use std::io::Read;
use std::path::Path;

/// Longest header that is read: NumPy itself takes no more than 10,000 bytes unless told to.
const MOST_HEADER: u32 = 1 << 16;

/// Where the bytes of an array come from.
pub(super) struct Source<'a> {
    pub path: &'a Path,
    /// What errors call it.
    pub place: String,
    pub file: Box<dyn Read + 'a>,
}

impl Source<'_> {
    pub fn wrong(&self, problem: impl Into<String>) -> Error {
        Error::data(&self.place, problem)
    }

    /// At most `limit` bytes: fewer where there are no more.
    pub fn read(&mut self, limit: u64) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = (&mut self.file).take(limit).read_to_end(&mut bytes);
        read.map_err(|error| Error::file(self.path, error))?;
        Ok(bytes)
    }

    pub fn array(mut self) -> Result<Array> {
        let (header, _) = self.header()?;
        self.numbers(header)
    }

    pub fn fields(mut self) -> Result<Vec<Vec<String>>> {
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
    pub fn header(&mut self) -> Result<(Header<Kind>, u64)> {
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
    pub fn size(&self, width: u64, shape: &[usize]) -> Result<u64> {
        let count = size::product(shape).and_then(|count| (count as u64).checked_mul(width));
        let size = count.filter(|size| *size < u64::MAX);
        size.ok_or_else(|| self.wrong(format!("shape {shape:?} is too large")))
    }

    /// Refuses other bytes than those of the values behind the header; `got` says how many there are.
    pub fn check_size(&self, kind: &str, shape: &[usize], size: u64, got: u64) -> Result<()> {
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
    pub fn decode(&self, header: &Header<Kind>, mut values: Vec<u8>, first: usize) -> Result<Vec<f32>> {
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
pub(super) struct Header<K> {
    pub kind: K,
    is_big: bool,
    pub is_fortran: bool,
    pub shape: Vec<usize>,
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
pub(super) enum Kind {
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

    pub fn bytes(self) -> u64 {
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
