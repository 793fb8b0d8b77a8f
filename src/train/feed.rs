//! Brings the rows of a data set to a plan, batch by batch.
//!
//! A set that fits lives on the device: an epoch uploads an order and the batches are gathered there. A
//! larger one is streamed: the host puts the rows of the next steps in order and writes them over the last
//! ones, while the steps before are still running. Either way a batch holds the same rows, so the results
//! are the same bits.

use super::logged::Logged;
use crate::data::{Dataset, Targets};
use crate::device::Device;
use crate::kernels::Step;
use crate::model::Loaded;
use crate::plan::{Buffer, Executor, Plan, PlanId, Range};
use crate::{Error, Result};
use half::f16;
use std::borrow::Cow;

/// One tensor of a data set: where it goes, its numbers, its width.
pub(super) struct Tensor<'a> {
    pub buffer: Buffer,
    pub values: Cow<'a, [f32]>,
    pub width: usize,
}

/// A data set bound to a loaded plan.
pub(crate) struct Feed<'a> {
    id: PlanId,
    tensors: Vec<Tensor<'a>>,
    data: &'a Dataset,
    rows: usize,
    batch: usize,
    slots: usize,
    /// Rows on the device at a time: all of them, or whole batches.
    resident: usize,
    /// Steps queued between two looks at the clock.
    slice: usize,
}

impl<'a> Feed<'a> {
    /// Binds `data` to `loaded`; what the plan does not read is not uploaded. At most `budget` bytes of data lie on
    /// the device.
    pub fn new(
        executor: &mut dyn Executor,
        device: &Device,
        loaded: &Loaded,
        data: &'a Dataset,
        budget: u64,
    ) -> Result<Self> {
        Self::within(executor, device, (loaded.id, &loaded.plan), data, budget)
    }

    /// As [`new`](Self::new), for a plan that `executor` has loaded.
    pub fn within(
        executor: &mut dyn Executor,
        device: &Device,
        (id, plan): (PlanId, &Plan),
        data: &'a Dataset,
        budget: u64,
    ) -> Result<Self> {
        // A binding holds one tensor; the widest takes most of a row.
        let inputs = data.inputs().iter().map(|input| input.cols() as u64);
        let widths: Vec<u64> = inputs.chain(data.targets().iter().map(|target| target.width() as u64)).collect();
        let widest = widths.iter().copied().max().unwrap_or(1);
        let all = widths.iter().sum::<u64>() + 1;
        let bindable = device.info().limits.binding_bytes / widest * all;
        Self::bind(executor, id, plan, data, budget.min(bindable))
    }

    fn bind(executor: &mut dyn Executor, id: PlanId, plan: &Plan, data: &'a Dataset, budget: u64) -> Result<Self> {
        plan.half_inputs().try_for_each(|slot| check_half(data, slot))?;
        let (rows, batch) = (data.len(), plan.batch);
        let used = plan.data_sizes(1, 1);
        let mut tensors = tensors(data);
        tensors.retain(|tensor| used.iter().any(|(buffer, _)| *buffer == tensor.buffer));
        let row_bytes = 4 * tensors.iter().map(|tensor| tensor.width as u64).sum::<u64>().max(1);
        let fits = usize::try_from(budget / row_bytes).unwrap_or(usize::MAX);
        let resident = if fits >= rows { rows } else { (fits / batch).max(1) * batch };
        let steps = rows.div_ceil(batch);
        executor.bind_data(id, resident, steps)?;
        let slots = plan.log_slots;
        let feed = Self { id, tensors, data, rows, batch, slots, resident, slice: 8 };
        executor.write_order(id, &(0..resident as u32).collect::<Vec<_>>())?;
        if !feed.is_streamed() {
            for tensor in &feed.tensors {
                executor.write(id, tensor.buffer, 0, &tensor.values)?;
            }
        }
        Ok(feed)
    }

    /// Binds all of `data` to a plan that `executor` has loaded as `id`, in its own order: for checks that drive the
    /// plan themselves.
    pub fn whole(executor: &mut dyn Executor, id: PlanId, plan: &Plan, data: &'a Dataset) -> Result<Self> {
        Self::bind(executor, id, plan, data, u64::MAX)
    }

    /// Whether the set is larger than its budget.
    pub fn is_streamed(&self) -> bool {
        self.resident < self.rows
    }

    /// Steps of an epoch.
    pub fn steps(&self) -> usize {
        self.rows.div_ceil(self.batch)
    }

    /// The uniform of step `i` of an epoch in the order `order`: what of it the data decide.
    pub fn step(&self, i: usize, order: &[u32]) -> Step {
        let rows = order.chunks(self.batch).nth(i).unwrap_or_default();
        let weight = self.data.weight(rows.iter().copied());
        Step {
            start: (i * self.batch % self.resident) as u32,
            valid: rows.len() as u32,
            inverse_weight: if weight > 0.0 { (1.0 / weight) as f32 } else { 0.0 },
            log_row: i as u32,
            ..Step::default()
        }
    }

