//! Ends a run at the first NaN or infinity, and says where it arose.
//!
//! Training itself is not watched: the losses of an epoch, which are read anyway, and the slabs at its end show that
//! something went wrong. Then the epoch is run again from its start, step by step, until a weight, a moment or a loss is
//! not finite; and that step once more, dispatch by dispatch. The same device gives the same bits, so the error comes
//! again. A healthy run pays two copies of the slabs to the host an epoch.

use crate::Result;
use crate::data::Samples;
use crate::kernels::Step;
use crate::model::{Layout, Model, trained};
use crate::plan::{Buffer, BufferRange, Executor, PlanId};
use crate::train::run::{Callback, Run};

const NAME: &str = "terminate_on_non_finite";

/// Ends a run in whose epoch the training loss, a weight or a moment of the optimizer is NaN or infinite.
/// [`History::stopped`](crate::train::History) names the step and the layer in which the first such number arose, and the
/// parameter where it is one's own or its moment's; the model is left with the weights before that step. (An infinite
/// second moment shows in no loss: its parameter no longer moves.)
///
/// Every epoch begins and ends with reading the weights and the optimizer's moments from the device; the steps cost
/// nothing more.
///
/// ```
/// use axone::prelude::*;
///
/// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::new(1e6))?;
/// let data = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
/// let history = model.fit(&data, &Fit::new().epochs(50).callback(TerminateOnNonFinite::new()).silent())?;
/// // The weights are still finite when the square of the first error is not:
/// let reason = history.stopped.unwrap_or_default();
/// assert!(reason.starts_with("epoch 4, step 1: inf arose in mean_squared_error"), "{reason}");
/// assert!(model.weights()?[0].data[0].is_finite());
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct TerminateOnNonFinite {
    start: Vec<Vec<f32>>,
}

/// Where a number that is not finite arose.
struct Found {
    /// Counted from 1 in the epoch.
    step: u32,
    what: String,
}

impl TerminateOnNonFinite {
    /// The callback.
    pub fn new() -> Self {
        Self::default()
    }
}

impl Callback for TerminateOnNonFinite {
    fn name(&self) -> String {
        NAME.to_owned()
    }

    fn epoch_begin(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.start = run.model().slabs()?;
        Ok(())
    }

    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        let epoch = run.epoch();
        let loss = run.value(NAME, "loss")?;
        let spoiled = spoiled(run.model())?;
        if loss.is_finite() && spoiled.is_none() {
            return Ok(());
        }
        let found = first_non_finite(run, std::mem::take(&mut self.start))?;
        run.stop(match (found, spoiled) {
            (Some(found), _) => format!("epoch {epoch}, step {}: {}", found.step, found.what),
            (None, _) if matches!(run.data, Samples::Stream(_)) => {
                format!("epoch {epoch}: loss {loss}; the weights are those before it, and a stream is not read again for the step")
            }
            (None, Some(what)) => format!("{what} after epoch {epoch}; run again, no step of it shows why"),
            (None, None) => format!("epoch {epoch}: loss {loss}; run again, no step of it shows why"),
        });
        Ok(())
    }
}

/// The first weight or moment that is not finite, in words.
fn spoiled(model: &mut Model) -> Result<Option<String>> {
    for slab in trained(model.moments()) {
        let values = model.slab(slab)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Ok(Some(format!("{} of {slab} is {}", place(model.layout(), slab, at), values[at])));
        }
    }
    Ok(None)
}

/// Element `at` of `buffer`, by the name of its parameter where the buffer holds parameters.
fn place(layout: &Layout, buffer: Buffer, at: usize) -> String {
    let is_slab = matches!(buffer, Buffer::Parameters | Buffer::Gradients | Buffer::Moment(_));
    let ranges = layout.parameters.iter().enumerate().map(|(i, p)| (p, layout.slab.place(i)));
    let mut own = ranges.filter(|(_, place)| is_slab && place.contains(&at));
    match own.next() {
        Some((p, place)) => {
            let at = at - place.start;
            format!("{} row {}, column {}", p.name, at / p.cols, at % p.cols)
        }
        None => format!("element {at}"),
    }
}

