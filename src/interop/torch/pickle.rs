//! The part of Python's pickle format in which PyTorch lists its tensors. Nothing is executed: what is called in a file
//! is either known here, or an opaque value.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

pub(super) type Reason = String;

/// A value on the stack. What holds others does so by its place on the heap, so that nothing nests.
#[derive(Debug, Clone)]
pub(super) enum Item {
    Int(i64),
    Text(Rc<str>),
    Sequence(usize),
    Dict(usize),
    /// Module and name.
    Global(Rc<str>),
    Tensor(usize),
    Storage(usize),
    Mark,
    /// Whatever does not matter here.
    Opaque,
}

/// Numbers as they lie in a file.
#[derive(Debug, Clone)]
pub(super) struct Storage {
    /// `FloatStorage`, …
    pub kind: Rc<str>,
    pub key: Rc<str>,
    pub len: usize,
}

/// A view of a storage.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub storage: usize,
    pub offset: usize,
    pub shape: Vec<usize>,
    pub strides: Vec<usize>,
}

/// What a pickle made.
#[derive(Debug, Default)]
pub(super) struct Machine {
    stack: Vec<Item>,
    memo: HashMap<u32, Item>,
    sequences: Vec<Vec<Item>>,
    dicts: Vec<Vec<(Item, Item)>>,
    pub storages: Vec<Storage>,
    pub views: Vec<View>,
}

/// Bytes that are read in order.
pub(super) struct Bytes<'a> {
    pub rest: &'a [u8],
}

impl<'a> Bytes<'a> {
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Reason> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or("it ends too early")?;
        self.rest = rest;
        Ok(taken)
    }

    pub fn number<const N: usize>(&mut self) -> Result<u64, Reason> {
        Ok(self.take(N)?.iter().rev().fold(0, |number, byte| (number << 8) | u64::from(*byte)))
    }

    fn text(&mut self, len: u64) -> Result<Item, Reason> {
        let bytes = self.take(usize::try_from(len).unwrap_or(usize::MAX))?;
        Ok(Item::Text(String::from_utf8_lossy(bytes).into()))
    }

    fn line(&mut self) -> Result<&'a str, Reason> {
        let end = self.rest.iter().position(|byte| *byte == b'\n').ok_or("it ends too early")?;
        let line = self.take(end + 1)?;
        std::str::from_utf8(&line[..end]).map_err(|_| "a name that is no text".to_owned())
    }
}

impl Machine {
    fn pop(&mut self) -> Result<Item, Reason> {
        self.stack.pop().ok_or_else(|| "an empty stack".to_owned())
    }

    /// What stands above the last mark.
    fn marked(&mut self) -> Result<Vec<Item>, Reason> {
        let at = self.stack.iter().rposition(|item| matches!(item, Item::Mark)).ok_or("no mark")?;
        let items = self.stack.split_off(at + 1);
        self.stack.pop();
        Ok(items)
    }

    fn sequence(&mut self, items: Vec<Item>) {
        self.sequences.push(items);
        self.stack.push(Item::Sequence(self.sequences.len() - 1));
    }

    fn dict(&mut self) -> Item {
        self.dicts.push(Vec::new());
        Item::Dict(self.dicts.len() - 1)
    }

    pub fn items(&self, item: &Item) -> &[Item] {
        match item {
            Item::Sequence(at) => self.sequences.get(*at).map_or(&[], Vec::as_slice),
            _ => &[],
        }
    }

    fn sizes(&self, item: &Item) -> Option<Vec<usize>> {
        let size = |item: &Item| if let Item::Int(size) = item { usize::try_from(*size).ok() } else { None };
        matches!(item, Item::Sequence(_)).then(|| self.items(item).iter().map(size).collect())?
    }

