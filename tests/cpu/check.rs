//! What a check reports where a case cannot run: on wgpu's `noop` backend, which has few abilities and computes nothing.

use axone::check::{Case, Check, Outcome, Report, cases, kernels_on, matmul_cases};
use axone::kernels::{Fill, Halves, Kernel, Matmul, Tile};
use axone::train::Verbosity;
use axone::{Device, Error};
use std::collections::BTreeSet;

/// A device that binds at most a MiB, and wgpu's own handle of it.
fn noop() -> (Device, wgpu::Device) {
    let mut descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
    descriptor.backends = wgpu::Backends::NOOP;
    descriptor.backend_options.noop.enable = true;
    let instance = wgpu::Instance::new(descriptor);
    let adapter = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::NOOP)).remove(0);
    let required_limits = wgpu::Limits { max_storage_buffer_binding_size: 1 << 20, ..Default::default() };
    let descriptor = wgpu::DeviceDescriptor { required_limits, ..Default::default() };
    let (device, queue) = pollster::block_on(adapter.request_device(&descriptor)).unwrap();
    (Device::from_wgpu(&adapter, device.clone(), queue), device)
}

fn fill(n: u32) -> Case {
    let mut case = cases(1, 1).into_iter().find(|case| matches!(case.kernel, Kernel::Fill(_))).unwrap();
    case.kernel = Kernel::Fill(Fill { n, value: 0.3 });
    case.writes = vec![vec![f32::NAN; n as usize]];
    case
}

fn last_line(report: &Report) -> String {
    report.to_string().lines().last().unwrap().to_owned()
}

#[test]
fn a_case_that_errs_is_a_failed_row() {
    let incomplete = Case { writes: Vec::new(), ..fill(3) };
    let report = kernels_on(&Device::cpu(), [incomplete, fill(3)]).unwrap();
    assert_eq!(last_line(&report), "2 rows, 1 failed, 0 skipped, 0 not offered");
    assert!(matches!(&report.rows[0].outcome, Outcome::Failed(what) if what.contains("no y")), "{report}");
    assert_eq!(report.rows[1].outcome, Outcome::Passed);
}

#[test]
fn what_a_device_lacks_is_not_offered() {
    let halves = cases(3, 33).into_iter().filter(|case| case.halves != Halves::NONE);
    let product = |tile| {
        matmul_cases().into_iter().filter(move |case| {
            let in_f32 = case.halves == Halves::NONE || tile == Tile::Cooperative8;
            matches!(&case.kernel, Kernel::Matmul(Matmul { tile: Some(own), .. }) if *own == tile) && in_f32
        })
    };
    let [halves, subgroups, cooperative] =
        [halves.collect(), product(Tile::Subgroup).collect(), product(Tile::Cooperative8).collect::<Vec<_>>()];
    let counts = [halves.len(), subgroups.len(), cooperative.len()];
    assert!(counts.iter().all(|count| *count > 0), "{counts:?}");
    let all = [halves, subgroups, cooperative, vec![fill(300_000)]].concat();
    let report = kernels_on(&noop().0, all).unwrap();
    let missing: Vec<(&str, usize)> = report.missing().into_iter().collect();
    assert_eq!(
        missing,
        [
            ("bindings of 2 MiB", 1),
            ("cooperative matrices of 8 x 8", counts[2]),
            ("f16", counts[0]),
            ("subgroups of 8 lanes", counts[1])
        ]
    );
    let rows = 1 + counts.iter().sum::<usize>();
    assert_eq!(last_line(&report), format!("{rows} rows, 0 failed, 0 skipped, {rows} not offered"));
    // One line for each group beside the two of the head and the last.
    assert_eq!(report.to_string().lines().count(), 3 + missing.len(), "{report}");
    let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["failed"], &json["skipped"], &json["not_offered"]), (&0.into(), &0.into(), &rows.into()));
}

/// A plan in f16 is refused with a typed error, not with that of a shader.
#[test]
fn a_plan_in_f16_asks_for_f16() {
    let case = cases(3, 33).into_iter().find(|case| case.halves != Halves::NONE).unwrap();
    let error = axone::check::run_case(&mut *noop().0.executor(), &case).unwrap_err();
    assert!(matches!(&error, Error::Unsupported { what, .. } if what.contains("f16")), "{error}");
}

/// A kernel that cannot run beside others that can is a row; a device that is gone cannot pass for one that was asked.
#[test]
fn what_a_lost_device_leaves_is_skipped() {
    let (device, handle) = noop();
    handle.destroy();
    let report = kernels_on(&device, [fill(3), fill(4), fill(5)]).unwrap();
    assert_eq!(last_line(&report), "3 rows, 1 failed, 2 skipped, 0 not offered");
    assert!(report.to_string().contains("SKIPPED 2 rows from fill"), "{report}");
}

/// A quick check leaves out sizes, no kernel, tile or function.
#[test]
fn a_quick_check_has_every_kernel() {
    let names = |report: &Report| report.rows.iter().map(|row| row.kernel.clone()).collect::<BTreeSet<_>>();
    let quick = Check::quick().verbosity(Verbosity::Silent).run(&Device::cpu()).unwrap();
    assert_eq!((quick.failed(), quick.skipped(), quick.not_offered()), (0, 0, 0), "{quick}");
    let all = kernels_on(&Device::cpu(), cases(9, 16).into_iter().chain(matmul_cases())).unwrap();
    assert_eq!(names(&quick), names(&all));
}
