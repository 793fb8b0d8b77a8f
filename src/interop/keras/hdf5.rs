//! HDF5 files of the oldest layout, as h5py writes them for Keras: superblock 0, groups as symbol tables, object headers
//! of version 1, contiguous or compact data, attributes in the header, texts in global heaps. What is newer (chunks,
//! filters, version 2 of a structure) is refused by name.
//!
//! Source: "HDF5 File Format Specification Version 3.0", The HDF Group. All numbers are little-endian, and all that is
//! followed is counted, so that a file whose parts point in a circle ends.

use crate::size;
use half::f16;

pub(super) type Reason = String;

const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";

// Kinds of message in an object header.
const DATASPACE: u16 = 0x01;
const DATATYPE: u16 = 0x03;
const EXTERNAL: u16 = 0x07;
const LAYOUT: u16 = 0x08;
const FILTERS: u16 = 0x0b;
const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
const SYMBOL_TABLE: u16 = 0x11;
/// Links and attributes as newer versions keep them.
const NEWER: [u16; 4] = [0x02, 0x06, 0x0a, 0x15];

/// A file, and how much of it may still be looked at.
pub(super) struct File<'a> {
    bytes: &'a [u8],
    root: usize,
    steps: std::cell::Cell<usize>,
}

/// A group or an array: where its header lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Object(usize);

struct Message<'a> {
    kind: u16,
    body: &'a [u8],
}

/// Bytes that are read in order.
#[derive(Clone, Copy)]
struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("a structure of HDF5 ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    fn number(&mut self, bytes: usize) -> Result<usize, Reason> {
        let number = self.take(bytes)?.iter().rev().fold(0u64, |number, byte| (number << 8) | u64::from(*byte));
        usize::try_from(number).map_err(|_| "a place beyond memory".to_owned())
    }

    /// The next `count` bytes and what pads them to a multiple of 8.
    fn padded(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let taken = self.take(count)?;
        self.take(count.next_multiple_of(8) - count)?;
        Ok(taken)
    }
}

impl<'a> File<'a> {
    pub fn open(bytes: &'a [u8]) -> Result<Self, Reason> {
        let rest = bytes.strip_prefix(SIGNATURE).ok_or("not an HDF5 file")?;
        let version = rest.first().copied().ok_or("the file ends within its signature")?;
        if version != 0 {
            return Err(format!("HDF5 of a newer layout (superblock {version}); h5py writes 0 unless told otherwise"));
        }
        let mut cursor = Cursor { rest: rest.get(5..).unwrap_or_default() };
        if (cursor.number(1)?, cursor.number(1)?) != (8, 8) {
            return Err("offsets and lengths that are not of 8 bytes".to_owned());
        }
        // A reserved byte, sizes of the trees, flags; base, free space, end of the file, driver; then the root's entry.
        cursor.take(1 + 2 + 2 + 4)?;
        if cursor.number(8)? != 0 {
            return Err("an HDF5 file within another".to_owned());
        }
        cursor.take(3 * 8 + 8)?;
        let root = cursor.number(8)?;
        Ok(Self { bytes, root, steps: std::cell::Cell::new(bytes.len()) })
    }

    pub fn root(&self) -> Object {
        Object(self.root)
    }

