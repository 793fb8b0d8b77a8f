//! Where the time of a training step goes: each kernel with its rates and its share of what the device reaches.
//!
//! `cargo run --release --example profile -- [--device NAME] [--net 784-512-256-10] [--batch 128] [--trace FILE]`
//!
//! Without a device, all of this machine. The trace opens in ui.perfetto.dev and chrome://tracing.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::process::ExitCode;

const USAGE: &str = "usage: profile [--device NAME] [--net 784-512-256-10] [--batch 128] [--trace FILE]";
/// Batches of random rows.
const BATCHES: usize = 8;

struct Options {
    device: Option<String>,
    widths: Vec<usize>,
    batch: usize,
    trace: Option<String>,
}

fn main() -> ExitCode {
    match run(&options()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("profile: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn options() -> Options {
    let mut options = Options { device: None, widths: vec![784, 512, 256, 10], batch: 128, trace: None };
    let mut arguments = Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--device" => options.device = Some(arguments.value("--device")),
            "--net" => options.widths = arguments.widths("--net"),
            "--batch" => options.batch = arguments.value("--batch"),
            "--trace" => options.trace = Some(arguments.value("--trace")),
            other => arguments.unknown(other),
        }
    }
    options
}

fn run(options: &Options) -> std::result::Result<(), String> {
    let devices: Vec<Result<Device>> = match &options.device {
        Some(name) => vec![Device::named(name)],
        None => (0..Device::list().len()).map(Device::at).collect(),
    };
    for (i, device) in devices.into_iter().enumerate() {
        let mut model =
            device.and_then(|device| compile(device, &options.widths)).map_err(|error| error.to_string())?;
        let profile = data(options).and_then(|data| model.profile(&data, options.batch));
        let profile = profile.map_err(|error| error.to_string())?;
        println!("{}{profile}", if i > 0 { "\n" } else { "" });
        // Of several devices the first, which is the best.
        if let (0, Some(path)) = (i, &options.trace) {
            profile.write_trace(path).map_err(|error| error.to_string())?;
            println!("\ntrace: {path} (open it in https://ui.perfetto.dev)");
        }
    }
    Ok(())
}

/// A classifier: relu in between, softmax at the end, Adam.
fn compile(device: Device, widths: &[usize]) -> Result<Model> {
    let mut layers = Sequential::new(widths[0]);
    for (i, &units) in widths[1..].iter().enumerate() {
        let last = i + 2 == widths.len();
        layers = layers.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    layers.compile(device, Loss::CategoricalCrossEntropy, Adam::default())
}

/// Random rows and classes.
fn data(options: &Options) -> Result<Dataset> {
    let (rows, cols) = (BATCHES * options.batch, options.widths[0]);
    let classes = *options.widths.last().unwrap_or(&1) as u32;
    let x = (0..(rows * cols) as u32).map(|i| uniform(threefry2x32([1, 2], [i, 0])[0])).collect();
    Dataset::new(Matrix::new(rows, cols, x)?, (0..rows as u32).map(|i| i % classes).collect::<Vec<u32>>())
}
