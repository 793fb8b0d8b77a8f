//! Profiles on the GPU; the checks are in `tests/common/profile.rs`.

use crate::common::api::{classifier, samples};
use crate::common::profile;
use crate::need_device;
use axone::kernels::{Kernel, Scale, Step};
use axone::plan::{ALIGNMENT, Buffer, BufferRange, Clock, Plan, PlanStep, Storage};
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

/// `steps` dispatches between two buffers: there they double, back they halve.
fn doubling(steps: usize) -> Plan {
    let n = 8;
    let step = |i: usize| PlanStep {
        kernel: Kernel::Scale(Scale { n: n as u32, factor: if i.is_multiple_of(2) { 2.0 } else { 0.5 } }),
        operands: vec![BufferRange::of(Buffer::Temporary(i % 2), n), BufferRange::of(Buffer::Temporary(1 - i % 2), n)],
        name: format!("scale_{i}"),
    };
    Plan {
        name: "doubling".to_owned(),
        batch: 1,
        steps: (0..steps).map(step).collect(),
        temporaries: vec![Storage::full(n); 2],
        inputs: Vec::new(),
        outputs: Vec::new(),
        log_slots: 0,
        slab: ALIGNMENT,
        moments: 0,
    }
}

#[test]
fn a_long_plan_takes_several_submissions_and_nothing_new() {
    let device = need_device!(own);
    let mut executor = device.executor();
    let plan = doubling(601);
    let id = executor.load(&plan).unwrap();
    executor.write(id, Buffer::Temporary(0), 0, &[3.0; 8]).unwrap();
    let timings = executor.profile(id, &Step::default()).unwrap();
    assert_eq!(timings.spans.len(), 601);
    assert!(timings.spans.iter().all(|span| span.begin >= 0.0 && span.end >= span.begin && span.end.is_finite()));
    assert!(timings.spans.is_sorted_by_key(|span| span.begin), "{:?}", timings.spans);
    assert_eq!(executor.read(id, BufferRange::whole(Buffer::Temporary(1))).unwrap(), [6.0; 8]);
    let made = device.objects_created();
    executor.profile(id, &Step::default()).unwrap();
    assert_eq!(device.objects_created(), made);
    assert_eq!(executor.plan(id).unwrap(), &plan);
}

#[test]
fn a_plan_that_cannot_run_cannot_be_profiled() {
    let device = need_device!();
    let mut executor = device.executor();
    let id = executor.load(&doubling(1)).unwrap();
    executor.unload(id);
    assert!(matches!(executor.profile(id, &Step::default()), Err(Error::Internal(_))));
    assert!(matches!(executor.plan(id), Err(Error::Internal(_))));
    let mut executor = device.executor();
    let model = classifier(&device, Sgd::new(0.1));
    let unbound = model.program().plan(axone::model::Purpose::Train, 4, &[true], true).unwrap();
    let id = executor.load(&unbound).unwrap();
    assert!(matches!(executor.profile(id, &Step::default()), Err(Error::Internal(_))));
}
