//! Lists the devices of this machine, best first, and marks the one that `Device::auto` picks.
//!
//! `cargo run --release --example devices`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: devices

Lists the devices of this machine and marks the one that Device::auto picks. AXONE_DEVICE names another.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    let picked = match Device::auto() {
        Ok(device) => Some(device.info()),
        Err(error) => {
            eprintln!("devices: {error}");
            None
        }
    };
    let devices = Device::list();
    let auto = devices.iter().position(|info| Some(info) == picked.as_ref());
    for (i, info) in devices.iter().enumerate() {
        let mark = if auto == Some(i) { "  <- auto" } else { "" };
        println!("{}{mark}", info.name);
        println!("  kind      {}", info.kind);
        println!("  backend   {}", info.backend);
        println!("  driver    {}", info.driver);
        let limits = info.limits;
        println!("  buffers   up to {}, a kernel sees {}", bytes(limits.buffer_bytes), bytes(limits.binding_bytes));
        if limits.workgroup_invocations > 0 {
            let memory = bytes(u64::from(limits.workgroup_bytes));
            println!("  workgroup up to {} invocations, {memory} of shared memory", limits.workgroup_invocations);
        }
        let features = if info.features.is_empty() { "-".to_owned() } else { info.features.join(", ") };
        println!("  features  {features}\n");
    }
    println!("AXONE_DEVICE picks another: a part of a name, `cpu` or `software`");
    if picked.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// A size with the largest binary unit of which it holds at least one.
fn bytes(count: u64) -> String {
    let units = ["bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let power = (count.max(1).ilog2() / 10) as usize;
    let value = count as f64 / 1024f64.powi(power as i32);
    let decimals = if value.fract() < 0.05 || value.fract() > 0.95 { 0 } else { 1 };
    format!("{value:.decimals$} {}", units[power])
}
