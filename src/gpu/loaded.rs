//! A plan as it lies on a GPU: its buffers, and its dispatches as they are recorded.

use super::Context;
use super::join::{Dispatches, Member, parts};
use super::pace::Pace;
use super::pipelines::{Part, Pipeline, label};
use crate::kernels::Step;
use crate::kernels::join::{ENDS, MOST, STRIDE};
use crate::plan::{Buffer, Plan, Storage};
use crate::text::say;
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

/// The groups of step uniforms, for dispatches of one kernel, two, and so on.
type StepGroups = [wgpu::BindGroup; MOST];

/// A dispatch: one step of the plan, or several side by side.
pub(super) struct Command {
    members: Vec<Member>,
    pipeline: Arc<Pipeline>,
    /// `None` until a data set is bound, for a step that reads it or writes the log.
    group: Option<wgpu::BindGroup>,
    workgroups: (u32, u32),
    uses_step: bool,
}

impl Command {
    /// Records the dispatch for entry `step` of the step uniforms, and the entry behind it.
    pub fn record(&self, pass: &mut wgpu::ComputePass<'_>, groups: &StepGroups, step: usize) -> Result<()> {
        let group = self.group.as_ref();
        let group = group.ok_or_else(|| Error::Internal("a plan ran before its data were bound".to_owned()))?;
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(0, group, &[]);
        if self.uses_step {
            let mut offsets = [0; MOST];
            for (offset, member) in offsets.iter_mut().zip(&self.members) {
                *offset = ((step + usize::from(member.next)) as u64 * UNIFORM_STRIDE) as u32;
            }
            let kernels = self.members.len();
            pass.set_bind_group(1, groups.get(kernels - 1), &offsets[..kernels]);
        }
        pass.dispatch_workgroups(self.workgroups.0, self.workgroups.1, 1);
        Ok(())
    }
}