    /// Runs one epoch in the order `order`. `fill` completes the uniform of step `i`; `done` hears how many steps are
    /// queued and says whether to go on. Returns what the steps logged; `None` where `done` ended the epoch before
    /// its last step.
    pub fn run_epoch<'o>(
        &mut self,
        executor: &mut dyn Executor,
        order: &'o [u32],
        fill: impl Fn(usize, &mut Step),
        done: impl FnMut(usize) -> bool,
    ) -> Result<Option<Logged<'o>>>
    where
        'a: 'o,
    {
        if !self.run_steps(executor, order, fill, done)? {
            return Ok(None);
        }
        let log = self.read_log(executor)?;
        Ok(Some(self.logged(log, order)))
    }

    /// Queues the steps of one epoch, as [`run_epoch`](Self::run_epoch) does; whether all of them.
    pub fn run_steps(
        &mut self,
        executor: &mut dyn Executor,
        order: &[u32],
        fill: impl Fn(usize, &mut Step),
        mut done: impl FnMut(usize) -> bool,
    ) -> Result<bool> {
        let steps = self.uniforms(order, fill);
        self.begin_epoch(executor, order)?;
        let mut queued = 0;
        for (chunk, rows) in steps.chunks(self.resident.div_ceil(self.batch)).zip(order.chunks(self.resident)) {
            if self.is_streamed() {
                self.upload(executor, rows)?;
            }
            let mut rest = chunk;
            while !rest.is_empty() {
                let (now, later) = rest.split_at(self.slice.min(rest.len()));
                let begun = std::time::Instant::now();
                executor.run(self.id, now)?;
                if begun.elapsed().as_millis() < 100 {
                    self.slice = self.slice.saturating_mul(2);
                }
                queued += now.len();
                if !done(queued) && queued < steps.len() {
                    return Ok(false);
                }
                rest = later;
            }
        }
        Ok(true)
    }

    /// Walks through one epoch step by step: `run` is called where the rows of a step are ready, and says whether to
    /// go on.
    pub fn walk(
        &mut self,
        executor: &mut dyn Executor,
        order: &[u32],
        fill: impl Fn(usize, &mut Step),
        mut run: impl FnMut(&mut dyn Executor, &Step) -> Result<bool>,
    ) -> Result<()> {
        let steps = self.uniforms(order, fill);
        self.begin_epoch(executor, order)?;
        for (chunk, rows) in steps.chunks(self.resident.div_ceil(self.batch)).zip(order.chunks(self.resident)) {
            if self.is_streamed() {
                self.upload(executor, rows)?;
            }
            for step in chunk {
                if !run(executor, step)? {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    fn uniforms(&self, order: &[u32], fill: impl Fn(usize, &mut Step)) -> Vec<Step> {
        let mut steps: Vec<Step> = (0..self.steps()).map(|i| self.step(i, order)).collect();
        steps.iter_mut().enumerate().for_each(|(i, step)| fill(i, step));
        steps
    }

    fn begin_epoch(&self, executor: &mut dyn Executor, order: &[u32]) -> Result<()> {
        if self.is_streamed() { Ok(()) } else { executor.write_order(self.id, order) }
    }

    /// The log `(steps, slots, batch)` of the last epoch.
    fn read_log(&self, executor: &mut dyn Executor) -> Result<Vec<f32>> {
        let len = self.slots * self.batch * self.steps();
        executor.read(self.id, Range { buffer: Buffer::Log, offset: 0, len })
    }

    /// The loss of each step of the last epoch, which ran in the order `order`: the sum of the mean losses in the first
    /// log slots, each times its weight.
    pub fn step_losses(&self, executor: &mut dyn Executor, order: &[u32], weights: &[f32]) -> Result<Vec<f64>> {
        let log = self.read_log(executor)?;
        let steps = log.chunks_exact(self.slots * self.batch).zip(order.chunks(self.batch));
        Ok(steps.map(|(log, rows)| self.logged(log.to_vec(), rows).loss(weights)).collect())
    }

    /// Slots of the log: values that each row logs.
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Rows of a batch.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// The plan it is bound to.
    pub fn id(&self) -> PlanId {
        self.id
    }

    /// The log of steps that saw the rows of `order`.
    fn logged<'o>(&self, log: Vec<f32>, order: &'o [u32]) -> Logged<'o>
    where
        'a: 'o,
    {
        let (targets, weights) = (self.data.targets(), self.data.weights());
        Logged { log, slots: self.slots, batch: self.batch, order: order.into(), rows: self.rows, targets, weights }
    }

    /// Writes the rows of the next steps, in order.
    fn upload(&self, executor: &mut dyn Executor, rows: &[u32]) -> Result<()> {
        for tensor in &self.tensors {
            let mut part = Vec::with_capacity(rows.len() * tensor.width);
            for &row in rows {
                let first = row as usize * tensor.width;
                part.extend_from_slice(&tensor.values[first..first + tensor.width]);
            }
            executor.write(self.id, tensor.buffer, 0, &part)?;
        }
        Ok(())
    }
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
fn check_half(data: &Dataset, slot: usize) -> Result<()> {
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
