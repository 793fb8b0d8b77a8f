//! Where the numbers of a `.pt` file lie: in a ZIP archive of stored entries, or behind the pickles of the old format.

use super::pickle::{Bytes, Machine, Reason, Storage, View};
use crate::size;
use half::{bf16, f16};
use std::collections::HashMap;

/// A tensor by name.
pub(super) type Named = (String, Vec<usize>, Vec<f32>);

pub(super) fn read(bytes: &[u8]) -> Result<Vec<Named>, Reason> {
    if bytes.starts_with(b"PK") { zipped(bytes) } else { legacy(bytes) }
}

fn zipped(bytes: &[u8]) -> Result<Vec<Named>, Reason> {
    let entries = entries(bytes)?;
    let find = |end: &str| entries.iter().find(|(name, _)| name.ends_with(end)).map(|(_, data)| *data);
    if find("/byteorder").is_some_and(|order| order != b"little") {
        return Err("written by a machine of another byte order".to_owned());
    }
    let pickle = find("/data.pkl").ok_or("no data.pkl: not a file of torch.save")?;
    let mut machine = Machine::default();
    let root = machine.run(&mut Bytes { rest: pickle })?;
    let data = |storage: &Storage| find(&format!("/data/{}", storage.key));
    collect(&machine, &machine.tensors(&root), &data, bytes.len())
}

/// Magic number, version, system; then the object, the keys of its storages, and the storages.
fn legacy(bytes: &[u8]) -> Result<Vec<Named>, Reason> {
    let mut rest = Bytes { rest: bytes };
    for _ in 0..3 {
        Machine::default().run(&mut rest)?;
    }
    let mut machine = Machine::default();
    let root = machine.run(&mut rest)?;
    let mut keys = Machine::default();
    let list = keys.run(&mut rest)?;
    let mut data: HashMap<String, &[u8]> = HashMap::new();
    for key in keys.items(&list) {
        let super::pickle::Item::Text(key) = key else { return Err("a key that is no text".to_owned()) };
        let storage = machine.storages.iter().find(|storage| storage.key == *key).ok_or("a storage of no tensor")?;
        let len = usize::try_from(rest.number::<8>()?).ok().filter(|len| *len == storage.len);
        let len = len.ok_or("a storage of another length than its tensors say")?;
        let width = width(&storage.kind)?;
        data.insert(key.to_string(), rest.take(len.saturating_mul(width))?);
    }
    collect(&machine, &machine.tensors(&root), &|storage| data.get(&*storage.key).copied(), bytes.len())
}

/// Name and bytes of each entry, by the directory at the end.
fn entries(bytes: &[u8]) -> Result<Vec<(String, &[u8])>, Reason> {
    let broken = || "a broken ZIP archive".to_owned();
    let end = bytes.windows(4).rposition(|window| window == b"PK\x05\x06").ok_or_else(broken)?;
    let mut tail = Bytes { rest: bytes.get(end + 10..).ok_or_else(broken)? };
    let (count, _, from) = (tail.number::<2>()?, tail.number::<4>()?, tail.number::<4>()?);
    let mut directory = Bytes { rest: bytes.get(from as usize..).ok_or_else(broken)? };
    let mut found = Vec::new();
    for _ in 0..count {
        let head = directory.take(46)?;
        if !head.starts_with(b"PK\x01\x02") {
            return Err(broken());
        }
        let mut fields = Bytes { rest: &head[10..] };
        let (method, _, _, _) =
            (fields.number::<2>()?, fields.number::<4>()?, fields.number::<4>()?, fields.number::<4>()?);
        let size = fields.number::<4>()? as usize;
        let (name, extra, comment) = (fields.number::<2>()?, fields.number::<2>()?, fields.number::<2>()?);
        fields.take(8)?;
        let at = fields.number::<4>()? as usize;
        let name = String::from_utf8_lossy(directory.take(name as usize)?).into_owned();
        directory.take(extra as usize + comment as usize)?;
        if method != 0 {
            return Err(format!("{name} is compressed, which torch.save does not do"));
        }
        let mut local = Bytes { rest: bytes.get(at..).and_then(|local| local.get(26..)).ok_or_else(broken)? };
        let skipped = local.number::<2>()? + local.number::<2>()?;
        local.take(skipped as usize)?;
        found.push((name, local.take(size)?));
    }
    Ok(found)
}

