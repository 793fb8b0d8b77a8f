//! A plan in the making: dispatches whose values have no buffers yet.

use super::BufferRange;
use crate::graph::NodeId;
use crate::kernels::{Access, Kernel};

/// A buffer of a draft: a value that has no place yet, or a place of its own.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Operand {
    Value(NodeId),
    Fixed(BufferRange),
}

/// A dispatch whose values have no buffers yet.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub kernel: Kernel,
    /// In binding order: reads, then writes.
    pub operands: Vec<Operand>,
    pub name: String,
}

impl Draft {
    pub fn values(&self) -> impl Iterator<Item = NodeId> {
        self.operands.iter().filter_map(|operand| match operand {
            Operand::Value(value) => Some(*value),
            Operand::Fixed(_) => None,
        })
    }

    fn split(&self, reads: bool) -> impl Iterator<Item = Operand> {
        let bindings = self.kernel.spec().entry().bindings.iter();
        let wanted = move |access| (access == Access::Read) == reads;
        bindings.zip(&self.operands).filter(move |(binding, _)| wanted(binding.access)).map(|(_, operand)| *operand)
    }

    pub fn reads(&self) -> impl Iterator<Item = Operand> {
        self.split(true)
    }

    pub fn writes(&self) -> impl Iterator<Item = Operand> {
        self.split(false)
    }
}
