//! Constant tensors: from raw bytes, typed fields and files beside the model.

use super::proto::{self, element};
use crate::size;
use half::{bf16, f16};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Component, Path};
use std::sync::Arc;

/// Why something cannot be read; the caller says where it stands.
pub(super) type Reason = String;

/// A tensor whose numbers are known.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tensor {
    pub dims: Vec<usize>,
    pub data: Data,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Data {
    Floats(Arc<[f32]>),
    Whole(Arc<[i64]>),
    Text(Arc<[String]>),
}

impl Data {
    pub fn len(&self) -> usize {
        match self {
            Data::Floats(data) => data.len(),
            Data::Whole(data) => data.len(),
            Data::Text(data) => data.len(),
        }
    }
}

impl Tensor {
    pub fn whole(data: Vec<i64>) -> Self {
        Self { dims: vec![data.len()], data: Data::Whole(data.into()) }
    }

    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// As numbers, whatever they are stored as.
    pub fn numbers(&self) -> Result<Vec<f64>, Reason> {
        match &self.data {
            Data::Floats(data) => Ok(data.iter().map(|x| f64::from(*x)).collect()),
            Data::Whole(data) => Ok(data.iter().map(|x| *x as f64).collect()),
            Data::Text(_) => Err("a tensor of strings where numbers are needed".to_owned()),
        }
    }

    /// The single number.
    pub fn scalar(&self) -> Result<f64, Reason> {
        match self.numbers()?.as_slice() {
            &[x] => Ok(x),
            all => Err(format!("one number expected, got {}", all.len())),
        }
    }

    pub fn indices(&self) -> Result<&[i64], Reason> {
        match &self.data {
            Data::Whole(data) => Ok(data),
            Data::Floats(_) | Data::Text(_) => Err("whole numbers expected".to_owned()),
        }
    }

    /// The numbers in f32.
    pub fn floats(&self) -> Result<Arc<[f32]>, Reason> {
        match &self.data {
            Data::Floats(data) => Ok(data.clone()),
            Data::Whole(data) => Ok(data.iter().map(|x| *x as f32).collect()),
            Data::Text(_) => Err("a tensor of strings where numbers are needed".to_owned()),
        }
    }

    /// As names of classes.
    pub fn names(&self) -> Vec<String> {
        match &self.data {
            Data::Floats(data) => data.iter().map(f32::to_string).collect(),
            Data::Whole(data) => data.iter().map(i64::to_string).collect(),
            Data::Text(data) => data.to_vec(),
        }
    }

    /// Reads `tensor`; `folder` is that of the model's file, if it came from one.
    pub fn read(tensor: &proto::Tensor, folder: Option<&Path>) -> Result<Self, Reason> {
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&side| usize::try_from(side).ok()).collect();
        let dims = dims.ok_or_else(|| format!("dims {:?}", tensor.dims))?;
        let count = size::product(&dims).filter(|count| *count <= size::MOST_ELEMENTS);
        let count = count.ok_or_else(|| format!("dims {:?} are more than {} numbers", dims, size::MOST_ELEMENTS))?;
        let data = if tensor.data_location == 1 {
            let bytes = external(tensor, count, folder)?;
            from_bytes(tensor.data_type, &bytes)?
        } else if let Some(bytes) = &tensor.raw_data {
            from_bytes(tensor.data_type, bytes)?
        } else {
            from_fields(tensor)?
        };
        if data.len() != count {
            return Err(format!("{} numbers for dims {dims:?}", data.len()));
        }
        Ok(Self { dims, data })
    }
}

/// Bytes of an element; `None` for types that are not read.
fn width(data_type: i32) -> Option<usize> {
    match data_type {
        element::UINT8 | element::INT8 | element::BOOL => Some(1),
        element::UINT16 | element::INT16 | element::FLOAT16 | element::BFLOAT16 => Some(2),
        element::FLOAT | element::INT32 | element::UINT32 => Some(4),
        element::DOUBLE | element::INT64 | element::UINT64 => Some(8),
        _ => None,
    }
}

fn unread(data_type: i32) -> Reason {
    format!("data type {data_type} is not read")
}

