//! Brings the rows of a stream to a plan, window by window.
//!
//! While the device runs the steps of some rows, the host copies the next ones to it, and a thread reads those behind them.
//! What steps log is fetched behind them and collected when the next are queued, so nobody waits. A device that is the host
//! reads the rows where the reader has put them. A batch holds the same rows as in memory, so the results are the same bits.

use super::log::{Logged, Sums, target_weights};
use super::tensors::{Tensor, check_half, tensors};
use super::{Pace, push_rows};
use crate::data::{Dataset, Matrix, Pass, Stream, Targets, Window};
use crate::kernels::Step;
use crate::metrics::needs;
use crate::model::{Model, Purpose};
use crate::plan::{Buffer, BufferRange, Executor, Fetch, Plan, PlanId};
use crate::{Error, Result};

/// Parts of the budget: the rows that steps read, those on their way behind them, and those that the host copies.
const PARTS: u64 = 3;

/// A stream, and how it is run through a model once.
pub(in crate::train) struct Streamed<'a> {
    pub stream: &'a Stream,
    /// `Train` or `Evaluate`.
    pub purpose: Purpose,
    /// The number of the epoch, the window and seed by which it is shuffled, and how many rows there must be.
    pub number: u64,
    pub shuffle: Option<(usize, u64)>,
    pub rows: Option<usize>,
    /// Rows of a batch.
    pub batch: usize,
    /// Bytes on the device.
    pub budget: u64,
}

impl Streamed<'_> {
    /// Runs all rows. `fill` completes the uniform of step `i`; `done` hears how many steps are queued and says whether to
    /// go on. `None` where it ended the pass before its last step.
    pub fn run(
        &self,
        model: &mut Model,
        fill: impl Fn(usize, &mut Step),
        mut done: impl FnMut(usize) -> bool,
    ) -> Result<Option<Tally>> {
        let program = model.program().clone();
        let mut windows = self.stream.pass(Pass {
            number: self.number,
            batch: self.batch,
            shuffle: self.shuffle,
            rows: self.rows,
            check: Box::new(move |rows| program.check_data(rows).map(drop)),
        });
        let first = windows.next().ok_or_else(|| Error::Internal("a stream without rows".to_owned()))??;
        let classes = model.check_data(&first.rows)?;
        // A stream of fewer rows than a batch is one window.
        let batch = match self.purpose {
            Purpose::Evaluate => model.inference_batch(Purpose::Evaluate, first.order.len(), &classes)?,
            Purpose::Train | Purpose::Predict => self.batch.min(first.order.len()),
        };
        let limit = model.device().info().limits.storage_bytes();
        let loaded = model.load(self.purpose, batch, &classes)?.clone();
        let mut feed = WindowFeed::new((loaded.id, loaded.plan), self.budget, limit);
        feed.tally.keeps = asks_for_rows(model) || first.rows.weighs_targets();
        if !feed.tally.keeps {
            feed.tally.targets = vec![Targets::Classes(Vec::new()); first.rows.targets().len()];
        }
        let mut stopped = false;
        for (number, window) in std::iter::once(Ok(first)).chain(windows).enumerate() {
            let window = window?;
            // What ends with its last step was not ended before.
            if stopped {
                return Ok(None);
            }
            let before = feed.queued;
            let steps = window.order.len().div_ceil(batch);
            stopped = !feed.run((&mut *model.executor, number), window, &fill, &mut done)?;
            if stopped && feed.queued < before + steps {
                return Ok(None);
            }
        }
        feed.finish(&mut *model.executor).map(Some)
    }
}

/// Whether a metric asks for what the model answers to each row.
fn asks_for_rows(model: &Model) -> bool {
    let program = model.program();
    program.losses.iter().zip(&program.watched).any(|(loss, watched)| !needs(&watched.metrics, loss.task()).is_empty())
}

/// Runs a plan over windows.
struct WindowFeed {
    id: PlanId,
    plan: Plan,
    /// Bytes of the largest buffer, and of the rows and of the log on the device.
    limit: u64,
    part: u64,
    /// Rows for which buffers are bound, where they are copied.
    bound: Option<usize>,
    pace: Pace,
    /// Steps queued so far.
    queued: usize,
    tally: Tally,
    /// What the last steps log.
    pending: Option<(Fetch, Part)>,
}

