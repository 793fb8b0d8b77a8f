//! The main job: trains a classifier of handwritten digits (1,797 images of 8 x 8 pixels, bundled), tests it
//! on a held-out fifth, holds the device against 64-bit arithmetic, and times a training step.
//!
//! `cargo run --release --example digits`
//!
//! The device is the best GPU, or the CPU where there is none; `AXONE_DEVICE` names another, such as
//! `AXONE_DEVICE=software`. The learning curves are written to `digits.svg`.

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const BATCH: usize = 32;
const EPOCHS: usize = 30;

const USAGE: &str = "usage: digits

Trains a classifier of handwritten digits, tests it and times it. Writes digits.svg. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(passed) => ExitCode::from(u8::from(!passed)),
        Err(error) => {
            eprintln!("digits: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    let device = Device::auto()?;
    println!("device: {}", device.info());
    if Device::list().len() == 1 {
        println!("no graphics adapter; {}, then set AXONE_DEVICE=software", axone::SOFTWARE_HINT);
    }

    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    println!("data: {} images to train on, {} to test with\n", train.len(), test.len());

    let mut model = build(&device)?;
    println!("{}\n", model.summary());
    let settings = Fit::new().epochs(EPOCHS).batch_size(BATCH).seed(1).validation(&test).verbosity(Verbosity::Lines);
    let history = model.fit(&train, &settings)?;
    history.write_svg("digits.svg")?;
    println!("learning curves: digits.svg");
    let accuracy = model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN);

    // Every dispatch of three more steps against f64 arithmetic on the numbers it read, and the weights after them.
    let report = axone::check::compare(&mut model, &train, BATCH, 3)?;
    println!("\n{report}\n");

    let mut times = vec![format!("CPU {:.3} ms", step_time(&Device::cpu(), &train)?)];
    if device.is_gpu() {
        times.insert(0, format!("{} {:.3} ms", device.info().name, step_time(&device, &train)?));
    }
    println!("test accuracy: {accuracy:.4}");
    match report.worst() {
        Some(row) => println!("cross-check: worst {:.2} of tolerance at {}", row.worst, row.kernel),
        None => println!("cross-check: nothing was compared"),
    }
    println!("step: {}", times.join(", "));
    Ok(report.failed() == 0)
}

fn build(device: &Device) -> Result<Model> {
    let hidden = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let output = Dense::new(10).activation(Activation::Softmax);
    let chain = Sequential::new(64).add(hidden(64)).add(hidden(32)).add(output);
    chain.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.003))
}

/// Milliseconds of one training step: the median over 15 epochs, after 5 that warm the device up.
fn step_time(device: &Device, train: &Dataset) -> Result<f64> {
    let history = build(device)?.fit(train, &Fit::new().epochs(20).batch_size(BATCH).silent())?;
    let mut seconds: Vec<f64> = history.epochs.iter().skip(5).map(|epoch| epoch.seconds).collect();
    seconds.sort_by(f64::total_cmp);
    Ok(1e3 * seconds[seconds.len() / 2] / train.len().div_ceil(BATCH) as f64)
}
