//! How far will the disease have come in a year? Three outputs, each with a quantile as its loss, give a median and an
//! interval that nine of ten patients should fall into.
//!
//! `cargo run --release --example diabetes`
//!
//! Writes `diabetes.svg`: predictions and intervals against the truth, and the residuals.

#[path = "common/arguments.rs"]
mod arguments;

use axone::data::{Standardizer, diabetes};
use axone::metrics::{Residuals, mae, r2};
use axone::prelude::*;

const QUANTILES: [f32; 3] = [0.05, 0.5, 0.95];
const USAGE: &str = "usage: diabetes

Predicts the progression of diabetes with an interval. Writes diabetes.svg. AXONE_DEVICE names a device.";

fn main() -> Result<()> {
    arguments::none(USAGE);
    let table = diabetes()?;
    let (train, test) = table.dataset.train_test_split(0.3, 1)?;
    let (inputs, target) = (Standardizer::fit(&train.inputs()[0])?, Standardizer::fit(&progression(&train))?);
    let ready = |part: &Dataset| -> Result<Dataset> {
        let y = target.transform(&progression(part))?;
        Dataset::new(inputs.transform(&part.inputs()[0])?, y.clone())?.with_target(y.clone())?.with_target(y)
    };
    let (train, rest) = (ready(&train)?, ready(&test)?);

    let mut net = Network::new();
    let patient = net.input("patient", 10)?;
    let hidden = net.apply(Dense::new(16).activation(Activation::Tanh), patient)?;
    for quantile in QUANTILES {
        let y = net.apply(Dense::new(1).named(format!("q{:02.0}", 100.0 * quantile)), hidden)?;
        net.output(y)?;
    }
    let mut model = net.compile(Device::auto()?, QUANTILES.map(Loss::Quantile), Adam::new(0.003).l2(1e-2))?;
    model.fit(&train, &Fit::new().epochs(120).batch_size(16).seed(1).silent())?;

    let outputs = model.predict_all(rest.inputs())?;
    let points: Result<Vec<Matrix>> = outputs.iter().map(|y| target.inverse(y)).collect();
    let (points, truth) = (points?, progression(&test));
    let [low, median, high] = points.as_slice() else { return Err(Error::Internal("three outputs".to_owned())) };
    let residuals = Residuals::new(truth.data(), median.data())?.with_intervals(low.data(), high.data())?;
    residuals.clone().quantity("progression (points)").write_svg("diabetes.svg")?;

    let width = high.data().iter().zip(low.data()).map(|(high, low)| high - low).sum::<f32>() / high.rows() as f32;
    println!("picture: diabetes.svg");
    println!("R²: {:.4}", r2(truth.data(), median.data(), None)?);
    println!("mean absolute error: {:.1}", mae(truth.data(), median.data(), None)?);
    println!("share within the interval: {:.3}", residuals.covered().unwrap_or(f64::NAN));
    println!("mean width of the interval: {width:.1}");
    Ok(())
}

fn progression(part: &Dataset) -> Matrix {
    part.targets()[0].values().cloned().unwrap_or_default()
}
