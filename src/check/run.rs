//! Runs single kernels on any executor, with every trap set: outputs start as NaN, so an element that is not
//! written shows; inputs lie between NaN, so a read out of range shows; outputs lie between sentinels, so a
//! write out of range shows.

use super::progress::Progress;
use super::{Case, Judged, Outcome, Report, Row, tolerance};
use crate::cpu;
use crate::device::Device;
use crate::kernels::{Access, Fill, Halves, Kernel, Matmul, Step, Tile};
use crate::plan::{ALIGNMENT, Buffer, BufferRange, Executor, Plan, PlanStep, Storage};
use crate::train::Verbosity;
use crate::{Error, Result};
use rayon::prelude::*;

/// A number that no kernel computes, in f32 and, where it must be one of f16, there.
const SENTINEL: f32 = -1.234_567_8e-33;
const HALF_SENTINEL: f32 = -291.0 / 16_777_216.0;
/// Elements before and behind a buffer that a case reads or writes; in f16 too a multiple of the largest offset alignment.
pub const FRAME: usize = 2 * ALIGNMENT;

/// Cases whose pipelines are compiled side by side, and whose outputs are judged side by side.
const AT_ONCE: usize = 64;
/// Elements of the buffers of such cases together, but for one case alone.
const ELEMENTS_AT_ONCE: usize = 1 << 24;

/// The given cases on `device`. A case that cannot be built or run is a failed row; what the device lacks is a row not
/// offered; once the device is lost, what is left is skipped.
///
/// # Errors
/// [`Error::Value`] where the environment asks for what there is not (`AXONE_TUNE`).
pub fn kernels_on(device: &Device, cases: impl IntoIterator<Item = Case>) -> Result<Report> {
    let cases = cases.into_iter();
    let total = cases.size_hint().0;
    rows_of(device, cases, Progress::new(Verbosity::Silent, &device.info().name, total))
}

pub(super) fn rows_of(
    device: &Device,
    mut cases: impl Iterator<Item = Case>,
    mut progress: Progress,
) -> Result<Report> {
    let mut rows = Vec::new();
    let mut lost: Option<String> = None;
    loop {
        let some = take_some(&mut cases);
        if some.is_empty() {
            break;
        }
        let plans: Vec<Plan> = some.iter().filter_map(|case| plan_of(case).ok()).map(|(plan, _)| plan).collect();
        if lost.is_none() {
            device.executor().prepare(&plans);
        }
        let mut outputs = Vec::with_capacity(some.len());
        for case in &some {
            progress.begin(&case.name);
            outputs.push(match &lost {
                Some(why) => Err(Outcome::Skipped(why.clone())),
                None => match run_case(&mut *device.executor(), case) {
                    Ok(Ok(got)) => Ok(got),
                    Ok(Err(trap)) => Err(Outcome::Failed(trap)),
                    Err(error @ Error::Value { .. }) => return Err(error),
                    Err(error) => {
                        lost = gone(device, &error);
                        Err(missing(device, case, &error)
                            .map_or(Outcome::Failed(error.to_string()), Outcome::NotOffered))
                    }
                },
            });
            progress.end();
        }
        rows.par_extend(some.par_iter().zip(outputs).map(|(case, output)| row_of(case, output)));
    }
    Ok(Report { device: device.info().to_string(), rows })
}

/// The next cases, as many as fit.
fn take_some(cases: &mut impl Iterator<Item = Case>) -> Vec<Case> {
    let (mut some, mut elements) = (Vec::new(), 0);
    while some.len() < AT_ONCE && elements < ELEMENTS_AT_ONCE {
        let Some(case) = cases.next() else { break };
        elements += case.reads.iter().chain(&case.writes).map(Vec::len).sum::<usize>();
        some.push(case);
    }
    some
}

/// The row of `case`, from its written buffers or from what came of it instead.
fn row_of(case: &Case, output: std::result::Result<Vec<Vec<f32>>, Outcome>) -> Row {
    let (kernel, name) = (kernel_name(&case.kernel), case.name.clone());
    match output {
        Ok(got) => judge_outputs(case, &got).unwrap_or_else(|error| Row::failed(kernel, name, error.to_string())),
        Err(Outcome::Failed(what)) => Row::failed(kernel, name, what),
        Err(outcome) => Row::not_run(kernel, name, outcome),
    }
}

/// What `device` lacks, where that is why it refused `case`.
fn missing(device: &Device, case: &Case, error: &Error) -> Option<String> {
    let tile = match case.kernel {
        Kernel::Matmul(Matmul { tile, .. }) => tile,
        _ => None,
    };
    match (error, tile) {
        (Error::TooLarge { needed, .. }, _) => Some(format!("bindings of {} MiB", needed.div_ceil(1 << 20))),
        (Error::Unsupported { .. }, Some(Tile::Cooperative8)) => Some("cooperative matrices of 8 x 8".to_owned()),
        (Error::Unsupported { .. }, Some(tile)) if tile.is_cooperative() => {
            Some("cooperative matrices of 16 x 16".to_owned())
        }
        (Error::Unsupported { .. }, _) if case.halves != Halves::NONE && !device.has_f16() => Some("f16".to_owned()),
        (Error::Unsupported { .. }, Some(tile)) if tile.by_subgroup() => Some("subgroups of 8 lanes".to_owned()),
        (Error::Unsupported { what, .. }, _) => Some(what.clone()),
        _ => None,
    }
}

/// Why `device` computes nothing any more, where `error` was not of one case alone: then the smallest kernel fails too.
fn gone(device: &Device, error: &Error) -> Option<String> {
    if !matches!(error, Error::Gpu { .. }) {
        return None;
    }
    let fill = Kernel::Fill(Fill { n: 1, value: 0.3 });
    let name = "fill of one element".to_owned();
    let writes = vec![vec![f32::NAN]];
    let case = Case { kernel: fill, name, reads: Vec::new(), writes, step: Case::step(), halves: Halves::NONE };
    let error = run_case(&mut *device.executor(), &case).err()?;
    Some(format!("the device computes nothing any more: {error}"))
}

