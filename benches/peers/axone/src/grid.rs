//! The row `grid-search`: what `sklearn_grid.py` does, on two threads. For each line `grid lbfgs SEED` on standard input
//! it searches once and prints `NAME grid lbfgs SECONDS;SCORE,SCORE,...`: the mean accuracy over 5 folds of each point,
//! alpha by alpha.

use axone::prelude::*;
use std::io::{BufRead, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

const WORKERS: usize = 2;
const UNITS: [usize; 6] = [5, 20, 50, 100, 150, 200];
const ALPHAS: [f64; 4] = [0.001, 0.01, 1.0, 2.0];
const FOLDS: usize = 5;

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
    let folds = stratified(digits)?;
    let points: Vec<(usize, f64)> = ALPHAS.iter().flat_map(|&alpha| UNITS.map(|units| (units, alpha))).collect();
    let (next, scores) = (AtomicUsize::new(0), Mutex::new(vec![0.0; points.len() * FOLDS]));
    let worker = || -> Result<()> {
        loop {
            let fit = next.fetch_add(1, Ordering::Relaxed);
            let Some(&(units, alpha)) = points.get(fit / FOLDS) else { return Ok(()) };
            let (train, test) = &folds[fit % FOLDS];
            let score = score(train, test, units, alpha, seed)?;
            scores.lock().expect("no worker panics")[fit] = score;
        }
    };
    std::thread::scope(|scope| {
        let running = [(); WORKERS].map(|()| scope.spawn(worker));
        running.into_iter().try_for_each(|worker| worker.join().expect("no worker panics"))
    })?;
    let scores = scores.into_inner().expect("no worker panics");
    Ok(scores.chunks(FOLDS).map(|scores| scores.iter().sum::<f64>() / FOLDS as f64).collect())
}

fn score(train: &Dataset, test: &Dataset, units: usize, alpha: f64, seed: u64) -> Result<f64> {
    let bias = |inputs: usize, outputs: usize| Initializer::Uniform((6.0 / (inputs + outputs) as f32).sqrt());
    let net = Sequential::new(64)
        .add(Dense::new(units).activation(Activation::Relu).bias(bias(64, units)))
        .add(Dense::new(10).activation(Activation::Softmax).bias(bias(units, 10)));
    let mut model = net.compile(Device::cpu_one_thread(), Loss::CategoricalCrossEntropy, Sgd::default())?;
    model.reset(seed)?;
    model.minimize(train, &Lbfgs::new().tolerance(5e-3).alpha(alpha).silent())?;
    Ok(model.evaluate(test)?.get("accuracy").unwrap_or(f64::NAN))
}

/// The folds of scikit-learn's `StratifiedKFold`: each class in its own order, cut into parts.
fn stratified(data: &Dataset) -> Result<Vec<(Dataset, Dataset)>> {
    let labels = data.targets()[0].labels().unwrap_or_default();
    let mut sorted = labels.to_vec();
    sorted.sort_unstable();
    let mut shares = [[0; 10]; FOLDS];
    sorted.iter().enumerate().for_each(|(i, &class)| shares[i % FOLDS][class as usize] += 1);
    let mut parts = vec![Vec::new(); FOLDS];
    for (row, &class) in labels.iter().enumerate() {
        let part = shares.iter().position(|shares| shares[class as usize] > 0).expect("as many as there are rows");
        shares[part][class as usize] -= 1;
        parts[part].push(row);
    }
    let rest = |part: &[usize]| (0..labels.len()).filter(|row| !part.contains(row)).collect::<Vec<_>>();
    parts.iter().map(|part| Ok((data.select(&rest(part))?, data.select(part)?))).collect()
}
