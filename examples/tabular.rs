//! A table of numbers and categories: is a flat let within a week? Its size, its distance from the centre and its
//! rent are numbers of very different scale, its town and its heating are names. The same network is trained twice:
//!
//! * with an embedding for each column of names, batch normalisation, dropout and a residual block;
//! * without them: names as bare numbers beside the others, and dense layers alone.
//!
//! `cargo run --release --example tabular`

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::LabelEncoder;
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::process::ExitCode;

const ROWS: usize = 4000;
const TOWNS: [&str; 12] =
    ["Aachen", "Bonn", "Celle", "Dessau", "Emden", "Fulda", "Gera", "Halle", "Ilmenau", "Jena", "Kiel", "Lemgo"];
const HEATING: [&str; 4] = ["coal", "district", "gas", "heat pump"];

const USAGE: &str = "usage: tabular

Learns from a table of numbers and names, with and without embeddings. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tabular: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let device = Device::auto()?;
    println!("device: {}\n", device.info());
    let (numbers, names, let_soon) = flats();

    // Names become numbers, a column each: an input of its own.
    let columns: Vec<LabelEncoder> =
        (0..2).map(|column| LabelEncoder::fit(names.iter().map(|row| row[column]))).collect();
    let mut categories = Vec::new();
    for row in &names {
        for (encoder, name) in columns.iter().zip(row) {
            categories.push(encoder.transform([name])?[0] as f32);
        }
    }
    let categories = Matrix::new(ROWS, 2, categories)?;
    let mixed = Dataset::new(numbers.clone(), let_soon.clone())?.with_input(categories.clone())?;
    let mut model = with(&device, &columns)?;
    println!("{}\n", model.summary());
    let accuracy = trained(&mut model, &mixed)?;

    let side_by_side =
        numbers.iter_rows().zip(categories.iter_rows()).map(|(numbers, names)| [numbers, names].concat());
    let plain = Dataset::new(Matrix::from_rows(side_by_side)?, let_soon)?;
    let bare = trained(&mut without(&device)?, &plain)?;
    println!("test accuracy with embeddings and normalisation: {accuracy:.4}");
    println!("test accuracy without: {bare:.4}");
    Ok(())
}

/// Accuracy on a fifth of the rows that it has not seen.
fn trained(model: &mut Model, data: &Dataset) -> Result<f64> {
    let (train, test) = data.train_test_split_stratified(0.2, 1)?;
    model.fit(&train, &Fit::new().epochs(30).batch_size(64).seed(1).silent())?;
    Ok(model.evaluate(&test)?.get("binary_accuracy").unwrap_or(f64::NAN))
}

fn with(device: &Device, columns: &[LabelEncoder]) -> Result<Model> {
    let mut net = Network::new();
    let (numbers, categories) = (net.input("numbers", 3)?, net.input("categories", 2)?);
    let known = columns.iter().map(|column| column.classes().len());
    let vectors = net.apply(Embedding::per_column(known, 4), categories)?;
    let numbers = net.apply(BatchNorm::new(), numbers)?;
    let all = net.concat(&[numbers, vectors])?;
    let x = net.apply(Dense::new(32).activation(Activation::Relu).weights(Initializer::HeNormal), all)?;
    let block = Residual::new()
        .add(Dense::new(32).without_bias().weights(Initializer::HeNormal))
        .add(BatchNorm::new())
        .add(Activation::Relu)
        .add(Dropout::new(0.1))
        .add(Dense::new(32));
    let x = net.apply(block, x)?;
    let y = net.apply(Dense::new(1).activation(Activation::Sigmoid), x)?;
    net.output(y)?;
    net.compile(device.clone(), Loss::BinaryCrossEntropy, Adam::new(0.003))
}

fn without(device: &Device) -> Result<Model> {
    let hidden = || Dense::new(32).activation(Activation::Relu).weights(Initializer::HeNormal);
    let net = Sequential::new(5).add(hidden()).add(hidden()).add(hidden());
    let net = net.add(Dense::new(1).activation(Activation::Sigmoid));
    net.compile(device.clone(), Loss::BinaryCrossEntropy, Adam::new(0.003))
}

/// Size in m², distance in m and rent in €; town and heating; 1 where the flat is let within a week.
fn flats() -> (Matrix, Vec<[&'static str; 2]>, Vec<u32>) {
    let (mut numbers, mut names, mut let_soon) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..ROWS as u32 {
        let draw = |what: u32| uniform(threefry2x32([2026, what], [row, 0])[0]);
        let (size, distance) = (20.0 + 100.0 * draw(0), 15_000.0 * draw(1));
        let (town, heating) = ((12.0 * draw(2)) as usize, (4.0 * draw(3)) as usize);
        // What a flat is worth: towns in no order that their names would tell.
        let level = [9.0, 14.0, 7.0, 12.0, 6.0, 13.0, 8.0, 15.0, 10.0, 6.5, 14.5, 7.5][town];
        let comfort = [-2.5, 1.0, 0.0, 2.0][heating];
        let worth = size * (level + comfort) * (1.0 - distance / 40_000.0);
        let rent = worth * (0.75 + 0.5 * draw(4));
        numbers.push([size, distance, rent]);
        names.push([TOWNS[town], HEATING[heating]]);
        let_soon.push(u32::from(rent < worth * (0.97 + 0.06 * draw(5))));
    }
    (numbers.into(), names, let_soon)
}
