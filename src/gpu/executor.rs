//! Runs plans on a GPU.
//!
//! Loading a plan makes everything a step needs: buffers, pipelines, and one bind group for each dispatch.
//! A training step is then a walk over prerecorded commands; the only thing that changes is the dynamic
//! offset of the step uniform. A group of steps is one command buffer: long enough that the host's cost
//! vanishes, short enough that no submission comes near a driver's watchdog.

use super::pipelines::Pipeline;
use super::profile::Stopwatch;
use super::readback::Readback;
use super::{Context, tune};
use crate::kernels::Step;
use crate::plan::{Buffer, Executor, Plan, PlanId, PlanStep, Range, Timings};
use crate::{Error, Result};
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Distance of two entries in a uniform buffer: the largest offset alignment an adapter may ask for.
const UNIFORM_STRIDE: u64 = 256;
/// Steps whose uniforms are written at once.
const STEPS_PER_WRITE: usize = 4096;
/// A submission should take about this long; Windows resets a device after 2 s.
const SUBMISSION: Duration = Duration::from_millis(40);
/// Submissions in flight: one runs, one waits.
const IN_FLIGHT: usize = 2;
/// Workgroups of one dimension.
const MAX_WORKGROUPS: u64 = 65_535;

struct Command {
    pipeline: Arc<Pipeline>,
    /// `None` until a data set is bound, for a step that reads it or writes the log.
    group: Option<wgpu::BindGroup>,
    workgroups: (u32, u32),
    uses_step: bool,
}

impl Command {
    /// Records the dispatch for entry `step` of the step uniforms in `step_group`.
    fn record(&self, pass: &mut wgpu::ComputePass<'_>, step_group: &wgpu::BindGroup, step: usize) -> Result<()> {
        let group = self.group.as_ref();
        let group = group.ok_or_else(|| Error::Internal("a plan ran before its data were bound".to_owned()))?;
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, group, &[]);
        if self.uses_step {
            pass.set_bind_group(1, step_group, &[(step as u64 * UNIFORM_STRIDE) as u32]);
        }
        pass.dispatch_workgroups(self.workgroups.0, self.workgroups.1, 1);
        Ok(())
    }
}

struct Loaded {
    plan: Plan,
    params: wgpu::Buffer,
    activations: Vec<wgpu::Buffer>,
    data: HashMap<Buffer, wgpu::Buffer>,
    commands: Vec<Command>,
    steps: wgpu::Buffer,
    step_group: wgpu::BindGroup,
    step_capacity: usize,
}

/// The executor of one model on one GPU.
pub struct GpuExecutor {
    context: Arc<Context>,
    slabs: HashMap<Buffer, wgpu::Buffer>,
    plans: Vec<Option<Loaded>>,
    readback: Readback,
    stopwatch: Stopwatch,
    in_flight: VecDeque<wgpu::SubmissionIndex>,
    /// Training steps in the next submission.
    group: usize,
    last_done: Instant,
}

