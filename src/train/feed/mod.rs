//! Brings the rows of a data set to a plan, batch by batch.
//!
//! A set that fits lives on the device: an epoch uploads an order and the batches are gathered there. A
//! larger one is streamed: the host puts the rows of the next steps in order and writes them over the last
//! ones, while the steps before are still running. A device that is the host itself reads the rows where they lie, however
//! many there are. A log that is longer than a buffer may be is read in parts. Either
//! way a batch holds the same rows, so the results are the same bits.

pub(super) mod log;
pub(super) mod tensors;
pub(super) mod uniforms;

use crate::Result;
use crate::data::Dataset;
use crate::device::Device;
use crate::kernels::Step;
use crate::plan::{Buffer, BufferRange, Executor, Plan, PlanId};
use log::{Logged, target_weights};
use tensors::{Tensor, check_half, tensors};

/// Bytes of data kept on the device, if nothing else is said.
pub(super) const DATA_BUDGET: u64 = 1 << 30;
/// Most steps queued between two looks at the clock.
const MOST_STEPS: usize = 1 << 16;
/// Numbers of a tensor that are put in order at once.
const PART: usize = 1 << 22;

/// A data set bound to a loaded plan.
pub(crate) struct Feed<'a> {
    id: PlanId,
    /// What is to be written before every part of an epoch: nothing where all of it lies on the device.
    tensors: Vec<Tensor<'a>>,
    data: &'a Dataset,
    rows: usize,
    batch: usize,
    slots: usize,
    /// Rows on the device at a time: all of them, or whole batches.
    resident: usize,
    /// Steps whose log lies on the device at a time.
    logged: usize,
    /// Steps of the epoch that were queued, and what those logged that had to give way to others.
    queued: usize,
    log: Vec<f32>,
    /// Steps queued between two looks at the clock.
    slice: usize,
}

impl<'a> Feed<'a> {
    /// Binds `data` to a plan that `executor` has loaded; what the plan does not read is not uploaded. At most `budget`
    /// bytes of data lie on the device, and at most as many of the log; but a batch always does.
    pub fn new(
        executor: &mut dyn Executor,
        device: &Device,
        (id, plan): (PlanId, &Plan),
        data: &'a Dataset,
        budget: u64,
    ) -> Result<Self> {
        Self::bind(executor, (id, plan), data, budget, device.info().limits.storage_bytes())
    }

    /// `limit`: bytes of the largest buffer. Each tensor is one, and so is the log.
    fn bind(
        executor: &mut dyn Executor,
        (id, plan): (PlanId, &Plan),
        data: &'a Dataset,
        budget: u64,
        limit: u64,
    ) -> Result<Self> {
        let (rows, batch, slots) = (data.len(), plan.batch, plan.log_slots);
        let used = plan.data_sizes(1, 1);
        let mut tensors = tensors(data, plan);
        plan.half_inputs().try_for_each(|slot| check_half(&tensors, slot))?;
        tensors.retain(|tensor| used.iter().any(|(buffer, _)| *buffer == tensor.buffer));
        let widths = tensors.iter().map(|tensor| tensor.width as u64);
        // The order is as wide as the narrowest tensor.
        let (row, widest) = (widths.clone().sum::<u64>().max(1), widths.max().unwrap_or(1));
        let holds = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
        let lies_ready = |tensor: &Tensor<'_>| tensor.blanks.is_none() && rows <= holds(limit / widest);
        // What is read where it lies takes no room, whatever the budget.
        let in_place = executor.reads_host() && tensors.iter().all(lies_ready);
        let fits = if in_place { rows } else { holds(budget / row).min(holds(limit / widest)) };
        let resident = if fits >= rows { rows } else { (fits / batch).max(1) * batch };
        let steps = rows.div_ceil(batch);
        let logged = (holds(budget.min(limit)) / (slots * batch).max(1)).clamp(1, steps);
        let hosts =
            tensors.iter().filter(|_| in_place).filter_map(|tensor| Some((tensor.buffer, tensor.host.clone()?)));
        executor.read_in_place(id, hosts.collect())?;
        executor.bind_data(id, resident, logged)?;
        let (queued, log) = (0, Vec::new());
        let mut feed = Self { id, tensors, data, rows, batch, slots, resident, logged, queued, log, slice: 8 };
        executor.write_order(id, &(0..resident as u32).collect::<Vec<_>>())?;
        if !feed.is_streamed() {
            let copied = |tensor: &Tensor<'_>| !in_place || tensor.host.is_none();
            for tensor in std::mem::take(&mut feed.tensors).into_iter().filter(copied) {
                executor.write(id, tensor.buffer, 0, &tensor.all())?;
            }
        }
        Ok(feed)
    }

