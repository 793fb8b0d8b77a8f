//! Holds every kernel against 64-bit arithmetic, on every adapter of this machine and on the CPU backend.
//!
//! `cargo run --release --example check -- [--quick] [--device NAME] [--json FILE] [--silent]`
//!
//! Prints a table for each device; fails if a row fails.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::check::{Check, Report};
use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: check [--quick] [--device NAME] [--json FILE] [--silent]

  --quick        few sizes instead of all
  --device NAME  this device alone; every one of the machine if not told otherwise
  --json FILE    writes the rows to FILE as well
  --silent       no progress on standard error";

fn main() -> ExitCode {
    match run() {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(problem) => {
            eprintln!("check: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// The number of failures.
fn run() -> std::result::Result<usize, String> {
    let (mut device, mut json) = (None, None);
    let (mut check, mut verbosity) = (Check::full(), Verbosity::default());
    let mut arguments = Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--device" => device = Some(arguments.value::<String>("--device")),
            "--json" => json = Some(arguments.value::<String>("--json")),
            "--quick" => check = Check::quick(),
            "--silent" => verbosity = Verbosity::Silent,
            other => arguments.unknown(other),
        }
    }

    let devices: Vec<(String, Result<Device>)> = match device {
        Some(name) => vec![(name.clone(), Device::named(&name))],
        None => Device::list().into_iter().enumerate().map(|(i, info)| (info.name, Device::at(i))).collect(),
    };
    let (mut reports, mut failures) = (Vec::new(), 0);
    for (name, device) in devices {
        match device.and_then(|device| check.verbosity(verbosity).run(&device)) {
            Ok(report) => {
                if !reports.is_empty() {
                    println!();
                }
                println!("{report}");
                failures += report.failed();
                reports.push(report);
            }
            Err(error) => {
                eprintln!("check: {name}: {error}");
                failures += 1;
            }
        }
    }
    if let Some(path) = json {
        let reports: Vec<String> = reports.iter().map(Report::to_json).collect();
        let text = format!("[{}]\n", reports.join(","));
        std::fs::write(&path, text).map_err(|error| format!("{path}: {error}"))?;
    }
    Ok(failures)
}
