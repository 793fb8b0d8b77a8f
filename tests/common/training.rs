//! Whole training runs against PyTorch's float64 results: first gradients, loss curve, final weights.
//!
//! How far may a run stray? Nothing about that is guessed: the problem's own sensitivity is measured with the f64
//! twin.
//!
//! - *Settings.* axone holds learning rate and moments in f32, PyTorch in f64: each is off by at most 2⁻²⁴ of itself.
//!   The f64 run is repeated with each setting moved by 2⁻²³; the sum of the changes bounds twice what rounding does.
//!   RMSprop's ρ and 1 - ρ are two settings: moved together, they may leave a weight where it is that each of them moves
//!   (`settings.rs`).
//!   Adam's two bias corrections are rounded anew in each step, which scales that step by up to 1 ± 2⁻²³ (one of them
//!   under a root): 2⁻²³ of the length of the way a weight has gone. Adamax has one of them. Nadam has, besides one
//!   under a root, a factor for each of two terms; where those pull against each other the step is shorter than they
//!   are together, so twice the way is allowed.
//! - *Reading.* Values leave every device as f32: 2⁻²⁴ of each, for the value and for both sides of each difference.
//! - *Arithmetic in f32.* A probe repeats the f64 run with every weight and every input moved by `NUDGE` f32 ulp, up
//!   or down at random, before each of the 24 steps, and divides what changes by `NUDGE`: one rounding error a
//!   number and step, fed through the same equations, tiny gradients under Adam included. (16 ulp, because a change
//!   is read in f32 too: it is known to a sixteenth of an ulp, which is allowed on top.) A real step makes several
//!   roundings a number: a product sum of up to 24 terms, a bias, an activation, the same back, the update.
//!   `ROUNDINGS` = 8 times one ulp, the largest change of eight probes: of four, one number in 5,000 sees none that
//!   moves it by more than 0.15 standard deviations, and all runs together hold more than 20,000 numbers.
//! - *The update in f32.* A weight near 0 may take long steps (Adagrad's first has the size of the rate): what the
//!   formula of an optimizer rounds is a share of the step, not of the weight. `ROUNDINGS` a step, independent of each
//!   other, add up to `2 √ROUNDINGS u √Σ step²`, as in every sum (`src/check/tolerance`).

use super::fixtures::{self, Tensors, manifest};
use super::settings::{moved_settings, optimizer};
use super::{TINY, U32, differences};
use axone::layers::Activation;
use axone::model::Weight;
use axone::optimizers::Method;
use axone::prelude::*;
use axone::random::threefry2x32;

/// f32 roundings of a number in one training step, in ulp.
const ROUNDINGS: f64 = 8.0;
const PROBES: u32 = 8;
/// ulp by which a probe moves a number.
const NUDGE: u32 = 16;

/// Every run of the manifest.
pub fn runs() -> Vec<String> {
    fixtures::names("training")
}

/// A training run of the manifest.
pub struct Case {
    name: String,
    file: Tensors,
    net: Sequential,
    layers: usize,
    loss: Loss,
    optimizer: Optimizer,
    batch: usize,
    steps: usize,
}

/// What is compared: each a list of numbers in the order of the layers.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    gradients: Vec<f64>,
    losses: Vec<f64>,
    weights: Vec<f64>,
    /// How far each weight went, step by step; not compared.
    way: Vec<f64>,
    /// The sum of the squares of its steps; not compared.
    squares: Vec<f64>,
}

impl Outcome {
    fn all(&self) -> Vec<f64> {
        [self.gradients.as_slice(), &self.losses, &self.weights].concat()
    }
}

