//! A set larger than memory against the same rows in memory: rows a second, and how much memory that takes.
//!
//! `cargo bench --bench stream [-- MIB] [--gpu]`; AXONE_BENCH_DEVICE names the adapter of `--gpu`.
//!
//! The network is 784-128-10, the batch 128. Chunks are generated where a reader would read them. A round is an epoch of the
//! stream between two of a set in memory, in the same order of things: shuffled, or not. Peaks of memory are those of the
//! whole process while the stream is trained on, as Linux counts them (VmHWM).

#![allow(clippy::expect_used, missing_docs, reason = "a benchmark stops at the first surprise")]

#[path = "../examples/common/arguments.rs"]
mod arguments;

use axone::data::Stream;
use axone::prelude::*;
use std::time::Instant;

const USAGE: &str = "usage: stream [MIB] [--gpu]

Trains on a generated set of MIB MiB (256) in 64 MiB of device memory, and on one that memory holds. --gpu takes the adapter that AXONE_BENCH_DEVICE names (a software one) in place of the CPU backend.";

const COLUMNS: usize = 784;
const ROW: usize = 4 * (COLUMNS + 1);
const BATCH: usize = 128;
/// Rows of a chunk, of a window (10 and 25 MiB), and of the set in memory (32 MiB).
const CHUNK: usize = 3328;
const WINDOW: usize = 64 * BATCH;
const RESIDENT: usize = 84 * BATCH;
const BUDGET: u64 = 64 << 20;

/// Rows of noise in [0, 1), with the class in one of the first ten columns. A number is a hash of its place, so that no
/// number waits for the one before it.
fn rows(rows: std::ops::Range<usize>) -> Result<Dataset> {
    let first = (rows.start * COLUMNS) as u32;
    let number = |i: u32| {
        let hash = first.wrapping_add(i).wrapping_mul(0x9e37_79b1);
        let hash = (hash ^ (hash >> 15)).wrapping_mul(0x85eb_ca77);
        f32::from_bits(0x3f80_0000 | (hash >> 9)) - 1.0
    };
    let mut x: Vec<f32> = (0..(rows.len() * COLUMNS) as u32).map(number).collect();
    let classes: Vec<u32> = rows.map(|row| (row % 10) as u32).collect();
    x.chunks_mut(COLUMNS).zip(&classes).for_each(|(row, class)| row[*class as usize] += 2.0);
    Dataset::new(Matrix::new(classes.len(), COLUMNS, x)?, classes)
}

/// A peak of this process in bytes: `VmHWM` of its memory, so far.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib << 10)
}

/// Device memory at the end of an epoch, where all that a run binds is bound.
#[derive(Default)]
struct DeviceBytes(u64);

impl Callback for DeviceBytes {
    fn epoch_end(&mut self, run: &mut Run<'_>) -> Result<()> {
        self.0 = run.model().device_bytes();
        Ok(())
    }
}

fn main() -> Result<()> {
    let (mut mib, mut gpu) = (256usize, false);
    let mut arguments = arguments::Arguments::new(USAGE);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" | "--test" | "--quick" => {}
            "--gpu" => gpu = true,
            option if option.starts_with('-') => arguments.unknown(option),
            size => mib = arguments.parse("MIB", size),
        }
    }
    let wanted = std::env::var("AXONE_BENCH_DEVICE").unwrap_or_else(|_| "software".to_owned());
    let device = if gpu { Device::named(&wanted)? } else { Device::cpu() };
    let all = (mib << 20).div_ceil(ROW).max(RESIDENT);
    let stream = Stream::ranges(all, CHUNK, rows);
    println!("device: {}", device.info());
    println!(
        "set: {all} rows x {COLUMNS} columns, {mib} MiB, in chunks of {:.1} MiB",
        (CHUNK * ROW) as f64 / 1048576.0
    );
    println!("in memory: {RESIDENT} rows, {:.1} MiB", (RESIDENT * ROW) as f64 / 1048576.0);
    println!("network: 784-128-10, batch {BATCH}, Adam; {} MiB of device memory for data", BUDGET >> 20);

    let begun = Instant::now();
    let generated = 100_000.min(all);
    for first in (0..generated).step_by(CHUNK) {
        std::hint::black_box(rows(first..first + CHUNK)?);
    }
    println!(
        "generator alone: {:.0} rows/s",
        generated.div_ceil(CHUNK) as f64 * CHUNK as f64 / begun.elapsed().as_secs_f64()
    );

    let net = Sequential::new(COLUMNS).add(Dense::new(128).activation(Activation::Relu));
    let net = net.add(Dense::new(10).activation(Activation::Softmax));
    let mut model = net.compile(device, Loss::CategoricalCrossEntropy, Adam::default())?;
    let settings = || Fit::new().batch_size(BATCH).data_budget(BUDGET).silent();
    let in_memory = |model: &mut Model, shuffle: bool| -> Result<f64> {
        let data = rows(0..RESIDENT)?;
        let fit = if shuffle { settings() } else { settings().without_shuffle() };
        let history = model.fit(&data, &fit.epochs(7))?;
        let mut seconds: Vec<f64> = history.epochs.iter().map(|epoch| epoch.seconds).collect();
        seconds.sort_by(f64::total_cmp);
        Ok(RESIDENT as f64 / seconds[3])
    };
    for shuffle in [false, true] {
        let before = in_memory(&mut model, shuffle)?;
        // What was there before does not count, where Linux lets the count begin anew.
        let anew = std::fs::write("/proc/self/clear_refs", "5").is_ok();
        let used = std::sync::Arc::new(std::sync::Mutex::new(DeviceBytes::default()));
        let stream = if shuffle { stream.clone().shuffle(WINDOW, 1) } else { stream.clone() };
        let history = model.fit(&stream, &settings().epochs(1).callback(used.clone()))?;
        let streamed = all as f64 / history.epochs[0].seconds;
        let (host, device) = (peak(), used.lock().expect("no run panicked").0);
        let after = in_memory(&mut model, shuffle)?;
        let name = if shuffle { "shuffled" } else { "in order" };
        let resident = before.midpoint(after);
        println!("\n{name}:");
        println!("  in memory: {before:.0} and {after:.0} rows/s (medians of 7 epochs, before and after)");
        println!(
            "  streamed: {streamed:.0} rows/s in {:.1} s, loss {:.4}",
            history.epochs[0].seconds,
            history.last("loss").unwrap_or(f64::NAN)
        );
        println!("  streamed / in memory: {:.3}", streamed / resident);
        let since = if anew { "while the stream was trained on" } else { "of the whole run" };
        match host {
            Some(bytes) => println!("  peak host memory: {:.1} MiB ({since})", bytes as f64 / 1048576.0),
            None => println!("  peak host memory: not known here"),
        }
        println!("  device memory, with weights and activations: {:.1} MiB", device as f64 / 1048576.0);
    }
    Ok(())
}
