//! A loss and an activation of one's own: how much bread to bake, where a loaf too few costs three times a loaf too many.
//! The best answer is not the mean of what will be asked for but what three days of four do not exceed.
//!
//! `cargo run --release --example own_loss`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::process::ExitCode;

const USAGE: &str = "usage: own_loss

Trains a model with an own loss and an own activation on made-up sales. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("own_loss: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (train, test) = days(4000)?.train_test_split(0.25, 1)?;
    let asymmetric = Loss::custom("asymmetric", |output, target| {
        let missing = target - output;
        missing.greater(0.0).select(3.0 * missing, -missing)
    });
    let swish = Activation::custom("swish", |x| x * (1.7 * x).sigmoid());
    let mut model = Sequential::new(2).add(Dense::new(32).activation(swish)).add(Dense::new(1)).compile(
        Device::auto()?,
        asymmetric,
        Adam::new(0.01),
    )?;
    println!("{}\nloss: {asymmetric:?}\n", model.summary());

    model.fit(&train, &Fit::new().epochs(60).batch_size(64).seed(1).silent())?;
    let baked = model.predict(&test.inputs()[0])?;
    let asked = test.targets()[0].values().map_or(&[][..], Matrix::data);
    let enough = baked.data().iter().zip(asked).filter(|(baked, asked)| baked >= asked).count();
    println!("cost of a day: {:.4}", model.evaluate(&test)?.loss());
    println!("days with enough: {:.4}", enough as f64 / asked.len() as f64);
    Ok(())
}

/// Temperature and day of the week, scaled, and what is sold: a curve with noise that grows with the temperature.
fn days(count: u32) -> Result<Dataset> {
    let number = |i: u32, stream| 2.0 * uniform(threefry2x32([stream, 7], [i, 0])[0]) - 1.0;
    let inputs: Vec<[f32; 2]> = (0..count).map(|i| [number(i, 1), number(i, 2)]).collect();
    let sold = |(i, [heat, day]): (u32, &[f32; 2])| (3.0 * day).sin() + heat + (0.6 + 0.4 * heat) * number(i, 3);
    let sold: Vec<f32> = (0..).zip(&inputs).map(sold).collect();
    Dataset::new(inputs, sold)
}
