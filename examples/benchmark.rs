//! GPU against CPU: training steps per second on every device of this machine, and from which size on a GPU pays.
//!
//! `cargo run --release --example benchmark -- [--device NAME] [--net 784-512-256-10 --batch 128] [--f16]
//! [--json FILE] [--svg FILE] [--crossover]`
//!
//! With `--f16` every device that can store activations in f16 is measured in both precisions.
//!
//! A step is forward, loss, backward and update, as `fit` does it: batches gathered on the device from a data set
//! that lies there, loss and accuracy logged. Each figure is the median of the epochs after a warm-up; data are random.

#[path = "common/arguments.rs"]
mod arguments;

use arguments::Arguments;
use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use plotters::prelude::*;
use std::process::ExitCode;

const USAGE: &str = "usage: benchmark [--device NAME] [--net 784-512-256-10] [--batch 128] [--f16] [--json FILE] [--svg FILE] [--crossover]";
/// Seconds of measuring for one figure, warm-up apart.
const SECONDS: f64 = 1.0;

struct Net {
    name: String,
    widths: Vec<usize>,
    batch: usize,
}

#[derive(serde::Serialize)]
struct Figure {
    net: String,
    optimizer: &'static str,
    device: String,
    precision: &'static str,
    steps_per_second: f64,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("benchmark: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let (mut device, mut widths, mut batch, mut json, mut svg) = (None, None, 128, None, None);
    let (mut crossing, mut f16) = (false, false);
    let mut arguments = Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--device" => device = Some(arguments.value::<String>("--device")),
            "--net" => widths = Some(arguments.widths("--net")),
            "--batch" => batch = arguments.value("--batch"),
            "--json" => json = Some(arguments.value::<String>("--json")),
            "--svg" => svg = Some(arguments.value::<String>("--svg")),
            "--crossover" => crossing = true,
            "--f16" => f16 = true,
            other => arguments.unknown(other),
        }
    }
    let devices: Vec<Device> = match device {
        Some(name) => vec![Device::named(&name)?],
        None => (0..Device::list().len()).map(Device::at).collect::<Result<_>>()?,
    };
    let net = |name: &str, widths: Vec<usize>, batch| Net { name: name.to_owned(), widths, batch };
    let nets = match widths {
        Some(widths) => vec![net("custom", widths, batch)],
        None => vec![net("big", vec![784, 512, 256, 10], 128), net("tiny", vec![64, 32, 10], 32)],
    };

    devices.iter().for_each(|device| println!("{}", device.info()));
    let precisions = if f16 { &[Precision::F32, Precision::F16][..] } else { &[Precision::F32] };
    println!("\n{:<28} {:<9} {:<9} {:>14}  device", "net", "optimizer", "precision", "steps/s");
    let mut figures = Vec::new();
    for net in &nets {
        for (optimizer, settings) in [("sgd", Optimizer::from(Sgd::default())), ("adam", Adam::default().into())] {
            for (device, precision) in devices.iter().flat_map(|device| precisions.iter().map(move |p| (device, *p))) {
                let rate = match steps_per_second(net, settings, device, precision) {
                    Err(Error::Unsupported { .. }) => continue,
                    rate => rate?,
                };
                let precision = if precision == Precision::F16 { "f16" } else { "f32" };
                let sides: Vec<_> = net.widths.iter().map(usize::to_string).collect();
                let text = format!("{} {} x {}", net.name, sides.join("-"), net.batch);
                println!("{text:<28} {optimizer:<9} {precision:<9} {rate:>14.1}  {}", device.info().name);
                let device = device.info().name;
                figures.push(Figure { net: text, optimizer, device, precision, steps_per_second: rate });
            }
        }
    }
    if crossing {
        crossover(&devices)?;
    }
    if let Some(path) = json {
        std::fs::write(path, serde_json::to_string_pretty(&figures)?)?;
    }
    if let Some(path) = svg {
        bars(&figures, &path)?;
    }
    Ok(())
}

