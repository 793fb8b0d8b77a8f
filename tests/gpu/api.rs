//! The public face of a model on a GPU; the checks are in `tests/common/api.rs`. And what goes wrong on a GPU: too
//! large a model, no adapter, a device whose limits are too small, a device that is lost. Each is an `Err`, never a
//! panic.

use crate::common::api::{self, classifier, samples};
use crate::{need_device, skip};
use axone::prelude::*;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

#[test]
fn evaluate_is_the_mean_over_the_rows() {
    api::evaluate_is_the_mean_over_the_rows(&need_device!());
}

#[test]
fn a_partial_batch_counts_its_rows() {
    api::a_partial_batch_counts_its_rows(&need_device!());
}

#[test]
fn steps_count_on() {
    api::steps_count_on(&need_device!());
}

#[test]
fn a_weight_is_a_repetition() {
    api::a_weight_is_a_repetition(&need_device!());
}

#[test]
fn streaming_changes_no_bit() {
    api::streaming_changes_no_bit(&need_device!());
}

#[test]
fn several_inputs_and_outputs() {
    api::several_inputs_and_outputs(&need_device!());
}

#[test]
fn weights_by_name() {
    api::weights_by_name(&need_device!());
}

#[cfg(feature = "save")]
#[test]
fn what_is_not_finite_is_not_saved() {
    api::what_is_not_finite_is_not_saved(&need_device!(), "gpu");
}

#[cfg(feature = "save")]
#[test]
fn save_and_load() {
    api::save_and_load(&need_device!(), "gpu");
}

#[cfg(feature = "datasets")]
#[test]
fn digits_are_read() {
    api::digits_are_read(&need_device!());
}

/// Refused with the sizes, at once, and before anything is made on the device.
#[test]
fn a_model_that_does_not_fit() {
    let device = need_device!(own);
    let allowed = device.info().limits.binding_bytes.min(device.info().limits.buffer_bytes);
    // The smallest square layer whose weights alone are too large, if the 32-bit index of the kernels reaches that
    // far.
    let side = ((allowed / 4) as f64).sqrt() as usize + 1;
    for side in [100_000, side] {
        let (before, begun) = (device.objects_created(), Instant::now());
        let net = Sequential::new(side).add(Dense::new(side).without_bias());
        let error = net.compile(device.clone(), Loss::MeanSquaredError, Sgd::default()).unwrap_err();
        let bytes = 4 * (side * side) as u64;
        let message = error.to_string();
        assert!(
            matches!(error, Error::TooLarge { needed, .. } if needed >= bytes && needed < bytes + 512),
            "{message}"
        );
        let wanted = if bytes / 4 > u64::from(u32::MAX / 4) {
            format!(
                "dense_1.w ({side}, {side}) at batch 32 needs {bytes} bytes, but the kernels' 32-bit index allows {}",
                4 * u64::from(u32::MAX / 4)
            )
        } else {
            let needed = bytes.next_multiple_of(256);
            let name = device.info().name;
            format!("parameters of plan train (batch 32) needs {needed} bytes, but {name} allows {allowed}")
        };
        assert_eq!(message, wanted);
        assert_eq!(device.objects_created(), before, "something was made for it");
        // A ceiling, not a measurement: a refusal makes nothing, drawing 10 billion weights would take minutes.
        assert!(begun.elapsed() < Duration::from_secs(2), "took {:?}", begun.elapsed());
    }
}

/// Another wgpu device on the adapter of `device`, with its queue.
pub fn owned(device: &Device) -> (Device, wgpu::Device, wgpu::Queue) {
    opened(device, |_| {})
}

/// Another wgpu device on the adapter of `device`, with limits changed by `change`.
pub fn limited(device: &Device, change: impl FnOnce(&mut wgpu::Limits)) -> (Device, wgpu::Device) {
    let (device, own, _) = opened(device, change);
    (device, own)
}

