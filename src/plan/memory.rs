//! Gives every value an activation buffer. A buffer is free again once the last reader of its value has
//! run; a step's results are placed before its operands are freed, so no dispatch writes what it reads.

use super::lower::{Draft, Operand};
use super::{Buffer, PlanStep, Range};
use crate::graph::NodeId;
use std::collections::HashMap;

pub(super) struct Placed {
    pub steps: Vec<PlanStep>,
    pub activations: Vec<usize>,
    pub places: HashMap<NodeId, Range>,
}

/// `first` are placed before any step and `last` are kept to the end.
pub(super) fn place(drafts: Vec<Draft>, len: impl Fn(NodeId) -> usize, first: &[NodeId], last: &[NodeId]) -> Placed {
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
    let mut places: HashMap<NodeId, Range> = HashMap::new();
    for &value in first {
        places.insert(value, pool.take(len(value)));
    }
    let mut steps = Vec::with_capacity(drafts.len());
    for (i, draft) in drafts.into_iter().enumerate() {
        for value in draft.values() {
            places.entry(value).or_insert_with(|| pool.take(len(value)));
        }
        let mut dead: Vec<NodeId> = draft.values().filter(|value| last_use.get(value) == Some(&i)).collect();
        dead.sort_unstable();
        dead.dedup();
        for value in dead {
            if let Some(Range { buffer: Buffer::Activation(index), .. }) = places.get(&value) {
                pool.free.push(*index);
            }
        }
        let operands = draft.operands.iter().map(|operand| match operand {
            Operand::Value(value) => places[value],
            Operand::Fixed(range) => *range,
        });
        steps.push(PlanStep { operands: operands.collect(), kernel: draft.kernel, name: draft.name });
    }
    Placed { steps, activations: pool.sizes, places }
}

#[derive(Default)]
struct Pool {
    sizes: Vec<usize>,
    free: Vec<usize>,
}

impl Pool {
    /// The smallest free buffer that is large enough, else the largest free one made larger, else a new one.
    fn take(&mut self, len: usize) -> Range {
        let fits = self.free.iter().filter(|&&i| self.sizes[i] >= len).min_by_key(|&&i| (self.sizes[i], i));
        let chosen = fits.or_else(|| self.free.iter().max_by_key(|&&i| (self.sizes[i], i))).copied();
        let index = match chosen {
            Some(index) => {
                self.free.retain(|&i| i != index);
                index
            }
            None => {
                self.sizes.push(0);
                self.sizes.len() - 1
            }
        };
        self.sizes[index] = self.sizes[index].max(len);
        Range::of(Buffer::Activation(index), len)
    }
}
