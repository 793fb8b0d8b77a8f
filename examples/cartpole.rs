//! Reinforcement learning: a cart learns to balance a pole by REINFORCE (Williams 1992). The loss is none of those that
//! are built in: the program gives the gradient of the outputs, and `backward` takes it from there.
//!
//! `cargo run --release --example cartpole`
//!
//! The cart is that of Barto, Sutton & Anderson (1983) with the numbers of Gymnasium's CartPole-v1: a reward of 1 for
//! each step until the pole leans by more than 12 degrees, the cart is 2.4 m away, or 500 steps have passed. The mean
//! return of each update is written to `cartpole.svg`.

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/cart.rs"]
mod cart;

use axone::prelude::*;
use axone::train::Epoch;
use cart::{Random, State, is_lost, pushed};
use std::process::ExitCode;

/// Episodes that are played side by side for one update.
const EPISODES: usize = 16;
const UPDATES: usize = 80;
const MOST_STEPS: usize = 500;
/// What a reward is worth a step earlier.
const DISCOUNT: f32 = 0.99;
const SEED: u32 = 1;

const USAGE: &str = "usage: cartpole

A cart learns to balance a pole by REINFORCE. Writes cartpole.svg. AXONE_DEVICE names a device.";

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(learned) => ExitCode::from(u8::from(!learned)),
        Err(error) => {
            eprintln!("cartpole: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<bool> {
    // Two logits: push left, push right.
    let mut model = Sequential::new(4).add(Dense::new(32).activation(Activation::Tanh)).add(Dense::new(2)).compile(
        Device::auto()?,
        Losses::none(),
        Adam::new(0.01),
    )?;
    println!("device: {}\n", model.device().info());
    let (mut random, mut history, mut returns) = (Random::new(SEED), History::default(), Vec::new());
    for update in 1..=UPDATES {
        let begun = std::time::Instant::now();
        let played = play(&mut model, &mut random)?;
        returns.extend(played.iter().map(|episode| episode.len() as f64));
        let mean = mean_of_last(&returns, EPISODES);
        let (states, gradients) = policy_gradient(&played);
        model.backward(&[&states], &[gradients])?;
        model.apply_gradients()?;
        if update % 5 == 0 || update == 1 {
            println!("update {update:>3}: mean return {mean:>5.1} {}", "#".repeat(mean as usize / 10));
        }
        history.epochs.push(Epoch {
            epoch: update,
            seconds: begun.elapsed().as_secs_f64(),
            learning_rate: model.learning_rate(),
            values: vec![("return".to_owned(), mean)],
        });
    }
    history.write_svg("cartpole.svg")?;
    let last = mean_of_last(&returns, 20);
    println!("\nmean return of the last 20 of {} episodes: {last:.1}; curve: cartpole.svg", returns.len());
    Ok(last > 150.0)
}

fn mean_of_last(values: &[f64], count: usize) -> f64 {
    values.iter().rev().take(count).sum::<f64>() / count as f64
}

/// A step of an episode.
struct Moment {
    state: State,
    right: bool,
    probability_right: f32,
}

/// Plays `EPISODES` episodes at once: one prediction for a step of all of them.
fn play(model: &mut Model, random: &mut Random) -> Result<Vec<Vec<Moment>>> {
    let mut states: Vec<State> = (0..EPISODES).map(|_| random.start()).collect();
    let mut played: Vec<Vec<Moment>> = (0..EPISODES).map(|_| Vec::new()).collect();
    let mut over = [false; EPISODES];
    for _ in 0..MOST_STEPS {
        let logits = model.predict(&states.clone().into())?;
        for (i, logits) in logits.iter_rows().enumerate() {
            // An episode that is over stands still, so that every prediction has the same number of rows.
            if over[i] {
                continue;
            }
            let probability_right = 1.0 / (1.0 + (logits[0] - logits[1]).exp());
            let right = random.between(0.0, 1.0) < probability_right;
            played[i].push(Moment { state: states[i], right, probability_right });
            states[i] = pushed(states[i], right);
            over[i] = is_lost(states[i]);
        }
        if over.iter().all(|over| *over) {
            break;
        }
    }
    Ok(played)
}

/// The states, and the gradient of `-mean(advantage · ln p(action))` with respect to the logits, `(p - 1 at the action)
/// · advantage / rows`. The advantage is the discounted return from there on, less its mean and over its deviation.
fn policy_gradient(played: &[Vec<Moment>]) -> (Matrix, Matrix) {
    let mut worth = Vec::new();
    for episode in played {
        let (mut later, first) = (0.0, worth.len());
        for _ in episode {
            later = 1.0 + DISCOUNT * later;
            worth.push(later);
        }
        worth[first..].reverse();
    }
    let rows = worth.len() as f32;
    let mean = worth.iter().sum::<f32>() / rows;
    let deviation = (worth.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / rows).sqrt().max(1e-6);
    let moments = || played.iter().flatten();
    let gradients = moments().zip(&worth).map(|(moment, worth)| {
        let share = (worth - mean) / deviation / rows;
        let towards_right = share * (moment.probability_right - f32::from(u8::from(moment.right)));
        [-towards_right, towards_right]
    });
    let states: Vec<State> = moments().map(|moment| moment.state).collect();
    (states.into(), gradients.collect::<Vec<_>>().into())
}
