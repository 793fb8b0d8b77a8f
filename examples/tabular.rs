//! A table of numbers and categories: is a flat let within a week? Its size, its distance from the centre and its
//! rent are numbers of very different scale, its town and its heating are names, and here and there one is missing.
//! A schema fitted to the rows that train says what becomes of all that, for the rows to test with as well. The same network
//! is trained twice:
//!
//! * with an embedding for each column of names, batch normalisation, dropout and a residual block;
//! * without them: names as bare numbers beside the others, and dense layers alone.
//!
//! The first is saved with its schema, so that what reads the file takes raw rows.
//!
//! `cargo run --release --example tabular`

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::{LabelEncoder, Missing, Scaling, Schema, Table, TableOptions};
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
    let (train, test) = flats()?.train_test_split(0.2, 1)?;
    let schema = Schema::fit(&train, options())?;
    let (train, test) = (schema.dataset(&train)?, schema.dataset(&test)?);
    let mut model = with(&device, schema.categories())?;
    println!("{}\n", model.summary());
    let accuracy = trained(&mut model, &train, &test)?;

    let bare = trained(&mut without(&device)?, &side_by_side(&train)?, &side_by_side(&test)?)?;
    println!("test accuracy with embeddings and normalisation: {accuracy:.4}");
    println!("test accuracy without: {bare:.4}\n");
    asked_again(&mut model, schema)
}

/// What the columns are, and what stands for the values that are missing.
fn options() -> TableOptions {
    TableOptions::class_names("let")
        .categories(["town", "heating"])
        .missing(["distance"], Missing::median().indicator())
        .missing(["heating"], Missing::constant("unknown"))
        .scale(Scaling::Standard)
}

/// Accuracy on rows that it has not seen.
fn trained(model: &mut Model, train: &Dataset, test: &Dataset) -> Result<f64> {
    model.fit(train, &Fit::new().epochs(30).batch_size(64).seed(1).silent())?;
    Ok(model.evaluate(test)?.get("binary_accuracy").unwrap_or(f64::NAN))
}

/// Numbers and the numbers of names as one input.
fn side_by_side(data: &Dataset) -> Result<Dataset> {
    let rows = data.inputs()[0].iter_rows().zip(data.inputs()[1].iter_rows());
    Dataset::new(Matrix::from_rows(rows.map(|(numbers, names)| [numbers, names].concat()))?, data.targets()[0].clone())
}

/// The model from its file, asked about rows as people write them.
#[cfg(feature = "save")]
fn asked_again(model: &mut Model, schema: Schema) -> Result<()> {
    let path = std::env::temp_dir().join(format!("axone-tabular-{}.safetensors", std::process::id()));
    model.set_schema(schema)?;
    model.save(&path)?;
    let loaded = Model::load_from(&path, Device::cpu());
    std::fs::remove_file(&path).map_err(|error| Error::File { path, message: error.to_string() })?;
    let mut model = loaded?;
    let names = ["town", "heating", "size", "distance", "rent"];
    let rows = [["Halle", "gas", "60", "2000", "840"], ["Emden", "", "60", "", "320"]];
    let table = Table::from_rows(names, rows)?;
    let yes = model.predict_table(&table)?;
    for ((row, answer), yes) in rows.iter().zip(model.predict_names(&table)?).zip(yes.data()) {
        println!("{}: let within a week? {answer} ({yes:.3})", row.join(", "));
    }
    let unknown = Table::from_rows(names, [["Ulm", "gas", "60", "2000", "600"]])?;
    if let Err(error) = model.predict_table(&unknown) {
        println!("{error}");
    }
    Ok(())
}

#[cfg(not(feature = "save"))]
fn asked_again(_: &mut Model, _: Schema) -> Result<()> {
    Ok(())
}

fn with(device: &Device, columns: &[LabelEncoder]) -> Result<Model> {
    let mut net = Network::new();
    let (numbers, categories) = (net.input("numbers", 4)?, net.input("categories", 2)?);
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
    let net = Sequential::new(6).add(hidden()).add(hidden()).add(hidden());
    let net = net.add(Dense::new(1).activation(Activation::Sigmoid));
    net.compile(device.clone(), Loss::BinaryCrossEntropy, Adam::new(0.003))
}

/// Size in m², distance in m and rent in €; town and heating; whether the flat is let within a week. Of some the distance
/// or the heating is not known.
fn flats() -> Result<Table> {
    let mut rows = Vec::new();
    for row in 0..ROWS as u32 {
        let draw = |what: u32| uniform(threefry2x32([2026, what], [row, 0])[0]);
        let (size, distance) = (20.0 + 100.0 * draw(0), 15_000.0 * draw(1));
        let (town, heating) = ((12.0 * draw(2)) as usize, (4.0 * draw(3)) as usize);
        // What a flat is worth: towns in no order that their names would tell.
        let level = [9.0, 14.0, 7.0, 12.0, 6.0, 13.0, 8.0, 15.0, 10.0, 6.5, 14.5, 7.5][town];
        let comfort = [-2.5, 1.0, 0.0, 2.0][heating];
        let worth = size * (level + comfort) * (1.0 - distance / 40_000.0);
        let rent = worth * (0.75 + 0.5 * draw(4));
        let soon = if rent < worth * (0.97 + 0.06 * draw(5)) { "yes" } else { "no" };
        let known = |what: u32, text: String| if draw(what) < 0.03 { String::new() } else { text };
        let (distance, heating) = (known(6, distance.to_string()), known(7, HEATING[heating].to_owned()));
        rows.push([size.to_string(), distance, rent.to_string(), TOWNS[town].to_owned(), heating, soon.to_owned()]);
    }
    Table::from_rows(["size", "distance", "rent", "town", "heating", "let"], rows)
}
