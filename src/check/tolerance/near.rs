//! Running error analysis: a number that carries how far f32 may be from it.
//!
//! A sum or a product is rounded to nearest: u of itself, and what its operands are off by. WGSL lets a division be 2.5
//! ulp off, and its root is a quotient of 1 and an inverse root of 2 ulp: 5 ulp. A root moves by
//! `|√a - √b| ≤ min(d / √max(a, b), √d)` for `d = |a - b|`, which holds down to 0.

use super::{SMALLEST, U, ULP};
use crate::cpu::Number;
use std::ops::{Add, Div, Mul, Neg, Sub};

pub(super) const DIVISION: f64 = 2.5 * ULP;
const ROOT: f64 = 5.0 * ULP;

/// A number with what it may be off by.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
pub(super) struct Near {
    pub x: f64,
    pub off: f64,
}

impl Near {
    /// What `values`, read from a buffer, are.
    pub fn exact(values: &[f64]) -> Vec<Self> {
        values.iter().copied().map(Self::of).collect()
    }

    /// What each of `values` may be off by.
    pub fn off(values: Vec<Self>) -> Vec<f64> {
        values.into_iter().map(|value| value.off).collect()
    }
}

impl Add for Near {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let x = self.x + other.x;
        Self { x, off: self.off + other.off + U * x.abs() }
    }
}

impl Sub for Near {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Near {
    type Output = Self;

    fn neg(self) -> Self {
        Self { x: -self.x, off: self.off }
    }
}

impl Mul for Near {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let x = self.x * other.x;
        let carried = self.off * other.x.abs() + self.x.abs() * other.off + self.off * other.off;
        Self { x, off: carried + U * x.abs() }
    }
}

impl Div for Near {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let x = self.x / other.x;
        Self { x, off: (self.off + x.abs() * other.off) / other.x.abs() + DIVISION * x.abs() }
    }
}

impl Number for Near {
    fn of(x: f64) -> Self {
        Self { x, off: 0.0 }
    }

    fn sqrt(self) -> Self {
        let (x, off) = (self.x.max(0.0).sqrt(), self.off + SMALLEST);
        let moved = if x > 0.0 { (off / x).min(off.sqrt()) } else { off.sqrt() };
        Self { x, off: moved + ROOT * x }
    }

    fn abs(self) -> Self {
        Self { x: self.x.abs(), off: self.off }
    }

    /// The larger of two numbers is off by no more than they are.
    fn or_above(self, other: Self) -> Self {
        Self { x: self.x.max(other.x), off: self.off.max(other.off) }
    }

    fn or_below(self, other: Self) -> Self {
        -(-self).or_above(-other)
    }

    /// What fades is smaller than what every bound has added.
    fn faded(self) -> Self {
        self
    }
}