/// Little-endian elements.
fn from_bytes(data_type: i32, bytes: &[u8]) -> Result<Data, Reason> {
    fn cut<const N: usize, T>(bytes: &[u8], read: impl Fn([u8; N]) -> T) -> Arc<[T]> {
        bytes.as_chunks::<N>().0.iter().map(|chunk| read(*chunk)).collect()
    }
    let width = width(data_type).ok_or_else(|| unread(data_type))?;
    if !bytes.len().is_multiple_of(width) {
        return Err(format!("{} bytes of elements of {width}", bytes.len()));
    }
    match data_type {
        element::FLOAT => Ok(Data::Floats(cut(bytes, f32::from_le_bytes))),
        element::DOUBLE => Ok(Data::Floats(cut(bytes, |b| f64::from_le_bytes(b) as f32))),
        element::FLOAT16 => Ok(Data::Floats(cut(bytes, |b| f16::from_le_bytes(b).to_f32()))),
        element::BFLOAT16 => Ok(Data::Floats(cut(bytes, |b| bf16::from_le_bytes(b).to_f32()))),
        element::INT64 => Ok(Data::Whole(cut(bytes, i64::from_le_bytes))),
        element::UINT64 => Ok(Data::Whole(cut(bytes, |b| u64::from_le_bytes(b) as i64))),
        element::INT32 => Ok(Data::Whole(cut(bytes, |b| i32::from_le_bytes(b).into()))),
        element::UINT32 => Ok(Data::Whole(cut(bytes, |b| u32::from_le_bytes(b).into()))),
        element::INT16 => Ok(Data::Whole(cut(bytes, |b| i16::from_le_bytes(b).into()))),
        element::UINT16 => Ok(Data::Whole(cut(bytes, |b| u16::from_le_bytes(b).into()))),
        element::INT8 => Ok(Data::Whole(cut(bytes, |b: [u8; 1]| i8::from_le_bytes(b).into()))),
        element::UINT8 | element::BOOL => Ok(Data::Whole(cut(bytes, |[b]| b.into()))),
        _ => Err(unread(data_type)),
    }
}

/// The field that the type is kept in.
fn from_fields(tensor: &proto::Tensor) -> Result<Data, Reason> {
    let narrow = &tensor.int32_data;
    let half = |read: fn(u16) -> f32| Data::Floats(narrow.iter().map(|bits| read(*bits as u16)).collect());
    match tensor.data_type {
        element::FLOAT => Ok(Data::Floats(tensor.float_data.as_slice().into())),
        element::DOUBLE => Ok(Data::Floats(tensor.double_data.iter().map(|x| *x as f32).collect())),
        element::FLOAT16 => Ok(half(|bits| f16::from_bits(bits).to_f32())),
        element::BFLOAT16 => Ok(half(|bits| bf16::from_bits(bits).to_f32())),
        element::INT64 => Ok(Data::Whole(tensor.int64_data.as_slice().into())),
        element::UINT32 | element::UINT64 => Ok(Data::Whole(tensor.uint64_data.iter().map(|x| *x as i64).collect())),
        element::INT32 | element::INT16 | element::UINT16 | element::INT8 | element::UINT8 | element::BOOL => {
            Ok(Data::Whole(narrow.iter().map(|x| i64::from(*x)).collect()))
        }
        element::STRING => {
            Ok(Data::Text(tensor.string_data.iter().map(|s| String::from_utf8_lossy(s).into_owned()).collect()))
        }
        other => Err(unread(other)),
    }
}

/// The bytes of a tensor in a file of its own, which lies in the model's folder or below it.
fn external(tensor: &proto::Tensor, count: usize, folder: Option<&Path>) -> Result<Vec<u8>, Reason> {
    let entry = |key: &str| tensor.external_data.iter().find(|entry| entry.key == key).map(|entry| &entry.value);
    let location = entry("location").ok_or("external data without a location")?;
    let folder = folder.ok_or_else(|| format!("its data lie in {location:?}: load the model from its file"))?;
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let outside = || format!("external data in {location:?}, which is outside the model's folder");
    let is_below =
        Path::new(location).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir));
    if !is_below || location.is_empty() {
        return Err(outside());
    }
    let failed = |error: std::io::Error| format!("external data in {location:?}: {error}");
    let path = folder.join(location).canonicalize().map_err(failed)?;
    if !path.starts_with(folder.canonicalize().map_err(failed)?) {
        return Err(outside());
    }
    let number = |key: &str, default: u64| {
        entry(key).map_or(Ok(default), |text| text.parse::<u64>().map_err(|_| format!("external data: {key} {text:?}")))
    };
    let wanted = count.saturating_mul(width(tensor.data_type).ok_or_else(|| unread(tensor.data_type))?) as u64;
    let (offset, length) = (number("offset", 0)?, number("length", wanted)?);
    let held = std::fs::metadata(&path).map_err(failed)?;
    if length != wanted || !held.is_file() || offset.checked_add(length).is_none_or(|end| end > held.len()) {
        let size = held.len();
        return Err(format!(
            "external data: {length} bytes from {offset} of {location:?}, which has {size}; {wanted} needed"
        ));
    }
    let mut file = File::open(&path).map_err(failed)?;
    file.seek(SeekFrom::Start(offset)).map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes).map_err(failed)?;
    Ok(bytes)
}
