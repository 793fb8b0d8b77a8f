//! Transfer learning: a network that tells ten digits apart learns to tell even from odd from fifty examples. Its body is
//! copied by name and frozen; a new head is trained.
//!
//! `cargo run --release --example transfer`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: transfer

Learns digits, and from there even and odd. AXONE_DEVICE names a device.";

/// Images that are known to be even or odd.
const EXAMPLES: usize = 50;
const SEEDS: u64 = 5;

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("transfer: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.3, 1)?;
    let is_odd = |data: Dataset| data.map_labels(0, |digit| digit % 2);
    let (few, test) = (is_odd(train.take(EXAMPLES)?)?, is_odd(test)?);

    let mut old = compile(Dense::new(10).activation(Activation::Softmax).named("digit"), 0)?;
    old.fit(&train, &Fit::new().epochs(30).batch_size(32).verbosity(Verbosity::Lines))?;
    let learnt = old.weights()?;

    let settings = Fit::new().epochs(1000).batch_size(32).silent();
    let odd = || Dense::new(2).activation(Activation::Softmax).named("odd");
    let (mut transferred, mut from_scratch) = (0.0, 0.0);
    for seed in 1..=SEEDS {
        let mut new = compile(odd(), seed)?;
        let copied = new.copy_weights(&learnt)?;
        if seed == 1 {
            println!("\n{copied}\n");
        }
        new.freeze("body_1")?;
        new.freeze("body_2")?;
        let mut alone = compile(odd(), seed)?;
        for (model, sum) in [(&mut new, &mut transferred), (&mut alone, &mut from_scratch)] {
            model.fit(&few, &settings)?;
            *sum += model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN);
        }
    }
    println!("TRANSFERRED: {:.4}", transferred / SEEDS as f64);
    println!("FROM_SCRATCH: {:.4}", from_scratch / SEEDS as f64);
    Ok(())
}

/// A body whose layers keep their names, and a head of its own name.
fn compile(head: Dense, seed: u64) -> Result<Model> {
    let relu = |name: &str| Dense::new(64).activation(Activation::Relu).named(name);
    Sequential::new(64).add(relu("body_1")).add(relu("body_2")).add(head).seed(seed).compile(
        Device::auto()?,
        Loss::CategoricalCrossEntropy,
        Adam::new(1e-3),
    )
}
