//! Runs plans on the CPU with the twins: in f32 as a backend of its own, in f64 as the oracle of the GPU.

use super::product::{self, is_shared};
use super::{Real, parallel, run};
use crate::kernels::{Kernel, Step};
use crate::plan::device_info::{DeviceInfo, DeviceKind, DeviceLimits};
use crate::plan::{Buffer, Clock, Executor, Fetch, Fetched, Plan, PlanId, PlanStep, Range, Span, Timings};
use crate::{Error, Result};
use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

/// Most buffers a kernel binds.
const MAX_OPERANDS: usize = 8;

/// A part of a buffer of the arena.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// `None` for the row order, and for a buffer that is still to be bound.
    buffer: Option<usize>,
    offset: usize,
    /// 0 for all of it.
    len: usize,
}

/// Where each operand of a step lies: reads, then writes.
struct Places {
    reads: Vec<Place>,
    writes: Vec<Place>,
}

struct Loaded {
    plan: Plan,
    /// Where in the arena each of its own buffers lies.
    buffers: HashMap<Buffer, usize>,
    places: Vec<Places>,
    order: Vec<u32>,
}

/// The executor of one model on the CPU. All buffers lie in one arena, and what a step reads and writes is
/// looked up when a plan is loaded, so that a step does nothing but compute.
pub struct CpuExecutor<T> {
    arena: Vec<Vec<T>>,
    /// Places of the arena that nothing uses.
    free: Vec<usize>,
    slabs: HashMap<Buffer, usize>,
    plans: BTreeMap<PlanId, Loaded>,
    /// Plans loaded so far.
    loads: usize,
    /// Whether one of them shares its products out between threads.
    shares: bool,
    /// Runs on the thread that calls it.
    alone: bool,
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

/// Refuses `elements` for `buffer` where no address reaches over them.
fn check_size<T>(buffer: Buffer, elements: usize) -> Result<()> {
    let (needed, allowed) = ((elements as u64).saturating_mul(size_of::<T>() as u64), info().limits.buffer_bytes);
    if needed > allowed {
        let what = format!("{buffer} ({elements} elements)");
        return Err(Error::TooLarge { what, needed, allowed, device: info().name });
    }
    Ok(())
}

/// Whether a product of `plan` is shared out between threads.
fn shares_work(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| matches!(&step.kernel, Kernel::Matmul(product) if is_shared(product)))
}

impl<T: Real> Default for CpuExecutor<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Real> CpuExecutor<T> {
    /// An executor without plans.
    pub fn new() -> Self {
        Self {
            arena: Vec::new(),
            free: Vec::new(),
            slabs: HashMap::new(),
            plans: BTreeMap::new(),
            loads: 0,
            shares: false,
            alone: false,
        }
    }

    /// One that runs on the thread that calls it, without the pool that the others share.
    pub fn on_one_thread() -> Self {
        let mut executor = Self::new();
        executor.alone = true;
        executor
    }

    /// Runs what a plan does where this executor runs.
    fn at_work<R: Send>(&mut self, shares: bool, work: impl FnOnce(&mut Self) -> R + Send) -> R {
        if self.alone { parallel::alone(|| work(self)) } else { parallel::on_the_pool(shares, || work(self)) }
    }

    fn loaded(&self, id: PlanId) -> Result<&Loaded> {
        self.plans.get(&id).ok_or_else(|| Error::Internal(format!("plan {} is not loaded", id.0)))
    }

    /// A buffer of plan `id`, or one of the slabs.
    fn buffer(&mut self, id: Option<PlanId>, buffer: Buffer) -> Result<&mut Vec<T>> {
        let own = id.map(|id| self.loaded(id)).transpose()?.and_then(|loaded| loaded.buffers.get(&buffer));
        let index = own.or_else(|| self.slabs.get(&buffer)).copied();
        let found = index.and_then(|index| self.arena.get_mut(index));
        found.ok_or_else(|| Error::Internal(format!("{buffer} is used before it is bound")))
    }

    /// A zeroed buffer in the arena.
    fn allocate(&mut self, elements: usize) -> usize {
        let index = self.free.pop().unwrap_or_else(|| {
            self.arena.push(Vec::new());
            self.arena.len() - 1
        });
        self.arena[index] = vec![T::zero(); elements];
        index
    }

    fn free(&mut self, indices: impl IntoIterator<Item = usize>) {
        for index in indices {
            self.arena[index] = Vec::new();
            self.free.push(index);
        }
    }