impl Case {
    /// The run called `name`.
    pub fn read(name: &str) -> Self {
        let manifest = manifest();
        let runs = manifest["training"].as_array().unwrap();
        let run = runs.iter().find(|run| run["name"] == name).unwrap();
        let number = |value: &serde_json::Value| value.as_f64().unwrap();
        let layers = run["layers"].as_array().unwrap();
        let width = number(&run["input_width"]) as usize;
        let net = layers.iter().fold(Sequential::new(width), |net, layer| {
            let activation = match layer["activation"].as_str().unwrap() {
                "relu" => Activation::Relu,
                "tanh" => Activation::Tanh,
                "gelu" => Activation::Gelu,
                "sigmoid" => Activation::Sigmoid,
                "softmax" => Activation::Softmax,
                "identity" => Activation::Identity,
                other => panic!("{other}"),
            };
            net.add(Dense::new(number(&layer["units"]) as usize).activation(activation))
        });
        let optimizer = optimizer(run["optimizer"].as_str().unwrap(), &run["hyperparameters"]);
        let loss = match run["loss"].as_str().unwrap() {
            "categorical_cross_entropy" => Loss::CategoricalCrossEntropy,
            "binary_cross_entropy" => Loss::BinaryCrossEntropy,
            "mse" => Loss::MeanSquaredError,
            other => panic!("{other}"),
        };
        let (batch, steps) = (number(&run["batch_size"]) as usize, number(&run["steps"]) as usize);
        let file = Tensors::read(run["file"].as_str().unwrap());
        Self { name: name.to_owned(), file, net, layers: layers.len(), loss, optimizer, batch, steps }
    }

    fn concatenated(&self, name: impl Fn(char, usize) -> String) -> Vec<f64> {
        let all = (0..self.layers).flat_map(|i| [('w', i), ('b', i)]);
        all.flat_map(|(kind, i)| self.file.get(&name(kind, i)).to_vec()).collect()
    }

    fn expected(&self) -> Outcome {
        Outcome {
            gradients: self.concatenated(|kind, i| format!("d{kind}{i}.step0")),
            losses: self.file.get("loss").to_vec(),
            weights: self.concatenated(|kind, i| format!("{kind}{i}.final")),
            way: Vec::new(),
            squares: Vec::new(),
        }
    }

    /// The rows of step `step`.
    fn rows(&self, step: usize, probe: Option<u32>) -> Dataset {
        let part = |name: &str| {
            let width = self.file.shape(name).get(1).copied().unwrap_or(1);
            let values = self.file.exact(name)[step * self.batch * width..(step + 1) * self.batch * width].to_vec();
            (width, values)
        };
        let (width, mut x) = part("x");
        nudge(&mut x, probe, 2 * step as u32);
        let x = Matrix::new(self.batch, width, x).unwrap();
        let (width, y) = part("y");
        if self.loss == Loss::CategoricalCrossEntropy {
            return Dataset::new(x, y.iter().map(|y| *y as u32).collect::<Vec<_>>()).unwrap();
        }
        Dataset::new(x, Matrix::new(self.batch, width, y).unwrap()).unwrap()
    }

    /// Trains on `device`. With a `probe`, every weight and input is moved before each step.
    fn run(&self, device: &Device, optimizer: Optimizer, probe: Option<u32>) -> Outcome {
        let mut model = self.net.compile(device.clone(), self.loss, optimizer).unwrap();
        let mut weights = model.weights().unwrap();
        for (i, weight) in weights.iter_mut().enumerate() {
            weight.data = self.file.exact(&format!("{}{}", if i % 2 == 0 { 'w' } else { 'b' }, i / 2));
        }
        model.set_weights(&weights).unwrap();
        let settings = Fit::new().epochs(1).batch_size(self.batch).without_shuffle().silent();
        let wide = |weights: Vec<Weight>| weights.into_iter().flat_map(|w| w.data).map(f64::from).collect::<Vec<_>>();
        let (mut gradients, mut losses) = (Vec::new(), Vec::new());
        let mut before = wide(model.weights().unwrap());
        let (mut way, mut squares) = (vec![0.0; before.len()], vec![0.0; before.len()]);
        for step in 0..self.steps {
            if probe.is_some() {
                let mut weights = model.weights().unwrap();
                let streams = (2 * step as u32 + 1..).step_by(2 * self.steps);
                weights.iter_mut().zip(streams).for_each(|(weight, stream)| nudge(&mut weight.data, probe, stream));
                model.set_weights(&weights).unwrap();
            }
            let history = model.fit(&self.rows(step, probe), &settings).unwrap();
            losses.push(history.last("loss").unwrap());
            let after = wide(model.weights().unwrap());
            for ((way, square), (a, b)) in way.iter_mut().zip(&mut squares).zip(before.iter().zip(&after)) {
                *way += (a - b).abs();
                *square += (a - b).powi(2);
            }
            before = after;
            if step == 0 {
                gradients = wide(model.gradients().unwrap());
            }
        }
        Outcome { gradients, losses, weights: before, way, squares }
    }

