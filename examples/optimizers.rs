//! The same network on the bundled digits with every optimizer: final loss, test accuracy and the time of a step, and
//! the curves of the loss as one picture, `optimizers.svg`.
//!
//! `cargo run --release --example optimizers -- [EPOCHS]`
//!
//! Learning rates are usual first choices, not tuned for these data.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::plot::{Chart, Page};
use axone::prelude::*;

const BATCH: usize = 32;
const USAGE: &str = "usage: optimizers [EPOCHS]

Trains on the bundled digits with every optimizer, for 20 epochs if not told. Writes optimizers.svg.
AXONE_DEVICE names a device.";

fn main() {
    if let Err(error) = run() {
        eprintln!("optimizers: {error}");
        std::process::exit(1);
    }
}

fn run() -> Result<()> {
    let mut arguments = Arguments::new(USAGE);
    let epochs = arguments.plain().map_or(20, |text| arguments.parse("EPOCHS", &text));
    arguments.end();
    let device = Device::auto()?;
    println!("device: {}\n", device.info());
    let (train, test) = axone::data::digits()?.train_test_split_stratified(0.2, 1)?;
    let settings = Fit::new().epochs(epochs).batch_size(BATCH).seed(1).silent();
    let steps = train.len().div_ceil(BATCH) as f64;
    println!("{:<28} {:>12} {:>14} {:>9}", "optimizer", "loss", "test accuracy", "ms/step");
    let mut curves = Vec::new();
    for (name, optimizer) in optimizers() {
        let hidden = Dense::new(64).activation(Activation::Relu).weights(Initializer::HeNormal);
        let net = Sequential::new(64).add(hidden).add(Dense::new(10).activation(Activation::Softmax));
        let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer)?;
        let history = model.fit(&train, &settings)?;
        let mut seconds: Vec<f64> = history.epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        let step = 1e3 * seconds[seconds.len() / 2] / steps;
        let accuracy = model.evaluate(&test)?.get("accuracy").unwrap_or(f64::NAN);
        println!("{name:<28} {:>12.5} {accuracy:>14.4} {step:>9.4}", history.last("loss").unwrap_or(f64::NAN));
        curves.push((name, history.get("loss")));
    }
    match draw("optimizers.svg", &curves) {
        Ok(()) => println!("\ncurves: optimizers.svg"),
        Err(error) => eprintln!("\noptimizers.svg: {error}"),
    }
    Ok(())
}

fn optimizers() -> Vec<(&'static str, Optimizer)> {
    vec![
        ("SGD", Sgd::new(0.05).into()),
        ("SGD, momentum", Sgd::new(0.05).momentum(0.9).into()),
        ("SGD, Nesterov", Sgd::new(0.05).momentum(0.9).nesterov().into()),
        ("Adagrad", Adagrad::new(0.02).into()),
        ("Adadelta", Adadelta::default().into()),
        ("RMSprop", RmsProp::new(0.001).into()),
        ("Adam", Adam::new(0.003).into()),
        ("Adam, AMSGrad", Adam::new(0.003).amsgrad().into()),
        ("AdamW", AdamW::new(0.003).into()),
        ("Adam, L2, norm clipped to 1", Adam::new(0.003).l2(1e-4).clip_norm(1.0)),
        ("Adamax", Adamax::new(0.004).into()),
        ("Nadam", Nadam::new(0.003).into()),
    ]
}

/// A panel for each optimizer: its loss, and the others' behind it.
fn draw(path: &str, curves: &[(&str, Vec<f64>)]) -> Result<()> {
    let losses = || curves.iter().flat_map(|(_, losses)| losses).copied().filter(|loss| loss.is_finite());
    let points = |losses: &[f64]| -> Vec<_> { (1..).map(f64::from).zip(losses.iter().copied()).collect() };
    let panels = curves.iter().map(|(name, own)| {
        let last = own.last().copied().unwrap_or(f64::NAN);
        let mut panel = Chart::new(format!("{name}: {last:.4}")).size(320, 240).whole_x().log_y();
        panel = panel.x_label("epoch").y_label("training loss");
        panel = curves.iter().fold(panel, |panel, (_, losses)| panel.reference("", points(losses)));
        panel.line("", points(own))
    });
    let title = format!("training loss, {:.4} at best", losses().fold(f64::INFINITY, f64::min));
    Page::new(title, panels).columns(4).write_svg(path)
}