/// What is known of the rows of a log that is on its way to the host, in the order in which they were visited.
struct Part {
    rows: usize,
    weights: Option<Vec<f32>>,
    /// Where all are kept.
    targets: Vec<Targets>,
    target_weights: Vec<Option<Vec<f32>>>,
}

impl WindowFeed {
    fn new((id, plan): (PlanId, Plan), budget: u64, limit: u64) -> Self {
        let tally = Tally { slots: plan.log_slots, batch: plan.batch, ..Tally::default() };
        let (pace, part) = (Pace::default(), budget / PARTS);
        Self { id, plan, limit, part, bound: None, pace, queued: 0, tally, pending: None }
    }

    /// Queues the steps of window `number`; whether `done` lets it go on.
    fn run(
        &mut self,
        (executor, number): (&mut dyn Executor, usize),
        mut window: Window,
        fill: &impl Fn(usize, &mut Step),
        done: &mut impl FnMut(usize) -> bool,
    ) -> Result<bool> {
        // A small part of what lies there alone.
        if 2 * window.order.len() <= window.rows.len() {
            let order: Vec<usize> = window.order.iter().map(|row| *row as usize).collect();
            window = Window { rows: window.rows.gather(&order), order: (0..window.order.len() as u32).collect() };
        }
        let Window { rows: data, order } = &window;
        let (id, batch, slots) = (self.id, self.plan.batch, self.plan.log_slots);
        let used = self.plan.data_sizes(1, 1);
        let mut tensors = tensors(data, &self.plan);
        self.plan.half_inputs().try_for_each(|slot| check_half(&tensors, slot)).map_err(|error| match error {
            Error::Data { place, problem } => Error::Data { place: format!("window {number} {place}"), problem },
            other => other,
        })?;
        tensors.retain(|tensor| used.iter().any(|(buffer, _)| *buffer == tensor.buffer));
        let widths = tensors.iter().map(|tensor| tensor.width as u64);
        let (row, widest) = (widths.clone().sum::<u64>().max(1), widths.max().unwrap_or(1));
        let holds = |bytes: u64| usize::try_from(bytes / 4).unwrap_or(usize::MAX);
        let logged = (holds(self.part.min(self.limit)) / (slots * batch).max(1)).max(1);
        let lies_ready = |tensor: &Tensor<'_>| tensor.blanks.is_none() && data.len() <= holds(self.limit / widest);
        let in_place = executor.reads_host() && tensors.iter().all(lies_ready);
        let most = if in_place {
            let steps = logged.min(order.len().div_ceil(batch));
            let hosts = tensors.iter().filter_map(|tensor| Some((tensor.buffer, tensor.host.clone()?)));
            executor.read_in_place(id, hosts.collect())?;
            executor.bind_data(id, data.len(), steps)?;
            for tensor in tensors.iter().filter(|tensor| tensor.host.is_none()) {
                executor.write(id, tensor.buffer, 0, &tensor.all())?;
            }
            executor.write_order(id, order)?;
            self.bound = None;
            steps * batch
        } else {
            match self.bound {
                Some(rows) => rows,
                None => {
                    let steps = holds(self.part / row).min(holds(self.limit / widest)) / batch;
                    let rows = steps.clamp(1, logged) * batch;
                    executor.read_in_place(id, Vec::new())?;
                    executor.bind_data(id, rows, rows / batch)?;
                    executor.write_order(id, &(0..rows as u32).collect::<Vec<_>>())?;
                    *self.bound.insert(rows)
                }
            }
        };
        for (i, part) in order.chunks(most).enumerate() {
            if !in_place {
                push_rows(executor, id, &tensors, part)?;
            }
            let start = if in_place { i * most } else { 0 };
            if !self.run_part(executor, (data, part, start), fill, done)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Queues the steps of rows that are ready from place `start` on.
    fn run_part(
        &mut self,
        executor: &mut dyn Executor,
        (data, rows, start): (&Dataset, &[u32], usize),
        fill: &impl Fn(usize, &mut Step),
        done: &mut impl FnMut(usize) -> bool,
    ) -> Result<bool> {
        let batch = self.plan.batch;
        let steps = rows.chunks(batch).enumerate().map(|(i, rows)| {
            let weight = data.weight(rows.iter().copied());
            let mut step = Step { log_row: i as u32, ..Step::over(start + i * batch, rows.len(), weight) };
            fill(self.queued + i, &mut step);
            step
        });
        let (steps, mut ran) = (steps.collect::<Vec<_>>(), 0);
        let mut goes_on = true;
        while ran < steps.len() && goes_on {
            let count = self.pace.steps().min(steps.len() - ran);
            self.pace.run(executor, self.id, &steps[ran..ran + count])?;
            (ran, self.queued) = (ran + count, self.queued + count);
            goes_on = done(self.queued);
        }
        if ran < steps.len() {
            return Ok(false);
        }
        self.collect(executor)?;
        let log = BufferRange::of(Buffer::Log, steps.len() * self.plan.log_slots * batch);
        let own: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
        let of_rows = |weights: &[f32]| own.iter().map(|row| weights[*row]).collect::<Vec<_>>();
        let fetch = executor.fetch(self.id, log)?;
        let mut part = Part {
            rows: rows.len(),
            weights: data.weights().map(of_rows),
            targets: Vec::new(),
            target_weights: Vec::new(),
        };
        if self.tally.keeps {
            part.targets = data.targets().iter().map(|of| of.gather(&own)).collect();
            let weights = target_weights(data);
            part.target_weights = weights.iter().map(|own| own.as_deref().map(of_rows)).collect();
        }
        self.pending = Some((fetch, part));
        Ok(goes_on)
    }

    fn collect(&mut self, executor: &mut dyn Executor) -> Result<()> {
        match self.pending.take() {
            None => Ok(()),
            Some((fetch, part)) => self.tally.add(executor.collect(fetch)?, part),
        }
    }

    /// What all steps logged.
    fn finish(mut self, executor: &mut dyn Executor) -> Result<Tally> {
        self.collect(executor)?;
        Ok(self.tally)
    }
}

/// What the steps of a pass have logged so far: sums, or, where a metric asks for rows, each row.
#[derive(Default)]
pub(in crate::train) struct Tally {
    slots: usize,
    batch: usize,
    keeps: bool,
    /// Rows so far.
    pub rows: usize,
    sums: Sums,
    log: Vec<f32>,
    weights: Option<Vec<f32>>,
    /// Those of each output, of no rows where none are kept.
    targets: Vec<Targets>,
    target_weights: Vec<Option<Vec<f32>>>,
}

impl Tally {
    fn add(&mut self, log: Vec<f32>, part: Part) -> Result<()> {
        let Part { rows, weights, targets, target_weights } = part;
        self.rows = self.rows.saturating_add(rows);
        if !self.keeps {
            let part = Logged {
                log,
                slots: self.slots,
                batch: self.batch,
                order: (0..rows as u32).collect(),
                rows,
                targets: &[],
                weights: weights.as_deref(),
                before: std::mem::take(&mut self.sums),
                target_weights: Vec::new(),
            };
            self.sums = part.all_sums();
            return Ok(());
        }
        if u32::try_from(self.rows).is_err() {
            return Err(Error::data("stream", format!("more than {} rows, and a metric asks for each", u32::MAX)));
        }
        self.log.extend(log);
        if let Some(own) = weights {
            self.weights.get_or_insert_default().extend(own);
        }
        if self.targets.is_empty() {
            (self.targets, self.target_weights) = (targets, target_weights);
            return Ok(());
        }
        for (all, own) in self.target_weights.iter_mut().zip(target_weights) {
            if let (Some(all), Some(own)) = (all, own) {
                all.extend(own);
            }
        }
        for (all, own) in self.targets.iter_mut().zip(targets) {
            match (all, own) {
                (Targets::Values(all), Targets::Values(own)) => {
                    let (rows, cols, mut data) = (all.rows() + own.rows(), own.cols(), std::mem::take(all).into_data());
                    data.extend_from_slice(own.data());
                    *all = Matrix::new(rows, cols, data)?;
                }
                (Targets::Classes(all), Targets::Classes(own)) => all.extend(own),
                (Targets::Classes(_), Targets::Values(_)) | (Targets::Values(_), Targets::Classes(_)) => {
                    return Err(Error::Internal("targets of two kinds".to_owned()));
                }
            }
        }
        Ok(())
    }

    /// All of it, as the log of steps over rows in their order.
    pub fn logged(&mut self) -> Logged<'_> {
        let rows = if self.keeps { self.rows } else { 0 };
        Logged {
            log: std::mem::take(&mut self.log),
            slots: self.slots,
            batch: self.batch,
            order: (0..rows as u32).collect(),
            rows,
            targets: &self.targets,
            weights: self.weights.as_deref(),
            before: std::mem::take(&mut self.sums),
            target_weights: std::mem::take(&mut self.target_weights),
        }
    }
}