    /// Everything in which a run on `device` differs from PyTorch's by more than allowed; also how much of its
    /// allowance the worst number used.
    pub fn violations(&self, device: &Device, is_f64: bool) -> (Vec<String>, f64) {
        self.compare(&self.run(device, self.optimizer, None), is_f64)
    }

    /// Compares `got` with the fixture.
    pub fn compare(&self, got: &Outcome, is_f64: bool) -> (Vec<String>, f64) {
        let oracle = Device::cpu_f64();
        let (want, exact) = (self.expected(), self.run(&oracle, self.optimizer, None));
        let share = match self.optimizer.method {
            Method::Adam(_) | Method::Adamax(_) => 1.0,
            Method::Nadam(_) => 2.0,
            _ => 0.0,
        };
        let way: Vec<f64> = exact.way.iter().map(|way| share * way).collect();
        let strides =
            exact.squares.iter().map(|square| 2.0 * ROUNDINGS.sqrt() * U32 * square.sqrt()).collect::<Vec<_>>();
        let exact = exact.all();
        let change = |other: Outcome| -> Vec<f64> {
            other.all().iter().zip(&exact).map(|(other, exact)| (other - exact).abs()).collect()
        };
        let mut allowed: Vec<f64> = want.all().iter().map(|value| 3.0 * U32 * value.abs() + TINY).collect();
        for optimizer in moved_settings(self.optimizer) {
            let change = change(self.run(&oracle, optimizer, None));
            allowed.iter_mut().zip(change).for_each(|(allowed, change)| *allowed += change);
        }
        let weights_from = allowed.len() - want.weights.len();
        allowed[weights_from..].iter_mut().zip(way).for_each(|(allowed, way)| *allowed += 2.0 * U32 * way);
        if !is_f64 {
            let mut worst = vec![0f64; exact.len()];
            for probe in 0..PROBES {
                let change = change(self.run(&oracle, self.optimizer, Some(probe)));
                worst.iter_mut().zip(change).for_each(|(worst, change)| *worst = worst.max(change));
            }
            let sizes = exact.iter().map(|value| 2.0 * U32 * value.abs());
            for ((allowed, worst), ulp) in allowed.iter_mut().zip(worst).zip(sizes) {
                *allowed += ROUNDINGS * (worst + ulp) / f64::from(NUDGE);
            }
            allowed[weights_from..].iter_mut().zip(strides).for_each(|(allowed, stride)| *allowed += stride);
        }
        let (got, want) = (got.all(), want.all());
        let used = got.iter().zip(&want).zip(&allowed).map(|((got, want), allowed)| (got - want).abs() / allowed);
        let used = used.fold(0.0, f64::max);
        (differences(&self.name, &got, &want, |i| allowed[i]), used)
    }

    /// The f64 run with the weight number `i` of the final weights moved by `relative`: what a check must see.
    pub fn spoiled(&self, i: usize, relative: f64) -> Outcome {
        let mut outcome = self.run(&Device::cpu_f64(), self.optimizer, None);
        outcome.weights[i] *= 1.0 + relative;
        outcome
    }
}

/// Moves every number by `NUDGE` ulp, up or down; does nothing without a probe.
fn nudge(values: &mut [f32], probe: Option<u32>, stream: u32) {
    let Some(probe) = probe else { return };
    for (i, value) in values.iter_mut().enumerate() {
        let up = threefry2x32([probe, stream], [i as u32, 0])[0] & 1 == 0;
        *value = (0..NUDGE).fold(*value, |value, _| if up { value.next_up() } else { value.next_down() });
    }
}
