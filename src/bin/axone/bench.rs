//! `axone bench`: training steps and predictions a second, on random data.

use crate::arguments::{Bench, Common, Widths};
use crate::said::{Failure, Said};
use axone::data::Matrix;
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use serde_json::json;
use std::time::{Duration, Instant};

/// Rows of the predictions that are timed.
const ROWS: [usize; 3] = [1, 16, 1000];

pub fn run(args: &Bench, common: &Common) -> Result<Said, Failure> {
    if !(args.seconds > 0.0 && args.seconds <= 600.0) || args.batch == 0 {
        return Err(Failure::usage(format!("--seconds {} --batch {}: more than 0", args.seconds, args.batch)));
    }
    let devices: Vec<Device> = match common.named_device() {
        Some(name) => vec![Device::named(name)?],
        None => (0..Device::list().len()).map(Device::at).collect::<Result<_>>()?,
    };
    let mut text = format!("{}, steps of {} rows by Adam\n", args.net.text, args.batch);
    let mut rows = Vec::new();
    for device in devices {
        let mut model = model(&args.net, device.clone())?;
        let steps = steps(&mut model, args)?;
        let predictor = model.predictor()?;
        let mut predictions = Vec::new();
        for rows in ROWS {
            let x = random(rows, args.net.inputs)?;
            let once = timed(args.seconds, || predictor.predict(&x).map(drop))?;
            predictions.push((rows, once));
        }
        text += &format!("\n{}\n  training   {steps:>12.1} steps/s\n", device.info());
        for (rows, seconds) in &predictions {
            text += &format!("  predicting {rows:>5} rows in {:>9.1} µs\n", seconds * 1e6);
        }
        let predictions = predictions.iter().map(|(rows, seconds)| json!({ "rows": rows, "seconds": seconds }));
        let predictions: Vec<_> = predictions.collect();
        rows.push(
            json!({ "device": device.info().to_string(), "steps_per_second": steps, "predictions": predictions }),
        );
    }
    Ok(Said::new(text, json!({ "net": args.net.text, "batch": args.batch, "devices": rows })))
}

fn model(net: &Widths, device: Device) -> Result<Model> {
    let mut layers = Sequential::new(net.inputs);
    for (i, units) in net.units.iter().enumerate() {
        let last = i + 1 == net.units.len();
        layers = layers.add(Dense::new(*units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    layers.compile(device, Loss::CategoricalCrossEntropy, Adam::default())
}

fn random(rows: usize, columns: usize) -> Result<Matrix> {
    let number = |at: usize| uniform(threefry2x32([1, 2], [at as u32, 0])[0]);
    Matrix::new(rows, columns, (0..rows * columns).map(number).collect())
}

/// Steps a second: the median epoch, of as many steps as make an epoch long enough for the clock.
fn steps(model: &mut Model, args: &Bench) -> Result<f64> {
    let classes = args.net.units.last().copied().unwrap_or(1) as u32;
    let mut steps = 4;
    loop {
        let rows = args.batch * steps;
        let labels: Vec<u32> = (0..rows as u32).map(|row| row % classes).collect();
        let data = Dataset::new(random(rows, args.net.inputs)?, labels)?;
        let history = model.fit(&data, &Fit::new().batch_size(args.batch).epochs(7).silent())?;
        let mut seconds: Vec<f64> = history.epochs.iter().skip(2).map(|epoch| epoch.seconds).collect();
        if seconds.iter().sum::<f64>() > args.seconds || steps >= 4096 {
            seconds.sort_by(f64::total_cmp);
            return Ok(steps as f64 / seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN));
        }
        steps *= 4;
    }
}

/// Seconds of one call: the median over `seconds`.
fn timed(seconds: f64, mut call: impl FnMut() -> Result<()>) -> Result<f64> {
    call()?;
    let (start, mut times) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs_f64(seconds) || times.is_empty() {
        let begin = Instant::now();
        call()?;
        times.push(begin.elapsed().as_secs_f64());
    }
    times.sort_by(f64::total_cmp);
    Ok(times.get(times.len() / 2).copied().unwrap_or(f64::NAN))
}