impl GpuExecutor {
    /// An executor without plans.
    pub fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            slabs: HashMap::new(),
            plans: Vec::new(),
            readback: Readback::default(),
            stopwatch: Stopwatch::default(),
            in_flight: VecDeque::new(),
            group: 1,
            last_done: Instant::now(),
        }
    }

    fn make_slabs(&mut self, plan: &Plan) -> Result<()> {
        let moments = (0..plan.moments).map(Buffer::Moment);
        for buffer in [Buffer::Parameters, Buffer::Gradients].into_iter().chain(moments) {
            if !self.slabs.contains_key(&buffer) {
                let slab = self.context.storage(&buffer.to_string(), plan.slab)?;
                self.slabs.insert(buffer, slab);
            }
        }
        Ok(())
    }

    fn loaded(&self, id: PlanId) -> Result<&Loaded> {
        let loaded = self.plans.get(id.0).and_then(Option::as_ref);
        loaded.ok_or_else(|| Error::Internal(format!("plan {} is not loaded", id.0)))
    }

    fn buffer(&self, id: PlanId, buffer: Buffer) -> Result<&wgpu::Buffer> {
        find(self.loaded(id)?, &self.slabs, buffer)
            .ok_or_else(|| Error::Internal(format!("{buffer} is used before it is bound")))
    }

    /// The bind group of `step`, or `None` if one of its buffers is still to be bound.
    fn bind(&self, loaded: &Loaded, index: usize, step: &PlanStep, pipeline: &Pipeline) -> Option<wgpu::BindGroup> {
        let binding = |buffer, offset, size| {
            let size = std::num::NonZeroU64::new(size);
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size })
        };
        let spec = step.kernel.spec();
        let params = binding(&loaded.params, index as u64 * UNIFORM_STRIDE, spec.params().len() as u64);
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: params }];
        for (bound, range) in step.bindings() {
            let buffer = find(loaded, &self.slabs, range.buffer)?;
            let resource = binding(buffer, 4 * range.offset as u64, 4 * range.len as u64);
            entries.push(wgpu::BindGroupEntry { binding: bound.index, resource });
        }
        self.context.count_object();
        let label = Some(step.name.as_str());
        Some(self.context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label,
            layout: &pipeline.layout,
            entries: &entries,
        }))
    }

    fn step_buffer(&self, capacity: usize) -> (wgpu::Buffer, wgpu::BindGroup) {
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let steps = self.context.buffer("steps", UNIFORM_STRIDE * capacity as u64, usage);
        let size = std::num::NonZeroU64::new(size_of::<Step>() as u64);
        self.context.count_object();
        let group = self.context.device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("step"),
            layout: &self.context.pipelines.step_layout,
            entries: &[wgpu::BindGroupEntry {
                binding: 0,
                resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &steps, offset: 0, size }),
            }],
        });
        (steps, group)
    }

    /// Submits `commands` once for each of the `count` step uniforms from `first` on.
    fn submit(&mut self, id: PlanId, only: Option<usize>, first: usize, count: usize) -> Result<()> {
        let loaded = self.loaded(id)?;
        let commands = match only {
            Some(index) => loaded.commands.get(index..=index),
            None => Some(loaded.commands.as_slice()),
        };
        let commands = commands.ok_or_else(|| Error::Internal(format!("no step {only:?} in {}", loaded.plan.name)))?;
        let mut encoder = self.context.device.create_command_encoder(&Default::default());
        let label = Some(loaded.plan.name.as_str());
        let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor { label, timestamp_writes: None });
        for step in first..first + count {
            for command in commands {
                command.record(&mut pass, &loaded.step_group, step)?;
            }
        }
        drop(pass);
        let submission = self.context.queue.submit([encoder.finish()]);
        self.in_flight.push_back(submission);
        Ok(())
    }

    /// Waits until at most `IN_FLIGHT - 1` submissions are left and steers the size of the next.
    fn throttle(&mut self) -> Result<()> {
        while self.in_flight.len() >= IN_FLIGHT {
            let oldest = self.in_flight.pop_front();
            self.context.wait(oldest)?;
            let took = self.last_done.elapsed();
            self.last_done = Instant::now();
            if took < SUBMISSION / 2 {
                self.group = (self.group * 2).min(STEPS_PER_WRITE);
            } else if took > SUBMISSION * 2 {
                self.group = (self.group / 2).max(1);
            }
        }
        Ok(())
    }

    fn write_steps(&self, id: PlanId, steps: &[Step]) -> Result<()> {
        let loaded = self.loaded(id)?;
        let mut bytes = vec![0u8; steps.len() * UNIFORM_STRIDE as usize];
        for (entry, step) in bytes.chunks_exact_mut(UNIFORM_STRIDE as usize).zip(steps) {
            entry[..size_of::<Step>()].copy_from_slice(bytemuck::bytes_of(step));
        }
        self.context.queue.write_buffer(&loaded.steps, 0, &bytes);
        Ok(())
    }
}

fn find<'a>(loaded: &'a Loaded, slabs: &'a HashMap<Buffer, wgpu::Buffer>, buffer: Buffer) -> Option<&'a wgpu::Buffer> {
    match buffer {
        Buffer::Activation(index) => loaded.activations.get(index),
        Buffer::Parameters | Buffer::Gradients | Buffer::Moment(_) => slabs.get(&buffer),
        _ => loaded.data.get(&buffer),
    }
}

/// Folds a count of workgroups into two dimensions, with as few to spare as can be.
fn fold(groups: u64) -> (u32, u32) {
    let rows = groups.div_ceil(MAX_WORKGROUPS).max(1);
    (groups.div_ceil(rows) as u32, rows as u32)
}

impl Executor for GpuExecutor {
    fn load(&mut self, plan: &Plan) -> Result<PlanId> {
        let context = Arc::clone(&self.context);
        let plan = &tune::tuned(&context, plan)?;
        let (bytes, largest) = plan.largest();
        context.check_size(|| format!("{largest} of plan {} (batch {})", plan.name, plan.batch), bytes)?;
        context.guarded(|| {
            self.make_slabs(plan)?;
            let activations = plan.activations.iter().enumerate();
            let activations: Result<Vec<_>> =
                activations.map(|(i, &len)| context.storage(&Buffer::Activation(i).to_string(), len)).collect();
            let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
            let params = context.buffer("params", UNIFORM_STRIDE * plan.steps.len() as u64, usage);
            for (i, step) in plan.steps.iter().enumerate() {
                context.queue.write_buffer(&params, i as u64 * UNIFORM_STRIDE, step.kernel.spec().params());
            }
            let (steps, step_group) = self.step_buffer(1);
            let mut loaded = Loaded {
                plan: plan.clone(),
                params,
                activations: activations?,
                data: HashMap::new(),
                commands: Vec::new(),
                steps,
                step_group,
                step_capacity: 1,
            };
            for (index, step) in plan.steps.iter().enumerate() {
                let spec = step.kernel.spec();
                let pipeline = context.pipelines.get(&context, spec)?;
                let group = self.bind(&loaded, index, step, &pipeline);
                let uses_step = spec.shader().uses_step;
                loaded.commands.push(Command { pipeline, group, workgroups: fold(spec.workgroups()), uses_step });
            }
            self.plans.push(Some(loaded));
            Ok(PlanId(self.plans.len() - 1))
        })
    }