/// The kernel's name and which function it computes: what a line of the report stands for.
pub(super) fn kernel_name(kernel: &Kernel) -> String {
    let function = match kernel {
        Kernel::Activation(p) => p.function.name(),
        Kernel::ActivationGrad(p) => p.function.name(),
        Kernel::ElementwiseLoss(p) => p.loss.name(),
        Kernel::SoftmaxCrossEntropy(p) if p.kind.kind() > 0 => p.kind.name(),
        _ => return kernel.name(),
    };
    format!("{}.{function}", kernel.name())
}

fn sentinel(half: bool) -> f32 {
    if half { HALF_SENTINEL } else { SENTINEL }
}

/// Judges `got`, the written buffers of `case`, against the f64 twin.
///
/// # Errors
/// [`Error::Internal`] where the buffers do not fit the kernel.
pub fn judge_outputs(case: &Case, got: &[Vec<f32>]) -> Result<Row> {
    let (reads, before, step) = (widen(&case.reads), widen(&case.writes), case.step);
    let expected = oracle(&case.kernel, &reads, &before, &Case::order(), &step)?;
    let judged = Judged {
        kernel: &case.kernel,
        reads: &reads,
        before: &before,
        expected: &expected,
        step: &step,
        halves: case.halves,
    };
    let allowed = tolerance(&judged)?;
    Ok(Row::judge(kernel_name(&case.kernel), case.name.clone(), got, &expected, &allowed))
}

pub(super) fn widen(buffers: &[Vec<f32>]) -> Vec<Vec<f64>> {
    buffers.iter().map(|buffer| buffer.iter().map(|x| f64::from(*x)).collect()).collect()
}

/// What the f64 twin makes of the same numbers.
pub(super) fn oracle(
    kernel: &Kernel,
    reads: &[Vec<f64>],
    before: &[Vec<f64>],
    order: &[u32],
    step: &Step,
) -> Result<Vec<Vec<f64>>> {
    let mut writes = before.to_vec();
    let reads: Vec<&[f64]> = reads.iter().map(Vec::as_slice).collect();
    let mut outputs: Vec<&mut [f64]> = writes.iter_mut().map(Vec::as_mut_slice).collect();
    cpu::run(kernel, &reads, &mut outputs, order, step)?;
    Ok(writes)
}

/// A buffer of a case: its values, what lies before and behind them, and whether they are f16.
type Content<'a> = (&'a [f32], f32, bool);

/// The plan of the one dispatch that `case` is, and its buffers.
fn plan_of(case: &Case) -> Result<(Plan, Vec<Content<'_>>)> {
    let mut operands = Vec::new();
    let mut contents = Vec::new();
    let (mut reads, mut writes) = (case.reads.iter(), case.writes.iter());
    for binding in case.kernel.spec().entry().bindings {
        let half = case.halves.has(binding);
        let (values, frame) = match (binding.name, binding.access) {
            ("order", _) => {
                operands.push(BufferRange::whole(Buffer::Order));
                continue;
            }
            (_, Access::Read) => (reads.next(), f32::NAN),
            (_, Access::Write | Access::Update) => (writes.next(), sentinel(half)),
        };
        let values = values.ok_or_else(|| Error::Internal(format!("{}: no {}", case.name, binding.name)))?;
        operands
            .push(BufferRange { offset: FRAME, ..BufferRange::of(Buffer::Temporary(contents.len()), values.len()) });
        contents.push((values.as_slice(), frame, half));
    }
    let step = PlanStep { kernel: case.kernel.clone(), operands, name: case.name.clone() };
    let storage = contents.iter().map(|(values, _, half)| Storage { len: values.len() + 2 * FRAME, half: *half });
    Ok((Plan::of_one(step, storage), contents))
}

/// Runs `case` on `executor` and returns its written buffers, or which trap was sprung.
///
/// # Errors
/// [`Error::TooLarge`], [`Error::Unsupported`] and [`Error::Gpu`]; [`Error::Internal`] where buffers are missing.
pub fn run_case(executor: &mut dyn Executor, case: &Case) -> Result<std::result::Result<Vec<Vec<f32>>, String>> {
    let (plan, contents) = plan_of(case)?;
    let id = executor.load(&plan)?;
    let order = Case::order();
    executor.bind_data(id, order.len(), 1)?;
    if plan.data_sizes(1, 1).iter().any(|(buffer, _)| *buffer == Buffer::Order) {
        executor.write_order(id, &order)?;
    }
    for (index, (values, frame, _)) in contents.iter().enumerate() {
        let frame = [*frame; FRAME];
        executor.write(id, Buffer::Temporary(index), 0, &[&frame, *values, &frame].concat())?;
    }
    executor.run(id, &[case.step])?;
    let mut results = Vec::new();
    for (index, (values, sentinel, _)) in contents.iter().enumerate().skip(case.reads.len()) {
        let all = executor.read(id, BufferRange::of(Buffer::Temporary(index), values.len() + 2 * FRAME))?;
        let inner = FRAME..FRAME + values.len();
        let touched = all.iter().enumerate().find(|(i, value)| !inner.contains(i) && *value != sentinel);
        if let Some((i, value)) = touched {
            let at = i as i64 - FRAME as i64;
            return Ok(Err(format!("wrote {value:e} out of range, at element {at} of {}", inner.len())));
        }
        results.push(all[inner].to_vec());
    }
    executor.unload(id);
    Ok(Ok(results))
}
