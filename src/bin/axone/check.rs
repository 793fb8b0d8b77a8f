//! `axone check`: every kernel against 64-bit arithmetic.

use crate::arguments::{Check, Common};
use crate::said::{Failure, Said};
use axone::check::Report;
use axone::{Device, Result};
use serde_json::json;

pub fn run(args: &Check, common: &Common) -> Result<Said, Failure> {
    let check = if args.quick { axone::check::Check::quick() } else { axone::check::Check::full() };
    let check = check.verbosity(common.verbosity());
    let devices: Vec<Device> = match common.named_device() {
        Some(name) => vec![Device::named(name)?],
        None => (0..Device::list().len()).map(Device::at).collect::<Result<_>>()?,
    };
    let reports = devices.iter().map(|device| check.run(device)).collect::<Result<Vec<Report>>>()?;
    let texts: Vec<String> = reports.iter().map(|report| format!("{report}\n")).collect();
    let parsed = |report: &Report| serde_json::from_str(&report.to_json()).unwrap_or(serde_json::Value::Null);
    let reports_json: Vec<serde_json::Value> = reports.iter().map(parsed).collect();
    let failed = reports.iter().map(Report::failed).sum::<usize>();
    Ok(Said { failed: failed > 0, ..Said::new(texts.join("\n"), json!({ "failed": failed, "reports": reports_json })) })
}
