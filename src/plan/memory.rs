//! Gives every value an activation buffer. A buffer is free again once the last reader of its value has
//! run; a step's results are placed before its operands are freed, so no dispatch writes what it reads. Buffers of f16
//! and of f32 do not stand in for each other.

use super::draft::{Draft, Operand};
use super::{Buffer, BufferRange, PlanStep, Storage};
use crate::graph::NodeId;
use std::collections::{HashMap, HashSet};

pub(super) struct Placed {
    pub steps: Vec<PlanStep>,
    pub temporaries: Vec<Storage>,
    pub places: HashMap<NodeId, BufferRange>,
}

/// `first` are placed before any step and `last` are kept to the end; `halves` are stored in f16.
pub(super) fn place(
    drafts: Vec<Draft>,
    len: impl Fn(NodeId) -> usize,
    first: &[NodeId],
    last: &[NodeId],
    halves: &HashSet<NodeId>,
) -> Placed {
    let storage = |value: NodeId| Storage { len: len(value), half: halves.contains(&value) };
    let mut last_use: HashMap<NodeId, usize> = HashMap::new();
    for (i, draft) in drafts.iter().enumerate() {
        for value in draft.values() {
            last_use.insert(value, i);
        }
    }
    for &value in last {
        last_use.insert(value, usize::MAX);
    }
    let mut pool = Pool::default();
    let mut places: HashMap<NodeId, BufferRange> = HashMap::new();
    for &value in first {
        places.insert(value, pool.take(storage(value)));
    }
    let mut steps = Vec::with_capacity(drafts.len());
    for (i, draft) in drafts.into_iter().enumerate() {
        for value in draft.values() {
            places.entry(value).or_insert_with(|| pool.take(storage(value)));
        }
        let mut dead: Vec<NodeId> = draft.values().filter(|value| last_use.get(value) == Some(&i)).collect();
        dead.sort_unstable();
        dead.dedup();
        for value in dead {
            if let Some(BufferRange { buffer: Buffer::Temporary(index), .. }) = places.get(&value) {
                pool.free.push(*index);
            }
        }
        let operands = draft.operands.iter().map(|operand| match operand {
            Operand::Value(value) => places[value],
            Operand::Fixed(range) => *range,
        });
        steps.push(PlanStep { operands: operands.collect(), kernel: draft.kernel, name: draft.name });
    }
    Placed { steps, temporaries: pool.buffers, places }
}

#[derive(Default)]
struct Pool {
    buffers: Vec<Storage>,
    free: Vec<usize>,
}

impl Pool {
    /// The smallest free buffer that is large enough, else the largest free one made larger, else a new one.
    fn take(&mut self, Storage { len, half }: Storage) -> BufferRange {
        let size = |i: usize| self.buffers[i].len;
        let free = || self.free.iter().copied().filter(|&i| self.buffers[i].half == half);
        let fits = free().filter(|&i| size(i) >= len).min_by_key(|&i| (size(i), i));
        let chosen = fits.or_else(|| free().max_by_key(|&i| (size(i), i)));
        let index = match chosen {
            Some(index) => {
                self.free.retain(|&i| i != index);
                index
            }
            None => {
                self.buffers.push(Storage { len: 0, half });
                self.buffers.len() - 1
            }
        };
        self.buffers[index].len = self.buffers[index].len.max(len);
        BufferRange::of(Buffer::Temporary(index), len)
    }
}
