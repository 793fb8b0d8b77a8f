//! What the GPU executor and the CPU executor have in common.

use super::{Buffer, BufferRange, Plan};
use crate::Result;
use crate::kernels::Step;
use std::any::Any;
use std::fmt;
use std::sync::Arc;

/// A plan that an executor has loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanId(pub(crate) usize);

/// Values on their way to the host.
#[derive(Debug)]
pub struct Fetch(pub(crate) Fetched);

#[derive(Debug)]
pub(crate) enum Fetched {
    /// They are here.
    Ready(Vec<f32>),
    /// The executor's number for the copy.
    Queued(u64),
}

/// Which clock timed the dispatches of a plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The adapter's own: timestamp queries before and after each dispatch.
    Timestamps,
    /// The host's, around a submission for each dispatch: what submitting and waiting cost is in it. For adapters
    /// without timestamp queries.
    Submissions,
    /// The host's, around each kernel: the CPU backend.
    Host,
}

impl fmt::Display for Clock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Clock::Timestamps => "timestamp queries",
            Clock::Submissions => "the host clock around one submission a dispatch (no timestamp queries here)",
            Clock::Host => "the host clock",
        })
    }
}

/// When a dispatch ran, in seconds since the first of its run began.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Span {
    /// When it began.
    pub begin: f64,
    /// When it ended; not before it began.
    pub end: f64,
}

impl Span {
    /// How long it took, in seconds.
    pub fn seconds(self) -> f64 {
        self.end - self.begin
    }
}

/// When each dispatch of one run of a plan ran.
#[derive(Debug, Clone, PartialEq)]
pub struct Timings {
    /// The clock.
    pub clock: Clock,
    /// One for each step of the plan, in its order.
    pub spans: Vec<Span>,
}

/// Rows of a data set in the memory of the host, shared with whoever holds the set.
#[derive(Clone)]
pub struct HostRows(Arc<dyn AsRef<[f32]> + Send + Sync>);

impl HostRows {
    /// The numbers that `rows` hands out, which must be the same each time.
    pub fn new(rows: impl AsRef<[f32]> + Send + Sync + 'static) -> Self {
        Self(Arc::new(rows))
    }

    /// All numbers, row after row.
    pub fn values(&self) -> &[f32] {
        (*self.0).as_ref()
    }
}

impl fmt::Debug for HostRows {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostRows({} numbers)", self.values().len())
    }
}

/// Runs plans. Slabs belong to the executor and are shared by its plans; activation buffers, the log
/// and the data set belong to each plan.
pub trait Executor: Send {
    /// Prepares everything that running `plan` needs: buffers, pipelines, bind groups. The slabs are
    /// made, zeroed, by the first plan that needs them.
    fn load(&mut self, plan: &Plan) -> Result<PlanId>;

    /// Compiles side by side what these plans need, so that loading them one after the other does not wait for each. What
    /// cannot be compiled fails, and is reported, where its plan is loaded.
    fn prepare(&mut self, _plans: &[Plan]) {}

    /// Frees a plan's buffers. Its number is not given out again.
    fn unload(&mut self, id: PlanId);

    /// Makes room for a data set (or a part of one) of up to `rows` rows, for their order, and for the log of `steps`
    /// steps. Widths come from the plan.
    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()>;

    /// Whether it can read a data set where it lies on the host: see [`read_in_place`](Executor::read_in_place).
    fn reads_host(&self) -> bool {
        false
    }

    /// The data buffers that the next [`bind_data`](Executor::bind_data) need not make, because these rows are read
    /// where they lie, until data are released or other rows are named. Only where [`reads_host`](Executor::reads_host).
    fn read_in_place(&mut self, _id: PlanId, _rows: Vec<(Buffer, HostRows)>) -> Result<()> {
        Ok(())
    }

    /// Frees what [`bind_data`](Executor::bind_data) has made, and what reading it back has: the plan stays, and runs
    /// again once data are bound to it.
    fn release_data(&mut self, id: PlanId) -> Result<()>;

    /// Bytes of all buffers that it holds.
    fn held_bytes(&self) -> u64;

    /// Writes `data` to `range.buffer` from `range.offset` on. Steps already queued still see the old contents.
    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()>;

    /// As [`write`](Executor::write), to a slab: it belongs to no plan.
    fn write_slab(&mut self, slab: Buffer, offset: usize, data: &[f32]) -> Result<()>;

    /// As [`read`](Executor::read), from a slab.
    fn read_slab(&mut self, range: BufferRange) -> Result<Vec<f32>>;

    /// Writes the order of rows.
    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()>;

    /// Reads a range once everything queued has run.
    fn read(&mut self, id: PlanId, range: BufferRange) -> Result<Vec<f32>>;

    /// Queues a copy of a range to the host, behind everything queued so far. [`collect`](Executor::collect) waits for
    /// it; what is queued in between runs on.
    fn fetch(&mut self, id: PlanId, range: BufferRange) -> Result<Fetch>;

    /// The values of `fetch` once they are there. Fetches that are older and not collected yet are given up.
    fn collect(&mut self, fetch: Fetch) -> Result<Vec<f32>>;

    /// Queues one run of the plan for each entry of `steps`.
    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()>;

    /// Queues the single dispatch `index` of the plan: for checks that look at every kernel's output.
    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()>;

    /// A slab, for [`copy_lent`](Executor::copy_lent) of another executor; `None` where only the host can copy it.
    fn lend(&self, _slab: Buffer) -> Option<Box<dyn Any>> {
        None
    }

    /// Queues a copy of what another executor has lent to slab `to`, of the same size. `false`, and nothing done, if
    /// it lies on another device.
    fn copy_lent(&mut self, _lent: &dyn Any, _to: Buffer) -> Result<bool> {
        Ok(false)
    }

    /// Waits until everything queued has run.
    fn wait(&mut self) -> Result<()>;

    /// Dispatches of a run among others: fewer than the plan has steps where some run side by side.
    fn dispatches(&self, id: PlanId) -> Result<usize> {
        Ok(self.plan(id)?.steps.len())
    }

    /// The plan as it was loaded: with every choice made that was left to the device.
    fn plan(&self, id: PlanId) -> Result<&Plan>;

    /// Runs the plan once, as [`run`](Executor::run) does, and times each dispatch. Returns when it is done.
    fn profile(&mut self, id: PlanId, step: &Step) -> Result<Timings>;
}
