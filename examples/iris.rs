//! Three kinds of iris told apart by the sizes of their leaves: a first classifier.
//!
//! `cargo run --release --example iris`

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::{Standardizer, iris};
use axone::metrics::ConfusionMatrix;
use axone::prelude::*;

const USAGE: &str = "usage: iris

Tells three kinds of iris apart. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let table = iris()?;
    let (train, test) = table.dataset.train_test_split_stratified(0.3, 1)?;
    let scaler = Standardizer::fit(&train.inputs()[0])?; // the test flowers stay unseen
    let (train, test) = (train.map_inputs(|x| scaler.transform(x))?, test.map_inputs(|x| scaler.transform(x))?);

    let mut model = Sequential::new(4)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax))
        .compile(Device::auto()?, Loss::CategoricalCrossEntropy, Adam::new(0.02))?;
    println!("{}\n", model.summary());
    model.fit(&train, &Fit::new().epochs(60).batch_size(16).seed(1).silent())?;

    let (truth, predicted) =
        (test.targets()[0].labels().unwrap_or_default(), model.predict_classes(&test.inputs()[0])?);
    let names = table.labels.map_or_else(Vec::new, |labels| labels.classes().to_vec());
    println!("{}\n", ConfusionMatrix::new(truth, &predicted, None)?.with_labels(names)?);
    println!("test accuracy: {:.4}", model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN));
    Ok(())
}
