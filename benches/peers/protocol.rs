//! What the programs of this folder have in common, so that `run.py` can let them take turns.
//!
//! For each line `NET OPTIMIZER SECONDS` on standard input, a program prints one line `NAME NET OPTIMIZER RATE`:
//!
//! - NET: `big` (784-512-256-10, batch 128), `tiny` (64-32-10, batch 32), `wide` (4096-4096-4096-10, batch 4096, for
//!   large GPUs), or `matmul` (a product of 512 x 512 x 512 in f32, whose OPTIMIZER is `-`). Hidden layers are relu,
//!   the last is softmax, the loss is cross-entropy.
//! - OPTIMIZER: `sgd` without momentum, or `adam`; with `-f16` behind it, in mixed precision. Or `predict-N`: a step is
//!   a prediction of N rows.
//! - RATE: steps per second, or GFLOP/s of the product, over at least SECONDS; `unsupported` where there is no such
//!   work.
//!
//! The first line for a pair builds the network and warms it up, untimed. With SECONDS 0 the program instead makes the
//! first step, waits for its end and answers: the caller has the time since the start of the process.
//! A first line that begins with `#` says what runs.

#![allow(dead_code, reason = "not every program uses all of it")]

#[path = "../../examples/common/arguments.rs"]
pub mod arguments;

use arguments::Arguments;
use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Instant;

/// Seconds before the first timed turn of a pair, and the fewest steps in them.
const WARM_UP: (f64, usize) = (2.0, 20);
/// A chunk of steps, at whose end a program waits for its device, lasts about this long or has this many steps.
const CHUNK: (f64, usize) = (0.1, 4096);
/// The side of the square product.
pub const SIDE: usize = 512;

/// A network and its batch.
#[derive(Debug, Clone, Copy)]
pub struct Net {
    /// Inputs, hidden layers, classes.
    pub widths: &'static [usize],
    /// Rows of a batch.
    pub batch: usize,
}

impl Net {
    /// `None` where `name` is no network.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "big" => Some(Self { widths: &[784, 512, 256, 10], batch: 128 }),
            "tiny" => Some(Self { widths: &[64, 32, 10], batch: 32 }),
            "wide" => Some(Self { widths: &[4096, 4096, 4096, 10], batch: 4096 }),
            _ => None,
        }
    }

    /// Inputs of `batches` batches.
    pub fn inputs(&self, batches: usize) -> Vec<f32> {
        noise(batches * self.batch * self.widths[0], 1)
    }

    /// Classes of `batches` batches.
    pub fn classes(&self, batches: usize) -> Vec<u32> {
        let classes = self.widths[self.widths.len() - 1] as u32;
        (0..(batches * self.batch) as u32).map(|row| row % classes).collect()
    }
}

/// Numbers in [0, 1): a linear congruential generator suffices, since no result depends on them.
pub fn noise(len: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1u64 << 24) as f32
    };
    (0..len).map(|_| next()).collect()
}

/// What is measured.
pub trait Work {
    /// Makes about `count` steps and waits for their end: how many it made, and the seconds they took.
    fn steps(&mut self, count: usize) -> (usize, f64);

    /// Makes the first step and waits for its end.
    fn first(&mut self) {
        self.steps(1);
    }
}

/// Steps of which each is a call, and a call that waits for all of them.
pub struct Calls<S, W> {
    /// One step.
    pub step: S,
    /// Returns when all steps are done.
    pub wait: W,
}

impl<S: FnMut(), W: FnMut()> Work for Calls<S, W> {
    fn steps(&mut self, count: usize) -> (usize, f64) {
        let begun = Instant::now();
        for _ in 0..count {
            (self.step)();
        }
        (self.wait)();
        (count, begun.elapsed().as_secs_f64())
    }
}

struct Ready {
    work: Box<dyn Work>,
    chunk: usize,
}

impl Ready {
    fn warm_up(mut work: Box<dyn Work>) -> Self {
        let begun = Instant::now();
        let (mut chunk, mut made) = (1, 0);
        loop {
            let (steps, seconds) = work.steps(chunk);
            made += steps;
            let full = seconds * chunk as f64 / steps as f64 >= CHUNK.0 || chunk >= CHUNK.1;
            if full && begun.elapsed().as_secs_f64() > WARM_UP.0 && made >= WARM_UP.1 {
                return Self { work, chunk };
            }
            if !full {
                chunk *= 2;
            }
        }
    }

    /// Steps per second.
    fn turn(&mut self, wanted: f64) -> f64 {
        let (mut made, mut took) = (0, 0.0);
        while took < wanted {
            let (steps, seconds) = self.work.steps(self.chunk);
            made += steps;
            took += seconds;
        }
        made as f64 / took
    }
}

/// The one argument of a program, the name that it answers by; `default` without it.
pub fn name(usage: &'static str, default: &str) -> String {
    let mut arguments = Arguments::new(usage);
    let name = arguments.plain().unwrap_or_else(|| default.to_owned());
    arguments.end();
    name
}

/// Answers standard input until it ends. `make` builds the work of a net and an optimizer, or `None`.
pub fn serve(name: &str, about: &str, mut make: impl FnMut(&str, &str) -> Option<Box<dyn Work>>) {
    let say = |line: String| {
        println!("{line}");
        std::io::stdout().flush().expect("standard output is open");
    };
    say(format!("# {name}: {about}"));
    let mut known: HashMap<(String, String), Ready> = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("standard input is text");
        let words: Vec<&str> = line.split_whitespace().collect();
        let [net, optimizer, seconds] = words[..] else {
            panic!("expected NET OPTIMIZER SECONDS, got {line:?}");
        };
        let seconds: f64 = seconds.parse().expect("SECONDS is a number");
        let pair = (net.to_owned(), optimizer.to_owned());
        if !known.contains_key(&pair) {
            let Some(mut work) = make(net, optimizer) else {
                say(format!("{name} {net} {optimizer} unsupported"));
                continue;
            };
            if seconds == 0.0 {
                work.first();
                say(format!("{name} {net} {optimizer} first"));
                continue;
            }
            known.insert(pair.clone(), Ready::warm_up(work));
        }
        let rate = known.get_mut(&pair).expect("it was put there").turn(seconds);
        let scale = if net == "matmul" { 2e-9 * (SIDE * SIDE * SIDE) as f64 } else { 1.0 };
        say(format!("{name} {net} {optimizer} {:.2}", rate * scale));
    }
}
