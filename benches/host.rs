//! What the host spends on a training step: 256 steps on wgpu's `noop` backend, which executes nothing.
//!
//! `cargo bench --bench host`

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

use axone::kernels::Step;
use axone::model::Purpose;
use axone::prelude::*;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const STEPS: usize = 256;

fn noop_device() -> Device {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::NOOP;
    descriptor.backend_options.noop.enable = true;
    let instance = wgpu::Instance::new(descriptor);
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::NOOP));
    let adapter = adapters.first().expect("the noop backend has one adapter");
    let descriptor = wgpu::DeviceDescriptor { required_limits: adapter.limits(), ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).expect("the noop device opens");
    Device::from_wgpu(adapter, device, queue)
}

fn epoch(c: &mut Criterion, name: &str, widths: &[usize], batch: usize) {
    let mut layers = Sequential::new(widths[0]);
    for (i, &units) in widths[1..].iter().enumerate() {
        let last = i + 2 == widths.len();
        layers = layers.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    let model = layers.compile(noop_device(), Loss::CategoricalCrossEntropy, Sgd::default()).expect("compiles");
    let plan = model.program().plan(Purpose::Train, batch, &[true], true).expect("lowers");
    let mut executor = model.device().executor();
    let id = executor.load(&plan).expect("loads");
    executor.bind_data(id, batch, STEPS).expect("binds");
    let steps: Vec<Step> = (0..STEPS).map(|i| Step { log_row: i as u32, ..Step::default() }).collect();
    let mut group = c.benchmark_group("host cost of 256 training steps");
    group.throughput(Throughput::Elements(STEPS as u64));
    let dispatches = executor.dispatches(id).expect("counts");
    group.bench_function(format!("{name}, {dispatches} dispatches"), |b| {
        b.iter(|| executor.run(id, &steps).expect("runs"));
    });
    group.finish();
}

fn host(c: &mut Criterion) {
    epoch(c, "big: 784-512-256-10, batch 128", &[784, 512, 256, 10], 128);
    epoch(c, "tiny: 64-32-10, batch 32", &[64, 32, 10], 32);
}

criterion_group!(benches, host);
criterion_main!(benches);
