//! A plan as it lies on a GPU: its buffers, and one recorded dispatch for each of its steps.

use super::Context;
use super::pace::Pace;
use super::pipelines::Pipeline;
use crate::kernels::Step;
use crate::plan::{Buffer, Plan, PlanStep, Storage};
use crate::{Error, Result};
use std::collections::HashMap;
use std::num::NonZeroU64;
use std::sync::Arc;

/// Distance of two entries in a uniform buffer: the largest offset alignment an adapter may ask for.
const UNIFORM_STRIDE: u64 = 256;
/// Steps whose uniforms are written at once.
pub(super) const STEPS_PER_WRITE: usize = 4096;
/// Workgroups of one dimension.
const MAX_WORKGROUPS: u64 = 65_535;

/// The slabs of a model, which its plans share.
pub(super) type Slabs = HashMap<Buffer, wgpu::Buffer>;

/// A dispatch.
pub(super) struct Command {
    pipeline: Arc<Pipeline>,
    /// `None` until a data set is bound, for a step that reads it or writes the log.
    group: Option<wgpu::BindGroup>,
    workgroups: (u32, u32),
    uses_step: bool,
}

impl Command {
    /// Records the dispatch for entry `step` of the step uniforms in `step_group`.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, step_group: &wgpu::BindGroup, step: usize) -> Result<()> {
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

/// A plan with everything that running it needs.
pub(super) struct Loaded {
    pub plan: Plan,
    pub commands: Vec<Command>,
    /// How much of it goes into a submission.
    pub pace: Pace,
    /// Picks the entry of a step by a dynamic offset.
    pub step_group: wgpu::BindGroup,
    /// Steps whose uniforms fit.
    pub step_capacity: usize,
    steps: wgpu::Buffer,
    params: wgpu::Buffer,
    temporaries: Vec<wgpu::Buffer>,
    data: HashMap<Buffer, wgpu::Buffer>,
}

impl Loaded {
    /// Makes buffers, pipelines and bind groups; those that need the data set wait for [`Loaded::bind_data`].
    pub fn new(context: &Context, plan: &Plan, slabs: &Slabs) -> Result<Self> {
        let temporaries = plan.temporaries.iter().enumerate();
        let temporaries: Result<Vec<_>> =
            temporaries.map(|(i, storage)| context.storage(&Buffer::Temporary(i).to_string(), *storage)).collect();
        let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
        let params = context.buffer("params", UNIFORM_STRIDE * plan.steps.len() as u64, usage);
        for (i, step) in plan.steps.iter().enumerate() {
            context.queue.write_buffer(&params, i as u64 * UNIFORM_STRIDE, step.kernel.spec().params());
        }
        let (steps, step_group) = step_buffer(context, 1);
        let mut loaded = Self {
            plan: plan.clone(),
            commands: Vec::new(),
            pace: Pace::new(plan.steps.iter().map(|step| step.work().flops).sum()),
            step_group,
            step_capacity: 1,
            steps,
            params,
            temporaries: temporaries?,
            data: HashMap::new(),
        };
        let kernels: Vec<_> = plan.steps.iter().map(|step| (step.kernel.spec(), plan.halves(step))).collect();
        let pipelines = context.pipelines.all(context, &kernels)?;
        for (index, (step, pipeline)) in plan.steps.iter().zip(pipelines).enumerate() {
            let (group, spec) = (loaded.bind(context, slabs, index, step, &pipeline), step.kernel.spec());
            let (workgroups, uses_step) = (fold(spec.workgroups()), spec.shader().uses_step);
            loaded.commands.push(Command { pipeline, group, workgroups, uses_step });
        }
        Ok(loaded)
    }

    /// Makes room for a data set of `rows` rows visited in `steps` steps, and the bind groups that name it.
    pub fn bind_data(&mut self, context: &Context, slabs: &Slabs, rows: usize, steps: usize) -> Result<()> {
        for (buffer, elements) in self.plan.data_sizes(rows, steps) {
            let made = context.storage(&buffer.to_string(), Storage::full(elements))?;
            self.data.insert(buffer, made);
        }
        self.step_capacity = steps.clamp(1, STEPS_PER_WRITE);
        (self.steps, self.step_group) = step_buffer(context, self.step_capacity);
        for index in 0..self.commands.len() {
            let (step, command) = (&self.plan.steps[index], &self.commands[index]);
            if step.operands.iter().any(|range| self.data.contains_key(&range.buffer)) {
                self.commands[index].group = self.bind(context, slabs, index, step, &command.pipeline);
            }
        }
        Ok(())
    }

