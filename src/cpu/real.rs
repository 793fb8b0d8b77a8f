//! The numbers a CPU twin can run on: f32 for training, f64 as the oracle.

use std::f64::consts::FRAC_1_SQRT_2;
use std::fmt::{Debug, Display};
use std::iter::Sum;

/// `f32` or `f64`, with what the twins need of them.
pub trait Real:
    num_traits::Float + num_traits::NumAssign + bytemuck::Pod + Default + Debug + Display + Send + Sync + Sum + 'static
{
    /// The constant `value`, rounded to this type.
    fn of(value: f64) -> Self;
    /// This number as f64 (exact).
    fn wide(self) -> f64;
    /// The normal distribution function. Always by way of f64: rounding `x / √2` to f32 would cost
    /// x² ulp in the tail.
    fn normal_cdf(self) -> Self {
        Self::of(0.5 * libm::erfc(-self.wide() * FRAC_1_SQRT_2))
    }
}

impl Real for f32 {
    fn of(value: f64) -> Self {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
}
