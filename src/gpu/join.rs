//! Which dispatches of a plan run as one. Between two dispatches a GPU waits until the first is done, and starts the second:
//! a microsecond or two, as long as a small product takes. Neighbours that do not wait for each other are one dispatch,
//! whose workgroups are those of both (`src/kernels/join.rs`): the gradients of a layer's weights and of its input, the rows
//! of several inputs, and, across the border between two steps, the update of one and the batch of the next. No bit depends
//! on it.

use super::Context;
use super::pipelines::Part;
use crate::kernels::join::MOST;
use crate::plan::device_info::DeviceKind;
use crate::plan::{Plan, PlanStep};

/// Workgroups that fill a GPU: two dispatches with more than that each gain nothing from each other.
const MANY_WORKGROUPS: u64 = 512;

/// The same for a software adapter: lavapipe gives each core as many neighbouring workgroups as the others, so one core may
/// get all of the longer ones. What waits at barriers is slower there beside others than the sum of both alone.
const MANY_ON_CORES: u64 = 16;

/// A step of the plan in a dispatch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Member {
    /// Its place in the plan.
    pub index: usize,
    /// Whether it is one of the next run.
    pub next: bool,
}

impl Member {
    /// The step at `index` of the run itself.
    pub const fn of(index: usize) -> Self {
        Self { index, next: false }
    }

    fn step(self, plan: &Plan) -> Option<&PlanStep> {
        plan.steps.get(self.index)
    }
}

/// What a run of a plan dispatches.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Dispatches {
    /// In order.
    pub run: Vec<Vec<Member>>,
    /// What takes the place of the last and of the first of the next run, where they do not wait for each other.
    pub seam: Option<Vec<Member>>,
}

impl Dispatches {
    /// One for each step of the plan.
    pub fn alone(plan: &Plan) -> Self {
        Self { run: (0..plan.steps.len()).map(|index| vec![Member::of(index)]).collect(), seam: None }
    }

    /// Whether any has several kernels.
    pub fn joins(&self) -> bool {
        self.run.iter().chain(&self.seam).any(|members| members.len() > 1)
    }

    /// As few as the device allows.
    pub fn of(context: &Context, plan: &Plan) -> Self {
        let mut run: Vec<Vec<Member>> = Vec::new();
        for index in 0..plan.steps.len() {
            let member = Member::of(index);
            match run.last_mut() {
                Some(last) if fits(context, plan, last, member) => last.push(member),
                _ => run.push(vec![member]),
            }
        }
        let seam = match run.as_slice() {
            [first, .., last] => first.iter().try_fold(last.clone(), |mut seam, member| {
                let member = Member { next: true, ..*member };
                fits(context, plan, &seam, member).then(|| seam.push(member))?;
                Some(seam)
            }),
            _ => None,
        };
        Self { run, seam }
    }
}

/// The kernels of a dispatch.
pub(super) fn parts<'a>(plan: &'a Plan, members: &[Member]) -> Vec<Part<'a>> {
    let part = |member: &Member| {
        let step = member.step(plan)?;
        Some(Part { spec: step.kernel.spec(), halves: plan.halves(step) })
    };
    members.iter().filter_map(part).collect()
}

/// Whether `one` can join `others` on the device, and whether that may pay.
fn fits(context: &Context, plan: &Plan, others: &[Member], one: Member) -> bool {
    let all: Vec<&PlanStep> = others.iter().chain([&one]).filter_map(|member| member.step(plan)).collect();
    let [others @ .., one] = all.as_slice() else { return false };
    let size = |step: &PlanStep| step.kernel.spec().shader().workgroup_size;
    let workgroups = |steps: &[&PlanStep]| steps.iter().map(|step| step.kernel.spec().workgroups()).sum::<u64>();
    let bytes: Option<u32> = all.iter().map(|step| step.kernel.spec().workgroup_bytes()).sum();
    let buffers = all.iter().map(|step| step.operands.len() as u32).sum::<u32>();
    let limits = context.device.limits();
    let is_software = context.info().kind == DeviceKind::Software;
    let (many, most_bytes) =
        if is_software { (MANY_ON_CORES, 0) } else { (MANY_WORKGROUPS, context.abilities.workgroup_bytes) };
    all.len() <= MOST
        && others.iter().all(|other| size(other) == size(one) && are_independent(other, one))
        && bytes.is_some_and(|bytes| bytes <= most_bytes)
        && buffers <= limits.max_storage_buffers_per_shader_stage
        && (all.len() + 1 + MOST) as u32 <= limits.max_uniform_buffers_per_shader_stage
        && workgroups(others).min(workgroups(&[one])) <= many
}

/// Whether two steps may run at the same time. A buffer that one of them writes may be bound once in a dispatch, unless both
/// write it, in different places.
fn are_independent(a: &PlanStep, b: &PlanStep) -> bool {
    let apart = |writes: &PlanStep, other: &PlanStep| {
        writes.writes().all(|written| {
            other.reads().all(|read| read.buffer != written.buffer)
                && other.writes().all(|also| {
                    also.buffer != written.buffer || written.end() <= also.offset || also.end() <= written.offset
                })
        })
    };
    apart(a, b) && apart(b, a)
}
