//! The plans of a model on its device, held against f64: every dispatch on the very bytes it read, and a
//! few training steps end to end.
//!
//! End to end, errors grow from step to step as the model itself magnifies them: Adam turns a gradient that
//! is all rounding into a step of full size. How much is measured: the f64 run is repeated, and after every
//! dispatch each element of its result is moved by a random share of the tolerance of that dispatch. Whatever
//! a right f32 run computes is one such run. The largest change of a parameter in [`NOISY_RUNS`] of them,
//! doubled because a few runs do not meet the extreme, is allowed.

use super::run::{kernel_name, oracle, widen};
use super::{Judged, Report, Row, tolerance};
use crate::Result;
use crate::cpu::CpuExecutor;
use crate::data::Dataset;
use crate::kernels::Step;
use crate::model::{Model, Purpose};
use crate::plan::{Buffer, BufferRange, Executor, Plan, PlanId};
use crate::random::{threefry2x32, uniform};
use crate::train::Feed;

/// Seed of the dropout masks and of the noise.
const SEED: u64 = 2026;
/// Runs with noise.
const NOISY_RUNS: u32 = 4;

/// Trains copies of `model` for `steps` steps of `batch_size` rows of `data`, fused and unfused, and judges every
/// dispatch; then the weights after those steps, and a forward pass. The model is left as it was.
///
/// # Errors
/// As [`Model::fit`]; a wrong result is a failed row, no error.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Dense::new(3).activation(Activation::Tanh)).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// let data = Dataset::new([[0.0, 1.0], [1.0, 0.5], [0.3, 0.2]], [0.5, -0.5, 0.1])?;
/// let report = axone::check::compare(&mut model, &data, 2, 3)?;
/// assert_eq!(report.failed(), 0, "{report}");
/// # Ok::<(), axone::Error>(())
/// ```
pub fn compare(model: &mut Model, data: &Dataset, batch_size: usize, steps: usize) -> Result<Report> {
    let classes = model.check_data(data)?;
    let weights = model.slab(Buffer::Parameters)?;
    let device = model.device().clone();
    let batch = batch_size.clamp(1, data.len());
    let mut rows = Vec::new();
    for (purpose, fused) in [(Purpose::Train, true), (Purpose::Train, false), (Purpose::Evaluate, true)] {
        let plan = model.program().plan(purpose, batch, &classes, fused)?;
        let mut walk = Walk::new(device.executor(), plan, data, &weights)?;
        if purpose == Purpose::Train {
            model.program().write_rules(&mut *walk.executor, model.layout())?;
            model.program().start_loss_scale(&mut *walk.executor)?;
        }
        let label = if fused { "" } else { "unfused " };
        for number in 0..steps {
            let step = step(model, data, batch, number);
            for index in 0..walk.plan.steps.len() {
                rows.push(walk.dispatch(index, &step, label)?);
            }
        }
    }
    rows.push(end_to_end(model, data, batch, steps, &classes, &weights)?);
    Ok(Report { device: device.info().to_string(), rows })
}

/// The uniform of training step `number` (from 0) over the rows in their own order.
fn step(model: &Model, data: &Dataset, batch: usize, number: usize) -> Step {
    let place = number % data.len().div_ceil(batch);
    let start = place * batch;
    let rows = start as u32..data.len().min(start + batch) as u32;
    let over = Step::over(start, rows.len(), data.weight(rows)).seeded(SEED);
    let mut step = Step { log_row: place as u32, ..over };
    model.program().optimizer.fill(number as u64 + 1, &mut step);
    step
}

/// A plan on an executor with the data set bound.
struct Walk {
    executor: Box<dyn Executor>,
    plan: Plan,
    id: PlanId,
    order: Vec<u32>,
}

impl Walk {
    fn new(mut executor: Box<dyn Executor>, plan: Plan, data: &Dataset, weights: &[f32]) -> Result<Self> {
        let id = executor.load(&plan)?;
        // With the tiles that the device has chosen: some have tolerances of their own.
        let plan = executor.plan(id)?.clone();
        Feed::whole(&mut *executor, id, &plan, data)?;
        executor.write_slab(Buffer::Parameters, 0, weights)?;
        let order = (0..data.len() as u32).collect();
        Ok(Self { executor, plan, id, order })
    }

