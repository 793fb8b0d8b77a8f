//! Runs plans on the CPU with the twins: in f32 as a backend of its own, in f64 as the oracle of the GPU.

use super::{Real, run};
use crate::device::{DeviceInfo, DeviceKind, DeviceLimits};
use crate::kernels::{Access, Step};
use crate::plan::{Buffer, Executor, Plan, PlanId, Range};
use crate::{Error, Result};
use std::collections::HashMap;

/// Most buffers a kernel binds.
const MAX_OPERANDS: usize = 8;

struct Loaded<T> {
    plan: Plan,
    buffers: HashMap<Buffer, Vec<T>>,
    order: Vec<u32>,
}

/// The executor of one model on the CPU.
pub struct CpuExecutor<T> {
    slabs: HashMap<Buffer, Vec<T>>,
    plans: Vec<Option<Loaded<T>>>,
}

/// What is known of the CPU backend.
pub fn info() -> DeviceInfo {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let limits = DeviceLimits {
        buffer_bytes: isize::MAX as u64,
        binding_bytes: 4 * u64::from(u32::MAX / 4),
        workgroup_bytes: 0,
        workgroup_invocations: 0,
    };
    DeviceInfo {
        name: "CPU".to_owned(),
        backend: "cpu".to_owned(),
        kind: DeviceKind::Cpu,
        driver: format!("axone {}, {threads} threads", env!("CARGO_PKG_VERSION")),
        limits,
        features: Vec::new(),
    }
}

impl<T: Real> Default for CpuExecutor<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> CpuExecutor<T> {
    /// An executor without plans.
    pub fn new() -> Self {
        Self { slabs: HashMap::new(), plans: Vec::new() }
    }

    fn loaded(&mut self, id: PlanId) -> Result<(&mut Loaded<T>, &mut HashMap<Buffer, Vec<T>>)> {
        let loaded = self.plans.get_mut(id.0).and_then(Option::as_mut);
        let loaded = loaded.ok_or_else(|| Error::Internal(format!("plan {} is not loaded", id.0)))?;
        Ok((loaded, &mut self.slabs))
    }

    fn buffer(&mut self, id: PlanId, buffer: Buffer) -> Result<&mut Vec<T>> {
        let (loaded, slabs) = self.loaded(id)?;
        let found = if is_slab(buffer) { slabs.get_mut(&buffer) } else { loaded.buffers.get_mut(&buffer) };
        found.ok_or_else(|| Error::Internal(format!("{buffer} is used before it is bound")))
    }

    /// As [`Executor::read`], in this executor's own precision.
    pub fn read_real(&mut self, id: PlanId, range: Range) -> Result<Vec<T>> {
        let buffer = self.buffer(id, range.buffer)?;
        part(buffer, range).map(<[T]>::to_vec).ok_or_else(|| Error::Internal(format!("{range} is out of bounds")))
    }

    /// As [`Executor::write`], in this executor's own precision.
    pub fn write_real(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[T]) -> Result<()> {
        let target = self.buffer(id, buffer)?.get_mut(offset..offset + data.len());
        target.ok_or_else(|| Error::Internal(format!("{buffer}: write out of bounds")))?.copy_from_slice(data);
        Ok(())
    }
}

fn is_slab(buffer: Buffer) -> bool {
    matches!(buffer, Buffer::Parameters | Buffer::Gradients | Buffer::Moment(_))
}

fn part<T>(buffer: &[T], range: Range) -> Option<&[T]> {
    if range.len == 0 { Some(buffer) } else { buffer.get(range.offset..range.offset + range.len) }
}

