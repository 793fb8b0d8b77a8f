//! A grid search of scikit-learn, line by line: which network reads the bundled digits best, by 5-fold cross-validation
//! with L-BFGS. The Python stands above the lines that take its place; the scores are level with its own.
//!
//! Run: `cargo run --release --example sklearn_port [-- --seed SEED]`

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::prelude::*;
use axone::search::{CrossValidation, Fold, Grid, Trial, grid_search};
use std::time::Instant;

const USAGE: &str = "usage: sklearn_port [--seed SEED]

Searches a grid of 24 networks on the digits by 5-fold cross-validation with L-BFGS, as scikit-learn does. --seed draws
other initial weights (0).";

/// `MLPClassifier(solver="lbfgs", tol=5e-3, hidden_layer_sizes=(units,), alpha=alpha, random_state=seed).fit(x, y)`
fn classifier(trial: &Trial, fold: &Fold, seed: u64) -> Result<Model> {
    let units: usize = trial.int("hidden_layer_sizes", 1..=1000).get()?;
    let alpha = trial.float("alpha", 0.0..=10.0).get()?;
    // scikit-learn draws biases as it draws weights: uniform up to √(6 / (inputs + outputs)).
    let bias = |inputs: usize, outputs: usize| Initializer::Uniform((6.0 / (inputs + outputs) as f32).sqrt());
    let net = Sequential::new(64)
        .add(Dense::new(units).activation(Activation::Relu).bias(bias(64, units)))
        .add(Dense::new(10).activation(Activation::Softmax).bias(bias(units, 10)));
    // The optimizer has no part in L-BFGS.
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default())?;
    model.reset(seed)?;
    model.minimize(fold.train(), &Lbfgs::new().tolerance(5e-3).alpha(alpha).silent())?;
    Ok(model)
}

fn main() -> Result<()> {
    let mut seed = 0;
    let mut arguments = Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => seed = arguments.value("--seed"),
            other => arguments.unknown(other),
        }
    }

    // X, y = load_digits(return_X_y=True), whose pixels go from 0 to 16
    let digits = axone::data::digits()?.map_inputs(|x| Ok(x.clone().map(|pixel| 16.0 * pixel)))?;

    // parameters = {"alpha": [0.001, 0.01, 1, 2], "hidden_layer_sizes": [(5,), (20,), (50,), (100,), (150,), (200,)]}
    let parameters =
        Grid::new().values("alpha", [0.001, 0.01, 1.0, 2.0]).values("hidden_layer_sizes", [5, 20, 50, 100, 150, 200]);

    // grid = GridSearchCV(MLPClassifier(solver="lbfgs", tol=5e-3), parameters, cv=5, n_jobs=-1)
    // grid.fit(X, y)
    let cv = CrossValidation::stratified(5).shuffle(false);
    let begun = Instant::now();
    let grid = grid_search(&digits, &cv, parameters, |trial, fold| classifier(trial, fold, seed))?;
    let seconds = begun.elapsed().as_secs_f64();

    // grid.cv_results_
    println!("{grid}");

    // print(grid.best_score_, grid.best_params_)
    let best = grid.best()?;
    let (units, alpha): (usize, f64) = (best.int("hidden_layer_sizes")?, best.float("alpha")?);
    println!("best: {:.4} hidden_layer_sizes=({units},) alpha={alpha}", best.score);
    println!("seconds: {seconds:.2}");
    Ok(())
}
