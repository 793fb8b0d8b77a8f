//! Networks drawn at random: layers, formulas, products, shared blocks and derivatives, in any order. What fails is cut down
//! to the steps that it takes to fail.

use super::matrix;
use axone::check::{Report, compare, gradient_check};
use axone::formula::Symbol;
use axone::model::Value;
use axone::prelude::*;
use axone::random::threefry2x32;

/// What one step does, and with which values: numbers that are taken for whatever there is.
type Step = [u32; 4];

/// The steps of network number `seed`.
fn steps(seed: u32) -> Vec<Step> {
    let count = 3 + threefry2x32([seed, 5], [0, 1])[0] % 8;
    let pair = |i, j| threefry2x32([seed, 6], [i, j]);
    (0..count).map(|i| [pair(i, 0), pair(i, 1)].as_flattened().try_into().unwrap()).collect()
}

/// A network in the making: values of one dimension, and how wide each is.
struct Draft {
    net: Network,
    values: Vec<(Value, usize)>,
}

impl Draft {
    /// What the steps make, those that do not fit left out; all that they made has a part in the losses.
    fn of(steps: &[Step]) -> Result<Network> {
        let mut net = Network::new();
        let values = vec![(net.input("a", 3)?, 3), (net.input("b", 2)?, 2)];
        let mut draft = Self { net, values };
        for (i, step) in steps.iter().enumerate() {
            draft.step(&format!("step_{i}"), *step)?;
        }
        let Self { mut net, values } = draft;
        let hidden: Vec<Value> = values.iter().map(|(value, _)| *value).collect();
        let all = net.concat(&hidden)?;
        let y = net.apply(Dense::new(2), all)?;
        net.output(y)?;
        let last = values[values.len() - 1].0;
        let size = net.formula("size", [last], |[x]| (x.square().mean() + 1.0).sqrt())?;
        net.add_loss(size, 0.3)?;
        Ok(net)
    }

    fn step(&mut self, name: &str, [what, first, second, how]: Step) -> Result<()> {
        let (net, known) = (&mut self.net, self.values.len());
        let (a, b) = (first as usize % known, second as usize % known);
        let ((x, width), (other, other_width)) = (self.values[a], self.values[b]);
        let units = 1 + how as usize % 4;
        let made = match what % 13 {
            0..3 => {
                let functions = [Activation::ELEMENTWISE, &[Activation::Softmax, Activation::LogSoftmax]].concat();
                let function = functions[how as usize / 4 % functions.len()];
                (net.apply(dense(units, function), x)?, units)
            }
            3 => (net.formula(name, [x], |[x]| of_one(how, x))?, width),
            4 | 5 if width == 1 || width == other_width || other_width == 1 => {
                (net.formula(name, [x, other], |[x, y]| of_two(how, x, y))?, width.max(other_width))
            }
            4 | 5 => (net.formula(name, [x, other], |[x, y]| of_two(how, x, y.mean()))?, width),
            6 if width + other_width <= 8 => (net.concat(&[x, other])?, width + other_width),
            // With PyTorch's ε a row of nearly equal numbers bends more than differences can tell.
            7 if width > 1 => (net.apply(LayerNorm::new().epsilon(0.1), x)?, width),
            8 | 9 => {
                let ((of, _), (by, by_width)) = (self.values[a.max(b)], self.values[a.min(b)]);
                (net.gradient(of, by)?, by_width)
            }
            10 if width == other_width && how.is_multiple_of(2) => (net.matmul(x, other)?, 1),
            10 if width.is_multiple_of(2) => {
                let halves = net.apply(Reshape::new([2, width / 2]), x)?;
                let products = net.matmul_transposed(halves, halves)?;
                (net.apply(Flatten, products)?, 4)
            }
            11 if width == other_width => {
                let layer = net.share(dense(units, Activation::Tanh));
                let both = [net.apply(&layer, x)?, net.apply(&layer, other)?];
                (net.add(&both)?, units)
            }
            12 => (net.apply(Dropout::new(0.3), x)?, width),
            _ => return Ok(()),
        };
        self.values.push(made);
        Ok(())
    }
}

/// With a bias that keeps sums which are 0 off the kinks of functions.
fn dense(units: usize, function: Activation) -> Dense {
    Dense::new(units).activation(function).bias(Initializer::Constant(0.1))
}

