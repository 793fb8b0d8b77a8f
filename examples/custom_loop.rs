//! A training loop by hand: batches of 256 gathered from four of 64, gradients clipped by name on the host, a
//! learning rate that falls, and a table of what happened. The data are the bundled digits.
//!
//! `cargo run --release --example custom_loop`

#[path = "common/arguments.rs"]
mod arguments;

use axone::model::Weight;
use axone::prelude::*;
use std::process::ExitCode;

const EPOCHS: usize = 12;
/// Rows that the device holds at a time, and how many such parts make a batch.
const PART: usize = 64;
const PARTS: usize = 4;
/// Longest gradient of a parameter, as a Euclidean norm.
const LONGEST: f64 = 0.15;

const USAGE: &str = "usage: custom_loop

Trains on the bundled digits with a loop by hand. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("custom_loop: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let mut model = Sequential::new(64)
        .add(Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dropout::new(0.1))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(Device::auto()?, Loss::CategoricalCrossEntropy, Adam::new(0.01))?;
    println!("device: {}", model.device().info());
    println!("batches of {} rows, in parts of {PART}; gradients clipped at {LONGEST}\n", PART * PARTS);
    println!("epoch  updates  learning rate  loss of the last part  longest gradient  clipped  test accuracy");

    for epoch in 1..=EPOCHS {
        // Starts with other rows each epoch: 601 shares no factor with the number of rows.
        let rows: Vec<usize> = (0..train.len()).map(|i| (i * 601 + epoch * 127) % train.len()).collect();
        let (mut longest, mut clipped): ((f64, String), usize) = ((0.0, String::new()), 0);
        for batch in rows.chunks(PART * PARTS) {
            for part in batch.chunks(PART) {
                model.accumulate_gradients(&train.select(part)?)?;
            }
            let mut gradients = model.gradients()?;
            for gradient in &mut gradients {
                let norm = norm(gradient);
                if norm > longest.0 {
                    longest = (norm, gradient.name.clone());
                }
                if norm > LONGEST {
                    clipped += 1;
                    gradient.data.iter_mut().for_each(|x| *x *= (LONGEST / norm) as f32);
                }
            }
            model.set_gradients(&gradients)?;
            model.apply_gradients()?;
        }
        let (loss, accuracy) = (model.last_evaluation()?.loss(), model.evaluate(&test)?.get("accuracy"));
        println!(
            "{epoch:>5}  {:>7}  {:>13.5}  {loss:>21.4}  {:>7.4} {:<8}  {clipped:>7}  {:>13.4}",
            model.steps_done(),
            model.learning_rate(),
            longest.0,
            longest.1,
            accuracy.unwrap_or(f64::NAN),
        );
        model.set_learning_rate(model.learning_rate() * 0.8)?;
    }
    Ok(())
}

fn norm(gradient: &Weight) -> f64 {
    gradient.data.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>().sqrt()
}
