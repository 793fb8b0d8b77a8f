//! Runs plans on a GPU.
//!
//! Loading a plan makes everything a step needs: buffers, pipelines, and one bind group for each dispatch.
//! A training step is then a walk over prerecorded commands; the only thing that changes is the dynamic
//! offset of the step uniform. A group of steps is one command buffer: long enough that the host's cost
//! vanishes, short enough that no submission comes near a driver's watchdog.

use super::join::{Dispatches, parts};
use super::loaded::{Loaded, Slabs};
use super::pace::Clock;
use super::profile::Stopwatch;
use super::readback::{Copy, Readback};
use super::{Context, tune};
use crate::kernels::Step;
use crate::plan::{Buffer, BufferRange, Executor, Fetch, Fetched, Plan, PlanId, Storage, Timings};
use crate::{Error, Result};
use half::f16;
use std::any::Any;
use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

/// Submissions in flight: one runs, one waits.
const IN_FLIGHT: usize = 2;

/// A slab that another executor on the same device may copy.
struct Lent {
    context: Arc<Context>,
    buffer: wgpu::Buffer,
}

/// The executor of one model on one GPU.
pub struct GpuExecutor {
    context: Arc<Context>,
    slabs: Slabs,
    plans: BTreeMap<PlanId, Loaded>,
    /// Plans loaded so far.
    loads: usize,
    readback: Readback,
    /// Copies that are still to be collected, with their numbers.
    fetched: VecDeque<(u64, Copy)>,
    fetches: u64,
    stopwatch: Stopwatch,
    /// Submissions that may still run, and whose plan they are of.
    in_flight: VecDeque<(wgpu::SubmissionIndex, PlanId)>,
    clock: Clock,
}

impl GpuExecutor {
    /// An executor without plans.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            slabs: Slabs::new(),
            plans: BTreeMap::new(),
            loads: 0,
            readback: Readback::default(),
            fetched: VecDeque::new(),
            fetches: 0,
            stopwatch: Stopwatch::default(),
            in_flight: VecDeque::new(),
            clock: Clock::new(),
        }
    }

    fn make_slabs(&mut self, plan: &Plan) -> Result<()> {
        for (buffer, elements) in plan.slabs() {
            if !self.slabs.contains_key(&buffer) {
                let slab = self.context.storage(&buffer.to_string(), Storage::full(elements))?;
                self.slabs.insert(buffer, slab);
            }
        }
        Ok(())
    }

    fn loaded(&self, id: PlanId) -> Result<&Loaded> {
        self.plans.get(&id).ok_or_else(|| not_loaded(id))
    }

    /// A plan with a command for each of its steps.
    fn separated(&mut self, id: PlanId) -> Result<&Loaded> {
        let loaded = self.plans.get_mut(&id).ok_or_else(|| not_loaded(id))?;
        loaded.separate(&self.context, &self.slabs)?;
        Ok(loaded)
    }

    fn buffer(&self, id: PlanId, buffer: Buffer) -> Result<&wgpu::Buffer> {
        let found = self.loaded(id)?.buffer(&self.slabs, buffer);
        found.ok_or_else(|| Error::Internal(format!("{buffer} is used before it is bound")))
    }

    fn slab(&self, slab: Buffer) -> Result<&wgpu::Buffer> {
        self.slabs.get(&slab).ok_or_else(|| Error::Internal(format!("{slab} is used before it is there")))
    }

    /// Queues a copy of a part of `source`, which holds f32, to the host.
    fn copy(&mut self, source: wgpu::Buffer, range: BufferRange) -> Result<Copy> {
        let part = range.within((source.size() / 4) as usize);
        self.readback.start::<f32>(&self.context, &source, part.start, part.len())
    }

    /// The values of a part of `source`, which holds f32, once everything queued has run.
    fn read_from(&mut self, source: wgpu::Buffer, range: BufferRange) -> Result<Vec<f32>> {
        let copy = self.copy(source, range)?;
        self.in_flight.clear();
        self.readback.finish(&self.context, copy)
    }

    /// The values of `range`, which holds f16.
    fn read_half(&mut self, id: PlanId, range: BufferRange) -> Result<Vec<f32>> {
        let source = self.buffer(id, range.buffer)?.clone();
        // Copies go by 4 bytes.
        let values =
            self.readback.read::<f16>(&self.context, &source, range.offset, range.fixed().next_multiple_of(2))?;
        Ok(values.into_iter().take(range.fixed()).map(f16::to_f32).collect())
    }

    /// Submits the commands `which` of a run, once for each of the `count` step uniforms from `first` on.
    fn submit(&mut self, id: PlanId, which: Range<usize>, first: usize, count: usize) -> Result<()> {
        let loaded = self.loaded(id)?;
        let commands = loaded.commands.get(which.clone()).ok_or_else(|| no_such(which, loaded))?;
        let seam = loaded.seam.as_ref().filter(|_| commands.len() == loaded.commands.len());
        let seamed = usize::from(seam.is_some());
        let encoder = self.encode(loaded, |pass| {
            for step in first..first + count {
                let (goes_on, skipped) = (step + 1 < first + count, if step > first { seamed } else { 0 });
                let own = skipped..commands.len() - if goes_on { seamed } else { 0 };
                let own = commands.get(own).unwrap_or_default().iter();
                let behind = seam.filter(|_| goes_on);
                own.chain(behind).try_for_each(|command| command.record(pass, &loaded.step_groups, step))?;
            }
            Ok(())
        })?;
        self.queue(id, encoder)
    }

    /// The commands that `record` puts into one pass.
    fn encode(
        &self,
        loaded: &Loaded,
        record: impl FnOnce(&mut wgpu::ComputePass<'_>) -> Result<()>,
    ) -> Result<wgpu::CommandEncoder> {
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        let label = Some(loaded.plan.name.as_str());
        let descriptor = wgpu::ComputePassDescriptor { label, timestamp_writes: None };
        record(&mut encoder.begin_compute_pass(&descriptor))?;
        Ok(encoder)
    }

    fn queue(&mut self, id: PlanId, encoder: wgpu::CommandEncoder) -> Result<()> {
        let submission = self.context.queue.submit([encoder.finish()]);
        self.clock.queued(self.in_flight.is_empty(), Instant::now());
        self.in_flight.push_back((submission, id));
        self.throttle()
    }

    /// Waits until at most `IN_FLIGHT - 1` submissions are left and steers the size of the next of their plans.
    fn throttle(&mut self) -> Result<()> {
        while self.in_flight.len() >= IN_FLIGHT {
            let Some((oldest, id)) = self.in_flight.pop_front() else { return Ok(()) };
            self.context.wait(Some(oldest))?;
            let took = self.clock.done(Instant::now());
            if let Some(loaded) = self.plans.get_mut(&id) {
                loaded.pace.done(took);
            }
        }
        Ok(())
    }
}

