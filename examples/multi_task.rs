//! Two answers from one model: which digit an image shows, and how much ink it took. Both losses train what the two have in
//! common, the second with a weight of its own.
//!
//! `cargo run --release --example multi_task`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: multi_task

Trains one model for two tasks on digits. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("multi_task: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let digits = axone::data::digits()?;
    let ink: Vec<f32> = digits.inputs()[0].iter_rows().map(|row| row.iter().sum::<f32>() / row.len() as f32).collect();
    let (train, test) = digits.with_target(ink)?.train_test_split(0.2, 1)?;

    let mut net = Network::new();
    let image = net.input("image", 64)?;
    let trunk = net.apply(Dense::new(64).activation(Activation::Relu), image)?;
    let digit = net.apply(Dense::new(10).activation(Activation::Softmax).named("digit"), trunk)?;
    let ink = net.apply(Dense::new(1).named("ink"), trunk)?;
    net.output(digit)?;
    net.output(ink)?;
    let losses = [(Loss::CategoricalCrossEntropy, 1.0), (Loss::MeanSquaredError, 5.0)];
    let mut model = net.compile(Device::auto()?, losses, Adam::new(1e-3))?;

    model.fit(&train, &Fit::new().epochs(20).batch_size(32).seed(1).verbosity(Verbosity::Lines))?;
    let scores = model.evaluate(&test)?;
    println!("\naccuracy of the digit: {:.4}", scores.get("digit_accuracy").unwrap_or(f64::NAN));
    println!("mean error of the ink: {:.4}", scores.get("ink_mae").unwrap_or(f64::NAN));
    Ok(())
}
