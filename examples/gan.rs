//! Two networks against each other: a generator makes points of noise, and a critic scores them against points that lie
//! around eight centres on a circle. The critic's slope is held near 1 by a gradient penalty (WGAN-GP, Gulrajani et al.
//! 2017), which is a derivative inside its loss.
//!
//! `cargo run --release --example gan`

#[path = "common/arguments.rs"]
mod arguments;

use axone::prelude::*;
use axone::random::{threefry2x32, uniform};
use std::f32::consts::TAU;
use std::process::ExitCode;

const ROUNDS: u32 = 3000;
/// Steps of the critic in a round, and rows of a batch.
const CRITIC_STEPS: u32 = 3;
const BATCH: usize = 128;
const MODES: u32 = 8;

const USAGE: &str = "usage: gan

Trains a generator of points around eight centres against a critic with a gradient penalty. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("gan: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let device = Device::auto()?;
    let adam = Adam { beta1: 0.5, beta2: 0.9, ..Adam::new(1e-3) };
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let mut generator = Sequential::new(2).add(relu(64)).add(relu(64)).add(Dense::new(2)).compile(
        device.clone(),
        Losses::none(),
        adam,
    )?;
    let mut critic = critic()?.compile(device, [(Loss::MeanSquaredError, 0.0)], adam)?;
    println!("{}\n", critic.summary());

    // The score of what the generator makes is to rise.
    let upwards = [Matrix::new(BATCH, 1, vec![-1.0 / BATCH as f32; BATCH])?];
    for round in 0..ROUNDS {
        for step in 0..CRITIC_STEPS {
            let seed = 2 * (round * CRITIC_STEPS + step);
            let made = generator.predict(&noise(seed)?)?;
            let batch = Dataset::new(points(seed)?, vec![0.0; BATCH])?;
            critic.queue_step(&batch.with_input(made)?.with_input(shares(seed)?)?)?;
        }
        let seed = 2 * round * CRITIC_STEPS + 1;
        let noise = [noise(seed)?];
        let made = generator.forward(&noise)?.remove(0);
        let slopes = critic.input_gradients(&[points(seed)?, made, shares(seed)?], &upwards)?;
        generator.backward(&noise, &slopes[1..2])?;
        generator.apply_gradients()?;
        if (round + 1) % (ROUNDS / 5) == 0 {
            let values = critic.last_evaluation()?;
            let of = |name| values.get(name).unwrap_or(f64::NAN);
            println!("round {:>5}: gap {:.3}, penalty {:.4}", round + 1, of("gap_loss"), of("penalty_loss"));
        }
    }

    let (mut counts, mut near, mut all) = ([0; MODES as usize], 0, 0);
    for seed in 1_000_000..1_000_008 {
        for point in generator.predict(&noise(seed)?)?.iter_rows() {
            let turn = (point[1].atan2(point[0]) / TAU + 1.0) * MODES as f32;
            let mode = turn.round() as u32 % MODES;
            let [x, y] = centre(mode);
            all += 1;
            if (point[0] - x).hypot(point[1] - y) < 0.4 {
                near += 1;
                counts[mode as usize] += 1;
            }
        }
    }
    println!("\ncentres found: {}", counts.iter().filter(|count| **count >= all / 50).count());
    println!("points near one: {:.4}", f64::from(near) / f64::from(all));
    Ok(())
}

/// Scores points of both kinds, and is told apart from a steep one by its slope between them.
fn critic() -> Result<Network> {
    let mut net = Network::new();
    let (real, made, share) = (net.input("real", 2)?, net.input("made", 2)?, net.input("share", 1)?);
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let score = net.share(Sequential::new(2).add(relu(64)).add(relu(64)).add(Dense::new(1)));
    let (of_real, of_made) = (net.apply(&score, real)?, net.apply(&score, made)?);
    let gap = net.formula("gap", [of_made, of_real], |[made, real]| made - real)?;
    net.add_loss(gap, 1.0)?;

    let between = net.formula("between", [real, made, share], |[a, b, share]| a + share * (b - a))?;
    let of_between = net.apply(&score, between)?;
    let slope = net.gradient(of_between, between)?;
    let penalty = net.formula("penalty", [slope], |[slope]| ((slope.square().sum() + 1e-12).sqrt() - 1.0).square())?;
    net.add_loss(penalty, 10.0)?;
    net.output(of_made)?;
    Ok(net)
}

fn centre(mode: u32) -> [f32; 2] {
    let (y, x) = (TAU * mode as f32 / MODES as f32).sin_cos();
    [2.0 * x, 2.0 * y]
}

/// Two normal numbers (Box & Muller 1958) and one below 1.
fn draw(seed: u32, stream: u32, row: usize) -> ([f32; 2], f32) {
    let [a, b] = threefry2x32([seed, stream], [row as u32, 0]).map(uniform);
    let (sin, cos) = (TAU * b).sin_cos();
    let length = (-2.0 * (1.0 - a).ln()).sqrt();
    ([length * cos, length * sin], a)
}

fn noise(seed: u32) -> Result<Matrix> {
    Matrix::from_rows((0..BATCH).map(|row| draw(seed, 1, row).0))
}

fn shares(seed: u32) -> Result<Matrix> {
    Matrix::from_rows((0..BATCH).map(|row| [draw(seed, 2, row).1]))
}

/// Points of the data: a centre and a little noise.
fn points(seed: u32) -> Result<Matrix> {
    Matrix::from_rows((0..BATCH).map(|row| {
        let ([dx, dy], _) = draw(seed, 3, row);
        let [x, y] = centre((draw(seed, 4, row).1 * MODES as f32) as u32 % MODES);
        [x + 0.1 * dx, y + 0.1 * dy]
    }))
}
