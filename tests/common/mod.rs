//! What the two test binaries share: fixtures, a runner for small graphs, and the conformance comparisons, so that
//! the CPU and the GPU are held against the same numbers with the same tolerances.
#![allow(dead_code, reason = "each binary uses its part")]

pub mod absent;
pub mod api;
pub mod by_hand;
pub mod callbacks;
#[cfg(feature = "save")]
pub mod counters;
pub mod derivatives;
pub mod differentiable;
pub mod elementwise;
pub mod fixtures;
pub mod formulas;
pub mod host_loss;
pub mod inference;
pub mod layers;
#[cfg(feature = "save")]
pub mod loops;
pub mod losses;
pub mod machine;
pub mod memory;
pub mod metrics;
pub mod minimize;
pub mod monitors;
pub mod more_losses;
pub mod mutants;
pub mod optimizers;
pub mod own_metrics;
pub mod partial;
pub mod predictor;
pub mod products;
pub mod products_of_values;
pub mod profile;
pub mod random_networks;
#[cfg(feature = "save")]
pub mod resume;
pub mod rows;
#[cfg(feature = "search")]
pub mod search;
pub mod settings;
pub mod shared;
pub mod sums;
pub mod training;

use axone::data::Matrix;
#[cfg(feature = "save")]
use axone::prelude::{Dataset, Fit, Model};
use axone::random::{threefry2x32, uniform};

/// Unit roundoff of f32.
pub const U32: f64 = 5.960_464_477_539_063e-8;
/// Unit roundoff of f64.
pub const U64: f64 = 1.110_223_024_625_156_5e-16;
/// The smallest normal f32: below it, GPUs may flush to 0.
pub const TINY: f64 = f32::MIN_POSITIVE as f64;

/// `n` numbers from -1 to 1, exact in f32, different for every `stream`.
pub fn numbers(stream: u32, n: usize) -> Vec<f32> {
    (0..n as u32).map(|i| 2.0 * uniform(threefry2x32([stream, 77], [i, 0])[0]) - 1.0).collect()
}

/// A matrix of such numbers.
pub fn matrix(stream: u32, rows: usize, cols: usize) -> Matrix {
    Matrix::new(rows, cols, numbers(stream, rows * cols)).unwrap()
}

/// A trained model, saved and loaded, describes itself as before and computes the same. `name` tells the files of tests
/// apart that run at a time.
#[cfg(feature = "save")]
pub fn comes_back(model: &mut Model, data: &Dataset, name: &str) {
    let path = std::env::temp_dir().join(format!("axone-{name}-{}.safetensors", std::process::id()));
    model.fit(data, &Fit::new().epochs(1).batch_size(4).silent()).unwrap();
    model.save(&path).unwrap();
    let mut again = Model::load_from(&path, model.device().clone()).unwrap();
    std::fs::remove_file(path).ok();
    assert_eq!(again.summary().to_string(), model.summary().to_string());
    assert_eq!(again.evaluate(data).unwrap().values, model.evaluate(data).unwrap().values);
}

/// Labels below `classes`, one a row, that depend on the first column of `x`, so that there is something to learn.
pub fn labels(x: &Matrix, classes: u32) -> Vec<u32> {
    x.iter_rows().map(|row| ((row[0] + 1.0) * 0.5 * classes as f32) as u32).map(|c| c.min(classes - 1)).collect()
}

/// Every difference larger than allowed, with where it is; empty where all is well. NaN fits nothing.
pub fn differences(what: &str, got: &[f64], want: &[f64], allowed: impl Fn(usize) -> f64) -> Vec<String> {
    let mut found = Vec::new();
    if got.len() != want.len() {
        found.push(format!("{what}: {} numbers, want {}", got.len(), want.len()));
    }
    for (i, (g, w)) in got.iter().zip(want).enumerate() {
        let fits = (g - w).abs() <= allowed(i);
        if !fits {
            found.push(format!("{what}[{i}]: {g:e}, want {w:e}: off by {:e}, allowed {:e}", g - w, allowed(i)));
        }
    }
    found
}

/// Fails with every difference in `found`.
pub fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{} differences\n{}", found.len(), found.join("\n"));
}
