//! A training step through `fit`, on the CPU backend and on an adapter: two networks, SGD and Adam; and what an activation of
//! one's own costs beside the built-in one (SGD).
//!
//! `cargo bench --bench step [-- PART_OF_A_NAME]`; AXONE_BENCH_DEVICE names the adapter.
//!
//! A time is that of an epoch of `steps` steps: batches gathered on the device in a new order, forward, loss, backward,
//! update, the log read back once. `benches/host.rs` has the host's share alone, `examples/profile.rs` that of each
//! kernel.

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

mod common;

use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use std::time::Duration;

struct Net {
    name: &'static str,
    widths: &'static [usize],
    batch: usize,
    steps: usize,
}

const NETS: [Net; 2] = [
    Net { name: "784-512-256-10 x 128", widths: &[784, 512, 256, 10], batch: 128, steps: 8 },
    Net { name: "64-32-10 x 32", widths: &[64, 32, 10], batch: 32, steps: 256 },
];

impl Net {
    fn model(&self, device: &Device, activation: Activation, optimizer: Optimizer) -> Result<Model> {
        let mut layers = Sequential::new(self.widths[0]);
        for (i, &units) in self.widths[1..].iter().enumerate() {
            let last = i + 2 == self.widths.len();
            let activation = if last { Activation::Softmax } else { activation };
            layers = layers.add(Dense::new(units).activation(activation));
        }
        layers.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer)
    }

    fn data(&self) -> Result<Dataset> {
        let (rows, columns) = (self.steps * self.batch, self.widths[0]);
        let classes = self.widths[self.widths.len() - 1] as u32;
        let x = (0..(rows * columns) as u32).map(|i| uniform(threefry2x32([1, 2], [i, 0])[0])).collect();
        let y: Vec<u32> = (0..rows as u32).map(|row| row % classes).collect();
        Dataset::new(Matrix::new(rows, columns, x)?, y)
    }
}

fn steps(c: &mut Criterion) {
    for device in common::devices() {
        for net in NETS {
            let data = net.data().expect("lengths agree");
            let mut group = c.benchmark_group(format!("{}/{}", device.info().name, net.name));
            group.throughput(Throughput::Elements(net.steps as u64));
            let own = Activation::custom("own_relu", |x| x.max(0.0));
            let (sgd, adam) = (Optimizer::from(Sgd::default()), Optimizer::from(Adam::default()));
            let cases = [("sgd", Activation::Relu, sgd), ("adam", Activation::Relu, adam), ("own relu", own, sgd)];
            for (name, activation, optimizer) in cases {
                let mut model = net.model(&device, activation, optimizer).expect("compiles");
                group.bench_function(format!("{name}, {} steps", net.steps), |b| {
                    b.iter_custom(|epochs| {
                        // The first epoch brings the data to the device.
                        let settings = Fit::new().batch_size(net.batch).epochs(1 + epochs as usize).silent();
                        let history = model.fit(&data, &settings).expect("trains");
                        let seconds = history.epochs[1..].iter().map(|epoch| epoch.seconds).sum();
                        Duration::from_secs_f64(seconds)
                    });
                });
            }
            group.finish();
        }
    }
}

criterion_group! { name = benches; config = common::settings(); targets = steps }
criterion_main!(benches);
