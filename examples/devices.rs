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
        let (name, details) = (&info.name, info.details());
        println!("{}", details.replacen(name, &format!("{name}{mark}"), 1));
    }
    println!("AXONE_DEVICE picks another: a part of a name, `cpu` or `software`");
    if picked.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
