//! Deep Q-learning (Mnih et al. 2015): the cart of `cartpole` learns what each push is worth, from steps that it remembers,
//! against a copy of itself that follows slowly. Only the push that was made has a gradient, which `backward` is given.
//!
//! `cargo run --release --example dqn`

#[path = "common/arguments.rs"]
mod arguments;
#[path = "common/cart.rs"]
mod cart;

use axone::prelude::*;
use cart::{Random, State, is_lost, pushed};
use std::process::ExitCode;

/// Carts that are pushed side by side.
const CARTS: usize = 8;
const ROUNDS: usize = 10_000;
const BATCH: usize = 128;
/// Steps that are remembered.
const MEMORY: usize = 50_000;
const RATE: f32 = 1e-3;
const DISCOUNT: f32 = 0.99;
/// How far the copy moves towards the network after each update.
const FOLLOW: f32 = 0.01;
const MOST_STEPS: usize = 500;

const USAGE: &str = "usage: dqn

A cart learns to balance a pole by deep Q-learning. AXONE_DEVICE names a device.";

/// A step: where, which push, where that led, whether it was the last.
type Moment = (State, bool, State, bool);

fn main() -> ExitCode {
    arguments::none(USAGE);
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("dqn: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let relu = |units| Dense::new(units).activation(Activation::Relu).weights(Initializer::HeNormal);
    let net = Sequential::new(4).add(relu(64)).add(relu(64)).add(Dense::new(2));
    let device = Device::auto()?;
    let mut model = net.compile(device.clone(), Losses::none(), Adam::new(RATE))?;
    let mut copy = net.compile(device, Losses::none(), Adam::new(RATE))?;
    let mut random = Random::new(1);
    let mut carts: Vec<State> = (0..CARTS).map(|_| random.start()).collect();
    let mut ages = [0; CARTS];
    let mut memory: Vec<Moment> = Vec::with_capacity(MEMORY);
    let mut best = (0.0, model.weights()?);
    for round in 0..ROUNDS {
        let worth = model.predict(&carts.clone().into())?;
        let curious = (1.0 - round as f32 / (0.5 * ROUNDS as f32)).max(0.02);
        for (i, wanted) in worth.argmax().into_iter().enumerate() {
            let right = if random.between(0.0, 1.0) < curious { random.between(0.0, 1.0) < 0.5 } else { wanted == 1 };
            let next = pushed(carts[i], right);
            let moment = (carts[i], right, next, is_lost(next));
            match memory.len() < MEMORY {
                true => memory.push(moment),
                false => memory[(round * CARTS + i) % MEMORY] = moment,
            }
            ages[i] += 1;
            let over = is_lost(next) || ages[i] == MOST_STEPS;
            (carts[i], ages[i]) = if over { (random.start(), 0) } else { (next, ages[i]) };
        }
        if memory.len() >= 10 * BATCH {
            let moments = (0..BATCH).map(|_| memory[random.between(0.0, memory.len() as f32) as usize]);
            learn(&mut model, &mut copy, &moments.collect::<Vec<_>>())?;
        }
        if (round + 1) % 500 == 0 {
            let mean = mean_return(&mut model, &mut random)?;
            println!("round {:>5}: mean return {mean:.1}", round + 1);
            if mean > best.0 {
                best = (mean, model.weights()?);
            }
            model.set_learning_rate(RATE * (1.0 - (round + 1) as f32 / (ROUNDS + 500) as f32))?;
        }
    }
    // What it forgets again is known from Q-learning with networks: the weights that were best are kept.
    model.set_weights(&best.1)?;
    println!("MEAN_RETURN: {:.1}", mean_return(&mut model, &mut random)?);
    Ok(())
}

/// A step towards `1 - discount + discount · Q'(next, best)` for the pushes that were made, and towards 0 where the pole
/// fell: worth is 1 for a pole that never falls. The network says which push is best, and the copy what it is worth (van
/// Hasselt et al. 2016).
fn learn(model: &mut Model, copy: &mut Model, moments: &[Moment]) -> Result<()> {
    let states: Matrix = moments.iter().map(|moment| moment.0).collect::<Vec<_>>().into();
    let next: Matrix = moments.iter().map(|moment| moment.2).collect::<Vec<_>>().into();
    let (best, later) = (model.predict(&next)?.argmax(), copy.predict(&next)?);
    let worth = model.forward(&[&states])?.remove(0);
    let gradients = moments.iter().enumerate().map(|(row, (_, right, _, is_last))| {
        let wanted = if *is_last { 0.0 } else { 1.0 - DISCOUNT + DISCOUNT * later[(row, best[row])] };
        let action = usize::from(*right);
        let mut gradient = [0.0; 2];
        gradient[action] = (worth[(row, action)] - wanted) / moments.len() as f32;
        gradient
    });
    model.backward(&[&states], &[gradients.collect::<Vec<_>>().into()])?;
    model.apply_gradients()?;
    copy.blend_weights_from(model, FOLLOW)
}

/// Steps until the pole falls, at most 500, when each push is the best known; the mean of 20 carts.
fn mean_return(model: &mut Model, random: &mut Random) -> Result<f64> {
    let mut carts: Vec<State> = (0..20).map(|_| random.start()).collect();
    let mut steps = 0;
    for _ in 0..MOST_STEPS {
        let best = model.predict(&carts.clone().into())?.argmax();
        for (cart, best) in carts.iter_mut().zip(best).filter(|(cart, _)| !is_lost(**cart)) {
            steps += 1;
            *cart = pushed(*cart, best == 1);
        }
    }
    Ok(f64::from(steps) / carts.len() as f64)
}
