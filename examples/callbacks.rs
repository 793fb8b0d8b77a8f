//! What surrounds training: a range test for the learning rate, then the bundled digits with early stopping, a
//! learning rate that falls on a plateau, logs and checkpoints; at last a run that is broken off and resumed.
//!
//! `cargo run --release --example callbacks`
//!
//! Writes to the folder `callbacks_out`; `tensorboard --logdir callbacks_out` shows its curves. Ctrl-C ends a run with
//! what it has; a second one ends the program. `AXONE_DEVICE` names a device.

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use axone::train::RangeTest;
use std::path::Path;

const USAGE: &str = "usage: callbacks

Trains on the bundled digits with all that surrounds training: a range test, early stopping, logs, checkpoints.
Writes to callbacks_out. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let device = Device::auto()?;
    println!("device: {}", device.info());
    let out = Path::new("callbacks_out");
    std::fs::create_dir_all(out).map_err(|error| Error::File { path: out.into(), message: error.to_string() })?;
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;

    let curve = build(&device, 0.001)?.range_test(&train, &RangeTest::new().between(1e-5, 1.0))?;
    curve.write_svg(out.join("range_test.svg"))?;
    let rate = curve.steepest().unwrap_or(0.001) as f32;
    println!("range test: the loss falls fastest at a learning rate of {rate:.1e} (range_test.svg)\n");

    let settings = Fit::new()
        .epochs(100)
        .validation(&test)
        .verbosity(Verbosity::Lines)
        .callback(ReduceOnPlateau::new("val_loss").factor(0.3).patience(2))
        .callback(EarlyStopping::new("val_loss").patience(8).restore_best())
        .callback(TerminateOnNonFinite::new())
        .callback(CsvLog::new(out.join("log.csv")))
        .callback(TensorBoard::new(out))
        .checkpoint(Checkpoint::new(out.join("last.safetensors")).every(5))
        .checkpoint(Checkpoint::new(out.join("best.safetensors")).best("val_loss"))
        .stop_on_ctrl_c();
    let mut model = build(&device, rate)?;
    let history = model.fit(&train, &settings)?;
    let (best, loss) = history.best("val_loss").unwrap_or((0, f64::NAN));
    println!("\nbest epoch: {best} of {}, val_loss {loss:.4}", history.epochs.len());
    println!("test accuracy: {:.4}", model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN));

    // Ten epochs at once; and four, then six more from the file, as another process would.
    let file = out.join("four.safetensors");
    let ten = Fit::new().epochs(10).schedule(ExponentialDecay::new(0.9)).silent();
    let (mut whole, mut first, mut resumed) = (build(&device, rate)?, build(&device, rate)?, build(&device, rate)?);
    whole.fit(&train, &ten)?;
    first.fit(&train, &ten.clone().epochs(4).checkpoint(file.as_path()))?;
    resumed.fit(&train, &ten.resume(&file))?;
    let same = whole.weights()? == resumed.weights()?;
    println!("resumed after 4 of 10 epochs: {} weights", if same { "the same" } else { "other" });
    Ok(())
}

fn build(device: &Device, rate: f32) -> Result<Model> {
    Sequential::new(64)
        .add(Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(Dropout::new(0.2))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(rate))
}
