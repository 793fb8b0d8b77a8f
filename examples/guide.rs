//! The pictures of the guide, `docs/guide`.
//!
//! `cargo run --release --example guide -- [FOLDER]`

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::data::Standardizer;
use axone::plot::{Chart, Page};
use axone::prelude::*;
use std::path::PathBuf;
use std::slice::from_ref;

const USAGE: &str = "usage: guide [FOLDER]

Draws the pictures of the guide to FOLDER, \"docs/guide\" if not told.";

/// Where a curve stands.
type Point = (f64, f64);

fn main() -> Result<()> {
    let mut arguments = Arguments::new(USAGE);
    let folder = PathBuf::from(arguments.plain().unwrap_or_else(|| "docs/guide".to_owned()));
    arguments.end();
    activations()?.write_svg(folder.join("activations.svg"))?;
    descent().write_svg(folder.join("descent.svg"))?;
    learning_rate().write_svg(folder.join("learning_rate.svg"))?;
    momentum().write_svg(folder.join("momentum.svg"))?;
    fitting()?.write_svg(folder.join("fitting.svg"))?;
    dropout()?.write_svg(folder.join("dropout.svg"))
}

/// `count` numbers from `low` to `high`.
fn range(low: f64, high: f64, count: usize) -> impl Iterator<Item = f64> + Clone {
    (0..count).map(move |i| low + (high - low) * i as f64 / (count - 1) as f64)
}

fn compile(net: &Sequential, loss: Loss, optimizer: impl Into<Optimizer>) -> Result<Model> {
    net.compile(Device::cpu(), loss, optimizer)
}

/// Values and derivatives, as axone computes them.
fn activations() -> Result<Page> {
    let kinds = [
        ("sigmoid", Activation::Sigmoid),
        ("tanh", Activation::Tanh),
        ("ReLU", Activation::Relu),
        ("leaky ReLU", Activation::LeakyRelu { slope: 0.1 }),
        ("ELU", Activation::Elu { alpha: 1.0 }),
        ("softplus", Activation::Softplus),
    ];
    let zs: Vec<f64> = range(-4.0, 4.0, 161).collect();
    let column = |of: &dyn Fn(f64) -> f32| Matrix::column(zs.iter().map(|z| of(*z)).collect());
    let (inputs, ones) = (column(&|z| z as f32), column(&|_| 1.0));
    let charts = kinds.into_iter().map(|(name, activation)| {
        let mut model = compile(&Sequential::new(1).add(activation), Loss::MeanSquaredError, Sgd::new(0.1))?;
        let (values, slopes) =
            (model.predict(&inputs)?, model.input_gradients(from_ref(&inputs), from_ref(&ones))?.remove(0));
        let points =
            |y: &Matrix| -> Vec<Point> { zs.iter().copied().zip(y.data().iter().map(|y| f64::from(*y))).collect() };
        let chart = Chart::new(name).size(330, 260).x_label("z").y_range(-1.2..=2.2);
        Ok(chart.line("f(z)", points(&values)).dashed("f'(z)", points(&slopes)))
    });
    Ok(Page::new("", charts.collect::<Result<Vec<_>>>()?).columns(3))
}

/// Points of gradient descent on a function of one number.
fn walk(start: f64, rate: f64, steps: usize, gradient: impl Fn(f64) -> f64) -> Vec<f64> {
    std::iter::successors(Some(start), |w| Some(w - rate * gradient(*w))).take(steps).collect()
}

fn descent() -> Page {
    let curve =
        |name: &str, f: fn(f64) -> f64, gradient: fn(f64) -> f64, starts: [f64; 2], (low, high): Point, rate: f64| {
            let on = move |ws: Vec<f64>| ws.into_iter().map(move |w| (w, f(w)));
            let chart = Chart::new(name).size(480, 360).x_label("w").y_label("loss");
            let chart = chart.reference("", on(range(low, high, 100).collect()));
            let [left, right] = starts.map(|start| on(walk(start, rate, 14, gradient)));
            chart.line(format!("from {}", starts[0]), left).line(format!("from {}", starts[1]), right)
        };
    let convex = curve("convex", |w| w * w, |w| 2.0 * w, [-1.8, 1.4], (-2.0, 2.0), 0.12);
    let valleys = curve(
        "not convex",
        |w| w.powi(4) / 4.0 - w * w + w / 4.0,
        |w| w.powi(3) - 2.0 * w + 0.25,
        [-0.4, 0.6],
        (-2.2, 2.1),
        0.12,
    );
    Page::new("", [convex, valleys])
}

fn learning_rate() -> Page {
    let charts = [(0.05, "too small"), (0.4, "right"), (1.05, "too large")].map(|(rate, name)| {
        let points = walk(-1.2, rate, 9, |w| 2.0 * w).into_iter().map(|w| (w, w * w));
        let chart = Chart::new(format!("{name}: learning rate {rate}")).size(330, 280).x_label("w").y_label("loss");
        chart.reference("", range(-2.0, 2.0, 80).map(|w| (w, w * w))).line("", points)
    });
    Page::new("", charts)
}

