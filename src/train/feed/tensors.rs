//! What a plan reads of a data set, as buffers of numbers.

use crate::data::{Dataset, Matrix, Targets};
use crate::kernels::{Kernel, NormPart};
use crate::plan::{Buffer, HostRows, Plan};
use crate::{Error, Result};
use half::f16;
use std::borrow::Cow;
use std::sync::Arc;

/// One tensor of a data set: where it goes, its numbers, its width.
pub(in crate::train) struct Tensor<'a> {
    pub buffer: Buffer,
    pub values: Cow<'a, [f32]>,
    pub width: usize,
    /// The weights of the rows, where those of weight 0 are to arrive as zeros: as if they were padding, so that nothing
    /// they hold can meet their weight as `0 · ∞`.
    pub blanks: Option<&'a [f32]>,
    /// The same numbers, to be read where they lie.
    pub host: Option<HostRows>,
}

/// One input of a data set, and one target of numbers.
struct InputRows(Arc<Vec<Matrix>>, usize);
struct TargetRows(Arc<Vec<Targets>>, usize);

impl AsRef<[f32]> for InputRows {
    fn as_ref(&self) -> &[f32] {
        self.0.get(self.1).map_or(&[], Matrix::data)
    }
}

impl AsRef<[f32]> for TargetRows {
    fn as_ref(&self) -> &[f32] {
        self.0.get(self.1).and_then(Targets::values).map_or(&[], Matrix::data)
    }
}

impl Tensor<'_> {
    fn is_blank(&self, row: usize) -> bool {
        self.blanks.is_some_and(|weights| weights[row] == 0.0)
    }

    /// Appends the numbers of a row, as they go to a device, to `part`.
    pub fn push_row(&self, row: usize, part: &mut Vec<f32>) {
        if self.is_blank(row) {
            part.resize(part.len() + self.width, 0.0);
        } else {
            part.extend_from_slice(&self.values[row * self.width..][..self.width]);
        }
    }

    /// Those of all rows.
    pub fn all(&self) -> Cow<'_, [f32]> {
        let Some(weights) = self.blanks else { return Cow::Borrowed(&self.values) };
        let mut all = Vec::with_capacity(self.values.len());
        (0..weights.len()).for_each(|row| self.push_row(row, &mut all));
        all.into()
    }
}

/// Inputs, targets and weights of `data` for `plan`. Rows of weight 0 come as zeros, but for the inputs of a plan that
/// measures its batch: its statistics are those of all rows.
pub(in crate::train) fn tensors<'a>(data: &'a Dataset, plan: &Plan) -> Vec<Tensor<'a>> {
    let blanks = data.weights().filter(|weights| weights.contains(&0.0));
    let measures = |kernel: &Kernel| matches!(kernel, Kernel::BatchNorm(norm) if norm.part != NormPart::Normalize);
    let measured = plan.steps.iter().any(|step| measures(&step.kernel));
    let inputs = data.inputs().iter().enumerate().map(|(i, input)| Tensor {
        buffer: Buffer::DataInput(i),
        values: Cow::Borrowed(input.data()),
        width: input.cols(),
        blanks: if measured { None } else { blanks },
        host: Some(HostRows::new(InputRows(data.shared_inputs(), i))),
    });
    let mut slots = 0..;
    let mut next = || Buffer::DataTarget(slots.next().unwrap_or_default());
    let targets = data.targets().iter().enumerate().flat_map(|(i, target)| {
        // In front of its target, as in the graph.
        let own = data.target_weights(i).map(|own| Tensor {
            buffer: next(),
            values: Cow::Borrowed(own),
            width: 1,
            blanks: None,
            host: None,
        });
        let blanks = own.as_ref().map_or(blanks, |_| data.target_weights(i).filter(|own| own.contains(&0.0)));
        let values = match target {
            Targets::Values(values) => Cow::Borrowed(values.data()),
            // Exact: a device has no room for the 2^24 classes from which f32 would skip one.
            Targets::Classes(labels) => labels.iter().map(|&label| label as f32).collect(),
        };
        let host = target.values().map(|_| HostRows::new(TargetRows(data.shared_targets(), i)));
        let target = Tensor { buffer: next(), values, width: target.width(), blanks, host };
        own.into_iter().chain([target])
    });
    let weights = data.weights().map_or_else(|| vec![1.0; data.len()].into(), Cow::Borrowed);
    let weights = Tensor { buffer: Buffer::DataWeights, values: weights, width: 1, blanks: None, host: None };
    inputs.chain(targets).chain([weights]).collect()
}

/// Refuses a number of input `slot` that f16 cannot hold: it would be infinite in every step.
pub(in crate::train) fn check_half(tensors: &[Tensor<'_>], slot: usize) -> Result<()> {
    let is_input = |tensor: &&Tensor<'_>| tensor.buffer == Buffer::DataInput(slot);
    let Some(input) = tensors.iter().find(is_input) else { return Ok(()) };
    let most = f16::MAX.to_f32();
    let is_beyond = |at: usize, x: f32| x.is_finite() && x.abs() > most && !input.is_blank(at / input.width);
    match input.values.iter().enumerate().find(|(at, x)| is_beyond(*at, **x)) {
        None => Ok(()),
        Some((at, value)) => {
            let (row, column) = (at / input.width, at % input.width);
            let place = format!("inputs[{slot}] row {row}, column {column}");
            Err(Error::data(place, format!("{value}, beyond {most}, the largest number of Precision::F16")))
        }
    }
}