fn no_such(which: Range<usize>, loaded: &Loaded) -> Error {
    Error::Internal(format!("no dispatches {which:?} in {}", loaded.plan.name))
}

fn not_loaded(id: PlanId) -> Error {
    Error::Internal(format!("plan {} is not loaded", id.0))
}

impl Executor for GpuExecutor {
    fn load(&mut self, plan: &Plan) -> Result<PlanId> {
        let context = Arc::clone(&self.context);
        let plan = &tune::fitted(&self.context, plan)?;
        context.guarded(|| {
            self.make_slabs(plan)?;
            let loaded = Loaded::new(&context, plan, &self.slabs)?;
            let id = PlanId(self.loads);
            self.loads += 1;
            self.plans.insert(id, loaded);
            Ok(id)
        })
    }

    fn prepare(&mut self, plans: &[Plan]) {
        let plans: Vec<Plan> = plans.iter().filter_map(|plan| tune::fitted(&self.context, plan).ok()).collect();
        let kernels = |plan| {
            let Dispatches { run, seam } = Dispatches::of(&self.context, plan);
            run.into_iter().chain(seam).map(|members| parts(plan, &members)).collect::<Vec<_>>()
        };
        let kernels: Vec<_> = plans.iter().flat_map(kernels).collect();
        let _reported_by_load = self.context.pipelines.all(&self.context, &kernels);
    }

    fn unload(&mut self, id: PlanId) {
        self.plans.remove(&id);
    }

    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()> {
        let context = Arc::clone(&self.context);
        context.guarded(|| {
            let loaded = self.plans.get_mut(&id).ok_or_else(|| not_loaded(id))?;
            loaded.bind_data(&context, &self.slabs, rows, steps)
        })
    }

    fn release_data(&mut self, id: PlanId) -> Result<()> {
        let context = Arc::clone(&self.context);
        self.readback.release();
        context.guarded(|| {
            self.plans.get_mut(&id).ok_or_else(|| not_loaded(id))?.release_data(&context);
            Ok(())
        })
    }

