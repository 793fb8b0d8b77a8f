//! Predictions of one row and of 10,000, on the CPU backend and on the best adapter (a software one where there is no
//! other): 784-512-256-10.
//!
//! `cargo bench --bench predict`

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use axone::{DeviceKind, Result};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

const INPUTS: usize = 784;

fn rows(count: usize) -> Matrix {
    let x = (0..(count * INPUTS) as u32).map(|i| uniform(threefry2x32([3, 1], [i, 0])[0])).collect();
    Matrix::new(count, INPUTS, x).expect("as many numbers as the matrix holds")
}

fn model(device: Device) -> Result<Model> {
    Sequential::new(INPUTS)
        .add(Dense::new(512).activation(Activation::Relu))
        .add(Dense::new(256).activation(Activation::Relu))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device, Loss::CategoricalCrossEntropy, Sgd::default())
}

fn predict(c: &mut Criterion) {
    let adapter = Device::list().first().filter(|info| info.kind != DeviceKind::Cpu).map(|_| Device::at(0));
    let adapter = adapter.map(|device| device.expect("the first adapter opens"));
    for device in [Some(Device::cpu()), adapter].into_iter().flatten() {
        let mut group = c.benchmark_group(device.info().name);
        let mut model = model(device).expect("compiles");
        for count in [1, 10_000] {
            let x = rows(count);
            model.predict(&x).expect("predicts");
            group.throughput(Throughput::Elements(count as u64));
            group.sample_size(10);
            group.bench_function(format!("{count} rows"), |b| b.iter(|| model.predict(&x).expect("predicts")));
        }
        group.finish();
    }
}

criterion_group!(benches, predict);
criterion_main!(benches);