    /// Gives plan `id` these data buffers, and room for an order of `rows` rows, in place of what it had.
    fn rebind(&mut self, id: PlanId, data: &[(Buffer, usize)], rows: usize) -> Result<()> {
        let Loaded { plan, mut buffers, .. } = match self.plans.remove(&id) {
            Some(loaded) => loaded,
            None => return self.loaded(id).map(drop),
        };
        let is_own = |buffer: &Buffer| matches!(buffer, Buffer::Activation(_));
        self.free(buffers.iter().filter(|(buffer, _)| !is_own(buffer)).map(|(_, index)| *index).collect::<Vec<_>>());
        buffers.retain(|buffer, _| is_own(buffer));
        for &(buffer, elements) in data.iter().filter(|(buffer, _)| *buffer != Buffer::Order) {
            buffers.insert(buffer, self.allocate(elements));
        }
        let places = self.place(&plan, &buffers);
        self.plans.insert(id, Loaded { plan, buffers, places, order: vec![0; rows] });
        Ok(())
    }

    /// Looks up where the operands of every step lie.
    fn place(&self, plan: &Plan, buffers: &HashMap<Buffer, usize>) -> Vec<Places> {
        let part = |range: &Range| {
            let buffer = buffers.get(&range.buffer).or_else(|| self.slabs.get(&range.buffer)).copied();
            Place { buffer, offset: range.offset, len: range.len }
        };
        let places = |step: &PlanStep| Places {
            reads: step.reads().filter(|range| range.buffer != Buffer::Order).map(part).collect(),
            writes: step.writes().map(part).collect(),
        };
        plan.steps.iter().map(places).collect()
    }

    /// As [`Executor::read`], in this executor's own precision.
    pub fn read_real(&mut self, id: impl Into<Option<PlanId>>, range: Range) -> Result<Vec<T>> {
        let all = self.buffer(id.into(), range.buffer)?;
        let len = if range.len == 0 { all.len() } else { range.len };
        let part = all.get(range.offset..range.offset + len);
        part.map(<[T]>::to_vec).ok_or_else(|| Error::Internal(format!("{range} is out of bounds")))
    }

    /// As [`Executor::write`], in this executor's own precision.
    pub fn write_real(
        &mut self,
        id: impl Into<Option<PlanId>>,
        buffer: Buffer,
        offset: usize,
        data: &[T],
    ) -> Result<()> {
        self.target(id.into(), buffer, offset, data.len())?.copy_from_slice(data);
        Ok(())
    }

    fn target(&mut self, id: Option<PlanId>, buffer: Buffer, offset: usize, len: usize) -> Result<&mut [T]> {
        let target = self.buffer(id, buffer)?.get_mut(offset..offset + len);
        target.ok_or_else(|| Error::Internal(format!("{buffer}: write out of bounds")))
    }

    /// Runs one step. Written buffers are taken out of the arena while the twin runs, so that the rest can be
    /// borrowed; nothing is allocated.
    fn run_step(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        let found = self
            .plans
            .get(&id)
            .and_then(|loaded| Some((loaded, loaded.places.get(index)?, loaded.plan.steps.get(index)?)));
        let (loaded, places, planned) = found.ok_or_else(|| Error::Internal(format!("plan {}, step {index}", id.0)))?;
        let unbound = || Error::Internal(format!("{} runs before its data are bound", planned.name));
        let mut taken: [Vec<T>; MAX_OPERANDS] = Default::default();
        for (slot, part) in taken.iter_mut().zip(&places.writes) {
            let home = part.buffer.and_then(|buffer| self.arena.get_mut(buffer)).ok_or_else(unbound)?;
            *slot = std::mem::take(home);
        }
        let outcome = (|| {
            let mut reads: [&[T]; MAX_OPERANDS] = [&[]; MAX_OPERANDS];
            for (read, part) in reads.iter_mut().zip(&places.reads) {
                let all = part.buffer.and_then(|buffer| self.arena.get(buffer)).ok_or_else(unbound)?;
                let len = if part.len == 0 { all.len() } else { part.len };
                *read = all.get(part.offset..part.offset + len).ok_or_else(unbound)?;
            }
            let mut writes: [&mut [T]; MAX_OPERANDS] = Default::default();
            for ((write, part), all) in writes.iter_mut().zip(&places.writes).zip(&mut taken) {
                let len = if part.len == 0 { all.len() } else { part.len };
                *write = all.get_mut(part.offset..part.offset + len).ok_or_else(unbound)?;
            }
            let (reads, writes) = (&reads[..places.reads.len()], &mut writes[..places.writes.len()]);
            run(&planned.kernel, reads, writes, &loaded.order, step)
        })();
        for (slot, part) in taken.into_iter().zip(&places.writes) {
            if let Some(home) = part.buffer.and_then(|buffer| self.arena.get_mut(buffer)) {
                *home = slot;
            }
        }
        outcome
    }
}

impl<T> Drop for CpuExecutor<T> {
    fn drop(&mut self) {
        match (self.shares, self.alone) {
            (false, _) => {}
            (true, false) => product::release(),
            (true, true) => product::release_own(),
        }
    }
}

fn write<T: Real>(target: &mut [T], data: &[f32]) {
    target.iter_mut().zip(data).for_each(|(target, value)| *target = T::of(f64::from(*value)));
}

fn narrow<T: Real>(values: Vec<T>) -> Vec<f32> {
    values.into_iter().map(|value| value.wide() as f32).collect()
}