    fn held_bytes(&self) -> u64 {
        let slabs: u64 = self.slabs.values().map(wgpu::Buffer::size).sum();
        let plans: u64 = self.plans.values().map(Loaded::bytes).sum();
        slabs + plans + self.readback.bytes()
    }

    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        self.context.guarded(|| {
            let (half, to) = (self.loaded(id)?.plan.is_half(buffer), self.buffer(id, buffer)?);
            let at = Storage { len: offset, half }.bytes();
            if half {
                let mut data: Vec<f16> = data.iter().copied().map(f16::from_f32).collect();
                if data.len() % 2 == 1 {
                    // Writes go by 4 bytes: the last element of a buffer has one beside it that nothing reads.
                    let is_end = at + 2 * data.len() as u64 + 2 == to.size();
                    let odd = || Error::Internal(format!("{buffer}: {} elements of f16 at {offset}", data.len()));
                    is_end.then_some(()).ok_or_else(odd)?;
                    data.push(f16::ZERO);
                }
                self.context.write(to, at, bytemuck::cast_slice(&data));
            } else {
                self.context.write(to, at, bytemuck::cast_slice(data));
            }
            Ok(())
        })
    }

    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()> {
        self.context.guarded(|| {
            let buffer = self.buffer(id, Buffer::Order)?;
            self.context.write(buffer, 0, bytemuck::cast_slice(order));
            Ok(())
        })
    }

    fn read(&mut self, id: PlanId, range: BufferRange) -> Result<Vec<f32>> {
        if self.loaded(id)?.plan.is_half(range.buffer) {
            return self.read_half(id, range);
        }
        let source = self.buffer(id, range.buffer)?.clone();
        self.read_from(source, range)
    }

    fn write_slab(&mut self, slab: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        self.context.guarded(|| {
            self.context.write(self.slab(slab)?, Storage::full(offset).bytes(), bytemuck::cast_slice(data));
            Ok(())
        })
    }

    fn read_slab(&mut self, range: BufferRange) -> Result<Vec<f32>> {
        let source = self.slab(range.buffer)?.clone();
        self.read_from(source, range)
    }

    fn fetch(&mut self, id: PlanId, range: BufferRange) -> Result<Fetch> {
        if self.loaded(id)?.plan.is_half(range.buffer) {
            return Ok(Fetch(Fetched::Ready(self.read_half(id, range)?)));
        }
        let source = self.buffer(id, range.buffer)?.clone();
        let copy = self.copy(source, range)?;
        self.fetches += 1;
        self.fetched.push_back((self.fetches, copy));
        Ok(Fetch(Fetched::Queued(self.fetches)))
    }

    fn collect(&mut self, fetch: Fetch) -> Result<Vec<f32>> {
        let wanted = match fetch.0 {
            Fetched::Ready(values) => return Ok(values),
            Fetched::Queued(number) => number,
        };
        while let Some((number, copy)) = self.fetched.pop_front() {
            let values = self.readback.finish(&self.context, copy)?;
            if number == wanted {
                return Ok(values);
            }
        }
        Err(Error::Internal(format!("fetch {wanted} was never queued")))
    }

    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()> {
        let context = Arc::clone(&self.context);
        context.guarded(|| {
            for steps in steps.chunks(self.loaded(id)?.step_capacity) {
                self.loaded(id)?.write_steps(&context, steps);
                let mut done = 0;
                while done < steps.len() {
                    let Loaded { pace, commands, .. } = self.loaded(id)?;
                    let (count, all) = (pace.steps().min(steps.len() - done), commands.len());
                    let part = pace.dispatches(all);
                    for first in (0..all).step_by(part) {
                        self.submit(id, first..all.min(first + part), done, count)?;
                    }
                    done += count;
                }
            }
            Ok(())
        })
    }

    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        let context = Arc::clone(&self.context);
        context.guarded(|| {
            self.separated(id)?.write_steps(&context, std::slice::from_ref(step));
            let loaded = self.loaded(id)?;
            let command = loaded.alone().get(index).ok_or_else(|| no_such(index..index + 1, loaded))?;
            let encoder = self.encode(loaded, |pass| command.record(pass, &loaded.step_groups, 0))?;
            self.queue(id, encoder)
        })
    }

    fn lend(&self, slab: Buffer) -> Option<Box<dyn Any>> {
        let buffer = self.slabs.get(&slab)?.clone();
        Some(Box::new(Lent { context: Arc::clone(&self.context), buffer }))
    }

    fn copy_lent(&mut self, lent: &dyn Any, to: Buffer) -> Result<bool> {
        let (Some(lent), Some(to)) = (lent.downcast_ref::<Lent>(), self.slabs.get(&to)) else { return Ok(false) };
        if !Arc::ptr_eq(&lent.context, &self.context) || lent.buffer.size() != to.size() {
            return Ok(false);
        }
        self.context.guarded(|| {
            let mut encoder = self.context.device.create_command_encoder(&Default::default());
            encoder.copy_buffer_to_buffer(&lent.buffer, 0, to, 0, to.size());
            self.context.queue.submit([encoder.finish()]);
            Ok(true)
        })
    }

    fn wait(&mut self) -> Result<()> {
        self.in_flight.clear();
        self.context.guarded(|| self.context.wait(None))
    }

    fn dispatches(&self, id: PlanId) -> Result<usize> {
        let loaded = self.loaded(id)?;
        Ok(loaded.commands.len() - usize::from(loaded.seam.is_some()))
    }

    fn plan(&self, id: PlanId) -> Result<&Plan> {
        Ok(&self.loaded(id)?.plan)
    }

    fn profile(&mut self, id: PlanId, step: &Step) -> Result<Timings> {
        self.wait()?;
        let context = Arc::clone(&self.context);
        let mut stopwatch = std::mem::take(&mut self.stopwatch);
        let timings = context.guarded(|| {
            let loaded = self.separated(id)?;
            loaded.write_steps(&context, std::slice::from_ref(step));
            stopwatch.time(&context, loaded.alone(), |command, pass| command.record(pass, &loaded.step_groups, 0))
        });
        self.stopwatch = stopwatch;
        timings
    }
}
