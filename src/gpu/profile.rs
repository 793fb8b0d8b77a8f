//! Times each dispatch of a plan.
//!
//! A dispatch gets a compute pass of its own, and the adapter writes its clock when the pass begins and when it ends.
//! In training all dispatches share one pass: what a pass costs lies between the spans, and the sum of the spans is
//! not the time of a step but what of it the kernels take.
//!
//! An adapter without timestamp queries gets a submission for each dispatch, and the host's clock around it.

use super::{Context, readback::Readback};
use crate::Result;
use crate::plan::{Clock, Span, Timings};
use std::time::Instant;

/// Dispatches timed in one submission.
const DISPATCHES: usize = 256;

/// A set of queries and where its results go; made by the first profile.
#[derive(Default)]
pub(super) struct Stopwatch {
    queries: Option<(wgpu::QuerySet, wgpu::Buffer)>,
    readback: Readback,
}

impl Stopwatch {
    /// Runs each of `commands` in a pass of its own. Nothing else may be queued.
    pub fn time<C>(
        &mut self,
        context: &Context,
        commands: &[C],
        record: impl Fn(&C, &mut wgpu::ComputePass<'_>) -> Result<()>,
    ) -> Result<Timings> {
        if context.device.features().contains(wgpu::Features::TIMESTAMP_QUERY) {
            self.by_timestamps(context, commands, record)
        } else {
            by_submissions(context, commands, record)
        }
    }

    fn by_timestamps<C>(
        &mut self,
        context: &Context,
        commands: &[C],
        record: impl Fn(&C, &mut wgpu::ComputePass<'_>) -> Result<()>,
    ) -> Result<Timings> {
        let (set, resolved) = self.queries.get_or_insert_with(|| queries(context));
        let mut ticks: Vec<u64> = Vec::with_capacity(2 * commands.len());
        for commands in commands.chunks(DISPATCHES) {
            let mut encoder = context.device.create_command_encoder(&Default::default());
            for (i, command) in (0u32..).zip(commands) {
                let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor {
                    label: Some("profile"),
                    timestamp_writes: Some(wgpu::ComputePassTimestampWrites {
                        query_set: set,
                        beginning_of_pass_write_index: Some(2 * i),
                        end_of_pass_write_index: Some(2 * i + 1),
                    }),
                });
                record(command, &mut pass)?;
            }
            let count = 2 * commands.len();
            encoder.resolve_query_set(set, 0..count as u32, resolved, 0);
            context.queue.submit([encoder.finish()]);
            ticks.extend(self.readback.read::<u64>(context, resolved, 0, count)?);
        }
        let seconds = f64::from(context.queue.get_timestamp_period()) * 1e-9;
        let first = ticks.first().copied().unwrap_or_default();
        // Some clocks jump or wrap between two readings; no span may end before it begins.
        let since = |tick: u64| tick.saturating_sub(first) as f64 * seconds;
        let span = |pair: &[u64; 2]| Span { begin: since(pair[0]), end: since(pair[1].max(pair[0])) };
        Ok(Timings { clock: Clock::Timestamps, spans: ticks.as_chunks().0.iter().map(span).collect() })
    }
}

fn queries(context: &Context) -> (wgpu::QuerySet, wgpu::Buffer) {
    context.count_object();
    let set = context.device.create_query_set(&wgpu::QuerySetDescriptor {
        label: Some("profile"),
        ty: wgpu::QueryType::Timestamp,
        count: 2 * DISPATCHES as u32,
    });
    let usage = wgpu::BufferUsages::QUERY_RESOLVE | wgpu::BufferUsages::COPY_SRC;
    (set, context.buffer("profile", 2 * DISPATCHES as u64 * u64::from(wgpu::QUERY_SIZE), usage))
}

fn by_submissions<C>(
    context: &Context,
    commands: &[C],
    record: impl Fn(&C, &mut wgpu::ComputePass<'_>) -> Result<()>,
) -> Result<Timings> {
    let begun = Instant::now();
    let spans = commands.iter().map(|command| {
        let mut encoder = context.device.create_command_encoder(&Default::default());
        let descriptor = wgpu::ComputePassDescriptor { label: Some("profile"), timestamp_writes: None };
        record(command, &mut encoder.begin_compute_pass(&descriptor))?;
        let begin = begun.elapsed().as_secs_f64();
        let submission = context.queue.submit([encoder.finish()]);
        context.wait(Some(submission))?;
        Ok(Span { begin, end: begun.elapsed().as_secs_f64() })
    });
    Ok(Timings { clock: Clock::Submissions, spans: spans.collect::<Result<_>>()? })
}