    /// Lets go of what [`Loaded::bind_data`] has made.
    pub fn release_data(&mut self, context: &Context) {
        for (step, command) in self.plan.steps.iter().zip(&mut self.commands) {
            if step.operands.iter().any(|range| self.data.contains_key(&range.buffer)) {
                command.group = None;
            }
        }
        self.data.clear();
        if self.step_capacity > 1 {
            self.step_capacity = 1;
            (self.steps, self.step_group) = step_buffer(context, 1);
        }
    }

    /// Bytes of its buffers.
    pub fn bytes(&self) -> u64 {
        let buffers = [&self.steps, &self.params].into_iter().chain(&self.temporaries).chain(self.data.values());
        buffers.map(wgpu::Buffer::size).sum()
    }

    /// Where `buffer` lies, if it does yet.
    pub fn buffer<'a>(&'a self, slabs: &'a Slabs, buffer: Buffer) -> Option<&'a wgpu::Buffer> {
        match buffer {
            Buffer::Temporary(index) => self.temporaries.get(index),
            _ => slabs.get(&buffer).or_else(|| self.data.get(&buffer)),
        }
    }

    /// Writes the uniforms of up to [`Loaded::step_capacity`] steps.
    pub fn write_steps(&self, context: &Context, steps: &[Step]) {
        let mut bytes = vec![0u8; steps.len() * UNIFORM_STRIDE as usize];
        for (entry, step) in bytes.chunks_exact_mut(UNIFORM_STRIDE as usize).zip(steps) {
            entry[..size_of::<Step>()].copy_from_slice(bytemuck::bytes_of(step));
        }
        context.queue.write_buffer(&self.steps, 0, &bytes);
    }

    /// The bind group of a dispatch, or `None` if one of its buffers is still to be bound.
    fn bind(
        &self,
        context: &Context,
        slabs: &Slabs,
        index: usize,
        step: &PlanStep,
        pipeline: &Pipeline,
    ) -> Option<wgpu::BindGroup> {
        let spec = step.kernel.spec();
        let binding = |buffer, offset, size| {
            let size = NonZeroU64::new(size);
            wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size })
        };
        let params = binding(&self.params, index as u64 * UNIFORM_STRIDE, spec.params().len() as u64);
        let mut entries = vec![wgpu::BindGroupEntry { binding: 0, resource: params }];
        for (bound, range) in step.bindings() {
            let buffer = self.buffer(slabs, range.buffer)?;
            let bytes = |len| Storage { len, half: self.plan.is_half(range.buffer) }.bytes();
            let resource = binding(buffer, bytes(range.offset), bytes(range.fixed()).next_multiple_of(4));
            entries.push(wgpu::BindGroupEntry { binding: bound.index, resource });
        }
        context.count_object();
        let (label, layout) = (Some(spec.shader().name), &pipeline.layout);
        let descriptor = wgpu::BindGroupDescriptor { label, layout, entries: &entries };
        Some(context.device.create_bind_group(&descriptor))
    }
}

/// The uniforms of `capacity` steps, and the group that shows one of them.
fn step_buffer(context: &Context, capacity: usize) -> (wgpu::Buffer, wgpu::BindGroup) {
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    let steps = context.buffer("steps", UNIFORM_STRIDE * capacity as u64, usage);
    let size = NonZeroU64::new(size_of::<Step>() as u64);
    context.count_object();
    let group = context.device.create_bind_group(&wgpu::BindGroupDescriptor {
        label: Some("step"),
        layout: &context.pipelines.step_layout,
        entries: &[wgpu::BindGroupEntry {
            binding: 0,
            resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &steps, offset: 0, size }),
        }],
    });
    (steps, group)
}

/// Folds a count of workgroups into two dimensions, with as few to spare as can be.
fn fold(groups: u64) -> (u32, u32) {
    let rows = groups.div_ceil(MAX_WORKGROUPS).max(1);
    (groups.div_ceil(rows) as u32, rows as u32)
}
