//! Measures a training step kernel by kernel, and what the device reaches at best.
//!
//! The steps run on an executor of their own, with copies of the slabs: the model does not see them, whatever happens
//! on the way.

use crate::data::Dataset;
use crate::device::Device;
use crate::kernels::{Formula, Kernel, Matmul, Scale, Step, Update, UpdateParams};
use crate::model::{Model, Purpose, write_slabs};
use crate::plan::device_info::DeviceInfo;
use crate::plan::{Buffer, BufferRange, Executor, Plan, PlanId, PlanStep, Timings, Work};
use crate::train::feed::{DATA_BUDGET, Feed};
use crate::train::profile::{Peaks, Profile, ProfileRow, rate};
use crate::{Error, Result};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Steps before the first that counts.
const WARM_UP: usize = 2;
/// Steps that count: this many, or fewer where they take longer than `TIME`, but at least `LEAST_RUNS`.
const RUNS: usize = 21;
const LEAST_RUNS: usize = 3;
const TIME: Duration = Duration::from_millis(500);
/// Steps in the trace.
const TRACED: usize = 4;
/// Batches of the data that are visited in turn, if the device holds as many.
const BATCHES: usize = 8;

/// Elements of the kernels that measure memory: they move 128, 96 and 112 MiB, beyond most caches.
const SCALE_ELEMENTS: u64 = 1 << 24;
const SGD_ELEMENTS: u64 = 1 << 23;
const ADAM_ELEMENTS: u64 = 1 << 22;
/// Sides of the square products: doubled while one takes less than `MATMUL_SECONDS`.
const MATMUL_SIDES: [usize; 5] = [256, 512, 1024, 2048, 4096];
const MATMUL_SECONDS: f64 = 0.005;
/// Runs of which the best is a peak.
const PEAK_RUNS: usize = 5;

impl Model {
    /// The time of each kernel of a training step on the first rows of `data`, with the rates it reaches. A few steps
    /// run on copies of the weights: the model stays as it is. The first profile on a device also measures what the
    /// device reaches ([`Peaks`](crate::train::Peaks)), which takes about a second.
    ///
    /// # Errors
    /// As [`Model::fit`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Relu)).add(Dense::new(1));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let before = model.weights()?;
    /// let profile = model.profile(&Dataset::new([[0.0, 1.0], [1.0, 0.0]], [[1.0], [0.0]])?, 2)?;
    /// println!("{profile}");
    /// assert_eq!(model.weights()?, before);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn profile(&mut self, data: &Dataset, batch_size: usize) -> Result<Profile> {
        profile(self, data, batch_size)
    }
}

/// A profile of the training step of `model` on the first rows of `data`.
pub(in crate::train) fn profile(model: &mut Model, data: &Dataset, batch_size: usize) -> Result<Profile> {
    if batch_size == 0 {
        return Err(Error::value("profile", "batch_size", "at least 1", batch_size));
    }
    let classes = model.check_data(data)?;
    let batch = batch_size.min(data.len());
    let rows: Vec<usize> = (0..data.len() / batch * batch).take(BATCHES * batch).collect();
    let data = data.gather(&rows);
    let (device, optimizer) = (model.device().clone(), model.program().optimizer);
    let mut executor = device.executor();
    let id = executor.load(&model.program().plan(Purpose::Train, batch, &classes, true)?)?;
    let plan = executor.plan(id)?.clone();
    copy_slabs(model, &mut *executor)?;
    let feed = Feed::new(&mut *executor, &device, (id, &plan), &data, DATA_BUDGET)?;
    let before = model.steps_done;
    let order: Vec<u32> = (0..rows.len() as u32).collect();
    let steps = feed.begin(&mut *executor, &order)?;
    let mut runs = timed(&mut *executor, id, RUNS, |run| {
        let mut step = feed.step(run % steps, &order);
        optimizer.fill(before.saturating_add(1 + run as u64), &mut step);
        step
    })?;
    let rows = plan.steps.iter().enumerate().map(|(i, step)| {
        let seconds = median(runs.iter().filter_map(|run| run.spans.get(i)).map(|span| span.seconds()).collect());
        ProfileRow { kernel: step.kernel_name(), layer: step.name.clone(), seconds, work: step.work() }
    });
    let (rows, count) = (rows.collect(), runs.len());
    let clock = runs.first().map(|run| run.clock).ok_or_else(|| Error::Internal("no run was timed".to_owned()))?;
    drop(executor);
    runs.truncate(TRACED);
    let timeline = runs.into_iter().map(|run| run.spans).collect();
    Ok(Profile { device: device.info(), batch, runs: count, clock, peaks: known_peaks(&device)?, rows, timeline })
}

