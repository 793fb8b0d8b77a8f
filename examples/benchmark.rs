//! Training steps per second on every device of the machine.
//!
//! `cargo run --release --example benchmark`

use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::time::Instant;

struct Net {
    name: &'static str,
    widths: &'static [usize],
    batch: usize,
}

const NETS: [Net; 2] = [
    Net { name: "big", widths: &[784, 512, 256, 10], batch: 128 },
    Net { name: "tiny", widths: &[64, 32, 10], batch: 32 },
];

fn main() -> Result<()> {
    let only = std::env::args().nth(1);
    for net in &NETS {
        for (name, optimizer) in [("sgd", Optimizer::from(Sgd::new(0.01))), ("adam", Optimizer::from(Adam::default()))]
        {
            for info in Device::list() {
                let device = if info.backend == "cpu" { Device::cpu() } else { Device::named(&info.name)? };
                if only.as_ref().is_some_and(|only| !info.name.contains(only.as_str())) {
                    continue;
                }
                let rate = steps_per_second(net, optimizer, device)?;
                println!("{:<6} {name:<5} {:>10.0} steps/s  {}", net.name, rate, info.name);
            }
        }
    }
    Ok(())
}

fn steps_per_second(net: &Net, optimizer: Optimizer, device: Device) -> Result<f64> {
    let mut layers = Sequential::new(net.widths[0]);
    for (i, &units) in net.widths[1..].iter().enumerate() {
        let last = i + 2 == net.widths.len();
        layers = layers.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    let mut model = layers.compile(device, Loss::CategoricalCrossEntropy, optimizer)?;
    let mut steps = 20;
    loop {
        let rows = net.batch * steps;
        let x: Vec<f32> = (0..rows * net.widths[0]).map(|i| uniform(threefry2x32([1, 2], [i as u32, 0])[0])).collect();
        let y: Vec<u32> = (0..rows as u32).map(|i| i % 10).collect();
        let data = Dataset::new(Matrix::new(rows, net.widths[0], x)?, y)?;
        let fit = Fit::new().batch_size(net.batch).silent();
        let begun = Instant::now();
        let history = model.fit(&data, &fit.clone().epochs(7))?;
        let mut seconds: Vec<f64> = history.epochs[2..].iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        if begun.elapsed().as_secs_f64() > 1.0 || steps > 5000 {
            return Ok(steps as f64 / seconds[seconds.len() / 2]);
        }
        steps *= 4;
    }
}
