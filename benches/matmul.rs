//! The matrix product: GFLOP/s of every tile at the shapes of a dense network.
//!
//! `cargo bench --bench matmul [-- PART_OF_DEVICE_NAME]`
//!
//! A network 784-512-256-10 at batch 128 multiplies `x W` forward (nn, with bias and activation), `dz Wᵀ` (nt, with
//! the activation's gradient) and `xᵀ dz` backward (tn, with the bias gradient). Tiles take turns, so that a busy
//! machine slows all alike; a figure is the median of the turns. The last column is what the device would choose. Where
//! the adapter has f16, a second table has all matrices but the bias in f16, with the tiles of cooperative matrices.

#[path = "../examples/common/arguments.rs"]
mod arguments;

use axone::kernels::{Activation, Epilogue, Kernel, Matmul, Spec, Step, Tile};
use axone::plan::{ALIGNMENT, Buffer, BufferRange, Executor, Plan, PlanId, PlanStep, Storage};
use axone::random::{threefry2x32, uniform};
use axone::{Device, DeviceKind, Error, Result};
use std::process::ExitCode;
use std::time::Instant;

/// Rows and columns of `c`, length of the sums, form.
const SHAPES: [(usize, usize, usize, &str); 23] = [
    (128, 512, 784, "nn"),
    (128, 256, 512, "nn"),
    (128, 10, 256, "nn"),
    (784, 512, 128, "tn"),
    (512, 256, 128, "tn"),
    (256, 10, 128, "tn"),
    (128, 512, 256, "nt"),
    (128, 256, 10, "nt"),
    (32, 32, 64, "nn"),
    (32, 10, 32, "nn"),
    (64, 32, 32, "tn"),
    (32, 10, 32, "tn"),
    (32, 32, 10, "nt"),
    (1, 512, 784, "nn"),
    (1, 10, 256, "nn"),
    (784, 512, 1, "tn"),
    (1, 256, 10, "nt"),
    (1, 512, 256, "nt"),
    (4096, 10, 784, "nn"),
    (512, 512, 512, "nn"),
    (1024, 1024, 1024, "nn"),
    (2048, 2048, 2048, "nn"),
    (4096, 4096, 4096, "nn"),
];
const TURNS: usize = 7;
/// A turn lasts about this long.
const TURN_SECONDS: f64 = 0.03;
/// What the table of f16 leaves out: rows, columns or sums shorter than this.
const LEAST_HALF: usize = 128;
/// Software adapters skip products beyond this many floating-point operations.
const SOFTWARE_FLOP: f64 = 1e9;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("matmul: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let wanted =
        arguments::filter("usage: matmul [PART_OF_DEVICE_NAME]\n\nGFLOP/s of every tile of the matrix product.");
    for info in Device::list() {
        if info.kind == DeviceKind::Cpu || !info.name.to_lowercase().contains(&wanted.to_lowercase()) {
            continue;
        }
        println!("{info}");
        let device = Device::named(&info.name)?;
        let largest = if info.kind == DeviceKind::Software { SOFTWARE_FLOP } else { f64::INFINITY };
        table(&device, "f32", &Tile::ALL, |m, n, k| 2.0 * (m * n * k) as f64 <= largest)?;
        if info.features.iter().any(|feature| feature == "f16") {
            let tiles = [&Tile::ALL[..], &Tile::COOPERATIVE].concat();
            let large = |m, n, k| [m, n, k].into_iter().all(|size| size >= LEAST_HALF);
            table(&device, "f16", &tiles, |m, n, k| 2.0 * (m * n * k) as f64 <= largest && large(m, n, k))?;
        }
    }
    Ok(())
}

