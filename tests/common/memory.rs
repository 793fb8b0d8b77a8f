//! What a model holds: nothing of a run stays behind, and nothing grows.
//!
//! The tests count what the process has allocated, so each runs in a process of its own, as a child of the test that
//! names it.

use super::{labels, matrix};
use axone::prelude::*;
use std::alloc::{GlobalAlloc, Layout, System};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

/// The system's allocator, which counts bytes.
struct Counting;

// SAFETY: every call is handed on to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let live = LIVE.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        PEAK.fetch_max(live, Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as the caller says.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn live() -> usize {
    LIVE.load(Ordering::Relaxed)
}

/// Bytes that `work` leaves behind, and those that it needs on the way.
fn bytes_of(work: impl FnOnce()) -> (usize, usize) {
    let before = live();
    PEAK.store(before, Ordering::Relaxed);
    work();
    (live().saturating_sub(before), PEAK.load(Ordering::Relaxed) - before)
}

/// This binary again, running the ignored test `test` alone.
pub fn alone(test: &str) {
    let mut child = Command::new(std::env::current_exe().unwrap());
    let output = child.args(["--exact", test, "--ignored", "--nocapture"]).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout.as_slice(), &output.stderr].concat()).into_owned();
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

fn data(rows: usize) -> Dataset {
    let x = matrix(1, rows, 100);
    let y = labels(&x, 3);
    Dataset::new(x, y).unwrap()
}

fn model(device: &Device) -> Model {
    let net = Sequential::new(100)
        .add(Dense::new(8).activation(Activation::Tanh))
        .add(Dense::new(3).activation(Activation::Softmax));
    net.compile(device.clone(), Loss::CategoricalCrossEntropy, Adam::new(0.01)).unwrap()
}

fn fit(batch: usize) -> Fit {
    Fit::new().epochs(1).batch_size(batch).silent()
}

/// Validation data of 4 MB are shared with the settings: beside the caller's there is the one that the CPU backend
/// computes on. None of it is there when the run is over.
pub fn data_are_shared_and_let_go(device: &Device) {
    let (few, many) = (data(300), data(10_000));
    let bytes = 4 * many.inputs()[0].data().len();
    let mut model = model(device);
    model.fit(&few, &fit(8).validation(&few)).unwrap();
    let (left, peak) = bytes_of(|| {
        model.fit(&few, &fit(8).validation(&many)).unwrap();
    });
    println!("validation: peak {peak}, left {left} of {bytes}");
    assert!(peak < bytes + bytes / 4, "validation data of {bytes} bytes needed {peak} more");
    assert!(left < bytes / 50, "{left} bytes stay behind");
    type Work<'a> = (&'a str, &'a dyn Fn(&mut Model));
    let works: [Work<'_>; 3] = [
        ("fit", &|model| drop(model.fit(&many, &fit(8)).unwrap())),
        ("evaluate", &|model| drop(model.evaluate(&many).unwrap())),
        ("predict", &|model| drop(model.predict(&many.inputs()[0]).unwrap())),
    ];
    for (name, work) in works {
        let (left, peak) = bytes_of(|| work(&mut model));
        println!("{name}: peak {peak}, left {left} of {bytes}");
        // A prediction has plans of its own from now on: a batch of 1024 rows of 100 inputs.
        let plans = if name == "predict" { 1024 * 4 * (100 + 8 + 3) * 2 } else { 0 };
        assert!(left < plans + bytes / 50, "{left} bytes stay behind {name}");
    }
}

/// Batch sizes and numbers of rows in turn, time and again, end with what they began with.
pub fn nothing_grows(device: &Device) {
    let sets: Vec<Dataset> = [12, 19, 33].into_iter().map(data).collect();
    let mut model = model(device);
    let mut round = || {
        for (set, batch) in sets.iter().zip([3, 5, 8]) {
            model.fit(set, &fit(batch).validation(set)).unwrap();
            model.evaluate(set).unwrap();
            model.predict(&set.inputs()[0]).unwrap();
            model.train_on_batch(set).unwrap();
        }
    };
    (0..8).for_each(|_| round());
    // A leak shows each time; what wgpu keeps ready grows now and then.
    let grown: Vec<usize> = (0..4).map(|_| bytes_of(|| (0..12).for_each(|_| round())).0).collect();
    println!("grown by {grown:?} bytes, each time in 36 runs");
    assert!(grown.iter().any(|grown| *grown < 36 * 24), "grown by {grown:?} bytes, each time in 36 runs");
}

/// A model dropped is a model gone: with what its large products worked in, on every thread. What they pack in has one
/// size for all products and stays with the thread, so a thread that meets its first product late adds to one life; what
/// a model leaves would show in each, as each is larger than the last.
pub fn a_model_leaves_nothing(device: &Device) {
    const FEW: usize = 1 << 17;
    let set = data(128);
    let life = |units: usize| {
        let hidden = || Dense::new(units).activation(Activation::Relu);
        let net = Sequential::new(100).add(hidden()).add(hidden()).add(Dense::new(3));
        let mut model = net.compile(device.clone(), Loss::CategoricalCrossEntropy, Sgd::new(0.01)).unwrap();
        model.fit(&set, &fit(64)).unwrap();
        model.evaluate(&set).unwrap();
    };
    life(256);
    let left_by = |units: usize| {
        let before = live();
        life(units);
        // Threads of the pool let go when they get to it.
        let begun = Instant::now();
        let left = || live().saturating_sub(before);
        while left() > FEW && begun.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(10));
        }
        left()
    };
    let left: Vec<usize> = [512, 768, 1024, 1280].map(left_by).into();
    println!("models with weights of 1 to 6.5 MiB left {left:?} bytes");
    assert!(left.iter().any(|left| *left <= FEW), "models with weights of 1 to 6.5 MiB left {left:?} bytes");
}
