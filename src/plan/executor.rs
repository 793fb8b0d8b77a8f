//! What the GPU executor and the CPU executor have in common.

use super::{Buffer, Plan, Range};
use crate::Result;
use crate::kernels::Step;

/// A plan that an executor has loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PlanId(pub(crate) usize);

/// Runs plans. Slabs belong to the executor and are shared by its plans; activation buffers, the log
/// and the data set belong to each plan.
pub trait Executor: Send {
    /// Prepares everything that running `plan` needs: buffers, pipelines, bind groups. The slabs are
    /// made, zeroed, by the first plan that needs them.
    fn load(&mut self, plan: &Plan) -> Result<PlanId>;

    /// Frees a plan's buffers.
    fn unload(&mut self, id: PlanId);

    /// Makes room for a data set (or a part of one) of up to `rows` rows, and for an order and a log of as many
    /// entries as its steps need. Widths come from the plan.
    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()>;

    /// Writes `data` to `range.buffer` from `range.offset` on. Steps already queued still see the old contents.
    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()>;

    /// Writes the order of rows.
    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()>;

    /// Reads a range once everything queued has run.
    fn read(&mut self, id: PlanId, range: Range) -> Result<Vec<f32>>;

    /// Queues one run of the plan for each entry of `steps`.
    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()>;

    /// Queues the single dispatch `index` of the plan: for checks that look at every kernel's output.
    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()>;

    /// Waits until everything queued has run.
    fn wait(&mut self) -> Result<()>;
}