fn steps_per_second(net: &Net, optimizer: Optimizer, device: &Device, precision: Precision) -> Result<f64> {
    let mut layers = Sequential::new(net.widths[0]);
    for (i, &units) in net.widths[1..].iter().enumerate() {
        let last = i + 2 == net.widths.len();
        layers = layers.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    let mut model = layers.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer)?;
    model.set_precision(precision)?;
    let (columns, classes) = (net.widths[0], net.widths[net.widths.len() - 1] as u32);
    let mut steps = 4;
    loop {
        let rows = net.batch * steps;
        let x = (0..rows * columns).map(|i| uniform(threefry2x32([1, 2], [i as u32, 0])[0])).collect();
        let y: Vec<u32> = (0..rows as u32).map(|i| i % classes).collect();
        let data = Dataset::new(Matrix::new(rows, columns, x)?, y)?;
        let history = model.fit(&data, &Fit::new().batch_size(net.batch).epochs(7).silent())?;
        let mut seconds: Vec<f64> = history.epochs.iter().skip(2).map(|epoch| epoch.seconds).collect();
        if seconds.iter().sum::<f64>() > SECONDS || steps >= 4096 {
            seconds.sort_by(f64::total_cmp);
            return Ok(steps as f64 / seconds[seconds.len() / 2]);
        }
        steps *= 4;
    }
}

/// From which width on the first device beats the last, the CPU: hidden layers of one width, batch 128.
fn crossover(devices: &[Device]) -> Result<()> {
    let [first, .., cpu] = devices else {
        println!("\ncrossover: needs two devices");
        return Ok(());
    };
    println!("\n{:<28} {:>14} {:>14}", "784-W-W-10, batch 128", first.info().name, cpu.info().name);
    let mut found = None;
    for width in [16, 32, 64, 128, 256, 512, 1024] {
        let net = Net { name: String::new(), widths: vec![784, width, width, 10], batch: 128 };
        let [gpu_rate, cpu_rate] =
            [first, cpu].map(|device| steps_per_second(&net, Sgd::default().into(), device, Precision::F32));
        let (gpu_rate, cpu_rate) = (gpu_rate?, cpu_rate?);
        println!("W = {width:<24} {gpu_rate:>14.1} {cpu_rate:>14.1}");
        if gpu_rate > cpu_rate && found.is_none() {
            found = Some(width);
        }
    }
    match found {
        Some(width) => println!("crossover: {} is faster from W = {width} on", first.info().name),
        None => println!("crossover: {} is slower at every width", first.info().name),
    }
    Ok(())
}

/// One bar for each figure, on a logarithmic scale.
fn bars(figures: &[Figure], path: &str) -> std::result::Result<(), Box<dyn std::error::Error>> {
    let height = 90 + 34 * figures.len() as u32;
    let root = SVGBackend::new(path, (900, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let most = figures.iter().map(|figure| figure.steps_per_second).fold(10.0, f64::max);
    let mut chart = ChartBuilder::on(&root)
        .caption("training steps per second", ("sans-serif", 22))
        .margin(16)
        .x_label_area_size(36)
        .build_cartesian_2d((1.0..most * 40.0).log_scale(), 0.0..figures.len() as f64)?;
    chart.configure_mesh().disable_y_mesh().disable_y_axis().x_desc("steps/s").draw()?;
    for (i, figure) in figures.iter().enumerate() {
        let top = (figures.len() - i) as f64;
        let color = if figure.device == "CPU" { RGBColor(213, 94, 0) } else { RGBColor(0, 114, 178) };
        chart.draw_series([Rectangle::new(
            [(1.0, top - 0.75), (figure.steps_per_second, top - 0.25)],
            color.filled(),
        )])?;
        let Figure { net, optimizer, device, precision, .. } = figure;
        let text = format!("{:.0}  {net}, {optimizer}, {precision}, {device}", figure.steps_per_second);
        let at = (figure.steps_per_second * 1.1, top - 0.36);
        chart.draw_series([Text::new(text, at, ("sans-serif", 13))])?;
    }
    root.present()?;
    Ok(())
}
