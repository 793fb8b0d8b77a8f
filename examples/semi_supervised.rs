//! 50 labelled digits and 1,387 without a label: a model learns from the 50, names those of which it is sure, and learns
//! from these pseudo-labels as well (D.-H. Lee 2013). What that gains, over five choices of the 50.
//!
//! `cargo run --release --example semi_supervised`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;

const LABELLED: usize = 50;
const SEEDS: u64 = 5;
const ROUNDS: usize = 4;
/// A prediction is taken for a label from this probability on.
const SURE: f32 = 0.95;
const USAGE: &str = "usage: semi_supervised

Learns the digits from 50 labels and what it makes of the others. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    println!("{:>4} {:>12} {:>16} {:>8}", "seed", "supervised", "semi-supervised", "gain");
    let mut gains = Vec::new();
    let (mut alone, mut with) = (0.0, 0.0);
    for seed in 1..=SEEDS {
        let (rest, test) = axone::data::digits()?.train_test_split_stratified(0.2, seed)?;
        let (unlabelled, labelled) = rest.train_test_split_stratified(LABELLED as f64 / rest.len() as f64, seed)?;
        let (supervised, mut model) = trained(&labelled, None, &test, seed)?;
        let mut accuracy = supervised;
        for _ in 0..ROUNDS {
            let guessed = pseudo_labels(&mut model, &unlabelled.inputs()[0])?;
            (accuracy, model) = trained(&labelled, guessed, &test, seed)?;
        }
        println!("{seed:>4} {supervised:>12.4} {accuracy:>16.4} {:>+8.4}", accuracy - supervised);
        gains.push(accuracy - supervised);
        (alone, with) = (alone + supervised / SEEDS as f64, with + accuracy / SEEDS as f64);
    }
    let mean = gains.iter().sum::<f64>() / SEEDS as f64;
    let deviation = (gains.iter().map(|gain| (gain - mean).powi(2)).sum::<f64>() / (SEEDS - 1) as f64).sqrt();
    println!("\naccuracy, supervised: {alone:.4}");
    println!("accuracy, semi-supervised: {with:.4}");
    println!("gain: {mean:+.4}");
    println!("standard deviation of the gain: {deviation:.4}");
    Ok(())
}

/// A model that has learnt from `labelled`, and from pseudo-labels at their weight; its accuracy on `test`.
fn trained(labelled: &Dataset, guessed: Option<Dataset>, test: &Dataset, seed: u64) -> Result<(f64, Model)> {
    let hidden = Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal);
    let net =
        Sequential::new(64).add(hidden).add(Dropout::new(0.3)).add(Dense::new(10).activation(Activation::Softmax));
    let mut model = net.compile(Device::auto()?, Loss::CategoricalCrossEntropy, Adam::new(0.003))?;
    model.reset(seed)?;
    model.fit(labelled, &Fit::new().epochs(60).batch_size(10).seed(seed).silent())?;
    if let Some(guessed) = guessed {
        // Both side by side: the rows of the 50 as often as they must be to count as much.
        let repeated = guessed.len().div_ceil(labelled.len()).max(1);
        let rows = |data: &Dataset, times: usize| data.inputs()[0].data().repeat(times);
        let labels = |data: &Dataset, times: usize| data.targets()[0].labels().unwrap_or_default().repeat(times);
        let (x, y) = (
            [rows(labelled, repeated), rows(&guessed, 1)].concat(),
            [labels(labelled, repeated), labels(&guessed, 1)].concat(),
        );
        let both = Dataset::new(Matrix::new(y.len(), 64, x)?, y)?;
        model.fit(&both, &Fit::new().epochs(15).batch_size(32).seed(seed).silent())?;
    }
    let accuracy = model.evaluate(test)?.get("accuracy").unwrap_or(f64::NAN);
    Ok((accuracy, model))
}

/// The rows that the model is sure of, with what it takes them for.
fn pseudo_labels(model: &mut Model, x: &Matrix) -> Result<Option<Dataset>> {
    let probabilities = model.predict(x)?;
    let sure: Vec<usize> =
        (0..x.rows()).filter(|row| probabilities.row(*row).unwrap_or_default().iter().any(|p| *p >= SURE)).collect();
    let rows = x.select(&sure)?;
    if sure.is_empty() { Ok(None) } else { Ok(Some(Dataset::new(rows.clone(), model.predict_classes(&rows)?)?)) }
}