/// Three ways through the valley `x² / 40 + y²`.
fn momentum() -> Chart {
    let gradient = |(x, y): Point| (x / 20.0, 2.0 * y);
    let start = (-9.0, 1.6);
    let mut plain = vec![start];
    let mut rolling = vec![start];
    let mut adaptive = vec![start];
    let (mut v, mut m, mut s) = ((0.0, 0.0), (0.0, 0.0), (0.0, 0.0));
    for step in 1..=40 {
        let last = |path: &[Point]| path[path.len() - 1];
        let (w, g) = (last(&plain), gradient(last(&plain)));
        plain.push((w.0 - 0.9 * g.0, w.1 - 0.9 * g.1));
        let (w, g) = (last(&rolling), gradient(last(&rolling)));
        v = (0.8 * v.0 + g.0, 0.8 * v.1 + g.1);
        rolling.push((w.0 - 0.3 * v.0, w.1 - 0.3 * v.1));
        let (w, g) = (last(&adaptive), gradient(last(&adaptive)));
        m = (0.9 * m.0 + 0.1 * g.0, 0.9 * m.1 + 0.1 * g.1);
        s = (0.999 * s.0 + 0.001 * g.0 * g.0, 0.999 * s.1 + 0.001 * g.1 * g.1);
        let by = |m: f64, s: f64| 0.4 * (m / (1.0 - 0.9f64.powi(step))) / (s / (1.0 - 0.999f64.powi(step))).sqrt();
        adaptive.push((w.0 - by(m.0, s.0), w.1 - by(m.1, s.1)));
    }
    let ellipse = |loss: f64| {
        range(0.0, std::f64::consts::TAU, 90).map(move |a| ((40.0 * loss).sqrt() * a.cos(), loss.sqrt() * a.sin()))
    };
    let chart =
        Chart::new("40 steps in a narrow valley").size(860, 380).x_label("first weight").y_label("second weight");
    let chart = [0.05, 0.3, 0.8, 1.5, 2.4].into_iter().fold(chart, |chart, loss| chart.reference("", ellipse(loss)));
    let chart = chart.x_range(-10.0..=6.0).y_range(-2.6..=1.9);
    chart.line("gradient descent", plain).line("momentum", rolling).line("Adam", adaptive)
}

/// Networks of three sizes through twelve noisy points of a sine.
fn fitting() -> Result<Page> {
    let noise = [0.21, -0.32, 0.12, 0.25, -0.18, -0.3, 0.34, -0.05, -0.27, 0.3, -0.12, 0.16];
    let points: Vec<Point> = range(-3.0, 3.0, 12).zip(noise).map(|(x, noise)| (x, x.sin() + noise)).collect();
    let x: Vec<[f32; 1]> = points.iter().map(|point| [point.0 as f32]).collect();
    let data = Dataset::new(x, points.iter().map(|point| point.1 as f32).collect::<Vec<f32>>())?;
    let charts = [(1, "underfits"), (6, "fits"), (100, "overfits")].map(|(units, name)| {
        let hidden = Dense::new(units).activation(Activation::Tanh).weights(Initializer::Normal(if units > 50 {
            2.0
        } else {
            0.7
        }));
        let mut model =
            compile(&Sequential::new(1).add(hidden).add(Dense::new(1)), Loss::MeanSquaredError, Adam::new(0.01))?;
        model.fit(&data, &Fit::new().epochs(if units > 50 { 6000 } else { 1500 }).batch_size(12).seed(1).silent())?;
        let xs: Vec<f64> = range(-3.2, 3.2, 200).collect();
        let ys = model.predict(&Matrix::column(xs.iter().map(|x| *x as f32).collect()))?;
        let curve: Vec<Point> = xs.iter().copied().zip(ys.data().iter().map(|y| f64::from(*y))).collect();
        let chart = Chart::new(format!("{units} hidden {}: {name}", if units == 1 { "neuron" } else { "neurons" }));
        let chart = chart.size(340, 300).x_label("x").y_label("y").y_range(-2.0..=2.0);
        Ok(chart
            .reference("sine", xs.into_iter().map(|x| (x, x.sin())))
            .line("network", curve)
            .points("data", points.clone()))
    });
    Ok(Page::new("", charts.into_iter().collect::<Result<Vec<_>>>()?))
}

fn dropout() -> Result<Chart> {
    let (train, validation) = axone::data::diabetes()?.dataset.train_test_split(0.3, 1)?;
    let y = |part: &Dataset| part.targets()[0].values().cloned().unwrap_or_default();
    let (inputs, target) = (Standardizer::fit(&train.inputs()[0])?, Standardizer::fit(&y(&train))?);
    let scaled = |part: &Dataset| Dataset::new(inputs.transform(&part.inputs()[0])?, target.transform(&y(part))?);
    let (train, validation) = (scaled(&train)?, scaled(&validation)?);
    let mut chart = Chart::new("progression of diabetes, 128 hidden neurons").size(720, 380).whole_x();
    chart = chart.x_label("epoch").y_label("validation loss").direct_labels();
    for rate in [0.0, 0.2, 0.5] {
        let hidden = Dense::new(128).activation(Activation::Relu).weights(Initializer::HeNormal);
        let net = Sequential::new(10).add(hidden).add(Dropout::new(rate)).add(Dense::new(1));
        let mut model = compile(&net, Loss::MeanSquaredError, Adam::new(0.003))?;
        let history = model.fit(&train, &Fit::new().epochs(100).seed(1).validation(&validation).silent())?;
        let losses = (1..).map(f64::from).zip(history.get("val_loss")).skip(4);
        chart = chart.line(if rate == 0.0 { "no dropout".to_owned() } else { format!("dropout {rate}") }, losses);
    }
    Ok(chart)
}
