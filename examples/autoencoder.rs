//! Digits without their labels: an autoencoder brings 64 pixels down to two numbers and back, so that digits which look
//! alike lie side by side in a plane. k-means then finds groups in it, and only now the labels say what is in them.
//!
//! `cargo run --release --example autoencoder`
//!
//! Writes the plane as `autoencoder.svg`.

#[path = "common/arguments.rs"]
mod arguments;

use axone::plot::Chart;
use axone::prelude::*;
use axone::random::Stream;
use rand::RngExt;

const GROUPS: usize = 10;
const USAGE: &str = "usage: autoencoder

Brings the digits down to a plane and finds groups in it. Writes autoencoder.svg. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let digits = axone::data::digits()?;
    let (pixels, labels) = (digits.inputs()[0].clone(), digits.targets()[0].labels().unwrap_or_default());

    let hidden = |units| Dense::new(units).activation(Activation::Elu { alpha: 1.0 }).weights(Initializer::HeNormal);
    let mut model = Sequential::new(64)
        .add(hidden(128))
        .add(hidden(32))
        .add(Dense::new(2).named("code"))
        .add(hidden(32))
        .add(hidden(128))
        .add(Dense::new(64).activation(Activation::Sigmoid))
        .compile(Device::auto()?, Loss::BinaryCrossEntropy, Adam::new(0.002))?;
    let images = Dataset::new(pixels.clone(), pixels.clone())?; // the target is the input
    model.fit(&images, &Fit::new().epochs(80).batch_size(32).seed(1).silent())?;

    let error = axone::metrics::mse(pixels.data(), model.predict(&pixels)?.data(), None)?;
    let values = model.activations(&[pixels])?;
    let codes = values.into_iter().find(|(name, _)| name == "code").map(|(_, codes)| codes).unwrap_or_default();
    let chart = (0..10u32).fold(Chart::new("digits in two dimensions").size(720, 560), |chart, digit| {
        let own = codes.iter_rows().zip(labels).filter(|(_, label)| **label == digit);
        chart.points(
            digit.to_string(),
            own.map(|(code, _)| (f64::from(code[0]), f64::from(code[1]))).collect::<Vec<_>>(),
        )
    });
    chart.x_label("first number of the code").y_label("second number of the code").write_svg("autoencoder.svg")?;

    let groups = k_means(&codes, 1);
    println!(
        "share of each digit (%) in each group:\n\ngroup{}   rows",
        (0..10).map(|d| format!("{d:>5}")).collect::<String>()
    );
    let mut right = 0;
    for group in 0..GROUPS {
        let own: Vec<u32> =
            groups.iter().zip(labels).filter(|(of, _)| **of == group).map(|(_, label)| *label).collect();
        let counts: Vec<usize> = (0..10).map(|digit| own.iter().filter(|label| **label == digit).count()).collect();
        right += counts.iter().max().copied().unwrap_or(0);
        let shares = counts.iter().map(|count| format!("{:>5.0}", 100.0 * *count as f64 / own.len().max(1) as f64));
        println!("{group:>5}{}{:>7}", shares.collect::<String>(), own.len());
    }
    println!("\npicture: autoencoder.svg");
    println!("mean squared error of a pixel: {error:.4}");
    println!("rows in a group named after their digit: {:.4}", right as f64 / labels.len() as f64);
    Ok(())
}

/// The group of each row, by Lloyd's algorithm from centres far from each other (k-means++, Arthur & Vassilvitskii 2007):
/// of ten starts the one with the smallest distances.
fn k_means(points: &Matrix, seed: u64) -> Vec<usize> {
    let distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f32>();
    let nearest = |point: &[f32], centres: &[Vec<f32>]| -> (usize, f32) {
        let distances = centres.iter().map(|centre| distance(point, centre)).enumerate();
        distances.min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or((0, f32::INFINITY))
    };
    let start = |number: u32| {
        let mut random = Stream::new(seed, 0, number);
        let mut centres = vec![points.row(0).unwrap_or_default().to_vec()];
        while centres.len() < GROUPS {
            let weights: Vec<f32> = points.iter_rows().map(|point| nearest(point, &centres).1).collect();
            let mut left = random.random::<f32>() * weights.iter().sum::<f32>();
            let chosen = weights.iter().position(|weight| {
                left -= weight;
                left <= 0.0
            });
            centres.push(points.row(chosen.unwrap_or(0)).unwrap_or_default().to_vec());
        }
        for _ in 0..50 {
            let groups: Vec<usize> = points.iter_rows().map(|point| nearest(point, &centres).0).collect();
            for (group, centre) in centres.iter_mut().enumerate() {
                let own: Vec<&[f32]> =
                    points.iter_rows().zip(&groups).filter(|(_, of)| **of == group).map(|(point, _)| point).collect();
                for (column, x) in centre.iter_mut().enumerate().filter(|_| !own.is_empty()) {
                    *x = own.iter().map(|point| point[column]).sum::<f32>() / own.len() as f32;
                }
            }
        }
        let found: Vec<(usize, f32)> = points.iter_rows().map(|point| nearest(point, &centres)).collect();
        (found.iter().map(|(_, distance)| distance).sum::<f32>(), found.iter().map(|(group, _)| *group).collect())
    };
    let best = (0..10).map(start).min_by(|a, b| a.0.total_cmp(&b.0));
    best.map(|(_, groups)| groups).unwrap_or_default()
}
