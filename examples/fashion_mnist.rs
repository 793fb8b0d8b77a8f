//! Trains a 784-256-128-10 network on Fashion-MNIST: 60,000 images of clothes to train on, 10,000 to test with.
//!
//! `cargo run --release --example fashion_mnist -- FOLDER [EPOCHS]`
//!
//! FOLDER holds the four IDX files, plain or gzipped; MNIST itself has the same form. Without FOLDER the files
//! of Debian's package `dataset-fashion-mnist` are used. EPOCHS is 10 if not given.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::prelude::*;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const DEBIAN: &str = "/usr/share/datasets/fashion-mnist";
const USAGE: &str = "usage: fashion_mnist [FOLDER] [EPOCHS]

FOLDER holds the four IDX files of Fashion-MNIST or MNIST, plain or gzipped; without it those of Debian's package
dataset-fashion-mnist are used. EPOCHS is 10 if not given. AXONE_DEVICE names a device.";
const HELP: &str = "the Fashion-MNIST files are needed: train-images-idx3-ubyte, train-labels-idx1-ubyte, \
    t10k-images-idx3-ubyte and t10k-labels-idx1-ubyte, plain or with .gz added.
Debian/Ubuntu: apt-get install dataset-fashion-mnist
elsewhere: https://github.com/zalandoresearch/fashion-mnist (folder data/fashion)
then: cargo run --release --example fashion_mnist -- FOLDER [EPOCHS]";

fn main() -> ExitCode {
    let mut arguments = Arguments::new(USAGE);
    let folder = match arguments.plain() {
        Some(folder) => PathBuf::from(folder),
        None if Path::new(DEBIAN).is_dir() => PathBuf::from(DEBIAN),
        None => {
            eprintln!("fashion_mnist: {HELP}");
            return ExitCode::FAILURE;
        }
    };
    let epochs = arguments.plain().map_or(10, |text| arguments.parse("EPOCHS", &text));
    arguments.end();
    if let Err(error) = run(&folder, epochs) {
        eprintln!("fashion_mnist: {error}");
        if matches!(error, Error::File { .. }) {
            eprintln!("{HELP}");
        }
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(folder: &Path, epochs: usize) -> Result<()> {
    let (train, test) = axone::data::read_mnist(folder)?;
    let device = Device::auto()?;
    println!("device: {}", device.info());
    println!("data: {} images to train on, {} to test with\n", train.len(), test.len());

    let hidden = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let mut model = Sequential::new([28, 28])
        .add(Flatten)
        .add(hidden(256))
        .add(hidden(128))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device, Loss::CategoricalCrossEntropy, Adam::new(0.001))?;
    println!("{}\n", model.summary());

    let settings = Fit::new().epochs(epochs).batch_size(128).seed(1);
    let history = model.fit(&train, &settings)?;
    let seconds: f64 = history.epochs.iter().map(|epoch| epoch.seconds).sum();
    println!("{epochs} epochs took {seconds:.1} s");
    println!("test accuracy: {:.4}", model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN));
    Ok(())
}