    /// Binds all of `data` to a plan that `executor` has loaded as `id`, in its own order: for checks that drive the
    /// plan themselves.
    pub fn whole(executor: &mut dyn Executor, id: PlanId, plan: &Plan, data: &'a Dataset) -> Result<Self> {
        Self::bind(executor, (id, plan), data, u64::MAX, u64::MAX)
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
        let start = i * self.batch % self.resident;
        Step { log_row: (i % self.logged) as u32, ..Step::over(start, rows.len(), weight) }
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
        let log = self.take_log(executor)?;
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
        let (all, resident) = (self.steps(), self.resident.div_ceil(self.batch));
        (self.queued, self.log) = (0, Vec::new());
        let mut steps = Vec::new();
        while self.queued < all {
            let first = self.queued;
            self.bring(executor, first, order)?;
            if first > 0 && first.is_multiple_of(self.logged) {
                self.keep_log(executor)?;
            }
            // Up to where other rows are brought, or the log is full.
            let left = |whole: usize| whole - first % whole;
            let count = self.slice.min(left(resident)).min(left(self.logged)).min(all - first);
            steps.clear();
            steps.extend((first..first + count).map(|i| self.uniform(i, order, &fill)));
            let begun = std::time::Instant::now();
            executor.run(self.id, &steps)?;
            if begun.elapsed().as_millis() < 100 {
                self.slice = (2 * self.slice).min(MOST_STEPS);
            }
            self.queued += count;
            if !done(self.queued) && self.queued < all {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Walks through one epoch step by step: `run` is called with the number of a step, from 0, where its rows are
    /// ready, and says whether to go on.
    pub fn walk(
        &mut self,
        executor: &mut dyn Executor,
        order: &[u32],
        fill: impl Fn(usize, &mut Step),
        mut run: impl FnMut(&mut dyn Executor, usize, &Step) -> Result<bool>,
    ) -> Result<()> {
        for i in 0..self.steps() {
            self.bring(executor, i, order)?;
            if !run(executor, i, &self.uniform(i, order, &fill))? {
                break;
            }
        }
        Ok(())
    }

    /// Brings the first rows of `order` to the device, as many as it holds; how many steps they are enough for.
    pub fn begin(&self, executor: &mut dyn Executor, order: &[u32]) -> Result<usize> {
        self.bring(executor, 0, order)?;
        Ok(self.resident.div_ceil(self.batch))
    }

    fn uniform(&self, i: usize, order: &[u32], fill: impl Fn(usize, &mut Step)) -> Step {
        let mut step = self.step(i, order);
        fill(i, &mut step);
        step
    }

    /// Brings what step `i` needs to the device, where it is not there yet: the order of an epoch, or the next rows.
    fn bring(&self, executor: &mut dyn Executor, i: usize, order: &[u32]) -> Result<()> {
        let first = i * self.batch;
        match self.is_streamed() {
            true if first.is_multiple_of(self.resident) => {
                self.upload(executor, &order[first..self.rows.min(first + self.resident)])
            }
            false if i == 0 => executor.write_order(self.id, order),
            _ => Ok(()),
        }
    }

    /// The log `(steps, slots, batch)` of the steps that were queued.
    fn take_log(&mut self, executor: &mut dyn Executor) -> Result<Vec<f32>> {
        self.keep_log(executor)?;
        Ok(std::mem::take(&mut self.log))
    }

    /// Reads what was logged since the log began anew.
    fn keep_log(&mut self, executor: &mut dyn Executor) -> Result<()> {
        let len = self.queued * self.slots * self.batch - self.log.len();
        if len > 0 {
            let part = executor.read(self.id, BufferRange::of(Buffer::Log, len))?;
            if self.log.is_empty() { self.log = part } else { self.log.extend(part) }
        }
        Ok(())
    }

    /// The loss of each step of the last epoch that was queued, in the order `order`: the sum of the mean losses in the
    /// first log slots, each times its weight. `None` where every row of the step weighs 0.
    pub fn step_losses(
        &mut self,
        executor: &mut dyn Executor,
        order: &[u32],
        weights: &[f32],
    ) -> Result<Vec<Option<f64>>> {
        let log = self.take_log(executor)?;
        let steps = log.chunks_exact(self.slots * self.batch).zip(order.chunks(self.batch));
        let counts = |rows: &[u32]| self.data.weight(rows.iter().copied()) > 0.0;
        Ok(steps.map(|(log, rows)| counts(rows).then(|| self.logged(log.to_vec(), rows).loss(weights))).collect())
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
        let target_weights = target_weights(self.data);
        let (slots, batch, order, rows) = (self.slots, self.batch, order.into(), self.rows);
        Logged { log, slots, batch, order, rows, targets, weights, target_weights }
    }

    /// Writes the rows of the next steps, in order.
    fn upload(&self, executor: &mut dyn Executor, rows: &[u32]) -> Result<()> {
        let mut part = Vec::new();
        for tensor in &self.tensors {
            let count = (PART / tensor.width).max(1);
            for (i, rows) in rows.chunks(count).enumerate() {
                part.clear();
                rows.iter().for_each(|row| tensor.push_row(*row as usize, &mut part));
                executor.write(self.id, tensor.buffer, i * count * tensor.width, &part)?;
            }
        }
        Ok(())
    }
}
