//! A grid search of scikit-learn, line by line: which network reads the bundled digits best, by 5-fold cross-validation
//! with L-BFGS. The Python stands above the lines that take its place; the scores are level with its own.
//!
//! ```python
//! X, y = load_digits(return_X_y=True)
//! grid = GridSearchCV(MLPClassifier(solver="lbfgs", tol=5e-3), {
//!     "hidden_layer_sizes": [(5,), (20,), (50,), (100,), (150,), (200,)],
//!     "alpha": [0.001, 0.01, 1, 2],
//! }, cv=5, n_jobs=-1)
//! grid.fit(X, y)
//! print(grid.best_score_, grid.best_params_)
//! ```
//!
//! Run: `cargo run --release --example sklearn_port [-- --seed SEED]`

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::prelude::*;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const USAGE: &str = "usage: sklearn_port [--seed SEED]

Searches a grid of 24 networks on the digits by 5-fold cross-validation with L-BFGS, as scikit-learn does. --seed draws
other initial weights (0).";

/// `MLPClassifier(solver="lbfgs", tol=5e-3, hidden_layer_sizes=(units,), alpha=alpha, random_state=seed)`
fn classifier(units: usize, seed: u64) -> Result<Model> {
    // scikit-learn draws biases as it draws weights: uniform up to √(6 / (inputs + outputs)).
    let bias = |inputs: usize, outputs: usize| Initializer::Uniform((6.0 / (inputs + outputs) as f32).sqrt());
    let net = Sequential::new(64)
        .add(Dense::new(units).activation(Activation::Relu).bias(bias(64, units)))
        .add(Dense::new(10).activation(Activation::Softmax).bias(bias(units, 10)));
    // One small model a thread: many of them are trained at a time. The optimizer has no part in L-BFGS.
    let mut model = net.compile(Device::cpu_one_thread(), Loss::CategoricalCrossEntropy, Sgd::default())?;
    model.reset(seed)?;
    Ok(model)
}

/// `StratifiedKFold(k)`, which `cv=k` stands for: each class in its own order, cut into k parts.
fn stratified(data: &Dataset, k: usize) -> Result<Vec<(Dataset, Dataset)>> {
    let labels = data.targets()[0].labels().unwrap_or_default();
    let classes = data.classes().unwrap_or_default();
    // How many rows of each class a part has: as if the rows were dealt out in the order of their classes.
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let mut shares = vec![vec![0; classes]; k];
    sorted.iter().enumerate().for_each(|(i, &class)| shares[i % k][class as usize] += 1);
    let mut part = vec![0; classes];
    let parts: Vec<usize> = labels
        .iter()
        .map(|&class| {
            let class = class as usize;
            while shares[part[class]][class] == 0 {
                part[class] += 1;
            }
            shares[part[class]][class] -= 1;
            part[class]
        })
        .collect();
    let rows =
        |wanted: &dyn Fn(usize) -> bool| -> Vec<usize> { (0..data.len()).filter(|row| wanted(parts[*row])).collect() };
    (0..k).map(|part| Ok((data.select(&rows(&|p| p != part))?, data.select(&rows(&|p| p == part))?))).collect()
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

    // X, y = load_digits(return_X_y=True): pixels from 0 to 16.
    let digits = axone::data::digits()?;
    let pixels = digits.inputs()[0].data().iter().map(|pixel| 16.0 * pixel).collect();
    let x = Matrix::new(digits.len(), 64, pixels)?;
    let digits = Dataset::new(x, digits.targets()[0].clone())?;

    // {"hidden_layer_sizes": [...], "alpha": [...]}
    let units = [5, 20, 50, 100, 150, 200];
    let grid: Vec<(usize, f64)> =
        [0.001, 0.01, 1.0, 2.0].iter().flat_map(|&alpha| units.map(|units| (units, alpha))).collect();

    // grid.fit(X, y), n_jobs=-1: every worker takes the next fit that is left.
    let begun = Instant::now();
    let folds = stratified(&digits, 5)?;
    let fits = grid.len() * folds.len();
    let (next, scores) = (AtomicUsize::new(0), Mutex::new(vec![0.0; fits]));
    let worker = || -> Result<()> {
        loop {
            let fit = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(units, alpha)) = grid.get(fit / folds.len()) else { return Ok(()) };
            let (train, test) = &folds[fit % folds.len()];
            let mut model = classifier(units, seed)?;
            model.minimize(train, &Lbfgs::new().tolerance(5e-3).alpha(alpha).silent())?;
            let accuracy = model.evaluate(test)?.get("accuracy").unwrap_or(f64::NAN);
            scores.lock().map_err(|_| Error::Internal("a worker panicked".to_owned()))?[fit] = accuracy;
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let running: Vec<_> = (0..workers).map(|_| scope.spawn(worker)).collect();
        running
            .into_iter()
            .try_for_each(|worker| worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })?;
    let seconds = begun.elapsed().as_secs_f64();

    // grid.cv_results_["mean_test_score"], grid.best_score_, grid.best_params_
    let scores = scores.into_inner().unwrap_or_else(|poisoned| poisoned.into_inner());
    let means: Vec<f64> = scores.chunks(folds.len()).map(|scores| scores.iter().sum::<f64>() / 5.0).collect();
    println!("mean accuracy  {}", units.map(|units| format!("{units:>5}")).join("  "));
    for (means, grid) in means.chunks(units.len()).zip(grid.chunks(units.len())) {
        let means: Vec<String> = means.iter().map(|mean| format!("{mean:.3}")).collect();
        println!("alpha {:<8} {}", grid[0].1, means.join("  "));
    }
    let best = (0..grid.len()).max_by(|a, b| means[*a].total_cmp(&means[*b])).unwrap_or(0);
    println!("best: {:.4} hidden_layer_sizes=({},) alpha={}", means[best], grid[best].0, grid[best].1);
    println!("seconds: {seconds:.2}");
    Ok(())
}
