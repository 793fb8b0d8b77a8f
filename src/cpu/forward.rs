//! Serving on the CPU: plans for predictions of one set of weights, which several threads run at a time.
//!
//! A training executor owns its buffers; here nothing is owned but the weights, packed once for the products that read
//! them. What a prediction computes in belongs to the thread that runs it and stays with it, so that a row costs no
//! allocation.

use super::product::Packed;
use super::{run, twins::activation::add_bias_and_activate};
use crate::kernels::{Activation, Epilogue, Kernel, Step};
use crate::plan::{Buffer, Plan, PlanStep, Range};
use crate::{Error, Result};
use std::cell::Cell;
use std::collections::HashMap;

thread_local! {
    /// The activations of the prediction that this thread runs.
    static ROOM: Cell<Vec<Vec<f32>>> = const { Cell::new(Vec::new()) };
}

/// Most buffers a kernel binds.
const MAX_OPERANDS: usize = 8;

/// The weights of a model, as predictions read them.
#[derive(Debug)]
pub(crate) struct Weights {
    slab: Vec<f32>,
    packed: Vec<Packed>,
    /// By where a matrix begins in the slab, and its shape.
    places: HashMap<(usize, usize, usize), usize>,
}

/// A plan for predictions, of as many rows as its batch has.
#[derive(Debug)]
pub(crate) struct Forward {
    steps: Vec<Doing>,
    /// Elements of each activation buffer.
    buffers: Vec<usize>,
    /// Inputs that are copied to a buffer first, since a kernel wants all rows of the plan.
    copied: Vec<(usize, Range)>,
    outputs: Vec<Place>,
}

#[derive(Debug, Clone, Copy)]
struct Place {
    from: From,
    offset: usize,
    len: usize,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum From {
    Slab,
    Buffer(usize),
    Input(usize),
}

#[derive(Debug)]
enum Doing {
    /// `y = f(x W + b)` with packed weights, for as many rows as there are.
    Dense { packed: usize, bias: Option<(Activation, Place)>, x: Place, y: usize, width: usize },
    /// Any other kernel, for all rows of the plan.
    Other { kernel: Kernel, reads: Vec<Place>, writes: Vec<Place> },
}

impl Weights {
    pub fn new(slab: Vec<f32>) -> Self {
        Self { slab, packed: Vec::new(), places: HashMap::new() }
    }

    /// The number of the packed matrix `(k, n)` at `offset`.
    fn pack(&mut self, offset: usize, k: usize, n: usize) -> Option<usize> {
        if let Some(known) = self.places.get(&(offset, k, n)) {
            return Some(*known);
        }
        self.packed.push(Packed::new(self.slab.get(offset..offset + k * n)?, k, n)?);
        self.places.insert((offset, k, n), self.packed.len() - 1);
        Some(self.packed.len() - 1)
    }
}

impl Forward {
    /// Of a plan whose inputs are written by the host.
    pub fn new(plan: &Plan, weights: &mut Weights) -> Result<Self> {
        let own = |range: &Range| match range.buffer {
            Buffer::Activation(buffer) => {
                Ok(Place { from: From::Buffer(buffer), offset: range.offset, len: range.len })
            }
            Buffer::Parameters => Ok(Place { from: From::Slab, offset: range.offset, len: range.len }),
            other => Err(Error::Internal(format!("a prediction reads {other}"))),
        };
        // Which input lies in which buffer, until that is written.
        let mut alive: Vec<(usize, Range)> =
            plan.inputs.iter().enumerate().filter_map(|(input, range)| Some((input, (*range)?))).collect();
        let (mut steps, mut copied) = (Vec::new(), Vec::new());
        for step in &plan.steps {
            let writes: Vec<Place> = step.writes().map(own).collect::<Result<_>>()?;
            let to = match writes.as_slice() {
                &[Place { from: From::Buffer(y), offset: 0, .. }] => Some(y),
                _ => None,
            };
            let dense = to.and_then(|to| dense(step, weights).map(|dense| (dense, to)));
            let mut reads: Vec<Place> = step.reads().map(own).collect::<Result<_>>()?;
            for (place, range) in reads.iter_mut().zip(step.reads()) {
                let Some((input, at)) = alive.iter().find(|(_, at)| at == range) else { continue };
                if dense.is_some() {
                    place.from = From::Input(*input);
                } else if !copied.contains(&(*input, *at)) {
                    copied.push((*input, *at));
                }
            }
            alive.retain(|(_, at)| writes.iter().all(|write| own(at).is_ok_and(|place| place.from != write.from)));
            steps.push(match dense {
                Some(((packed, activation, width), y)) => {
                    let bias = activation.zip(reads.get(2).copied());
                    Doing::Dense { packed, bias, x: reads[0], y, width }
                }
                None => Doing::Other { kernel: step.kernel.clone(), reads, writes },
            });
        }
        // An output may be an input that no layer changes.
        let output = |range: &Range| {
            let input = alive.iter().find(|(_, at)| at == range).map(|(input, _)| From::Input(*input));
            own(range).map(|place| Place { from: input.unwrap_or(place.from), ..place })
        };
        let outputs = plan.outputs.iter().map(output).collect::<Result<_>>()?;
        let buffers = plan.activations.iter().map(|storage| storage.len).collect();
        Ok(Self { steps, buffers, copied, outputs })
    }

