//! The row `grid-search`: what `sklearn_grid.py` does, on two threads. For each line `grid lbfgs SEED` on standard input
//! it searches once and prints `NAME grid lbfgs SECONDS;SCORE,SCORE,...`: the mean accuracy over 5 folds of each point,
//! alpha by alpha.

use axone::prelude::*;
use axone::search::{CrossValidation, Fold, Grid, Study, Trial};
use std::io::{BufRead, Write};
use std::time::Instant;

const WORKERS: usize = 2;

pub fn serve(name: &str) -> Result<()> {
    let say = |line: String| {
        println!("{line}");
        std::io::stdout().flush().expect("standard output is open");
    };
    say(format!("# {name}: axone, {}, {WORKERS} workers", Device::cpu_one_thread().info()));
    let digits = axone::data::digits()?;
    let pixels = digits.inputs()[0].data().iter().map(|pixel| 16.0 * pixel).collect();
    let digits = Dataset::new(Matrix::new(digits.len(), 64, pixels)?, digits.targets()[0].clone())?;
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [net, solver, seed] = words[..] else { panic!("expected grid lbfgs SEED, got {line:?}") };
        let seed: f64 = seed.parse().expect("SEED is a number");
        let begun = Instant::now();
        let scores = search(&digits, seed as u64)?;
        let (seconds, scores) = (begun.elapsed().as_secs_f64(), scores.iter().map(|score| format!("{score:.6}")));
        say(format!("{name} {net} {solver} {seconds:.4};{}", scores.collect::<Vec<_>>().join(",")));
    }
    Ok(())
}

/// The mean accuracy of each point.
fn search(digits: &Dataset, seed: u64) -> Result<Vec<f64>> {
    let grid = Grid::new().values("alpha", [0.001, 0.01, 1.0, 2.0]).values("units", [5, 20, 50, 100, 150, 200]);
    let cv = CrossValidation::stratified(5).shuffle(false);
    let study = Study::of(&cv).sampler(grid).workers(WORKERS).silent();
    let trials = study.run_folds(digits, &cv, |trial, fold| train(trial, fold, seed))?;
    Ok(trials.records().iter().map(|trial| trial.score).collect())
}

fn train(trial: &Trial, fold: &Fold, seed: u64) -> Result<Model> {
    let alpha = trial.float("alpha", 0.0..=10.0).get()?;
    let units: usize = trial.int("units", 5..=200).get()?;
    // scikit-learn draws biases as it draws weights: uniform up to √(6 / (inputs + outputs)).
    let bias = |inputs: usize, outputs: usize| Initializer::Uniform((6.0 / (inputs + outputs) as f32).sqrt());
    let net = Sequential::new(64)
        .add(Dense::new(units).activation(Activation::Relu).bias(bias(64, units)))
        .add(Dense::new(10).activation(Activation::Softmax).bias(bias(units, 10)));
    let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default())?;
    model.reset(seed)?;
    model.minimize(fold.train(), &Lbfgs::new().tolerance(5e-3).alpha(alpha).silent())?;
    Ok(model)
}
