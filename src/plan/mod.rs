//! A plan is a graph lowered for one batch size: a printable list of steps and the sizes of the buffers they
//! use. It is plain data: the GPU executor and the CPU executor run the same plan.

pub(crate) mod device_info;
mod draft;
mod executor;
mod fuse;
mod half;
mod in_place;
mod lower;
mod memory;
mod slab;
mod split;
mod work;

pub(crate) use executor::Fetched;
pub use executor::{Clock, Executor, Fetch, PlanId, Span, Timings};
pub use lower::{Lowering, ParameterUpdate, lower};
pub use slab::{ALIGNMENT, Slab};
pub use work::Work;

use crate::kernels::{Access, Binding, Halves, Kernel, NORM_CHUNK, PARTIALS_AT};
use std::fmt;

/// A buffer of the executor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Buffer {
    /// Intermediate values of this plan, reused once their last reader has run.
    Temporary(usize),
    /// All parameters of the model.
    Parameters,
    /// Their gradients, in the same layout.
    Gradients,
    /// One moment of the optimizer, in the same layout.
    Moment(usize),
    /// The gradients of one batch that are to join those of others in `Gradients`, in the same layout.
    BatchGradients,
    /// The parameters of another model of the same layout.
    OtherParameters,
    /// How each block of [`ALIGNMENT`] parameters is updated: rate factor, L2, L1, weight decay (see
    /// [`kernels::update`](crate::kernels::update)).
    Rules,
    /// The factor and the largest size of every gradient, then partial sums of their squares.
    Clip,
    /// By what the loss is multiplied so that small gradients survive in f16 (see
    /// [`kernels::gradient_norm`](crate::kernels::gradient_norm)).
    LossScale,
    /// One row of sums for each training step of an epoch.
    Log,
    /// The rows of input `slot` of the data set.
    DataInput(usize),
    /// The rows of target `slot` of the data set.
    DataTarget(usize),
    /// The weights of the rows of the data set.
    DataWeights,
    /// The order in which the rows of the data set are visited, as u32.
    Order,
}

impl fmt::Display for Buffer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Buffer::Temporary(i) => write!(f, "tmp{i}"),
            Buffer::Parameters => write!(f, "parameters"),
            Buffer::Gradients => write!(f, "gradients"),
            Buffer::Moment(i) => write!(f, "moment{i}"),
            Buffer::BatchGradients => write!(f, "batch_gradients"),
            Buffer::OtherParameters => write!(f, "other_parameters"),
            Buffer::Rules => write!(f, "rules"),
            Buffer::Clip => write!(f, "clip"),
            Buffer::LossScale => write!(f, "loss_scale"),
            Buffer::Log => write!(f, "log"),
            Buffer::DataInput(i) => write!(f, "data.input{i}"),
            Buffer::DataTarget(i) => write!(f, "data.target{i}"),
            Buffer::DataWeights => write!(f, "data.weights"),
            Buffer::Order => write!(f, "data.order"),
        }
    }
}

/// A range of the elements of a buffer. Offsets are multiples of [`ALIGNMENT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BufferRange {
    /// The buffer.
    pub buffer: Buffer,
    /// First element.
    pub offset: usize,
    /// How far it reaches.
    pub extent: Extent,
}

/// How far a range of a buffer reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Extent {
    /// Over so many elements.
    Elements(usize),
    /// Over all of a buffer whose size the plan does not fix: the data set and the log.
    All,
}

impl BufferRange {
    /// The first `len` elements of `buffer`.
    pub const fn of(buffer: Buffer, len: usize) -> Self {
        Self { buffer, offset: 0, extent: Extent::Elements(len) }
    }

    /// All of a buffer whose size the plan does not fix.
    pub const fn whole(buffer: Buffer) -> Self {
        Self { buffer, offset: 0, extent: Extent::All }
    }

    /// `len` elements from where this range begins.
    pub const fn resized(self, len: usize) -> Self {
        Self { extent: Extent::Elements(len), ..self }
    }

    /// The elements that the plan fixes: none of a whole buffer.
    pub const fn fixed(&self) -> usize {
        match self.extent {
            Extent::Elements(len) => len,
            Extent::All => 0,
        }
    }

    /// The first element behind it, as far as the plan fixes it.
    pub const fn end(&self) -> usize {
        self.offset + self.fixed()
    }

    /// Its elements in a buffer that holds `size`.
    pub const fn within(&self, size: usize) -> std::ops::Range<usize> {
        match self.extent {
            Extent::Elements(len) => self.offset..self.offset + len,
            Extent::All => self.offset..size,
        }
    }
}

