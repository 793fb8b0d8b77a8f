//! `axone devices`: what this machine can compute on.

use crate::said::{Failure, Said};
use axone::Device;
use serde_json::json;

pub fn run() -> Result<Said, Failure> {
    let picked = Device::auto().map(|device| device.info());
    let devices = Device::list();
    let auto = devices.iter().position(|info| Some(info) == picked.as_ref().ok());
    let details = devices.iter().enumerate().map(|(place, info)| {
        let mark = if auto == Some(place) { "  <- taken unless told otherwise" } else { "" };
        info.details().replacen(&info.name, &format!("{}{mark}", info.name), 1) + "\n"
    });
    let text = details.collect::<String>()
        + "--device or AXONE_DEVICE takes another: a part of its name, `cpu` or `software`\n";
    let json = devices.iter().enumerate().map(|(place, info)| {
        json!({
            "name": info.name,
            "kind": info.kind.to_string(),
            "backend": info.backend,
            "driver": info.driver,
            "features": info.features,
            "buffer_bytes": info.limits.buffer_bytes,
            "binding_bytes": info.limits.binding_bytes,
            "auto": auto == Some(place),
        })
    });
    let said = Said::new(text, json!({ "devices": json.collect::<Vec<_>>() }));
    // A device that AXONE_DEVICE names and that is not there.
    picked.map(|_| said).map_err(Failure::from)
}