    /// The outputs of `count` rows of the inputs, at most those of its plan.
    pub fn run(&self, weights: &Weights, inputs: &[&[f32]], count: usize, outputs: &mut [&mut [f32]]) -> Result<()> {
        let mut room = ROOM.take();
        room.resize_with(self.buffers.len().max(room.len()), Vec::new);
        for (buffer, len) in room.iter_mut().zip(&self.buffers) {
            buffer.resize(buffer.len().max(*len), 0.0);
        }
        for (input, range) in &self.copied {
            if let Buffer::Activation(buffer) = range.buffer {
                let (own, padding) = room[buffer][range.offset..][..range.len].split_at_mut(inputs[*input].len());
                own.copy_from_slice(inputs[*input]);
                // What another model left there may be no category.
                padding.fill(0.0);
            }
        }
        for step in &self.steps {
            match step {
                Doing::Dense { packed, bias, x, y, width } => {
                    let mut out = std::mem::take(&mut room[*y]);
                    let bias = bias.as_ref().map(|(f, place)| (*f, at(weights, &room, inputs, place)));
                    let (packed, x) = (&weights.packed[*packed], at(weights, &room, inputs, x));
                    pulp::Arch::new().dispatch(Dense {
                        packed,
                        bias,
                        x: &x[..count * packed.k()],
                        y: &mut out[..count * width],
                    });
                    room[*y] = out;
                }
                Doing::Other { kernel, reads, writes } => other(weights, &mut room, inputs, (kernel, reads, writes))?,
            }
        }
        for (place, output) in self.outputs.iter().zip(outputs) {
            output.copy_from_slice(&at(weights, &room, inputs, place)[..output.len()]);
        }
        ROOM.set(room);
        Ok(())
    }
}

/// What lies at `place`.
fn at<'a>(weights: &'a Weights, room: &'a [Vec<f32>], inputs: &[&'a [f32]], place: &Place) -> &'a [f32] {
    match place.from {
        From::Slab => &weights.slab[place.offset..][..place.len],
        From::Buffer(buffer) => &room[buffer][place.offset..][..place.len],
        From::Input(input) => inputs[input],
    }
}

/// Whether `step` is a product with weights that can be packed: which, its activation, and the columns of its result.
fn dense(step: &PlanStep, weights: &mut Weights) -> Option<(usize, Option<Activation>, usize)> {
    let Kernel::Matmul(product) = &step.kernel else { return None };
    let activation = match product.epilogue {
        Epilogue::Plain => None,
        Epilogue::Bias(function) => Some(function),
        Epilogue::Gradient(_) | Epilogue::BiasRow { .. } | Epilogue::InParts { .. } => return None,
    };
    let b = step.operands.get(1).filter(|b| b.buffer == Buffer::Parameters)?;
    if product.transpose_a || product.transpose_b {
        return None;
    }
    let (k, n) = (product.params.k as usize, product.params.n as usize);
    Some((weights.pack(b.offset, k, n)?, activation, n))
}

/// Runs a kernel that is no product with weights. What it writes is taken out of the room meanwhile.
fn other(
    weights: &Weights,
    room: &mut [Vec<f32>],
    inputs: &[&[f32]],
    (kernel, reads, writes): (&Kernel, &[Place], &[Place]),
) -> Result<()> {
    let mut taken: [Vec<f32>; MAX_OPERANDS] = Default::default();
    for (slot, place) in taken.iter_mut().zip(writes) {
        if let From::Buffer(buffer) = place.from {
            *slot = std::mem::take(&mut room[buffer]);
        }
    }
    let mut read: [&[f32]; MAX_OPERANDS] = [&[]; MAX_OPERANDS];
    read.iter_mut().zip(reads).for_each(|(read, place)| *read = at(weights, room, inputs, place));
    let mut write: [&mut [f32]; MAX_OPERANDS] = Default::default();
    for ((write, all), place) in write.iter_mut().zip(&mut taken).zip(writes) {
        *write = &mut all[place.offset..][..place.len];
    }
    let outcome = run(kernel, &read[..reads.len()], &mut write[..writes.len()], &[], &Step::default());
    for (slot, place) in taken.into_iter().zip(writes) {
        if let From::Buffer(buffer) = place.from {
            room[buffer] = slot;
        }
    }
    outcome
}

/// `y = f(x W + b)`, to be run with this CPU's own instructions.
struct Dense<'a> {
    packed: &'a Packed,
    bias: Option<(Activation, &'a [f32])>,
    x: &'a [f32],
    y: &'a mut [f32],
}

impl pulp::WithSimd for Dense<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, simd: S) {
        self.packed.multiply(simd, self.x, self.y);
        if let Some((function, bias)) = self.bias {
            add_bias_and_activate(function, bias, self.y);
        }
    }
}
