//! The cart with a pole of Barto, Sutton & Anderson (1983), with the numbers of Gymnasium's CartPole-v1.

#![allow(dead_code, reason = "not every program uses all of it")]

use axone::random::{threefry2x32, uniform};

/// Position, velocity, angle and angular velocity.
pub type State = [f32; 4];

/// The state 0.02 s later (Euler's method).
pub fn pushed([x, v, angle, spin]: State, right: bool) -> State {
    const GRAVITY: f32 = 9.8;
    const CART: f32 = 1.0;
    const POLE: f32 = 0.1;
    const HALF_LENGTH: f32 = 0.5;
    const FORCE: f32 = 10.0;
    const TIME: f32 = 0.02;
    let (sin, cos, total) = (angle.sin(), angle.cos(), CART + POLE);
    let force = if right { FORCE } else { -FORCE };
    let pushed = (force + POLE * HALF_LENGTH * spin * spin * sin) / total;
    let turn = (GRAVITY * sin - cos * pushed) / (HALF_LENGTH * (4.0 / 3.0 - POLE * cos * cos / total));
    let push = pushed - POLE * HALF_LENGTH * turn * cos / total;
    [x + TIME * v, v + TIME * push, angle + TIME * spin, spin + TIME * turn]
}

/// Whether the pole leans by more than 12 degrees or the cart is 2.4 m away.
pub fn is_lost(state: State) -> bool {
    state[0].abs() > 2.4 || state[2].abs() > 12f32.to_radians()
}

/// Numbers drawn one after the other.
pub struct Random {
    seed: u32,
    drawn: u32,
}

impl Random {
    pub fn new(seed: u32) -> Self {
        Self { seed, drawn: 0 }
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        self.drawn += 1;
        low + (high - low) * uniform(threefry2x32([self.seed, 0], [self.drawn, 0])[0])
    }

    /// A cart at rest, nearly upright.
    pub fn start(&mut self) -> State {
        [0; 4].map(|_: i32| self.between(-0.05, 0.05))
    }
}
