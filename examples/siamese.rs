//! Are these two images of one digit? A siamese network: one tower looks at both, and the distance between what it makes of
//! them says it. Its loss pulls pairs of one digit together and pushes others apart (Hadsell et al. 2006).
//!
//! `cargo run --release --example siamese`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: siamese

Trains one tower on pairs of digits, told only whether they are the same. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("siamese: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let (train, test) = (pairs(&train, 12)?, pairs(&test, 12)?);

    let mut net = Network::new();
    let (a, b) = (net.input("a", 64)?, net.input("b", 64)?);
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let tower = net.share(Sequential::new(64).add(relu(64)).add(relu(32)).add(Dense::new(8)));
    let (a, b) = (net.apply(&tower, a)?, net.apply(&tower, b)?);
    let distance = net.formula("distance", [a, b], |[a, b]| ((a - b).square().sum() + 1e-6).sqrt())?;
    net.output(distance)?;
    let contrastive = Loss::custom("contrastive", |distance, same| {
        same * distance.square() + (1.0 - same) * (1.0 - distance).relu().square()
    });
    let mut model = net.compile(Device::auto()?, contrastive, Adam::new(1e-3))?;
    println!("{}\n", model.summary());

    model.fit(&train, &Fit::new().epochs(10).batch_size(64).seed(1).verbosity(Verbosity::Lines))?;
    let distances = model.predict_all(test.inputs())?.remove(0);
    let same = test.targets()[0].values().map_or(&[][..], Matrix::data);
    let right = distances.data().iter().zip(same).filter(|(distance, same)| (**distance < 0.5) == (**same == 1.0));
    println!("\npairs told apart: {:.4}", right.count() as f64 / same.len() as f64);
    Ok(())
}

/// Each image with `count` others: every second one of its own digit.
fn pairs(data: &Dataset, count: usize) -> Result<Dataset> {
    let labels = data.targets()[0].labels().unwrap_or_default();
    let (mut left, mut right, mut same) = (Vec::new(), Vec::new(), Vec::new());
    for (i, label) in labels.iter().enumerate() {
        for k in 0..count {
            let wanted = k % 2 == 0;
            let from = i + 1 + k * labels.len() / count;
            let fits = |j: &usize| (labels[*j] == *label) == wanted && *j != i;
            let Some(j) = (from..from + labels.len()).map(|j| j % labels.len()).find(fits) else { continue };
            left.push(i);
            right.push(j);
            same.push(f32::from(u8::from(wanted)));
        }
    }
    let images = &data.inputs()[0];
    Dataset::new(images.select(&left)?, same)?.with_input(images.select(&right)?)
}
