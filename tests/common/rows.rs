//! softmax and log_softmax, forward and backward, against PyTorch's float64 results.
//!
//! The bounds follow the formulas, with u the unit roundoff and m the row maximum. `exp(x - m)` has the relative
//! error `u (|x - m| + c)`: the difference is rounded, then the function errs by its c. The sum over a row is then
//! right to `u (Σ y |x - m| + c)`, and so on through each line. c = 24 counts an exponential or logarithm (4 u), the
//! seven additions of a row of eight, a division (5 u in WGSL) and the last products. Twice in f64, for the
//! reference's own rounding.

use super::machine::{Machine, forward_and_backward};
use super::{TINY, differences, fixtures::Tensors};

const COLS: usize = 8;
const C: f64 = 24.0;

/// Everything in which `machine` differs from the fixtures by more than allowed.
pub fn violations(machine: &mut Machine, log: bool) -> Vec<String> {
    let file = Tensors::read("activations.safetensors");
    let (name, x, dy) = (if log { "log_softmax" } else { "softmax" }, file.get("x"), file.get("dy"));
    let apply = |g: &mut axone::graph::Graph, x| if log { g.log_softmax(name, x) } else { g.softmax(name, x) };
    let [y, dx] = forward_and_backward(machine, COLS, x, dy, apply);
    let (want_y, want_dx) = (file.get(&format!("{name}.y")), file.get(&format!("{name}.dx")));
    let u = machine.roundoff() * if matches!(machine, Machine::F64(_)) { 2.0 } else { 1.0 };
    let (mut allowed_y, mut allowed_dx) = (Vec::new(), Vec::new());
    for (row, x) in x.chunks_exact(COLS).enumerate() {
        let at = |i: usize| row * COLS + i;
        let all = 0..COLS;
        let top = x.iter().copied().fold(f64::MIN, f64::max);
        let p = |i: usize| if log { want_y[at(i)].exp() } else { want_y[at(i)] };
        let depth = |i: usize| (x[i] - top).abs();
        let spread: f64 = all.clone().map(|i| p(i) * depth(i).min(1e6)).sum();
        let relative = |i: usize| u * (depth(i) + spread + C);
        if log {
            let error = |i: usize| u * (depth(i) + spread + C + want_y[at(i)].abs());
            let total: f64 = all.clone().map(|i| dy[at(i)]).sum();
            let sizes: f64 = all.clone().map(|i| dy[at(i)].abs()).sum();
            allowed_y.extend(all.clone().map(|i| error(i) + TINY));
            let gradient = |i: usize| {
                let product = p(i) * (total.abs() * (error(i) + C * u) + C * u * sizes);
                product + 2.0 * u * want_dx[at(i)].abs() + TINY
            };
            allowed_dx.extend(all.map(gradient));
        } else {
            allowed_y.extend(all.clone().map(|i| relative(i).min(1.0) * p(i) + TINY));
            let sum_error: f64 = all.clone().map(|i| p(i) * dy[at(i)].abs() * relative(i).min(1.0)).sum();
            let gradient = |i: usize| relative(i).min(1.0) * want_dx[at(i)].abs() + p(i) * sum_error + TINY;
            allowed_dx.extend(all.map(gradient));
        }
    }
    let mut found = differences(&format!("{name}.y"), &y, want_y, |i| allowed_y[i]);
    found.extend(differences(&format!("{name}.dx"), &dx, want_dx, |i| allowed_dx[i]));
    found
}
