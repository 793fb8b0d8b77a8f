//! Where the benchmarks of this folder run.

use axone::Device;
use criterion::Criterion;
use std::time::Duration;

/// The CPU backend, and the adapter that AXONE_BENCH_DEVICE names (a part of its name); without it a software adapter
/// if there is one. An adapter that is missing is said, and not measured.
pub fn devices() -> Vec<Device> {
    let wanted = std::env::var("AXONE_BENCH_DEVICE").unwrap_or_else(|_| "software".to_owned());
    let mut devices = vec![Device::cpu()];
    match Device::named(&wanted) {
        Ok(device) if device.is_gpu() => devices.push(device),
        Ok(_) => {}
        Err(error) => eprintln!("SKIPPED the adapter {wanted:?}: {error}"),
    }
    devices
}

/// Short turns: there are many things to measure, and each sample is a mean of many runs.
pub fn settings() -> Criterion {
    Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_millis(600))
        .without_plots()
}