impl fmt::Display for BufferRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.extent {
            Extent::All => write!(f, "{}", self.buffer),
            Extent::Elements(_) => write!(f, "{}[{}..{}]", self.buffer, self.offset, self.end()),
        }
    }
}

/// One dispatch: a kernel, its buffers in binding order, and the node it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct PlanStep {
    /// The kernel with its parameters.
    pub kernel: Kernel,
    /// Its buffers, in binding order: reads, then writes.
    pub operands: Vec<BufferRange>,
    /// The layer and operation it came from.
    pub name: String,
}

impl PlanStep {
    /// The WGSL file, with the entry point where it has several.
    pub fn kernel_name(&self) -> String {
        self.kernel.name()
    }

    /// The buffers with what the kernel says of each.
    pub fn bindings(&self) -> impl Iterator<Item = (&'static Binding, &BufferRange)> {
        self.kernel.spec().entry().bindings.iter().zip(&self.operands)
    }

    /// The buffers it only reads.
    pub fn reads(&self) -> impl Iterator<Item = &BufferRange> {
        self.bindings().filter(|(binding, _)| binding.access == Access::Read).map(|(_, range)| range)
    }

    /// The buffers it writes or updates.
    pub fn writes(&self) -> impl Iterator<Item = &BufferRange> {
        self.bindings().filter(|(binding, _)| binding.access != Access::Read).map(|(_, range)| range)
    }
}

/// What a plan asks of a buffer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Storage {
    /// Elements.
    pub len: usize,
    /// Whether they are f16; otherwise they are 32 bits wide.
    pub half: bool,
}

impl Storage {
    /// `len` elements of 32 bits.
    pub const fn full(len: usize) -> Self {
        Self { len, half: false }
    }

    /// Its bytes.
    pub fn bytes(&self) -> u64 {
        let element = if self.half { 2 } else { 4 };
        (self.len as u64).saturating_mul(element)
    }
}

impl From<usize> for Storage {
    fn from(len: usize) -> Self {
        Self::full(len)
    }
}

/// A graph lowered for one batch size.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// What the plan is for: `train`, `evaluate`, `predict`.
    pub name: String,
    /// Rows of a batch.
    pub batch: usize,
    /// The dispatches, in order.
    pub steps: Vec<PlanStep>,
    /// The activation buffers.
    pub temporaries: Vec<Storage>,
    /// Where each input of the batch lies, by slot; `None` for an input that nothing reads.
    pub inputs: Vec<Option<BufferRange>>,
    /// Where each requested output lies after a run.
    pub outputs: Vec<BufferRange>,
    /// Columns of the log.
    pub log_slots: usize,
    /// Elements of the parameter slab.
    pub slab: usize,
    /// Moment slabs of the optimizer.
    pub moments: usize,
}

impl Plan {
    /// Bytes of the temporary buffers.
    pub fn temporary_bytes(&self) -> u64 {
        self.temporaries.iter().map(Storage::bytes).sum()
    }

    /// Whether `buffer` holds f16.
    pub fn is_half(&self, buffer: Buffer) -> bool {
        match buffer {
            Buffer::Temporary(i) => self.temporaries.get(i).is_some_and(|storage| storage.half),
            _ => false,
        }
    }

    /// The inputs whose batches are stored in f16, by slot.
    pub fn half_inputs(&self) -> impl Iterator<Item = usize> {
        let gathered = |step: &PlanStep| {
            let [from, to] = match (&step.kernel, step.operands.as_slice()) {
                (Kernel::Gather(_), [data, _, batch]) => [data, batch],
                (Kernel::GatherBatch(_), [data, _, _, _, batch, ..]) => [data, batch],
                _ => return None,
            };
            match from.buffer {
                Buffer::DataInput(slot) => self.is_half(to.buffer).then_some(slot),
                _ => None,
            }
        };
        self.steps.iter().filter_map(gathered)
    }

    /// Which buffers of `step` hold f16.
    pub fn halves(&self, step: &PlanStep) -> Halves {
        let halves = step.bindings().filter(|(_, range)| self.is_half(range.buffer));
        halves.fold(Halves::NONE, |halves, (binding, _)| halves.with(binding))
    }

