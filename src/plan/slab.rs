//! The slab: every parameter of a model in one buffer. Gradients and optimizer moments use the same
//! layout, so one dispatch updates every parameter and a checkpoint is the slabs.

use super::{Buffer, BufferRange};
use crate::graph::Parameter;
use crate::kernels::RULE_BLOCK;
use std::ops::Range;

/// Parameters begin at multiples of this many elements: 256 bytes, the largest offset alignment that
/// any WebGPU adapter may ask for, so that the layout is the same everywhere.
pub const ALIGNMENT: usize = 64;

// So that a rule belongs to one parameter.
const _: () = assert!(ALIGNMENT == RULE_BLOCK);

/// Where each parameter lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slab {
    places: Vec<Range<usize>>,
    len: usize,
}

impl Slab {
    /// The layout of `parameters`, in their order. Padding between them stays 0 for good: its gradient is 0.
    pub fn new(parameters: &[Parameter]) -> Self {
        let mut len: usize = 0;
        let mut places = Vec::with_capacity(parameters.len());
        for parameter in parameters {
            // What is more than can be counted saturates, and no plan is made of it.
            let elements = parameter.rows.saturating_mul(parameter.cols);
            places.push(len..len.saturating_add(elements));
            let end = len.saturating_add(elements).checked_next_multiple_of(ALIGNMENT);
            len = end.unwrap_or(usize::MAX / ALIGNMENT * ALIGNMENT);
        }
        Self { places, len: len.max(ALIGNMENT) }
    }

    /// Elements of the slab, padding included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the model has no parameters.
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// The elements of parameter `index`.
    pub fn place(&self, index: usize) -> Range<usize> {
        self.places[index].clone()
    }

    /// Parameter `index` in `buffer`, one of the slabs.
    pub fn range(&self, buffer: Buffer, index: usize) -> BufferRange {
        let place = self.place(index);
        BufferRange { offset: place.start, ..BufferRange::of(buffer, place.len()) }
    }

    /// All of `buffer`, one of the slabs.
    pub fn all(&self, buffer: Buffer) -> BufferRange {
        BufferRange::of(buffer, self.len)
    }
}
