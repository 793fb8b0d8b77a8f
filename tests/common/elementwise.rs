//! Every elementwise activation, forward and backward, against PyTorch's float64 results.
//!
//! The tolerance is a mixed error bound. A computed `y` that is `f(x (1 + βu))(1 + αu)` (α roundings of the result,
//! β of the argument) differs from `f(x)` by at most `u (α |y| + β |x f'(x)|)`, and `f'` is in the fixture: `dx /
//! dy`. α = 8 covers an elementary function (at most 2 ulp = 4 u here), a division (2.5 ulp in WGSL) and a product;
//! β = 4 covers an argument that is itself computed.
//!
//! A gradient computed from x obeys the same bound with `f'` for `f`, hence `x f''`, which central differences of the
//! f64 twin supply. A gradient computed from y, `f' = g(y)`, inherits the error of y: `|g'(y)| Δy` with the bound
//! above.
//!
//! In f64 the reference was itself computed by float64 functions of the same accuracy: α and β count twice. And
//! PyTorch computes both gelus as `x/2 (1 + erf)`, `x/2 (1 + tanh)`, which cancels below 0 down to a plain 0 at
//! -8.3: what it loses there, some ε of 1 and not of the result, is allowed on top (`lost_by_the_reference`).

use super::machine::{Machine, forward_and_backward};
use super::{TINY, U64, differences, fixtures::Tensors};
use axone::kernels::Activation;

const COLS: usize = 8;

/// `|g'(y)|` where the gradient is `g(y)`; see `src/kernels/activation.rs`.
fn slope_of_gradient(function: Activation, y: f64) -> f64 {
    match function {
        Activation::Sigmoid => (1.0 - 2.0 * y).abs(),
        Activation::Tanh => 2.0 * y.abs(),
        Activation::Elu { .. } | Activation::Selu if y <= 0.0 => 1.0,
        _ => 0.0,
    }
}

/// `x f''(x)` by central differences of relative step 1e-4: right to 1e-8 of its size, and it is itself an error
/// bound.
fn curvature(function: Activation, x: &[f64]) -> Vec<f64> {
    let (delta, mut oracle) = (1e-4, Machine::oracle());
    let ones = vec![1.0; x.len()];
    let mut slope = |factor: f64| {
        let moved: Vec<f64> = x.iter().map(|x| x * factor).collect();
        let [_, slope] = forward_and_backward(&mut oracle, COLS, &moved, &ones, |g, x| g.activation("f", function, x));
        slope
    };
    let (up, down) = (slope(1.0 + delta), slope(1.0 - delta));
    up.iter().zip(down).map(|(up, down)| ((up - down) / (2.0 * delta)).abs()).collect()
}

/// The manifest's entry for `function`, corrected for parameters that axone holds in f32: leaky_relu is linear in its
/// slope below 0. PyTorch's softplus is `x` above 20, where axone adds `exp(-x)`. And the 1/6 in PyTorch's gradient
/// of hard_sigmoid is an f32, even in float64.
fn expected(function: Activation, x: f64, y: f64, dx: f64) -> (f64, f64) {
    match function {
        Activation::LeakyRelu { slope } if x <= 0.0 => {
            let ratio = f64::from(slope) / 0.01;
            (y * ratio, dx * ratio)
        }
        Activation::HardSigmoid => (y, dx / (6.0 * f64::from(1.0f32 / 6.0))),
        Activation::Softplus if x > 20.0 => (y + (-x).exp(), dx / (1.0 + (-x).exp())),
        _ => (y, dx),
    }
}

/// What PyTorch's float64 results themselves lose, for y and for dx: `1 + erf` and `1 + tanh` are off by 4 u
/// (function and sum), and in dx of gelu_tanh so is `1 - tanh²`, times `x/2` and the slope of tanh's argument.
/// Beyond ±10 both functions are ±1 exactly, and nothing is lost.
fn lost_by_the_reference(function: Activation, x: f64) -> (f64, f64) {
    let (size, lost) = (x.abs(), 4.0 * U64);
    match function {
        Activation::Gelu if size < 10.0 => (lost * size, lost),
        Activation::GeluTanh if size < 10.0 => {
            (lost * size, lost * (1.0 + 2.0 * size * 0.4 * (1.0 + 0.134145 * x * x)))
        }
        // Differentiated as a quotient: two terms of size 1 / (1 + |x|) that cancel.
        Activation::Softsign => (0.0, lost / (1.0 + size)),
        _ => (0.0, 0.0),
    }
}

/// Everything in which `machine` differs from the fixtures by more than allowed.
pub fn violations(machine: &mut Machine, function: Activation) -> Vec<String> {
    let file = Tensors::read("activations.safetensors");
    let (name, x, dy) = (function.name(), file.get("x"), file.get("dy"));
    let [y, dx] = forward_and_backward(machine, COLS, x, dy, |g, x| g.activation(name, function, x));
    let (fixture_y, fixture_dx) = (file.get(&format!("{name}.y")), file.get(&format!("{name}.dx")));
    let pairs = x.iter().zip(fixture_y.iter().zip(fixture_dx));
    let (want_y, want_dx): (Vec<f64>, Vec<f64>) = pairs.map(|(x, (y, dx))| expected(function, *x, *y, *dx)).unzip();
    let oracle = matches!(machine, Machine::F64(_));
    let (u, alpha, beta) = (machine.roundoff(), if oracle { 16.0 } else { 8.0 }, if oracle { 8.0 } else { 4.0 });
    let curvature = curvature(function, x);
    let slope = |i: usize| (want_dx[i] / dy[i]).abs();
    let lost = |i: usize| lost_by_the_reference(function, x[i]);
    let allowed_y = |i: usize| u * (alpha * want_y[i].abs() + beta * (x[i] * slope(i)).abs()) + lost(i).0 + TINY;
    let allowed_dx = |i: usize| {
        let of_argument = if function.saves_output() {
            slope_of_gradient(function, want_y[i]) * allowed_y(i)
        } else {
            u * beta * curvature[i]
        };
        dy[i].abs() * (u * alpha * slope(i) + of_argument + lost(i).1) + TINY
    };
    let mut found = differences(&format!("{name}.y"), &y, &want_y, allowed_y);
    found.extend(differences(&format!("{name}.dx"), &dx, &want_dx, allowed_dx));
    found
}

/// Where PyTorch's result is a zero and ours has the other sign.
pub fn zeros_of_the_wrong_sign(machine: &mut Machine, function: Activation) -> Vec<String> {
    let file = Tensors::read("activations.safetensors");
    let (name, x, dy) = (function.name(), file.get("x"), file.get("dy"));
    let [y, _] = forward_and_backward(machine, COLS, x, dy, |g, x| g.activation(name, function, x));
    let pairs = x.iter().zip(y.iter().zip(file.get(&format!("{name}.y"))));
    let wrong = pairs.filter(|(_, (got, want))| **want == 0.0 && got.is_sign_negative() != want.is_sign_negative());
    wrong.map(|(x, (got, want))| format!("{name}({x:e}) is {got:?}, PyTorch has {want:?}")).collect()
}
