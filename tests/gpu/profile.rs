//! Profiles on the GPU; the checks are in `tests/common/profile.rs`.

use crate::common::api::{classifier, samples};
use crate::common::profile;
use crate::need_device;
use axone::plan::Clock;
use axone::prelude::*;

#[test]
fn rows_are_the_dispatches() {
    profile::rows_are_the_dispatches(&need_device!());
}

#[test]
fn the_trace_is_json() {
    profile::the_trace_is_json(&need_device!());
}

#[test]
fn the_model_stays_as_it_is() {
    profile::the_model_stays_as_it_is(&need_device!());
}

#[test]
fn branches() {
    profile::branches(&need_device!());
}

#[test]
fn bad_input() {
    profile::bad_input(&need_device!());
}

#[test]
fn the_adapters_clock_is_used_where_it_has_one() {
    let device = need_device!();
    let profile = classifier(&device, Sgd::new(0.1)).profile(&samples(4), 2).unwrap();
    let has = device.info().features.iter().any(|feature| feature == "timestamps");
    assert_eq!(profile.clock, if has { Clock::Timestamps } else { Clock::Submissions });
    // The kernels are those that the device chose, not those that the plan left open.
    assert!(profile.rows.iter().any(|row| row.kernel.starts_with("matmul")), "{profile}");
}

#[test]
fn without_a_clock_each_dispatch_is_waited_for() {
    let shared = need_device!();
    let name = shared.info().name;
    let adapters = axone::gpu::adapters().iter();
    let adapter = adapters.into_iter().find(|adapter| axone::gpu::describe(adapter).name == name).unwrap();
    let (device, queue) = pollster::block_on(adapter.request_device(&wgpu::DeviceDescriptor::default())).unwrap();
    let bare = Device::from_wgpu(adapter, device, queue);
    let profile = classifier(&bare, Adam::new(0.01)).profile(&samples(8), 4).unwrap();
    assert_eq!(profile.clock, Clock::Submissions);
    profile::is_complete(&profile);
    assert!(profile.to_string().contains("no timestamp queries"), "{profile}");
}