    /// A plan of the single dispatch `step` over these activation buffers: for checks and measurements.
    pub fn of_one(step: PlanStep, temporaries: impl IntoIterator<Item = impl Into<Storage>>) -> Self {
        Self {
            name: step.name.clone(),
            batch: 1,
            steps: vec![step],
            temporaries: temporaries.into_iter().map(Into::into).collect(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            log_slots: 0,
            slab: ALIGNMENT,
            moments: 0,
        }
    }

    /// The buffers that the plans of a model share, with their elements: parameters, gradients, moments, and
    /// what else its steps name of them.
    pub fn slabs(&self) -> Vec<(Buffer, usize)> {
        let moments = (0..self.moments).map(Buffer::Moment);
        let slabs = [Buffer::Parameters, Buffer::Gradients].into_iter().chain(moments);
        let end_of = |buffer: Buffer| {
            let ranges = self.steps.iter().flat_map(|step| &step.operands).filter(|range| range.buffer == buffer);
            ranges.map(BufferRange::end).max()
        };
        let further = [Buffer::Rules, Buffer::Clip, Buffer::LossScale, Buffer::BatchGradients, Buffer::OtherParameters]
            .into_iter();
        // Another plan may want more of it: the partial sums of a norm.
        let whole = |buffer: Buffer, used: usize| match buffer {
            Buffer::Clip => used.max(PARTIALS_AT + self.slab.div_ceil(NORM_CHUNK)),
            _ => used,
        };
        let further = further.filter_map(|buffer| end_of(buffer).map(|used| (buffer, whole(buffer, used))));
        slabs.map(|buffer| (buffer, self.slab)).chain(further).collect()
    }

    /// The data buffers that the steps name, with their elements for a data set of `rows` rows (a batch is no larger
    /// than that) visited in `steps` steps.
    pub fn data_sizes(&self, rows: usize, steps: usize) -> Vec<(Buffer, usize)> {
        let mut sizes: Vec<(Buffer, usize)> = Vec::new();
        for step in &self.steps {
            for range in &step.operands {
                let elements = match (range.buffer, &step.kernel) {
                    // Read in place.
                    (Buffer::DataInput(_) | Buffer::DataTarget(_), _) if range.extent != Extent::All => range.fixed(),
                    (Buffer::DataInput(_) | Buffer::DataTarget(_), Kernel::Gather(gather)) => {
                        rows.saturating_mul(gather.cols as usize)
                    }
                    (Buffer::DataInput(_), Kernel::GatherBatch(gather)) => rows.saturating_mul(gather.x_cols as usize),
                    (Buffer::DataTarget(_), Kernel::GatherBatch(gather)) => rows.saturating_mul(gather.y_cols as usize),
                    (Buffer::DataWeights | Buffer::Order, _) => rows,
                    (Buffer::Log, _) => (self.log_slots * self.batch).saturating_mul(steps.max(1)),
                    _ => continue,
                };
                if sizes.iter().all(|(buffer, _)| *buffer != range.buffer) {
                    sizes.push((range.buffer, elements));
                }
            }
        }
        sizes
    }

    /// The largest buffer or slab range of the plan in bytes, and what it is. Of data and log, which may be larger,
    /// the rows of a batch count: it runs on no less.
    pub fn largest(&self) -> (u64, Buffer) {
        let slab = (4 * self.slab as u64, Buffer::Parameters);
        let temporaries = self.temporaries.iter().enumerate().map(|(i, s)| (s.bytes(), Buffer::Temporary(i)));
        let data = self.data_sizes(self.batch, 1).into_iter().map(|(buffer, len)| (4 * len as u64, buffer));
        temporaries.chain(data).fold(slab, |largest, one| if one.0 > largest.0 { one } else { largest })
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (steps, buffers) = (self.steps.len(), self.temporaries.len());
        writeln!(
            f,
            "plan {}: batch {}, {steps} dispatches, {buffers} temporary buffers ({} bytes), slab of {} elements",
            self.name,
            self.batch,
            self.temporary_bytes(),
            self.slab
        )?;
        for (i, step) in self.steps.iter().enumerate() {
            let (spec, kernel) = (step.kernel.spec(), step.kernel_name());
            let overrides = spec.overrides();
            let set: Vec<_> = overrides.iter().filter(|(_, value)| *value != 0.0).collect();
            let set: Vec<_> = set.iter().map(|(name, value)| format!("{name}={value}")).collect();
            let show = |range: &BufferRange| format!("{range}{}", if self.is_half(range.buffer) { ":f16" } else { "" });
            let list = |ranges: Vec<String>| ranges.join(" ");
            let reads = list(step.reads().map(show).collect());
            let writes = list(step.writes().map(show).collect());
            let (name, groups) = (&step.name, spec.workgroups());
            let line =
                format!("{i:>3} {kernel:<36} {name:<28} {groups:>5} groups  {reads} -> {writes}  {}", set.join(" "));
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}