// Kinks and steps stand beside 0, which sums of normalised rows are but for their rounding.
fn of_one(how: u32, x: Symbol<'_>) -> Symbol<'_> {
    match how % 8 {
        0 => x.sin() * x,
        1 => (x.square() + 0.5).pow(0.7),
        2 => ((x + 0.07).abs() + 0.5).ln(),
        3 => 1.0 / (x.square() + 1.0),
        4 => x.softmax(0.7) + 0.2 * x.log_softmax(1.0),
        5 => x.clamp(-0.5, 0.5) + (-x.square()).exp(),
        6 => x.softplus() * x.mean() - x.tanh(),
        _ => x.columns(0..1).sigmoid() * x,
    }
}

fn of_two<'a>(how: u32, x: Symbol<'a>, y: Symbol<'a>) -> Symbol<'a> {
    match how % 7 {
        0 => x.sin() * y.cos(),
        1 => (x - y).tanh(),
        2 => x * y.sigmoid(),
        3 => (x.square() + y.square() + 0.1).sqrt(),
        4 => x.max(y + 0.3) - 0.5 * x.min(0.2 - y),
        5 => x.greater(y + 0.2).select(x + y, 0.5 * y) * 0.5,
        _ => x / (1.0 + y.square()),
    }
}

/// The network of these steps as a model, and rows for it.
fn model(steps: &[Step], device: &Device) -> Result<(Model, Dataset)> {
    let net = Draft::of(steps)?;
    let data = Dataset::new(matrix(91, 5, 3), matrix(92, 5, 2))?.with_input(matrix(93, 5, 2))?;
    Ok((net.compile(device.clone(), Loss::MeanSquaredError, Sgd::new(0.01))?, data))
}

/// What is wrong with the network of these steps: in f32 against f64, dispatch by dispatch, or a gradient (of which many
/// are second ones) against differences.
fn wrong(steps: &[Step], device: &Device, differences: bool) -> Option<String> {
    let judge = || -> Result<Vec<Report>> {
        let (mut model, data) = model(steps, device)?;
        let mut reports = vec![compare(&mut model, &data, 4, 1)?];
        // What is allowed end to end is the most that four noisy runs were off by, which some of thousands exceed.
        reports[0].rows.retain(|row| row.kernel != "end to end");
        if differences {
            reports.push(gradient_check(&mut model, &data)?);
        }
        Ok(reports)
    };
    match judge() {
        Ok(reports) => reports.iter().find(|report| report.failed() > 0).map(Report::to_string),
        Err(error) => Some(error.to_string()),
    }
}

/// `steps` without those that `fails` does not take to hold.
fn shrunk(mut steps: Vec<Step>, fails: impl Fn(&[Step]) -> bool) -> Vec<Step> {
    let mut at = 0;
    while at < steps.len() {
        let mut fewer = steps.clone();
        fewer.remove(at);
        if fails(&fewer) {
            (steps, at) = (fewer, 0);
        } else {
            at += 1;
        }
    }
    steps
}

/// Draws the networks of `seeds` and fails at the first that is wrong.
pub fn all_are_right(device: &Device, seeds: std::ops::Range<u32>, differences: bool) {
    for seed in seeds {
        let steps = steps(seed);
        if wrong(&steps, device, differences).is_some() {
            let least = shrunk(steps, |steps| wrong(steps, device, differences).is_some());
            let summary = Draft::of(&least).map_or_else(|error| error.to_string(), |net| net.summary().to_string());
            let why = wrong(&least, device, differences).unwrap_or_default();
            panic!("network {seed}, cut down to {least:?}\n{summary}\n{why}");
        }
    }
}

/// What is drawn reaches every kind of step, and what is wrong for one reason is cut down to that.
pub fn drawing_and_shrinking() {
    let kinds: std::collections::BTreeSet<String> = (0..60)
        .flat_map(|seed| {
            Draft::of(&steps(seed)).unwrap().summary().to_string().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| line.split_whitespace().next().map(|name| name.split('_').next().unwrap_or(name).to_owned()))
        .collect();
    for kind in ["dense", "step", "concat", "layer", "gradient", "matmul", "reshape", "flatten", "add", "dropout"] {
        assert!(kinds.contains(kind), "no {kind} in {kinds:?}");
    }
    let has_softmax =
        |steps: &[Step]| Draft::of(steps).is_ok_and(|net| net.summary().to_string().contains("dense, softmax"));
    let found = (0..1000).map(steps).find(|steps| steps.len() > 5 && has_softmax(steps)).unwrap();
    assert_eq!(shrunk(found, has_softmax).len(), 1);
}