fn opened(device: &Device, change: impl FnOnce(&mut wgpu::Limits)) -> (Device, wgpu::Device, wgpu::Queue) {
    let name = device.info().name;
    let adapter = axone::gpu::adapters().iter().find(|adapter| adapter.get_info().name == name).unwrap();
    let mut limits = adapter.limits();
    change(&mut limits);
    let descriptor = wgpu::DeviceDescriptor { required_limits: limits, ..Default::default() };
    let (own, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    (Device::from_wgpu(adapter, own.clone(), queue.clone()), own, queue)
}

#[test]
fn a_device_of_the_program_trains() {
    let (own, _) = limited(&need_device!(), |_| {});
    let history = classifier(&own, Sgd::new(0.1)).fit(&samples(12), &Fit::new().epochs(5).batch_size(4).silent());
    let losses = history.unwrap().get("loss");
    assert!(losses[4] < losses[0], "{losses:?}");
}

#[test]
fn limits_that_are_too_small_are_an_error() {
    let device = need_device!();
    let net = Sequential::new(64).add(Dense::new(64));
    let compile = |device: Device| net.compile(device, Loss::MeanSquaredError, Sgd::default()).unwrap_err();
    let (narrow, _) = limited(&device, |limits| limits.max_storage_buffer_binding_size = 4096);
    let error = compile(narrow);
    assert!(matches!(error, Error::TooLarge { needed: 16_640, allowed: 4096, .. }), "{error}");
    // No kernel fits: said by axone, which looks at the limits first, or by wgpu.
    let (slow, _) = limited(&device, |limits| {
        limits.max_compute_invocations_per_workgroup = 16;
        limits.max_compute_workgroup_size_x = 16;
    });
    let error = compile(slow);
    assert!(matches!(error, Error::Gpu { .. } | Error::Unsupported { .. }), "{error}");
    // Every kernel but `fill` binds more than one buffer: this only wgpu says, in an error scope.
    let (few, _) = limited(&device, |limits| limits.max_storage_buffers_per_shader_stage = 1);
    let error = compile(few);
    assert!(matches!(error, Error::Gpu { .. }), "{error}");
    assert!(error.to_string().contains("max_storage_buffers_per_shader_stage"), "{error}");
}

/// What wgpu says of a device that is gone comes back as an error from whatever is called next.
#[test]
fn a_lost_device_is_an_error() {
    let (own, wgpu) = limited(&need_device!(), |_| {});
    let mut model = classifier(&own, Sgd::new(0.1));
    model.fit(&samples(12), &Fit::new().epochs(1).silent()).unwrap();
    wgpu.destroy();
    let error = model.fit(&samples(12), &Fit::new().epochs(1).silent()).unwrap_err();
    assert!(matches!(error, Error::Gpu { .. }), "{error}");
    assert!(model.weights().is_err());
}

/// This test binary again, with a Vulkan loader that finds no driver, running `test` alone.
fn without_adapters(test: &str, required: &str) -> Output {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", test, "--include-ignored", "--nocapture"]);
    for variable in ["VK_DRIVER_FILES", "VK_ICD_FILENAMES"] {
        child.env(variable, if cfg!(windows) { "NUL" } else { "/dev/null" });
    }
    child.env_remove("AXONE_TEST_DEVICE").env_remove("AXONE_DEVICE").env("AXONE_REQUIRE_GPU", required);
    child.output().unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned()
}

#[test]
fn no_adapter() {
    if cfg!(not(target_os = "linux")) {
        return skip("no_adapter", "adapters can be hidden on Linux alone, where Vulkan is the only way to one");
    }
    let output = without_adapters("api::child_without_adapters", "0");
    assert!(output.status.success() && text(&output).contains("1 passed"), "{}", text(&output));
}

#[test]
#[ignore = "needs a process that sees no adapter: started by `no_adapter`"]
fn child_without_adapters() {
    let wanted = "no software adapter on this machine; for a software adapter install lavapipe \
                  (Debian/Ubuntu: apt-get install mesa-vulkan-drivers)";
    assert_eq!(Device::software().unwrap_err().to_string(), wanted);
    let names = Device::list().into_iter().map(|info| info.name).collect::<Vec<_>>();
    assert_eq!(names, ["CPU"]);
    assert_eq!(Device::auto().unwrap().info().name, "CPU");
    assert_eq!(Device::named("lavapipe").unwrap_err().to_string(), "no device named \"lavapipe\"; there is \"CPU\"");
}

/// A skipped test says so; where a GPU is required, it fails.
#[test]
fn a_skip_says_so() {
    if cfg!(not(target_os = "linux")) {
        return skip("a_skip_says_so", "adapters can be hidden on Linux alone, where Vulkan is the only way to one");
    }
    let test = "api::a_device_of_the_program_trains";
    let allowed = without_adapters(test, "0");
    assert!(allowed.status.success() && text(&allowed).contains("SKIPPED"), "{}", text(&allowed));
    let required = without_adapters(test, "1");
    assert!(!required.status.success() && text(&required).contains("AXONE_REQUIRE_GPU=1"), "{}", text(&required));
}
