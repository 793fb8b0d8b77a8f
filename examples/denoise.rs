//! Noise taken off: an autoencoder learns to give the clean image of a digit for one that noise lies over.
//!
//! `cargo run --release --example denoise`

#[path = "common/arguments.rs"]
mod arguments;

use axone::metrics::mse;
use axone::prelude::*;
use axone::random::Stream;
use rand::RngExt;

/// Standard deviation of the noise; a pixel goes from 0 to 1.
const NOISE: f32 = 0.4;
const USAGE: &str = "usage: denoise

Takes noise off images of digits. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let (clean, hidden) =
        (&test.inputs()[0], Dense::new(128).activation(Activation::Relu).weights(Initializer::HeNormal));
    let mut model = Sequential::new(64)
        .add(hidden.clone())
        .add(Dense::new(32).activation(Activation::Relu).weights(Initializer::HeNormal))
        .add(hidden)
        .add(Dense::new(64).activation(Activation::Sigmoid))
        .compile(Device::auto()?, Loss::BinaryCrossEntropy, Adam::new(0.002))?;
    // Each round has other noise over the same images.
    for round in 0..20 {
        let noisy = with_noise(&train.inputs()[0], round);
        model.fit(&Dataset::new(noisy, train.inputs()[0].clone())?, &Fit::new().epochs(2).silent())?;
    }

    let noisy = with_noise(clean, 1000);
    let restored = model.predict(&noisy)?;
    for row in 0..3 {
        println!("{:<20}{:<20}clean", "noisy", "restored");
        let images = [&noisy, &restored, clean].map(|images| images.row(row).unwrap_or_default());
        for line in 0..8 {
            let drawn = images.map(|image| drawn(&image[8 * line..8 * line + 8]));
            println!("{}", drawn.join("    "));
        }
        println!();
    }
    println!("mean squared error of noisy pixels: {:.4}", mse(clean.data(), noisy.data(), None)?);
    println!("mean squared error of restored pixels: {:.4}", mse(clean.data(), restored.data(), None)?);
    Ok(())
}

fn with_noise(images: &Matrix, seed: u64) -> Matrix {
    let mut random = Stream::new(seed, 1, 0);
    // A number of the normal distribution (Box & Muller 1958).
    let mut normal = || {
        let (radius, turn): (f32, f32) = (1.0 - random.random::<f32>(), random.random());
        (-2.0 * radius.ln()).sqrt() * (std::f32::consts::TAU * turn).cos()
    };
    images.clone().map(|pixel| (pixel + NOISE * normal()).clamp(0.0, 1.0))
}

/// A line of pixels, two letters each.
fn drawn(pixels: &[f32]) -> String {
    let ink = |pixel: &f32| [' ', '.', ':', 'o', '#', '@'][(pixel * 5.999) as usize];
    pixels.iter().flat_map(|pixel| [ink(pixel); 2]).collect()
}
