//! Every kernel alone, at two sizes, on the CPU backend and on an adapter; the matrix product has `benches/matmul.rs`.
//!
//! `cargo bench --bench kernels [-- PART_OF_A_NAME]`; AXONE_BENCH_DEVICE names the adapter.
//!
//! The inputs are those of `axone::check`, the first of its cases for each kernel. A time is that of one dispatch among
//! many that were submitted together; the rate counts the bytes that the kernel must move, as profiles do.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

mod common;

use axone::check::{Case, cases};
use axone::kernels::{Access, Step};
use axone::plan::{Buffer, BufferRange, Executor, Plan, PlanId, PlanStep};
use axone::{Device, Error, Result};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// Rows and columns: a hidden layer of a batch, and one that no cache holds with its neighbours.
const SIZES: [(u32, u32); 2] = [(128, 512), (1024, 1024)];
/// Dispatches between two waits.
const GROUP: u64 = 256;

/// A kernel loaded alone, its buffers filled.
struct Loaded {
    executor: Box<dyn Executor>,
    id: PlanId,
    bytes: u64,
}

impl Loaded {
    fn new(device: &Device, case: Case) -> Result<Self> {
        let (mut reads, mut writes) = (case.reads.into_iter(), case.writes.into_iter());
        let (mut operands, mut contents) = (Vec::new(), Vec::new());
        for binding in case.kernel.spec().entry().bindings {
            if binding.name == "order" {
                operands.push(BufferRange::whole(Buffer::Order));
                continue;
            }
            let values = if binding.access == Access::Read { reads.next() } else { writes.next() };
            let values = values.expect("a case has a buffer for each binding");
            operands.push(BufferRange::of(Buffer::Temporary(contents.len()), values.len()));
            contents.push(values);
        }
        let step = PlanStep { kernel: case.kernel, operands, name: case.name };
        let bytes = step.work().bytes;
        let plan = Plan::of_one(step, contents.iter().map(Vec::len));
        let mut executor = device.executor();
        let id = executor.load(&plan)?;
        let order = Case::order();
        executor.bind_data(id, order.len(), 1)?;
        if plan.data_sizes(1, 1).iter().any(|(buffer, _)| *buffer == Buffer::Order) {
            executor.write_order(id, &order)?;
        }
        for (index, content) in contents.iter().enumerate() {
            executor.write(id, Buffer::Temporary(index), 0, content)?;
        }
        Ok(Self { executor, id, bytes })
    }

    fn time(&mut self, dispatches: u64) -> Duration {
        let steps = vec![Case::step(); dispatches.min(GROUP) as usize];
        let begun = Instant::now();
        let mut left = dispatches;
        while left > 0 {
            let group: &[Step] = &steps[..left.min(GROUP) as usize];
            self.executor.run(self.id, group).and_then(|()| self.executor.wait()).expect("runs");
            left -= group.len() as u64;
        }
        begun.elapsed()
    }
}

fn kernels(c: &mut Criterion) {
    for device in common::devices() {
        for (rows, cols) in SIZES {
            let mut group = c.benchmark_group(format!("{}/{rows}x{cols}", device.info().name));
            let mut seen = HashSet::new();
            for case in cases(rows, cols) {
                let name = case.kernel.name();
                if !seen.insert(name.clone()) {
                    continue;
                }
                let mut loaded = match Loaded::new(&device, case) {
                    Err(error @ Error::TooLarge { .. }) => {
                        eprintln!("SKIPPED {name} {rows}x{cols}: {error}");
                        continue;
                    }
                    outcome => outcome.expect("loads"),
                };
                group.throughput(Throughput::Bytes(loaded.bytes));
                group.bench_function(name, |b| b.iter_custom(|dispatches| loaded.time(dispatches)));
            }
            group.finish();
        }
    }
}

criterion_group! { name = benches; config = common::settings(); targets = kernels }
criterion_main!(benches);