    fn at(&self, address: usize) -> Result<Cursor<'a>, Reason> {
        let left = self.steps.get().checked_sub(1).ok_or("parts that point in a circle")?;
        self.steps.set(left);
        let rest = self.bytes.get(address..).ok_or_else(|| format!("address {address:#x} is not in the file"))?;
        Ok(Cursor { rest })
    }

    /// What stands behind `name`, which must be there.
    fn named(&self, address: usize, name: &[u8]) -> Result<Cursor<'a>, Reason> {
        let mut cursor = self.at(address)?;
        let found = cursor.take(name.len())?;
        let wanted = String::from_utf8_lossy(name);
        if found == name {
            Ok(cursor)
        } else {
            Err(format!("no {wanted} at {address:#x}: not HDF5 of the oldest layout"))
        }
    }

    fn messages(&self, object: Object) -> Result<Vec<Message<'a>>, Reason> {
        let mut head = self.at(object.0)?;
        let version = head.number(1)?;
        if version != 1 {
            return Err(format!("an object header of version {version}, known is 1"));
        }
        head.take(1)?;
        let count = head.number(2)?;
        head.take(4)?;
        let size = head.number(4)?;
        head.take(4)?;
        let mut blocks = vec![Cursor { rest: head.take(size)? }];
        let mut messages = Vec::new();
        while let Some(mut block) = blocks.pop() {
            while messages.len() < count && block.rest.len() >= 8 {
                let (kind, size, flags) = (block.number(2)? as u16, block.number(2)?, block.number(1)?);
                block.take(3)?;
                let body = block.take(size)?;
                if flags & 2 != 0 {
                    return Err("a message that objects share".to_owned());
                }
                if NEWER.contains(&kind) {
                    return Err(format!("HDF5 of a newer layout (message {kind:#x})"));
                }
                if kind == CONTINUATION {
                    let mut body = Cursor { rest: body };
                    let (address, length) = (body.number(8)?, body.number(8)?);
                    blocks.push(Cursor { rest: self.at(address)?.take(length)? });
                }
                messages.push(Message { kind, body });
            }
        }
        Ok(messages)
    }

    /// The members of a group.
    pub fn members(&self, group: Object) -> Result<Vec<(String, Object)>, Reason> {
        let messages = self.messages(group)?;
        let table = messages.iter().find(|message| message.kind == SYMBOL_TABLE).ok_or("no group")?;
        let mut body = Cursor { rest: table.body };
        let (tree, heap) = (body.number(8)?, body.number(8)?);
        let mut heap = self.named(heap, b"HEAP")?;
        heap.take(4)?;
        let size = heap.number(8)?;
        heap.take(8)?;
        let names = self.at(heap.number(8)?)?.take(size)?;
        let (mut members, mut open) = (Vec::new(), vec![tree]);
        while let Some(node) = open.pop() {
            let mut node = self.named(node, b"TREE")?;
            let (kind, level, count) = (node.number(1)?, node.number(1)?, node.number(2)?);
            if kind != 0 {
                return Err("a tree that is not that of a group".to_owned());
            }
            node.take(16)?;
            for _ in 0..count {
                node.take(8)?;
                let child = node.number(8)?;
                if level > 0 {
                    open.push(child);
                    continue;
                }
                let mut symbols = self.named(child, b"SNOD")?;
                symbols.take(2)?;
                for _ in 0..symbols.number(2)? {
                    let (name, header) = (symbols.number(8)?, symbols.number(8)?);
                    symbols.take(24)?;
                    let name = names.get(name..).ok_or("a name that is not in its heap")?;
                    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
                    members.push((String::from_utf8_lossy(name).into_owned(), Object(header)));
                }
            }
        }
        Ok(members)
    }

    /// What lies at `path`, names with slashes between, from `object` on.
    pub fn find(&self, object: Object, path: &str) -> Result<Option<Object>, Reason> {
        let mut object = object;
        for name in path.split('/').filter(|name| !name.is_empty()) {
            match self.members(object)?.into_iter().find(|(known, _)| known == name) {
                Some((_, member)) => object = member,
                None => return Ok(None),
            }
        }
        Ok(Some(object))
    }

    /// Sides and numbers of an array.
    pub fn array(&self, object: Object) -> Result<(Vec<usize>, Vec<f32>), Reason> {
        let messages = self.messages(object)?;
        let body = |kind| messages.iter().find(|message| message.kind == kind).map(|message| message.body);
        if body(FILTERS).is_some() || body(EXTERNAL).is_some() {
            return Err("compressed, or in another file; Keras writes neither".to_owned());
        }
        let shape = shape(body(DATASPACE).ok_or("no array")?)?;
        let datatype = body(DATATYPE).ok_or("no array")?;
        let (class, width) = datatype_of(datatype)?;
        if class != 1 || datatype.get(1).is_none_or(|bits| bits & 1 != 0) {
            return Err("not of real numbers of this byte order".to_owned());
        }
        let count = size::product(&shape).ok_or("more numbers than memory has")?;
        let length = count.checked_mul(width).ok_or("more numbers than memory has")?;
        let mut layout = Cursor { rest: body(LAYOUT).ok_or("no place for its numbers")? };
        let data = match (layout.number(1)?, layout.number(1)?) {
            (3, 0) => {
                let size = layout.number(2)?;
                layout.take(size)?
            }
            // Nothing is written of an array without numbers.
            (3, 1) if length == 0 => &[],
            (3, 1) => {
                let (address, size) = (layout.number(8)?, layout.number(8)?);
                self.at(address)?.take(size)?
            }
            (3, 2) => return Err("in chunks, which Keras does not write".to_owned()),
            (version, _) => return Err(format!("a layout of version {version}, known is 3")),
        };
        if data.len() != length {
            return Err(format!("{shape:?} of {} bytes", data.len()));
        }
        let numbers = match width {
            2 => data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            4 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            8 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            _ => return Err(format!("numbers of {width} bytes")),
        };
        // What many arrays share is not read again and again.
        let left = self.steps.get().checked_sub(data.len() / 16).ok_or("more numbers than such a file can mean")?;
        self.steps.set(left);
        Ok((shape, numbers))
    }

    /// The texts of an attribute, one or a list; `None` where there is no such attribute.
    pub fn texts(&self, object: Object, name: &str) -> Result<Option<Vec<String>>, Reason> {
        for message in self.messages(object)?.iter().filter(|message| message.kind == ATTRIBUTE) {
            let mut body = Cursor { rest: message.body };
            let version = body.number(1)?;
            let flags = body.number(1)?;
            let (name_size, type_size, space_size) = (body.number(2)?, body.number(2)?, body.number(2)?);
            let (known, datatype, space) = match version {
                1 => (body.padded(name_size)?, body.padded(type_size)?, body.padded(space_size)?),
                2 | 3 if flags == 0 => {
                    body.take(usize::from(version == 3))?;
                    (body.take(name_size)?, body.take(type_size)?, body.take(space_size)?)
                }
                _ => return Err(format!("an attribute of version {version}, known are 1 to 3")),
            };
            if known.split(|byte| *byte == 0).next() != Some(name.as_bytes()) {
                continue;
            }
            let count = size::product(&shape(space)?).ok_or("more texts than memory has")?;
            let (class, width) = datatype_of(datatype)?;
            let is_text = datatype.get(1).is_some_and(|bits| bits & 15 == 1);
            if count > body.rest.len() {
                return Err(format!("attribute {name} ends too early"));
            }
            let mut texts = Vec::new();
            for _ in 0..count {
                let bytes = match class {
                    3 => body.take(width)?.split(|byte| *byte == 0).next().unwrap_or_default(),
                    9 if is_text => self.heaped(&mut body)?,
                    _ => return Err(format!("attribute {name} is no text")),
                };
                texts.push(String::from_utf8_lossy(bytes).into_owned());
            }
            return Ok(Some(texts));
        }
        Ok(None)
    }

    /// A text in a global heap, by its length, the heap's address and its number there.
    fn heaped(&self, reference: &mut Cursor<'a>) -> Result<&'a [u8], Reason> {
        let (length, address, wanted) = (reference.number(4)?, reference.number(8)?, reference.number(4)?);
        if length == 0 {
            return Ok(&[]);
        }
        let mut heap = self.named(address, b"GCOL")?;
        heap.take(4)?;
        let size = heap.number(8)?.saturating_sub(16);
        let mut objects = Cursor { rest: heap.take(size)? };
        while objects.rest.len() >= 16 {
            let number = objects.number(2)?;
            objects.take(6)?;
            let size = objects.number(8)?;
            if number == 0 {
                break;
            }
            if number == wanted {
                return objects.take(size)?.get(..length).ok_or_else(|| "a text that ends too early".to_owned());
            }
            objects.take(size)?;
            let padding = size.next_multiple_of(8) - size;
            objects.take(padding.min(objects.rest.len()))?;
        }
        Err(format!("no text {wanted} in the heap at {address:#x}"))
    }
}

/// The sides of an array or a list.
fn shape(body: &[u8]) -> Result<Vec<usize>, Reason> {
    let mut body = Cursor { rest: body };
    let (version, rank, _) = (body.number(1)?, body.number(1)?, body.number(1)?);
    match version {
        1 => drop(body.take(5)?),
        2 => drop(body.take(1)?),
        _ => return Err(format!("a dataspace of version {version}, known are 1 and 2")),
    }
    (0..rank).map(|_| body.number(8)).collect()
}

/// Class and bytes of an element.
fn datatype_of(body: &[u8]) -> Result<(usize, usize), Reason> {
    let mut body = Cursor { rest: body };
    let class = body.number(1)? & 15;
    body.take(3)?;
    Ok((class, body.number(4)?))
}
