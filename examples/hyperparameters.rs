//! Choosing hyperparameters: grid, random and Bayesian search side by side on the handwritten digits, with the same
//! number of trials, each scored by 5-fold cross-validation and ended early where it falls behind.
//!
//! `cargo run --release --example hyperparameters`
//!
//! Writes four pictures of the Bayesian search, `search_history.svg` and its kind. Its last lines are the best mean
//! accuracies.

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use axone::search::{CrossValidation, Fold, Grid, MedianPruning, Picture, Random, Sampler, Study, Tpe, Trial, Trials};

const USAGE: &str = "usage: hyperparameters

Searches the hyperparameters of a classifier of digits by grid, at random, and Bayesian. Writes search_history.svg,
search_parallel.svg, search_slices.svg and search_importance.svg. AXONE_DEVICE names a device.";

const TRIALS: usize = 24;

/// One model: what is searched, and how it is trained on the rows of a fold.
fn train(device: &Device, trial: &Trial, fold: &Fold) -> Result<Model> {
    let units: usize = trial.int("units", 8..=128).log().get()?;
    let rate = trial.float("rate", 1e-4..=1e-1).log().get_f32()?;
    let l2 = trial.float("l2", 1e-6..=1e-1).log().get_f32()?;
    let activation = trial.choice("activation", &[Activation::Relu, Activation::Tanh])?;
    let mut model = Sequential::new(64)
        .add(Dense::new(units).activation(activation))
        .add(Dense::new(10).activation(Activation::Softmax))
        .compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(rate).l2(l2))?;
    model.reset(trial.seed())?;
    let fit = Fit::new().epochs(12).seed(trial.seed()).silent();
    model.fit(fold.train(), &fold.validate(fit).callback(trial.watch("val_accuracy")))?;
    Ok(model)
}

fn main() -> Result<()> {
    arguments::none(USAGE);
    let device = Device::auto()?;
    let (data, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let cv = CrossValidation::stratified(5).seed(1).score("accuracy");
    // Three values of what matters most, two of the rest: 3 · 2 · 2 · 2 = 24.
    let grid = Grid::new()
        .values("units", [16, 64])
        .values("rate", [1e-3, 1e-2, 1e-1])
        .values("l2", [1e-4, 1e-2])
        .values("activation", [Activation::Relu, Activation::Tanh]);

    let samplers: [(&str, Sampler); 3] =
        [("grid", grid.into()), ("random", Random.into()), ("bayesian", Tpe::new().into())];
    let mut found: Vec<(&str, Trials)> = Vec::new();
    for (name, sampler) in samplers {
        let study =
            Study::of(&cv).sampler(sampler).trials(TRIALS).seed(1).pruner(MedianPruning::new().warmup(4)).silent();
        let trials = study.run_folds(&data, &cv, |trial, fold| train(&device, trial, fold))?;
        println!("{name} search\n{trials}\n");
        found.push((name, trials));
    }

    if let Some((_, bayesian)) = found.last() {
        for (picture, path) in [
            (Picture::History, "search_history.svg"),
            (Picture::Parallel, "search_parallel.svg"),
            (Picture::Slices, "search_slices.svg"),
            (Picture::Importance, "search_importance.svg"),
        ] {
            bayesian.write_svg(picture, path)?;
        }
        for (name, share) in bayesian.importance()? {
            println!("importance of {name}: {share:.2}");
        }
        // The best model is trained on all rows; the test rows had no part in choosing it.
        let mut best = bayesian.best_model(&data, &cv, |trial, fold| train(&device, trial, fold))?;
        println!(
            "accuracy of the best on {} test images: {:.4}\n",
            test.len(),
            best.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN)
        );
    }
    for (name, trials) in &found {
        println!("{name}: {:.4}", trials.best()?.score);
    }
    Ok(())
}