/// Weights, moments and rules of `model`, to the slabs of `executor`.
pub(in crate::train) fn copy_slabs(model: &mut Model, executor: &mut dyn Executor) -> Result<()> {
    let slabs = model.slabs()?;
    model.program().write_rules(executor, model.layout())?;
    write_slabs(executor, model.moments(), &slabs)
}

/// Warm runs of the plan, at most `most`.
fn timed(executor: &mut dyn Executor, id: PlanId, most: usize, step: impl Fn(usize) -> Step) -> Result<Vec<Timings>> {
    for run in 0..WARM_UP {
        executor.profile(id, &step(run))?;
    }
    let begun = Instant::now();
    let mut runs = Vec::new();
    while runs.len() < most && (runs.len() < LEAST_RUNS || begun.elapsed() < TIME) {
        runs.push(executor.profile(id, &step(WARM_UP + runs.len()))?);
    }
    Ok(runs)
}

fn median(mut seconds: Vec<f64>) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds.get(seconds.len() / 2).copied().unwrap_or_default()
}

/// Measured once a process: it takes longer than the steps.
fn known_peaks(device: &Device) -> Result<Peaks> {
    static KNOWN: Mutex<Vec<(DeviceInfo, Peaks)>> = Mutex::new(Vec::new());
    let info = device.info();
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some((_, peaks)) = known.iter().find(|(other, _)| *other == info) {
        return Ok(*peaks);
    }
    let peaks = Peaks::measure(device)?;
    known.push((info, peaks));
    Ok(peaks)
}

impl Peaks {
    /// Measures `device`, each the best of a few runs: `scale`, `sgd` and `adam` over long buffers for the memory (on
    /// a device that computes slowly not every one of them reaches it), square products of matrices for the
    /// arithmetic.
    ///
    /// # Errors
    /// [`Error::Gpu`] where the device fails.
    ///
    /// ```
    /// use axone::Device;
    /// use axone::train::Peaks;
    ///
    /// let peaks = Peaks::measure(&Device::cpu())?;
    /// assert!(peaks.gflops > 0.0 && peaks.gigabytes > 0.0);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn measure(device: &Device) -> Result<Self> {
        let info = device.info();
        let fits = |elements: u64| elements.min(info.limits.storage_bytes() / 4) as u32;
        let scale = Kernel::Scale(Scale { n: fits(SCALE_ELEMENTS), factor: 0.5 });
        let update = |formula, elements| {
            let params = UpdateParams::new(fits(elements), 0.9, 0.999, 1e-8);
            Kernel::Update(Update { formula, params, by_rules: false })
        };
        let (sgd, adam) = (update(Formula::Sgd, SGD_ELEMENTS), update(Formula::Adam, ADAM_ELEMENTS));
        let (mut gflops, mut gigabytes): (f64, f64) = (0.0, 0.0);
        for kernel in [scale, sgd, adam] {
            let (work, seconds) = alone(device, kernel)?;
            gigabytes = gigabytes.max(rate(work.bytes, seconds));
        }
        for side in MATMUL_SIDES {
            let product = Kernel::Matmul(Matmul::new(side, side, side, false, false));
            let (work, seconds) = match alone(device, product) {
                Err(Error::TooLarge { .. }) => break,
                outcome => outcome?,
            };
            gflops = gflops.max(rate(work.flops, seconds));
            if seconds > MATMUL_SECONDS {
                break;
            }
        }
        Ok(Self { gflops, gigabytes })
    }
}

/// A kernel alone: its work, and the least time it took.
fn alone(device: &Device, kernel: Kernel) -> Result<(Work, f64)> {
    let sizes = kernel.spec().sizes();
    let operands = sizes.iter().enumerate().map(|(i, &len)| BufferRange::of(Buffer::Temporary(i), len)).collect();
    let step = PlanStep { kernel, operands, name: "peak".to_owned() };
    let work = step.work();
    let plan = Plan::of_one(step, sizes.iter().copied());
    let mut executor = device.executor();
    let id = executor.load(&plan)?;
    // Pages that were never written may all be one page, and in the cache.
    for (i, &len) in sizes.iter().enumerate() {
        let values: Vec<f32> = (0..len).map(|x| (x % 251) as f32 / 251.0 + 0.25).collect();
        executor.write(id, Buffer::Temporary(i), 0, &values)?;
    }
    let step = Step { learning_rate: 1e-3, correction1: 0.1, correction2: 1e-3, ..Step::default() };
    let runs = timed(&mut *executor, id, PEAK_RUNS, |_| step)?;
    let seconds = runs.iter().flat_map(|run| &run.spans).map(|span| span.seconds());
    Ok((work, seconds.fold(f64::INFINITY, f64::min)))
}