    fn unload(&mut self, id: PlanId) {
        if let Some(slot) = self.plans.get_mut(id.0) {
            *slot = None;
        }
    }

    fn bind_data(&mut self, id: PlanId, rows: usize, steps: usize) -> Result<()> {
        let context = Arc::clone(&self.context);
        let mut loaded = self.plans.get_mut(id.0).and_then(Option::take);
        let outcome = context.guarded(|| {
            let loaded = loaded.as_mut().ok_or_else(|| Error::Internal(format!("plan {} is not loaded", id.0)))?;
            for (buffer, elements) in loaded.plan.data_sizes(rows, steps) {
                let made = context.storage(&buffer.to_string(), elements)?;
                loaded.data.insert(buffer, made);
            }
            loaded.step_capacity = steps.clamp(1, STEPS_PER_WRITE);
            (loaded.steps, loaded.step_group) = self.step_buffer(loaded.step_capacity);
            for index in 0..loaded.commands.len() {
                let (step, command) = (&loaded.plan.steps[index], &loaded.commands[index]);
                if step.operands.iter().any(|range| loaded.data.contains_key(&range.buffer)) {
                    loaded.commands[index].group = self.bind(loaded, index, step, &command.pipeline);
                }
            }
            Ok(())
        });
        if let Some(slot) = self.plans.get_mut(id.0) {
            *slot = loaded;
        }
        outcome
    }

    fn write(&mut self, id: PlanId, buffer: Buffer, offset: usize, data: &[f32]) -> Result<()> {
        self.context.guarded(|| {
            let buffer = self.buffer(id, buffer)?;
            self.context.queue.write_buffer(buffer, 4 * offset as u64, bytemuck::cast_slice(data));
            Ok(())
        })
    }

    fn write_order(&mut self, id: PlanId, order: &[u32]) -> Result<()> {
        self.context.guarded(|| {
            let buffer = self.buffer(id, Buffer::Order)?;
            self.context.queue.write_buffer(buffer, 0, bytemuck::cast_slice(order));
            Ok(())
        })
    }

    fn read(&mut self, id: PlanId, range: Range) -> Result<Vec<f32>> {
        let source = self.buffer(id, range.buffer)?.clone();
        let elements = if range.len == 0 { (source.size() / 4) as usize } else { range.len };
        self.in_flight.clear();
        self.readback.read(&self.context, &source, range.offset, elements)
    }

    fn run(&mut self, id: PlanId, steps: &[Step]) -> Result<()> {
        let context = Arc::clone(&self.context);
        context.guarded(|| {
            for steps in steps.chunks(self.loaded(id)?.step_capacity) {
                self.write_steps(id, steps)?;
                let mut done = 0;
                while done < steps.len() {
                    let count = self.group.min(steps.len() - done);
                    self.submit(id, None, done, count)?;
                    self.throttle()?;
                    done += count;
                }
            }
            Ok(())
        })
    }

    fn run_one(&mut self, id: PlanId, index: usize, step: &Step) -> Result<()> {
        let context = Arc::clone(&self.context);
        context.guarded(|| {
            self.write_steps(id, std::slice::from_ref(step))?;
            self.submit(id, Some(index), 0, 1)?;
            self.throttle()
        })
    }

    fn wait(&mut self) -> Result<()> {
        self.in_flight.clear();
        self.context.guarded(|| self.context.wait(None))
    }

    fn plan(&self, id: PlanId) -> Result<&Plan> {
        Ok(&self.loaded(id)?.plan)
    }

    fn profile(&mut self, id: PlanId, step: &Step) -> Result<Timings> {
        self.wait()?;
        let context = Arc::clone(&self.context);
        let mut stopwatch = std::mem::take(&mut self.stopwatch);
        let timings = context.guarded(|| {
            self.write_steps(id, std::slice::from_ref(step))?;
            let loaded = self.loaded(id)?;
            stopwatch.time(&context, &loaded.commands, |command, pass| command.record(pass, &loaded.step_group, 0))
        });
        self.stopwatch = stopwatch;
        timings
    }
}