impl<T: Real> Executor for CpuExecutor<T> {
    fn load(&mut self, plan: &Plan) -> Result<PlanId> {
        let activations: Vec<(Buffer, usize)> =
            plan.activations.iter().enumerate().map(|(i, storage)| (Buffer::Activation(i), storage.len)).collect();
        plan.slabs()
            .iter()
            .chain(&activations)
            .try_for_each(|(buffer, elements)| check_size::<T>(*buffer, *elements))?;
        for (buffer, elements) in plan.slabs() {
            if !self.slabs.contains_key(&buffer) {
                let index = self.allocate(elements);
                self.slabs.insert(buffer, index);
            }
        }
        let buffers = activations.into_iter().map(|(buffer, elements)| (buffer, self.allocate(elements))).collect();
        let places = self.place(plan, &buffers);
        let id = PlanId(self.loads);
        self.loads += 1;
        self.shares |= shares_work(plan);
        self.plans.insert(id, Loaded { plan: plan.clone(), buffers, places, order: Vec::new() });
        Ok(id)
    }

    fn unload(&mut self, id: PlanId) {
        let loaded = self.plans.remove(&id);
        self.free(loaded.into_iter().flat_map(|loaded| loaded.buffers.into_values()));
    }

    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()> {
        let sizes = self.loaded(id)?.plan.data_sizes(rows, steps);
        sizes.iter().try_for_each(|(buffer, elements)| check_size::<T>(*buffer, *elements))?;
        self.rebind(id, &sizes, rows)
    }

    fn release_data(&mut self, id: PlanId) -> Result<()> {
        self.rebind(id, &[], 0)
    }

    fn held_bytes(&self) -> u64 {
        let numbers: usize = self.arena.iter().map(Vec::len).sum();
        let orders: usize = self.plans.values().map(|loaded| loaded.order.len()).sum();
        (numbers * size_of::<T>() + orders * size_of::<u32>()) as u64
    }

    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        write(self.target(Some(id), buffer, offset, data.len())?, data);
        Ok(())
    }

    fn write_slab(&mut self, slab: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        write(self.target(None, slab, offset, data.len())?, data);
        Ok(())
    }

    fn read_slab(&mut self, range: Range) -> Result<Vec<f32>> {
        Ok(narrow(self.read_real(None, range)?))
    }

    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()> {
        let target = self.plans.get_mut(&id).and_then(|loaded| loaded.order.get_mut(..order.len()));
        target.ok_or_else(|| Error::Internal("row order: write out of bounds".to_owned()))?.copy_from_slice(order);
        Ok(())
    }

    fn read(&mut self, id: PlanId, range: Range) -> Result<Vec<f32>> {
        Ok(narrow(self.read_real(id, range)?))
    }

    fn fetch(&mut self, id: PlanId, range: Range) -> Result<Fetch> {
        Ok(Fetch(Fetched::Ready(self.read(id, range)?)))
    }

    fn collect(&mut self, fetch: Fetch) -> Result<Vec<f32>> {
        match fetch.0 {
            Fetched::Ready(values) => Ok(values),
            Fetched::Queued(number) => Err(Error::Internal(format!("fetch {number} is of another executor"))),
        }
    }

    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()> {
        let count = self.loaded(id)?.plan.steps.len();
        let shares = shares_work(self.plan(id)?);
        self.at_work(shares, |own| {
            steps.iter().try_for_each(|step| (0..count).try_for_each(|index| own.run_step(id, index, step)))
        })
    }

    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        if self.alone {
            return parallel::alone(|| self.run_step(id, index, step));
        }
        self.run_step(id, index, step)
    }

    fn lend(&self, slab: Buffer) -> Option<Box<dyn Any>> {
        Some(Box::new(self.arena.get(*self.slabs.get(&slab)?)?.clone()))
    }

    fn copy_lent(&mut self, lent: &dyn Any, to: Buffer) -> Result<bool> {
        let to = self.slabs.get(&to).and_then(|index| self.arena.get_mut(*index));
        match (lent.downcast_ref::<Vec<T>>(), to) {
            (Some(lent), Some(to)) if lent.len() == to.len() => to.copy_from_slice(lent),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn wait(&mut self) -> Result<()> {
        Ok(())
    }

    fn plan(&self, id: PlanId) -> Result<&Plan> {
        Ok(&self.loaded(id)?.plan)
    }

    fn profile(&mut self, id: PlanId, step: &Step) -> Result<Timings> {
        let count = self.loaded(id)?.plan.steps.len();
        let shares = shares_work(self.plan(id)?);
        let spans = self.at_work(shares, |own| {
            let begun = Instant::now();
            let spans = (0..count).map(|index| {
                let begin = begun.elapsed().as_secs_f64();
                own.run_step(id, index, step)?;
                Ok(Span { begin, end: begun.elapsed().as_secs_f64() })
            });
            spans.collect::<Result<_>>()
        })?;
        Ok(Timings { clock: Clock::Host, spans })
    }
}
