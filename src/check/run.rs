//! Runs single kernels on any executor, with every trap set: outputs start as NaN, so an element that is not
//! written shows; inputs lie between NaN, so a read out of range shows; outputs lie between sentinels, so a
//! write out of range shows.

use super::{Case, Judged, Report, Row, SHAPES, cases, large_cases, matmul_cases, tolerance};
use crate::cpu;
use crate::device::Device;
use crate::kernels::{Access, Kernel, Step};
use crate::plan::{ALIGNMENT, Buffer, Executor, Plan, PlanStep, Range, Storage};
use crate::{Error, Result};

/// A number that no kernel computes, in f32 and, where it must be one of f16, there.
const SENTINEL: f32 = -1.234_567_8e-33;
const HALF_SENTINEL: f32 = -291.0 / 16_777_216.0;
/// Elements before and behind a buffer that a case reads or writes; in f16 too a multiple of the largest offset alignment.
pub const FRAME: usize = 2 * ALIGNMENT;

/// Every kernel at every size on `device`, judged against the f64 twin.
///
/// # Errors
/// [`Error::Gpu`] where the device fails; a wrong result is a failed row, no error.
///
/// ```no_run
/// let report = axone::check::kernels(&axone::Device::auto()?)?;
/// println!("{report}");
/// assert_eq!(report.failed(), 0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn kernels(device: &Device) -> Result<Report> {
    let all = SHAPES.iter().flat_map(|&(rows, cols)| cases(rows, cols)).chain(matmul_cases()).chain(large_cases());
    kernels_on(device, all)
}

/// The given cases on `device`.
///
/// # Errors
/// As [`kernels`].
pub fn kernels_on(device: &Device, cases: impl IntoIterator<Item = Case>) -> Result<Report> {
    let mut rows = Vec::new();
    for case in cases {
        let mut executor = device.executor();
        rows.push(match run_case(&mut *executor, &case) {
            Ok(Ok(got)) => judge_outputs(&case, &got)?,
            Ok(Err(trap)) => Row::sprung(kernel_name(&case.kernel), case.name, trap),
            Err(error @ (Error::TooLarge { .. } | Error::Unsupported { .. })) => {
                Row::skipped(kernel_name(&case.kernel), case.name, error.to_string())
            }
            Err(error) => return Err(error),
        });
    }
    Ok(Report { device: device.info().to_string(), rows })
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

/// Runs `case` on `executor` and returns its written buffers, or which trap was sprung.
///
/// # Errors
/// [`Error::TooLarge`] and [`Error::Gpu`].
pub fn run_case(executor: &mut dyn Executor, case: &Case) -> Result<std::result::Result<Vec<Vec<f32>>, String>> {
    let mut operands = Vec::new();
    let mut contents: Vec<(Vec<f32>, bool)> = Vec::new();
    let (mut reads, mut writes) = (case.reads.iter(), case.writes.iter());
    for binding in case.kernel.spec().entry().bindings {
        let half = case.halves.has(binding);
        let (values, frame) = match (binding.name, binding.access) {
            ("order", _) => {
                operands.push(Range::whole(Buffer::Order));
                continue;
            }
            (_, Access::Read) => (reads.next(), f32::NAN),
            (_, Access::Write | Access::Update) => (writes.next(), sentinel(half)),
        };
        let values = values.ok_or_else(|| Error::Internal(format!("{}: no {}", case.name, binding.name)))?;
        let index = contents.len();
        operands.push(Range { buffer: Buffer::Activation(index), offset: FRAME, len: values.len() });
        let frame = [frame; FRAME];
        contents.push(([&frame, values.as_slice(), &frame].concat(), half));
    }
    let written: Vec<usize> = (case.reads.len()..contents.len()).collect();
    let step = PlanStep { kernel: case.kernel.clone(), operands, name: case.name.clone() };
    let plan = Plan::of_one(step, contents.iter().map(|(values, half)| Storage { len: values.len(), half: *half }));
    let id = executor.load(&plan)?;
    let order = Case::order();
    executor.bind_data(id, order.len(), 1)?;
    if plan.data_sizes(1, 1).iter().any(|(buffer, _)| *buffer == Buffer::Order) {
        executor.write_order(id, &order)?;
    }
    for (index, (content, _)) in contents.iter().enumerate() {
        executor.write(id, Buffer::Activation(index), 0, content)?;
    }
    executor.run(id, &[case.step])?;
    let mut results = Vec::new();
    for index in written {
        let (content, half) = &contents[index];
        let all = executor.read(id, Range::of(Buffer::Activation(index), content.len()))?;
        let (inner, sentinel) = (FRAME..all.len() - FRAME, sentinel(*half));
        let touched = all.iter().enumerate().find(|(i, value)| !inner.contains(i) && **value != sentinel);
        if let Some((i, value)) = touched {
            let at = i as i64 - FRAME as i64;
            return Ok(Err(format!("wrote {value:e} out of range, at element {at} of {}", inner.len())));
        }
        results.push(all[inner].to_vec());
    }
    executor.unload(id);
    Ok(Ok(results))
}