fn width(kind: &str) -> Result<usize, Reason> {
    match kind {
        "FloatStorage" => Ok(4),
        "DoubleStorage" | "LongStorage" => Ok(8),
        "HalfStorage" | "BFloat16Storage" | "ShortStorage" => Ok(2),
        "IntStorage" => Ok(4),
        "CharStorage" | "ByteStorage" | "BoolStorage" => Ok(1),
        _ => Err(format!("{kind} is not read")),
    }
}

/// Number `at` of a storage.
fn element(kind: &str, data: &[u8], at: usize) -> Option<f32> {
    fn bytes<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
        data.as_chunks::<N>().0.get(at).copied()
    }
    match kind {
        "FloatStorage" => bytes(data, at).map(f32::from_le_bytes),
        "DoubleStorage" => bytes(data, at).map(|b| f64::from_le_bytes(b) as f32),
        "HalfStorage" => bytes(data, at).map(|b| f16::from_le_bytes(b).to_f32()),
        "BFloat16Storage" => bytes(data, at).map(|b| bf16::from_le_bytes(b).to_f32()),
        "LongStorage" => bytes(data, at).map(|b| i64::from_le_bytes(b) as f32),
        "IntStorage" => bytes(data, at).map(|b| i32::from_le_bytes(b) as f32),
        _ => None,
    }
}

fn collect<'a>(
    machine: &Machine,
    tensors: &[(String, usize)],
    data: &dyn Fn(&Storage) -> Option<&'a [u8]>,
    bytes: usize,
) -> Result<Vec<Named>, Reason> {
    let mut found = Vec::new();
    // Views may share a storage; all together are no more than a few times the file.
    let mut room = bytes.saturating_mul(4);
    for (name, view) in tensors {
        let view = machine.views.get(*view).ok_or("no such tensor")?;
        let storage = machine.storages.get(view.storage).ok_or("no such storage")?;
        if matches!(&*storage.kind, "BoolStorage" | "ByteStorage" | "CharStorage" | "ShortStorage") {
            continue;
        }
        let bytes = data(storage).ok_or_else(|| format!("{name}: its storage {} is not in the file", storage.key))?;
        let numbers = gather(view, storage, bytes, &mut room).map_err(|reason| format!("{name}: {reason}"))?;
        found.push((name.clone(), view.shape.clone(), numbers));
    }
    Ok(found)
}

fn gather(view: &View, storage: &Storage, bytes: &[u8], room: &mut usize) -> Result<Vec<f32>, Reason> {
    let held = bytes.len() / width(&storage.kind)?;
    let count =
        size::product(&view.shape).filter(|count| *count <= *room).ok_or("more numbers than such a file can mean")?;
    if view.shape.len() != view.strides.len() {
        return Err("sides and strides that do not fit".to_owned());
    }
    // The last element has the highest place.
    let last = view.shape.iter().zip(&view.strides).try_fold(view.offset, |at, (side, stride)| {
        side.saturating_sub(1).checked_mul(*stride).and_then(|far| at.checked_add(far))
    });
    if count > 0 && last.is_none_or(|last| last >= held.min(storage.len)) {
        return Err(format!("{:?} of a storage of {held} numbers", view.shape));
    }
    *room -= count;
    let mut numbers = Vec::with_capacity(count);
    let mut index = vec![0usize; view.shape.len()];
    for _ in 0..count {
        let at = index.iter().zip(&view.strides).fold(view.offset, |at, (i, stride)| at + i * stride);
        numbers.push(element(&storage.kind, bytes, at).ok_or("numbers that are not there")?);
        for (i, side) in index.iter_mut().zip(&view.shape).rev() {
            *i += 1;
            if *i < *side {
                break;
            }
            *i = 0;
        }
    }
    Ok(numbers)
}
