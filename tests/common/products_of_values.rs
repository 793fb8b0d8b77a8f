//! Products of two values in each row, on any device.

#[cfg(feature = "save")]
use super::comes_back;
use super::matrix;
use axone::check::compare;
use axone::prelude::*;

/// Attention of three tokens of four numbers to each other: scores, shares, mixture; then a product of a matrix and a
/// vector, and one of two vectors.
pub fn everything(device: &Device) -> Model {
    let mut net = Network::new();
    let x = net.input("x", 6).unwrap();
    let tokens = |net: &mut Network| {
        let x = net.apply(Dense::new(12), x).unwrap();
        net.apply(Reshape::new([3, 4]), x).unwrap()
    };
    let (q, k, v) = (tokens(&mut net), tokens(&mut net), tokens(&mut net));
    let scores = net.matmul_transposed(q, k).unwrap();
    let shares = net.formula("shares", [scores], |[x]| (0.5 * x).sigmoid()).unwrap();
    let mixed = net.matmul(shares, v).unwrap();
    let probe = net.apply(Dense::new(4), x).unwrap();
    let seen = net.matmul(mixed, probe).unwrap();
    let back = net.matmul(seen, mixed).unwrap();
    let inner = net.matmul(back, probe).unwrap();
    let flat = net.apply(Flatten, mixed).unwrap();
    let slope = net.gradient(inner, x).unwrap();
    let all = net.concat(&[flat, seen, back, inner, slope]).unwrap();
    let y = net.apply(Dense::new(1), all).unwrap();
    net.output(y).unwrap();
    net.compile(device.clone(), Loss::MeanSquaredError, Adam::new(0.01)).unwrap()
}

/// Rows for it.
pub fn table(rows: usize) -> Dataset {
    Dataset::new(matrix(81, rows, 6), matrix(82, rows, 1)).unwrap()
}

pub fn every_dispatch_agrees_with_f64(device: &Device) {
    let report = compare(&mut everything(device), &table(7), 4, 2).unwrap();
    assert_eq!(report.failed(), 0, "{report}");
}

/// What does not fit, in words.
pub fn refused() -> Vec<String> {
    let mut net = Network::new();
    let (a, b, c) = (net.input("a", [2, 3]).unwrap(), net.input("b", [2, 3]).unwrap(), net.input("c", 4).unwrap());
    let d = net.input("d", [2, 3, 4]).unwrap();
    let mut other = Network::new();
    let foreign = other.input("e", 3).unwrap();
    let results = [
        net.matmul(a, b),
        net.matmul(a, c),
        net.matmul_transposed(a, c),
        net.matmul(c, b),
        net.matmul(a, d),
        net.matmul(a, foreign),
        net.apply(Reshape::new([5]), a),
        net.apply(Reshape::new([0, 6]), a),
        net.apply(Reshape::new([usize::MAX, 3]), a),
    ];
    results.into_iter().map(|result| result.unwrap_err().to_string()).collect()
}

#[cfg(feature = "save")]
pub fn products_are_saved(device: &Device, name: &str) {
    comes_back(&mut everything(device), &table(8), &format!("products-{name}"));
}
