//! A differential equation instead of data: u″ + 9u = 0 with u(0) = 0 and u′(0) = 3, whose solution is sin 3x. The network is
//! the function u, and its loss is how far that is from solving the equation (Raissi, Perdikaris & Karniadakis 2019).
//!
//! `cargo run --release --example pinn`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: pinn

Trains a network to solve an oscillator's equation. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pinn: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut net = Network::new();
    let x = net.input("x", 1)?;
    let tanh = |units| Dense::new(units).activation(Activation::Tanh);
    let function = net.share(Sequential::new(1).add(tanh(24)).add(tanh(24)).add(Dense::new(1).named("u")));

    let u = net.apply(&function, x)?;
    let du = net.gradient(u, x)?;
    let ddu = net.gradient(du, x)?;
    let equation = net.formula("equation", [u, ddu], |[u, ddu]| (ddu + 9.0 * u).square())?;
    net.add_loss(equation, 1.0)?;

    let start = net.formula("start", [x], |[x]| 0.0 * x)?;
    let at_start = net.apply(&function, start)?;
    let speed = net.gradient(at_start, start)?;
    let conditions = net.formula("conditions", [at_start, speed], |[u, du]| u.square() + (du - 3.0).square())?;
    net.add_loss(conditions, 10.0)?;

    // The solution is there for the report alone: its loss weighs 0.
    net.output(u)?;
    let mut model = net.compile(Device::auto()?, [(Loss::MeanSquaredError, 0.0)], Adam::new(5e-3))?;
    println!("{}\n", model.summary());

    let points: Vec<f32> = (0..64).map(|i| 1.5 * i as f32 / 63.0).collect();
    let solution: Vec<f32> = points.iter().map(|x| (3.0 * x).sin()).collect();
    let data = Dataset::new(Matrix::column(points), solution)?;
    let fit = Fit::new().epochs(8000).batch_size(64).schedule(CosineDecay::new()).silent();
    let history = model.fit(&data, &fit)?;
    for name in ["equation_loss", "conditions_loss"] {
        println!("{name}: {:.1e}", history.last(name).unwrap_or(f64::NAN));
    }

    let between: Vec<f32> = (0..=1000).map(|i| 1.5 * i as f32 / 1000.0).collect();
    let found = model.predict(&Matrix::column(between.clone()))?;
    let errors = between.iter().zip(found.data()).map(|(x, u)| (u - (3.0 * x).sin()).abs());
    println!("worst error: {:.6}", errors.fold(0.0, f32::max));
    Ok(())
}
