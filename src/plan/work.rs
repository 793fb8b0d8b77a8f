//! What a dispatch has to do: floating-point operations and bytes, from its kernel and the ranges it binds.
//!
//! Both are what the mathematics asks for, not what a device happens to do: an operand counts once however often a
//! tile reads it again, and an addition, product, quotient, comparison, root or elementary function (exp, log, tanh)
//! counts as one operation. A product of matrices counts `2 m n k`, as everywhere. So the rates of two kernels that do
//! the same work compare, and a better kernel shows a higher rate.

use super::PlanStep;
use std::iter::Sum;
use std::ops::Add;

/// What a dispatch has to do.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Work {
    /// Floating-point operations.
    pub flops: u64,
    /// Bytes read and written, 4 for each element: what a value of f16 saves does not count.
    pub bytes: u64,
}

impl Add for Work {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { flops: self.flops + other.flops, bytes: self.bytes + other.bytes }
    }
}

impl Sum for Work {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::default(), Add::add)
    }
}

impl PlanStep {
    /// What this dispatch has to do.
    ///
    /// ```
    /// use axone::kernels::{Kernel, Matmul};
    /// use axone::plan::{Buffer, BufferRange, PlanStep, Work};
    ///
    /// let operands = [8 * 3, 3 * 5, 8 * 5].iter().enumerate();
    /// let operands = operands.map(|(i, &len)| BufferRange::of(Buffer::Temporary(i), len)).collect();
    /// let kernel = Kernel::Matmul(Matmul::new(8, 5, 3, false, false));
    /// let step = PlanStep { kernel, operands, name: "product".to_owned() };
    /// assert_eq!(step.work(), Work { flops: 2 * 8 * 5 * 3, bytes: 4 * (24 + 15 + 40) });
    /// ```
    pub fn work(&self) -> Work {
        let (spec, bound) =
            (self.kernel.spec(), self.operands.iter().map(super::BufferRange::fixed).collect::<Vec<_>>());
        Work { flops: spec.flops(), bytes: 4 * spec.touched(&bound) }
    }
}