    /// Runs one dispatch and judges it on what it read.
    fn dispatch(&mut self, index: usize, step: &Step, label: &str) -> Result<Row> {
        let planned = self.plan.steps[index].clone();
        let read = |executor: &mut dyn Executor, range: &BufferRange| executor.read(self.id, *range);
        let mut reads = Vec::new();
        for range in planned.reads().filter(|range| range.buffer != Buffer::Order) {
            reads.push(read(&mut *self.executor, range)?);
        }
        let mut before = Vec::new();
        for range in planned.writes() {
            before.push(read(&mut *self.executor, range)?);
        }
        self.executor.run_one(self.id, index, step)?;
        let mut got = Vec::new();
        for range in planned.writes() {
            got.push(read(&mut *self.executor, range)?);
        }
        let (reads, before) = (widen(&reads), widen(&before));
        let expected = oracle(&planned.kernel, &reads, &before, &self.order, step)?;
        let halves = self.plan.halves(&planned);
        let kernel = &planned.kernel;
        let judged = Judged { kernel, reads: &reads, before: &before, expected: &expected, step, halves };
        let allowed = tolerance(&judged)?;
        let case = format!("{label}{} {} step {}", self.plan.name, planned.name, step.step);
        Ok(Row::judge(kernel_name(&planned.kernel), case, &got, &expected, &allowed))
    }
}

fn end_to_end(
    model: &Model,
    data: &Dataset,
    batch: usize,
    steps: usize,
    classes: &[bool],
    weights: &[f32],
) -> Result<Row> {
    let plan = model.program().plan(Purpose::Train, batch, classes, true)?;
    let uniforms: Vec<Step> = (0..steps).map(|number| step(model, data, batch, number)).collect();
    let all = BufferRange::of(Buffer::Parameters, plan.slab);
    let prepare = |executor: &mut dyn Executor| -> Result<PlanId> {
        let id = executor.load(&plan)?;
        Feed::whole(executor, id, &plan, data)?;
        executor.write_slab(Buffer::Parameters, 0, weights)?;
        model.program().write_rules(executor, model.layout())?;
        model.program().start_loss_scale(executor)?;
        Ok(id)
    };
    let mut executor = model.device().executor();
    let id = prepare(&mut *executor)?;
    executor.run(id, &uniforms)?;
    let (got, tuned) = (executor.read_slab(all)?, executor.plan(id)?.clone());
    let oracle = |noise: Option<u32>| -> Result<Vec<f64>> {
        let mut executor = CpuExecutor::<f64>::new();
        let id = prepare(&mut executor)?;
        match noise {
            None => executor.run(id, &uniforms)?,
            Some(seed) => noisy_run(&mut executor, id, &tuned, &uniforms, seed)?,
        }
        executor.read_real(id, all)
    };
    let expected = oracle(None)?;
    let noisy: Result<Vec<Vec<f64>>> = (0..NOISY_RUNS).map(|seed| oracle(Some(seed))).collect();
    let noisy = noisy?;
    let mut allowed = vec![0.0; expected.len()];
    for index in 0..model.layout().parameters.len() {
        let place = model.layout().slab.place(index);
        let change = |run: &Vec<f64>| {
            let changes = expected[place.clone()].iter().zip(&run[place.clone()]).map(|(a, b)| (a - b).abs());
            // A NaN must not hide in a maximum.
            changes.fold(f64::from(f32::MIN_POSITIVE), |most, change| if change <= most { most } else { change })
        };
        let largest = noisy.iter().map(change).fold(0.0, f64::max);
        allowed[place].fill(2.0 * largest);
    }
    let case = format!("weights after {steps} steps of {batch} rows");
    Ok(Row::judge("end to end".to_owned(), case, &[got], &[expected], &[allowed]))
}

/// Runs the plan dispatch by dispatch and moves each result by a random share of its tolerance.
fn noisy_run(executor: &mut CpuExecutor<f64>, id: PlanId, plan: &Plan, uniforms: &[Step], seed: u32) -> Result<()> {
    for step in uniforms {
        for (index, planned) in plan.steps.iter().enumerate() {
            let (mut reads, mut before, mut expected) = (Vec::new(), Vec::new(), Vec::new());
            for range in planned.reads().filter(|range| range.buffer != Buffer::Order) {
                reads.push(executor.read_real(id, *range)?);
            }
            for range in planned.writes() {
                before.push(executor.read_real(id, *range)?);
            }
            executor.run_one(id, index, step)?;
            for range in planned.writes() {
                expected.push(executor.read_real(id, *range)?);
            }
            let (kernel, halves) = (&planned.kernel, plan.halves(planned));
            let judged = Judged { kernel, reads: &reads, before: &before, expected: &expected, step, halves };
            let allowed = tolerance(&judged)?;
            for ((range, mut values), allowed) in planned.writes().zip(expected).zip(allowed) {
                for (i, (value, allowed)) in values.iter_mut().zip(allowed).enumerate() {
                    let coin = threefry2x32([SEED as u32 + seed, step.step], [index as u32, i as u32])[0];
                    // Without the part for flushed results, which would make the second moment negative.
                    let share = (allowed - f64::from(f32::MIN_POSITIVE)).max(0.0);
                    *value += share * (2.0 * f64::from(uniform(coin)) - 1.0);
                }
                executor.write_real(id, range.buffer, range.offset, &values)?;
            }
        }
    }
    Ok(())
}
