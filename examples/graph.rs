//! A network that is no chain: two branches, one linear and one with a hidden layer, that meet in a sum. It
//! learns `y = 2a - b + sin(3a)` from 512 points, and its gradients are checked against finite differences.
//!
//! `cargo run --release --example graph`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: graph

Trains a network of two branches that meet, and checks its gradients. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(passed) => ExitCode::from(u8::from(!passed)),
        Err(error) => {
            eprintln!("graph: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let (train, test) = points(512)?.train_test_split(0.25, 1)?;

    let mut net = Network::new();
    let x = net.input("x", 2)?;
    let straight = net.apply(Dense::new(1).named("straight"), x)?;
    let hidden = net.apply(Dense::new(32).activation(Activation::Tanh).named("hidden"), x)?;
    let bent = net.apply(Dense::new(1).without_bias().named("bent"), hidden)?;
    let y = net.add(&[straight, bent])?;
    net.output(y)?;
    let device = Device::auto()?;
    println!("device: {}\n", device.info());
    let mut model = net.compile(device, Loss::MeanSquaredError, Adam::new(0.02))?;
    println!("{}\n", model.summary());

    let report = axone::check::gradient_check(&mut model, &train)?;
    println!("{report}\n");

    let history = model.fit(&train, &Fit::new().epochs(200).batch_size(32).silent())?;
    let losses = history.get("loss");
    println!("training loss: {:.5} in epoch 1, {:.5} in epoch {}", losses[0], losses[losses.len() - 1], losses.len());
    println!("test loss: {:.5}", model.evaluate(&test)?.loss());
    Ok(report.failed() == 0)
}

/// Points of `y = 2a - b + sin(3a)`, with a and b spread evenly over -1..1 by the additive recurrence R2.
fn points(count: u32) -> Result<Dataset> {
    let spread = |i: u32, step: f64| (2.0 * (f64::from(i) * step).fract() - 1.0) as f32;
    let inputs: Vec<[f32; 2]> = (1..=count).map(|i| [spread(i, 0.754_877_666), spread(i, 0.569_840_291)]).collect();
    let targets: Vec<f32> = inputs.iter().map(|[a, b]| 2.0 * a - b + (3.0 * a).sin()).collect();
    Dataset::new(inputs, targets)
}
