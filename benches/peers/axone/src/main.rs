//! axone. `axone-peer NAME DEVICE`, then lines as `protocol.rs` says. DEVICE is what `Device::named` takes: `cpu`,
//! `software` or a part of an adapter's name.
//!
//! A step is one of `Model::fit`: the batch is gathered on the device from a data set of as many batches as a chunk
//! has steps, in a new order each epoch, and its loss and accuracy are logged. The log is read back once an epoch.

#[cfg(feature = "grid")]
mod grid;
#[path = "../../protocol.rs"]
mod protocol;

use axone::kernels::{Kernel, Matmul, Spec, Step};
use axone::plan::{Buffer, Executor, Plan, PlanId, PlanStep, Range};
use axone::prelude::*;
use protocol::arguments::Arguments;
use protocol::{Calls, Net, SIDE, Work, noise, serve};
use std::time::Instant;

const USAGE: &str = "usage: axone-peer [NAME] [DEVICE], then NET OPTIMIZER SECONDS on each line of standard input";
/// Epochs whose time counts, each of a chunk of steps; one before them brings the data to the device.
const EPOCHS: usize = 4;

struct Training {
    model: Model,
    net: Net,
    data: Dataset,
}

impl Training {
    fn fit(&mut self, epochs: usize) -> Result<Vec<f64>> {
        let settings = Fit::new().batch_size(self.net.batch).epochs(epochs).silent();
        let history = self.model.fit(&self.data, &settings)?;
        Ok(history.epochs.iter().map(|epoch| epoch.seconds).collect())
    }
}

impl Work for Training {
    fn steps(&mut self, count: usize) -> (usize, f64) {
        if self.data.len() != count * self.net.batch {
            self.data = data(&self.net, count).expect("lengths agree");
        }
        let seconds = self.fit(1 + EPOCHS).expect("trains");
        (EPOCHS * count, seconds[1..].iter().sum())
    }

    fn first(&mut self) {
        self.fit(1).expect("trains");
    }
}

struct Product {
    executor: Box<dyn Executor>,
    id: PlanId,
}

impl Work for Product {
    fn steps(&mut self, count: usize) -> (usize, f64) {
        let steps = vec![Step::default(); count];
        let begun = Instant::now();
        self.executor.run(self.id, &steps).and_then(|()| self.executor.wait()).expect("runs");
        (count, begun.elapsed().as_secs_f64())
    }
}

fn main() -> Result<()> {
    let mut arguments = Arguments::new(USAGE);
    let mut next = |default: &str| arguments.plain().unwrap_or_else(|| default.to_owned());
    let (name, device) = (next("axone"), next("auto"));
    arguments.end();
    #[cfg(feature = "grid")]
    if name == "axone-grid" {
        return grid::serve(&name);
    }
    let device = Device::named(&device)?;
    let about = format!("axone, {}", device.info());
    serve(&name, &about, |net, optimizer| make(&device, net, optimizer).expect("compiles"));
    Ok(())
}

fn make(device: &Device, net: &str, optimizer: &str) -> Result<Option<Box<dyn Work>>> {
    if net == "matmul" {
        return Ok(Some(Box::new(product(device)?)));
    }
    let (optimizer, precision) = match optimizer.strip_suffix("-f16") {
        Some(optimizer) => (optimizer, Precision::F16),
        None => (optimizer, Precision::F32),
    };
    let rows = optimizer.strip_prefix("predict-").map(|rows| rows.parse().expect("a number of rows"));
    let optimizer = match if rows.is_some() { "sgd" } else { optimizer } {
        "sgd" => Optimizer::from(Sgd::default()),
        "adam" => Adam::default().into(),
        _ => return Ok(None),
    };
    let Some(net) = Net::named(net) else { return Ok(None) };
    let mut layers = Sequential::new(net.widths[0]);
    for (i, &units) in net.widths[1..].iter().enumerate() {
        let last = i + 2 == net.widths.len();
        layers = layers.add(Dense::new(units).activation(if last { Activation::Softmax } else { Activation::Relu }));
    }
    let mut model = layers.compile(device.clone(), Loss::CategoricalCrossEntropy, optimizer)?;
    if let Some(rows) = rows {
        let x = Matrix::new(rows, net.widths[0], noise(rows * net.widths[0], 1))?;
        let predictor = model.predictor()?;
        let step = move || drop(predictor.predict(&x).expect("predicts"));
        return Ok(Some(Box::new(Calls { step, wait: || {} })));
    }
    if model.set_precision(precision).is_err() {
        return Ok(None);
    }
    Ok(Some(Box::new(Training { model, net, data: data(&net, 1)? })))
}

fn data(net: &Net, batches: usize) -> Result<Dataset> {
    let x = Matrix::new(batches * net.batch, net.widths[0], net.inputs(batches))?;
    Dataset::new(x, net.classes(batches))
}

fn product(device: &Device) -> Result<Product> {
    let product = Matmul::new(SIDE, SIDE, SIDE, false, false);
    let sizes = product.sizes();
    let operands = sizes.iter().enumerate().map(|(i, &len)| Range::of(Buffer::Activation(i), len)).collect();
    let step = PlanStep { kernel: Kernel::Matmul(product), operands, name: "matmul".to_owned() };
    let plan = Plan::of_one(step, sizes.clone());
    let mut executor = device.executor();
    let id = executor.load(&plan)?;
    executor.bind_data(id, 1, 4096)?;
    for (i, &len) in sizes.iter().enumerate() {
        executor.write(id, Buffer::Activation(i), 0, &noise(len, i as u64))?;
    }
    Ok(Product { executor, id })
}
