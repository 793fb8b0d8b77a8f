//! What a plan reads of a data set, as buffers of numbers.

use crate::data::{Dataset, Targets};
use crate::plan::Buffer;
use crate::{Error, Result};
use half::f16;
use std::borrow::Cow;

/// One tensor of a data set: where it goes, its numbers, its width.
pub(super) struct Tensor<'a> {
    pub buffer: Buffer,
    pub values: Cow<'a, [f32]>,
    pub width: usize,
}

/// Inputs, targets and weights of `data`.
pub(super) fn tensors(data: &Dataset) -> Vec<Tensor<'_>> {
    let inputs = data.inputs().iter().enumerate().map(|(i, input)| Tensor {
        buffer: Buffer::DataInput(i),
        values: Cow::Borrowed(input.data()),
        width: input.cols(),
    });
    let targets = data.targets().iter().enumerate().map(|(i, target)| {
        let values = match target {
            Targets::Values(values) => Cow::Borrowed(values.data()),
            // Exact: a device has no room for the 2^24 classes from which f32 would skip one.
            Targets::Classes(labels) => labels.iter().map(|&label| label as f32).collect(),
        };
        Tensor { buffer: Buffer::DataTarget(i), values, width: target.width() }
    });
    let weights = data.weights().map_or_else(|| vec![1.0; data.len()].into(), Cow::Borrowed);
    let weights = Tensor { buffer: Buffer::DataWeights, values: weights, width: 1 };
    inputs.chain(targets).chain([weights]).collect()
}

/// Refuses a number of input `slot` that f16 cannot hold: it would be infinite in every step.
pub(super) fn check_half(data: &Dataset, slot: usize) -> Result<()> {
    let Some(input) = data.inputs().get(slot) else { return Ok(()) };
    let most = f16::MAX.to_f32();
    match input.data().iter().position(|x| x.is_finite() && x.abs() > most) {
        None => Ok(()),
        Some(at) => {
            let (row, column, value) = (at / input.cols(), at % input.cols(), input.data()[at]);
            let place = format!("inputs[{slot}] row {row}, column {column}");
            Err(Error::data(place, format!("{value}, beyond {most}, the largest number of Precision::F16")))
        }
    }
}