/// Walks through the last epoch of `run` from the slabs `good` on; leaves the model with the last good ones.
fn first_non_finite(run: &mut Run<'_>, mut good: Vec<Vec<f32>>) -> Result<Option<Found>> {
    // A loss by the host is not run again: what it gives is finite or refused. Neither is a stream.
    let Some(feed) = &mut run.feed else {
        if let Samples::Stream(_) = run.data {
            run.model.set_slabs(&good)?;
            run.model.steps_done = run.uniforms.before;
        }
        return Ok(None);
    };
    let (model, uniforms) = (&mut *run.model, &run.uniforms);
    let (id, losses) = (feed.id(), model.program().weights_of_losses().len());
    let (slots, batch) = (feed.slots(), feed.batch());
    let log = |step: &Step, slot: usize| {
        let offset = (step.log_row as usize * slots + slot) * batch;
        BufferRange { offset, ..BufferRange::of(Buffer::Log, step.valid as usize) }
    };
    let slabs: Vec<BufferRange> = trained(model.moments()).map(|slab| model.layout().slab.all(slab)).collect();
    model.set_slabs(&good)?;
    let layout = model.layout().clone();
    let mut found = None;
    let fill = |i: usize, step: &mut Step| uniforms.fill(i, step);
    feed.walk(&mut *model.executor, &run.order, fill, |executor, i, step| {
        let logs: Vec<BufferRange> = (0..losses).map(|slot| log(step, slot)).collect();
        executor.run(id, std::slice::from_ref(step))?;
        let after: Result<Vec<_>> = slabs.iter().map(|slab| executor.read_slab(*slab)).collect();
        let after = after?;
        if after.iter().flatten().all(|value| value.is_finite()) && where_non_finite(executor, id, &logs)?.is_none() {
            good = after;
            return Ok(true);
        }
        slabs.iter().zip(&good).try_for_each(|(slab, values)| executor.write_slab(slab.buffer, 0, values))?;
        found = Some(Found { step: i as u32 + 1, what: dispatch_by_dispatch(executor, id, step, &logs, &layout)? });
        Ok(false)
    })?;
    if let Some(found) = &found {
        model.steps_done = uniforms.before.saturating_add(u64::from(found.step) - 1);
    }
    model.set_slabs(&good)?;
    Ok(found)
}

/// The first dispatch of `step` that writes a number that is not finite, in words. `logs` are the losses it logs: a
/// metric may well be no number.
fn dispatch_by_dispatch(
    executor: &mut dyn Executor,
    id: PlanId,
    step: &Step,
    logs: &[BufferRange],
    layout: &Layout,
) -> Result<String> {
    let dispatches = executor.plan(id)?.steps.clone();
    for log in logs {
        executor.write(id, log.buffer, log.offset, &vec![0.0; log.fixed()])?;
    }
    for (index, dispatch) in dispatches.iter().enumerate() {
        executor.run_one(id, index, step)?;
        let (of_log, mut written): (Vec<BufferRange>, Vec<BufferRange>) =
            dispatch.writes().partition(|range| range.buffer == Buffer::Log);
        if !of_log.is_empty() {
            written.extend(logs);
        }
        if let Some((range, at, value)) = where_non_finite(executor, id, &written)? {
            let (name, kernel, place) = (&dispatch.name, dispatch.kernel_name(), place(layout, range.buffer, at));
            return Ok(format!("{value} arose in {name} ({kernel}: {place} of {})", range.buffer));
        }
    }
    Ok("a number is not finite, though each dispatch alone writes finite ones".to_owned())
}

/// The first element of `ranges` that is not finite.
fn where_non_finite(
    executor: &mut dyn Executor,
    id: PlanId,
    ranges: &[BufferRange],
) -> Result<Option<(BufferRange, usize, f32)>> {
    for range in ranges {
        let values = executor.read(id, *range)?;
        if let Some(at) = values.iter().position(|value| !value.is_finite()) {
            return Ok(Some((*range, range.offset + at, values[at])));
        }
    }
    Ok(None)
}