    /// Runs one pickle to its end; returns what it left.
    pub fn run(&mut self, bytes: &mut Bytes<'_>) -> Result<Item, Reason> {
        self.stack.clear();
        self.memo.clear();
        loop {
            let code = bytes.number::<1>()? as u8;
            match code {
                0x80 => drop(bytes.take(1)?),
                0x95 => drop(bytes.take(8)?),
                b'.' => return self.pop(),
                b'(' => self.stack.push(Item::Mark),
                b'0' => drop(self.pop()?),
                b'N' | 0x88 | 0x89 => self.stack.push(Item::Opaque),
                b'G' => {
                    bytes.take(8)?;
                    self.stack.push(Item::Opaque);
                }
                b'K' => self.number(bytes.number::<1>()? as i64),
                b'M' => self.number(bytes.number::<2>()? as i64),
                b'J' => self.number(i64::from(bytes.number::<4>()? as u32 as i32)),
                0x8a => {
                    let len = bytes.number::<1>()?;
                    let digits = bytes.take(len as usize)?;
                    let small = digits.len() <= 8;
                    let value = digits.iter().rev().fold(0i64, |number, byte| (number << 8) | i64::from(*byte));
                    self.stack.push(if small { Item::Int(value) } else { Item::Opaque });
                }
                b'X' | b'T' | b'B' => {
                    let len = bytes.number::<4>()?;
                    self.stack.push(bytes.text(len)?);
                }
                0x8c | b'U' | b'C' => {
                    let len = bytes.number::<1>()?;
                    self.stack.push(bytes.text(len)?);
                }
                b')' => self.sequence(Vec::new()),
                b']' => self.sequence(Vec::new()),
                b't' | b'l' => {
                    let items = self.marked()?;
                    self.sequence(items);
                }
                0x85..=0x87 => {
                    let at = self.stack.len().checked_sub(usize::from(code - 0x84)).ok_or("an empty stack")?;
                    let items = self.stack.split_off(at);
                    self.sequence(items);
                }
                b'}' => {
                    let dict = self.dict();
                    self.stack.push(dict);
                }
                b'a' => {
                    let item = self.pop()?;
                    self.append(vec![item]);
                }
                b'e' => {
                    let items = self.marked()?;
                    self.append(items);
                }
                b's' => {
                    let (value, key) = (self.pop()?, self.pop()?);
                    self.set(vec![key, value]);
                }
                b'u' => {
                    let items = self.marked()?;
                    self.set(items);
                }
                b'q' => self.keep(bytes.number::<1>()? as u32),
                b'r' => self.keep(bytes.number::<4>()? as u32),
                0x94 => self.keep(self.memo.len() as u32),
                b'h' => self.recall(bytes.number::<1>()? as u32)?,
                b'j' => self.recall(bytes.number::<4>()? as u32)?,
                b'c' => {
                    let name = format!("{} {}", bytes.line()?, bytes.line()?);
                    self.stack.push(Item::Global(name.into()));
                }
                0x93 => {
                    let (name, module) = (self.pop()?, self.pop()?);
                    let (Item::Text(name), Item::Text(module)) = (name, module) else {
                        return Err("a name that is no text".to_owned());
                    };
                    self.stack.push(Item::Global(format!("{module} {name}").into()));
                }
                b'Q' => {
                    let id = self.pop()?;
                    let storage = self.storage(&id).ok_or("a storage that is not described as PyTorch does")?;
                    self.storages.push(storage);
                    self.stack.push(Item::Storage(self.storages.len() - 1));
                }
                b'R' | 0x81 => {
                    let (arguments, callable) = (self.pop()?, self.pop()?);
                    let made = self.call(&callable, &arguments)?;
                    self.stack.push(made);
                }
                b'b' => drop(self.pop()?),
                other => return Err(format!("opcode {other:#04x}, which no state_dict needs")),
            }
        }
    }

    fn number(&mut self, number: i64) {
        self.stack.push(Item::Int(number));
    }

    fn keep(&mut self, at: u32) {
        if let Some(top) = self.stack.last() {
            self.memo.insert(at, top.clone());
        }
    }

    fn recall(&mut self, at: u32) -> Result<(), Reason> {
        let item = self.memo.get(&at).cloned().ok_or_else(|| format!("nothing was kept as {at}"))?;
        self.stack.push(item);
        Ok(())
    }

    fn append(&mut self, items: Vec<Item>) {
        if let Some(Item::Sequence(at)) = self.stack.last()
            && let Some(list) = self.sequences.get_mut(*at)
        {
            list.extend(items);
        }
    }

    fn set(&mut self, items: Vec<Item>) {
        if let Some(Item::Dict(at)) = self.stack.last() {
            let pairs = items.as_chunks::<2>().0.iter().map(|[key, value]| (key.clone(), value.clone()));
            if let Some(dict) = self.dicts.get_mut(*at) {
                dict.extend(pairs);
            }
        }
    }

    fn storage(&self, id: &Item) -> Option<Storage> {
        let [Item::Text(what), Item::Global(kind), Item::Text(key), _, Item::Int(len), ..] = self.items(id) else {
            return None;
        };
        let kind = kind.strip_prefix("torch ")?.into();
        (&**what == "storage").then_some(Storage { kind, key: key.clone(), len: usize::try_from(*len).ok()? })
    }

    fn call(&mut self, callable: &Item, arguments: &Item) -> Result<Item, Reason> {
        let Item::Global(name) = callable else { return Ok(Item::Opaque) };
        match (&**name, self.items(arguments)) {
            ("collections OrderedDict", _) => Ok(self.dict()),
            ("torch._utils _rebuild_tensor_v2", [Item::Storage(storage), Item::Int(offset), shape, strides, ..]) => {
                let problem = "a tensor that is not described as PyTorch does";
                let view = View {
                    storage: *storage,
                    offset: usize::try_from(*offset).map_err(|_| problem)?,
                    shape: self.sizes(shape).ok_or(problem)?,
                    strides: self.sizes(strides).ok_or(problem)?,
                };
                self.views.push(view);
                Ok(Item::Tensor(self.views.len() - 1))
            }
            ("torch._utils _rebuild_parameter", [tensor, ..]) => Ok(tensor.clone()),
            _ => Ok(Item::Opaque),
        }
    }

    /// The tensors in `root` and the dictionaries in it, each by its path.
    pub fn tensors(&self, root: &Item) -> Vec<(String, usize)> {
        let (mut found, mut seen) = (Vec::new(), HashSet::new());
        let mut open = vec![(String::new(), root.clone())];
        while let Some((path, item)) = open.pop() {
            match item {
                Item::Tensor(view) => found.push((path, view)),
                Item::Dict(at) if seen.insert(at) => {
                    for (key, value) in self.dicts.get(at).into_iter().flatten().rev() {
                        if let Item::Text(key) = key
                            && path.len() + key.len() < 1000
                        {
                            let path = if path.is_empty() { key.to_string() } else { format!("{path}.{key}") };
                            open.push((path, value.clone()));
                        }
                    }
                }
                _ => {}
            }
        }
        found
    }
}