/// The rates of `tiles` and of the device's own choice at every size that is `wanted`.
fn table(device: &Device, title: &str, tiles: &[Tile], wanted: impl Fn(usize, usize, usize) -> bool) -> Result<()> {
    print!("  {:<22} {:<8}", format!("{title}: m x n x k"), "form");
    tiles.iter().for_each(|tile| print!(" {:>13}", format!("{tile}")));
    println!(" {:>13}  GFLOP/s", "chosen");
    for (m, n, k, form) in SHAPES.into_iter().filter(|(m, n, k, _)| wanted(*m, *n, *k)) {
        print!("  {:<22} {form:<8}", format!("{m} x {n} x {k}"));
        for rate in rates(device, tiles, title == "f16", (m, n, k), form)? {
            match rate {
                Some(rate) => print!(" {rate:>13.1}"),
                None => print!(" {:>13}", "-"),
            }
        }
        println!();
    }
    Ok(())
}

/// Every tile, then the device's own choice; `None` where the device cannot run it.
fn rates(
    device: &Device,
    tiles: &[Tile],
    half: bool,
    (m, n, k): (usize, usize, usize),
    form: &str,
) -> Result<Vec<Option<f64>>> {
    let epilogue = match form {
        "nn" => Epilogue::Bias(Activation::Relu),
        "nt" => Epilogue::Gradient(Activation::Relu),
        _ => Epilogue::BiasRow { at: (m * n).next_multiple_of(ALIGNMENT) },
    };
    let product = Matmul::new(m, n, k, form.starts_with('t'), form.ends_with('t')).with_epilogue(epilogue);
    let tiles = tiles.iter().copied().map(Some).chain([None]);
    let mut runs = Vec::new();
    for tile in tiles {
        runs.push(match Run::new(device, Matmul { tile, ..product.clone() }, half) {
            Ok(run) => Some(run),
            Err(Error::Unsupported { .. }) => None,
            Err(error) => return Err(error),
        });
    }
    for _ in 0..TURNS {
        for run in runs.iter_mut().flatten() {
            run.turn()?;
        }
    }
    let flop = 2.0 * (m * n * k) as f64;
    Ok(runs.into_iter().map(|run| run.map(|run| flop / run.median() * 1e-9)).collect())
}

struct Run {
    executor: Box<dyn Executor>,
    id: PlanId,
    repeats: usize,
    seconds: Vec<f64>,
}

impl Run {
    /// Buffers with random numbers, the pipeline compiled and warm.
    fn new(device: &Device, product: Matmul, half: bool) -> Result<Self> {
        let (sizes, bindings) = (product.sizes(), product.entry().bindings);
        let storages: Vec<Storage> =
            sizes.iter().zip(bindings).map(|(&len, binding)| Storage { len, half: half && binding.half }).collect();
        let operands = sizes.iter().enumerate().map(|(i, &len)| BufferRange::of(Buffer::Temporary(i), len)).collect();
        let step = PlanStep { kernel: Kernel::Matmul(product), operands, name: "matmul".to_owned() };
        let plan = Plan::of_one(step, storages);
        let mut executor = device.executor();
        let id = executor.load(&plan)?;
        executor.bind_data(id, 1, 4096)?;
        for (i, &len) in sizes.iter().enumerate() {
            let data: Vec<f32> =
                (0..len as u32).map(|x| uniform(threefry2x32([i as u32, 1], [x, 0])[0]) - 0.5).collect();
            executor.write(id, Buffer::Temporary(i), 0, &data)?;
        }
        let mut run = Self { executor, id, repeats: 1, seconds: Vec::new() };
        run.time()?;
        let once = run.time()?.min(run.time()?);
        run.repeats = (TURN_SECONDS / once).clamp(1.0, 4096.0) as usize;
        run.time()?;
        Ok(run)
    }

    /// Seconds of all repeats together.
    fn time(&mut self) -> Result<f64> {
        let steps = vec![Step::default(); self.repeats];
        let begun = Instant::now();
        self.executor.run(self.id, &steps)?;
        self.executor.wait()?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn turn(&mut self) -> Result<()> {
        let seconds = self.time()? / self.repeats as f64;
        self.seconds.push(seconds);
        Ok(())
    }

    fn median(&self) -> f64 {
        let mut sorted = self.seconds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted[sorted.len() / 2]
    }
}