/// Runs one step. Written buffers are taken out of their tables while the twin runs, so that the rest can
/// be borrowed; nothing is allocated.
fn run_step<T: Real>(
    loaded: &mut Loaded<T>,
    slabs: &mut HashMap<Buffer, Vec<T>>,
    index: usize,
    step: &Step,
) -> Result<()> {
    let Loaded { plan, buffers, order } = loaded;
    let plan_step = plan.steps.get(index).ok_or_else(|| Error::Internal(format!("no step {index} in {}", plan.name)))?;
    let mut taken: [Vec<T>; MAX_OPERANDS] = Default::default();
    for (slot, range) in taken.iter_mut().zip(plan_step.writes()) {
        let table = if is_slab(range.buffer) { &mut *slabs } else { &mut *buffers };
        *slot = table.get_mut(&range.buffer).map(std::mem::take).unwrap_or_default();
    }
    let outcome = (|| {
        let unbound = |range: &Range| Error::Internal(format!("{}: {range} is not bound", plan_step.name));
        let mut reads: [&[T]; MAX_OPERANDS] = [&[]; MAX_OPERANDS];
        let mut read_count = 0;
        for (binding, range) in plan_step.bindings() {
            if binding.access == Access::Read && range.buffer != Buffer::Order {
                let table = if is_slab(range.buffer) { &*slabs } else { &*buffers };
                let found = table.get(&range.buffer).and_then(|buffer| part(buffer, *range));
                reads[read_count] = found.ok_or_else(|| unbound(range))?;
                read_count += 1;
            }
        }
        let mut writes: [&mut [T]; MAX_OPERANDS] = Default::default();
        let mut write_count = 0;
        for (slot, range) in taken.iter_mut().zip(plan_step.writes()) {
            let all = if range.len == 0 { 0..slot.len() } else { range.offset..range.offset + range.len };
            writes[write_count] = slot.get_mut(all).ok_or_else(|| unbound(range))?;
            write_count += 1;
        }
        run(&plan_step.kernel, &reads[..read_count], &mut writes[..write_count], order, step)
    })();
    for (slot, range) in taken.into_iter().zip(plan_step.writes()) {
        let table = if is_slab(range.buffer) { &mut *slabs } else { &mut *buffers };
        if let Some(home) = table.get_mut(&range.buffer) {
            *home = slot;
        }
    }
    outcome
}

impl<T: Real> Executor for CpuExecutor<T> {
    fn load(&mut self, plan: &Plan) -> Result<PlanId> {
        let moments = (0..plan.moments).map(Buffer::Moment);
        for buffer in [Buffer::Parameters, Buffer::Gradients].into_iter().chain(moments) {
            self.slabs.entry(buffer).or_insert_with(|| vec![T::zero(); plan.slab]);
        }
        let activations = plan.activations.iter().enumerate();
        let buffers = activations.map(|(i, &len)| (Buffer::Activation(i), vec![T::zero(); len])).collect();
        self.plans.push(Some(Loaded { plan: plan.clone(), buffers, order: Vec::new() }));
        Ok(PlanId(self.plans.len() - 1))
    }

    fn unload(&mut self, id: PlanId) {
        if let Some(slot) = self.plans.get_mut(id.0) {
            *slot = None;
        }
    }

    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()> {
        let (loaded, _) = self.loaded(id)?;
        for (buffer, elements) in loaded.plan.data_sizes(rows, steps) {
            if buffer != Buffer::Order {
                loaded.buffers.insert(buffer, vec![T::zero(); elements]);
            }
        }
        loaded.order = vec![0; rows];
        Ok(())
    }

    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        let target = self.buffer(id, buffer)?.get_mut(offset..offset + data.len());
        let target = target.ok_or_else(|| Error::Internal(format!("{buffer}: write out of bounds")))?;
        for (target, value) in target.iter_mut().zip(data) {
            *target = T::of(f64::from(*value));
        }
        Ok(())
    }

    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()> {
        let (loaded, _) = self.loaded(id)?;
        let target = loaded.order.get_mut(..order.len());
        target.ok_or_else(|| Error::Internal("row order: write out of bounds".to_owned()))?.copy_from_slice(order);
        Ok(())
    }

    fn read(&mut self, id: PlanId, range: Range) -> Result<Vec<f32>> {
        Ok(self.read_real(id, range)?.into_iter().map(|value| value.wide() as f32).collect())
    }

    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()> {
        let (loaded, slabs) = self.loaded(id)?;
        for step in steps {
            for index in 0..loaded.plan.steps.len() {
                run_step(loaded, slabs, index, step)?;
            }
        }
        Ok(())
    }

    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        let (loaded, slabs) = self.loaded(id)?;
        run_step(loaded, slabs, index, step)
    }

    fn wait(&mut self) -> Result<()> {
        Ok(())
    }
}