/// A plan with everything that running it needs.
pub(super) struct Loaded {
    pub plan: Plan,
    /// What a run dispatches.
    pub commands: Vec<Command>,
    /// What takes the place of the last command and of the first of the next run.
    pub seam: Option<Command>,
    /// A command for each step of the plan, where a run has others and once one is asked for.
    single: Vec<Command>,
    /// How much of it goes into a submission.
    pub pace: Pace,
    /// Pick the entries of steps by dynamic offsets.
    pub step_groups: StepGroups,
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
        let params = context.buffer("params", UNIFORM_STRIDE * 2 * plan.steps.len() as u64, usage);
        for (i, step) in plan.steps.iter().enumerate() {
            context.queue.write_buffer(&params, params_at(i), step.kernel.spec().params());
        }
        let (steps, step_groups) = step_buffer(context, 1);
        let mut loaded = Self {
            plan: plan.clone(),
            commands: Vec::new(),
            seam: None,
            single: Vec::new(),
            pace: Pace::new(plan.steps.iter().map(|step| step.work().flops).sum()),
            step_groups,
            step_capacity: 1,
            steps,
            params,
            temporaries: temporaries?,
            data: HashMap::new(),
        };
        let joined = Dispatches::of(context, plan);
        match loaded.set_dispatches(context, slabs, &joined) {
            // A driver that refuses a text of several kernels may take each alone.
            Err(error) if joined.joins() => {
                let (device, name) = (&context.info().name, &plan.name);
                say(&format!("axone: {device}: {error}: each step of plan {name} gets a dispatch of its own"));
                loaded.set_dispatches(context, slabs, &Dispatches::alone(plan))?;
            }
            set => set?,
        }
        Ok(loaded)
    }

    /// Makes the commands of a run.
    fn set_dispatches(&mut self, context: &Context, slabs: &Slabs, all: &Dispatches) -> Result<()> {
        let mut commands = self.commands(context, slabs, all.run.iter().chain(&all.seam))?;
        self.seam = commands.drain(all.run.len()..).next();
        self.commands = commands;
        Ok(())
    }

    /// A command for each step of the plan, if [`Loaded::separate`] has made them.
    pub fn alone(&self) -> &[Command] {
        if self.commands.len() == self.plan.steps.len() { &self.commands } else { &self.single }
    }

    /// Makes the command of each step of the plan alone, if they are not there.
    pub fn separate(&mut self, context: &Context, slabs: &Slabs) -> Result<()> {
        if self.alone().is_empty() {
            self.single = self.commands(context, slabs, &Dispatches::alone(&self.plan).run)?;
        }
        Ok(())
    }

    fn commands<'a>(
        &self,
        context: &Context,
        slabs: &Slabs,
        dispatches: impl IntoIterator<Item = &'a Vec<Member>>,
    ) -> Result<Vec<Command>> {
        let dispatches: Vec<&Vec<Member>> = dispatches.into_iter().collect();
        let kernels: Vec<Vec<Part<'_>>> = dispatches.iter().map(|members| parts(&self.plan, members)).collect();
        let pipelines = context.pipelines.all(context, &kernels)?;
        let mut commands = Vec::with_capacity(dispatches.len());
        for ((members, parts), pipeline) in dispatches.into_iter().zip(kernels).zip(pipelines) {
            if let [first, _, ..] = members.as_slice() {
                context.queue.write_buffer(&self.params, self.ends_at(*first), bytemuck::cast_slice(&ends(&parts)));
            }
            let group = self.bind(context, slabs, members, &parts, &pipeline);
            let workgroups = fold(parts.iter().map(|part| part.spec.workgroups()).sum());
            let uses_step = parts.iter().any(|part| part.spec.shader().uses_step);
            commands.push(Command { members: members.clone(), pipeline, group, workgroups, uses_step });
        }
        Ok(commands)
    }

    /// Where the uniform lies that divides the workgroups of a dispatch which begins with `first`: behind all `Params`. The
    /// seam shares it with the last dispatch of a run, whose numbers its own begin with.
    fn ends_at(&self, first: Member) -> u64 {
        params_at(self.plan.steps.len() + first.index)
    }

    /// Makes room for a data set of `rows` rows visited in `steps` steps, and the bind groups that name it.
    pub fn bind_data(&mut self, context: &Context, slabs: &Slabs, rows: usize, steps: usize) -> Result<()> {
        for (buffer, elements) in self.plan.data_sizes(rows, steps) {
            let made = context.storage(&buffer.to_string(), Storage::full(elements))?;
            self.data.insert(buffer, made);
        }
        self.step_capacity = steps.clamp(1, STEPS_PER_WRITE);
        (self.steps, self.step_groups) = step_buffer(context, self.step_capacity);
        let touched = self.touching_data();
        let bind = |command: &Command| {
            let parts = parts(&self.plan, &command.members);
            self.bind(context, slabs, &command.members, &parts, &command.pipeline)
        };
        let groups: Vec<_> =
            self.all().zip(&touched).map(|(command, touched)| touched.then(|| bind(command))).collect();
        for (command, group) in self.all_mut().zip(groups) {
            if let Some(group) = group {
                command.group = group;
            }
        }
        Ok(())
    }

    /// Every command.
    fn all(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter().chain(&self.seam).chain(&self.single)
    }

    fn all_mut(&mut self) -> impl Iterator<Item = &mut Command> {
        self.commands.iter_mut().chain(&mut self.seam).chain(&mut self.single)
    }

    /// Which commands name the data set or the log.
    fn touching_data(&self) -> Vec<bool> {
        let is_data = |member: &Member| {
            let operands = self.plan.steps.get(member.index).map_or(&[][..], |step| &step.operands);
            operands.iter().any(|range| self.data.contains_key(&range.buffer))
        };
        self.all().map(|command| command.members.iter().any(is_data)).collect()
    }

    /// Lets go of what [`Loaded::bind_data`] has made.
    pub fn release_data(&mut self, context: &Context) {
        let touched = self.touching_data();
        self.all_mut().zip(touched).filter(|(_, touched)| *touched).for_each(|(command, _)| command.group = None);
        self.data.clear();
        if self.step_capacity > 1 {
            self.step_capacity = 1;
            (self.steps, self.step_groups) = step_buffer(context, 1);
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
        members: &[Member],
        kernels: &[Part<'_>],
        pipeline: &Pipeline,
    ) -> Option<wgpu::BindGroup> {
        let entry = |binding, buffer, offset, size| {
            let size = NonZeroU64::new(size);
            let resource = wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size });
            wgpu::BindGroupEntry { binding, resource }
        };
        let mut entries = Vec::new();
        for ((place, member), Part { spec, .. }) in (0..).zip(members).zip(kernels) {
            let first = STRIDE * place;
            entries.push(entry(first, &self.params, params_at(member.index), spec.params().len() as u64));
            for (bound, range) in self.plan.steps.get(member.index)?.bindings() {
                let buffer = self.buffer(slabs, range.buffer)?;
                let bytes = |len| Storage { len, half: self.plan.is_half(range.buffer) }.bytes();
                let (offset, size) = (bytes(range.offset), bytes(range.fixed()).next_multiple_of(4));
                entries.push(entry(first + bound.index, buffer, offset, size));
            }
        }
        if let [first, _, ..] = members {
            entries.push(entry(ENDS, &self.params, self.ends_at(*first), size_of::<[u32; MOST]>() as u64));
        }
        context.count_object();
        let (label, layout) = (label(kernels), &pipeline.layout);
        let descriptor = wgpu::BindGroupDescriptor { label: Some(&label), layout, entries: &entries };
        Some(context.device.create_bind_group(&descriptor))
    }
}

/// Where the `Params` of step `index` of a plan begin.
fn params_at(index: usize) -> u64 {
    index as u64 * UNIFORM_STRIDE
}

/// The workgroups of a dispatch up to the end of each of its kernels.
fn ends(parts: &[Part<'_>]) -> [u32; MOST] {
    let mut ends = [u32::MAX; MOST];
    let mut all = 0;
    for (end, part) in ends.iter_mut().zip(parts) {
        all += part.spec.workgroups();
        *end = u32::try_from(all).unwrap_or(u32::MAX);
    }
    ends
}

/// The uniforms of `capacity` steps, and the groups that show one of them to each kernel of a dispatch.
fn step_buffer(context: &Context, capacity: usize) -> (wgpu::Buffer, StepGroups) {
    let usage = wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST;
    let steps = context.buffer("steps", UNIFORM_STRIDE * capacity as u64, usage);
    let size = NonZeroU64::new(size_of::<Step>() as u64);
    let entry = |binding| wgpu::BindGroupEntry {
        binding,
        resource: wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer: &steps, offset: 0, size }),
    };
    let entries = [0, 1, 2, 3].map(entry);
    let mut kernels = 0;
    let groups = context.pipelines.step_layouts.each_ref().map(|layout| {
        context.count_object();
        kernels += 1;
        let (label, entries) = (Some("step"), &entries[..kernels]);
        context.device.create_bind_group(&wgpu::BindGroupDescriptor { label, layout, entries })
    });
    (steps, groups)
}

/// Folds a count of workgroups into two dimensions, with as few to spare as can be.
fn fold(groups: u64) -> (u32, u32) {
    let rows = groups.div_ceil(MAX_WORKGROUPS).max(1);
    (groups.div_ceil(rows) as u32, rows as u32)
}
