//! A table larger than memory: sampled once, then trained on a part at a time, shuffled in windows.
//!
//! `cargo run --release --example stream`
//!
//! The file here is small, so that the example is quick; nothing in it would change for one of a terabyte.

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::{Missing, Scaling, Schema, Stream, Table, TableOptions};
use axone::prelude::*;
use axone::random;
use rand::RngExt;
use std::fmt::Write;
use std::path::Path;

const USAGE: &str = "usage: stream

Writes tables of rides as CSV, and learns from them chunk by chunk what a ride costs. AXONE_DEVICE names a device.";

/// Rides: a fare of 3.50, 2 a kilometre, 0.40 a minute, a third more at night; now and then no time was written down.
fn write_rides(path: &Path, rows: usize, stream: u32) -> Result<()> {
    let mut random = random::Stream::new(1, stream, 0);
    let mut text = "kilometres,minutes,tariff,fare\n".to_owned();
    for _ in 0..rows {
        let kilometres = random.random_range(0.5..20.0f32);
        let minutes = kilometres * random.random_range(1.5..4.0f32);
        let night = random.random_bool(0.25);
        let fare = (3.5 + 2.0 * kilometres + 0.4 * minutes) * if night { 4.0 / 3.0 } else { 1.0 };
        let minutes = if random.random_bool(0.01) { String::new() } else { format!("{minutes:.1}") };
        let tariff = if night { "night" } else { "day" };
        // Writing to a string does not fail.
        let _ = writeln!(text, "{kilometres:.2},{minutes},{tariff},{fare:.2}");
    }
    Table::check_name(path)?;
    std::fs::write(path, text).map_err(|error| axone::Error::File { path: path.to_owned(), message: error.to_string() })
}

fn main() -> Result<()> {
    arguments::none(USAGE);
    let folder = std::env::temp_dir();
    let path = |name: &str| folder.join(format!("axone-rides-{name}-{}.csv", std::process::id()));
    let (train, test) = (path("train"), path("test"));
    write_rides(&train, 200_000, 1)?;
    write_rides(&test, 20_000, 2)?;

    // A first pass draws rows to learn means, names and scales from.
    let options = TableOptions::values(["fare"]).categories(["tariff"]).missing(["minutes"], Missing::median());
    let sample = Table::sample(&train, &options, 5_000, 1)?;
    let schema = Schema::fit(&sample, options.scale(Scaling::Standard))?;
    println!("{schema}\n");

    let rides = |path: &Path| Stream::table(path, &schema, 8_192);
    let mut net = Network::new();
    let numbers = net.input("numbers", 2)?;
    let tariff = net.input("tariff", 1)?;
    let tariff = net.apply(Embedding::new(2, 2), tariff)?;
    let all = net.concat(&[numbers, tariff])?;
    let hidden = net.apply(Dense::new(32).activation(Activation::Relu), all)?;
    let fare = net.apply(Dense::new(1), hidden)?;
    net.output(fare)?;
    let mut model = net.compile(Device::auto()?, Loss::MeanSquaredError, Adam::new(0.003))?;
    let fit = Fit::new().epochs(6).batch_size(64).validation(&rides(&test)).verbosity(Verbosity::Lines);
    let history = model.fit(&rides(&train).shuffle(32_768, 1), &fit)?;

    for path in [&train, &test] {
        let _ = std::fs::remove_file(path);
    }
    println!("rows: {}", 200_000);
    println!("mean absolute error: {:.4}", history.last("val_mae").unwrap_or(f64::NAN));
    Ok(())
}
