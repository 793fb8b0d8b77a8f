//! One way to compute a matrix product, on random numbers of the product's sizes.

use crate::Result;
use crate::kernels::{Epilogue, Kernel, Matmul, Spec, Step};
use crate::plan::{ALIGNMENT, Buffer, BufferRange, Executor, Plan, PlanId, PlanStep};
use crate::random::{threefry2x32, uniform};
use std::time::{Duration, Instant};

/// A turn repeats the product for about this long.
const TURN: Duration = Duration::from_millis(2);
/// Dispatches of a turn at most.
const REPEATS: usize = 64;
/// Elements of an operand at most; a larger product runs with smaller sizes of the same kind.
const ELEMENTS: usize = 1 << 22;

/// `product`, its largest size halved until every operand fits; what was a multiple of 4 stays one.
pub(super) fn smaller(product: &Matmul) -> Matmul {
    let mut product = product.clone();
    while product.sizes().into_iter().max().is_some_and(|largest| largest > ELEMENTS) {
        let p = &mut product.params;
        let halve = |size: u32| if size.is_multiple_of(4) { (size / 2).next_multiple_of(4) } else { (size / 2) | 1 };
        let largest = p.m.max(p.n).max(p.k);
        for size in [&mut p.m, &mut p.n, &mut p.k] {
            if *size == largest {
                *size = halve(*size);
            }
        }
        let epilogue = match product.epilogue {
            // `db` lies behind `dw`, which is smaller now.
            Epilogue::BiasRow { .. } => {
                Epilogue::BiasRow { at: (p.m as usize * p.n as usize).next_multiple_of(ALIGNMENT) }
            }
            other => other,
        };
        product = product.with_epilogue(epilogue);
    }
    product
}

/// A product on an executor of its own.
pub(super) struct Runner {
    executor: Box<dyn Executor>,
    product: Matmul,
    sizes: Vec<usize>,
    id: PlanId,
    repeats: usize,
    /// Seconds of its fastest product so far.
    pub best: f64,
    /// Makes an operand's element of a number from -0.5 to 0.5.
    element: fn(f32) -> f32,
}

impl Runner {
    pub fn new(executor: Box<dyn Executor>, product: &Matmul) -> Result<Self> {
        Self::with(executor, product, |x| x)
    }

    pub fn with(executor: Box<dyn Executor>, product: &Matmul, element: fn(f32) -> f32) -> Result<Self> {
        let (product, sizes) = (product.clone(), product.sizes());
        let mut runner = Self { executor, product, sizes, id: PlanId(0), repeats: 1, best: f64::INFINITY, element };
        runner.load()?;
        Ok(runner)
    }

    /// A plan of `repeats` products, its operands filled with numbers of which each repeats itself far away.
    fn load(&mut self) -> Result<()> {
        let places =
            self.sizes.iter().enumerate().map(|(i, &len)| BufferRange::of(Buffer::Temporary(i), len)).collect();
        let step = PlanStep { kernel: Kernel::Matmul(self.product.clone()), operands: places, name: "race".to_owned() };
        let mut plan = Plan::of_one(step.clone(), self.sizes.iter().copied());
        plan.steps = vec![step; self.repeats];
        self.id = self.executor.load(&plan)?;
        for (i, &len) in self.sizes.iter().enumerate() {
            let some = (0..len.min(1 << 14) as u32).map(|x| uniform(threefry2x32([i as u32, 1], [x, 0])[0]) - 0.5);
            let some: Vec<f32> = some.map(self.element).collect();
            let all: Vec<f32> = some.iter().copied().cycle().take(len).collect();
            self.executor.write(self.id, Buffer::Temporary(i), 0, &all)?;
        }
        Ok(())
    }

    /// The bits of one product.
    pub fn result(&mut self) -> Result<Vec<u32>> {
        let written = self.sizes.len() - 1;
        let (buffer, len) = (Buffer::Temporary(written), self.sizes[written]);
        // What the last product left must not pass for this one.
        self.executor.write(self.id, buffer, 0, &vec![f32::NAN; len])?;
        self.executor.run(self.id, &[Step::default()])?;
        let values = self.executor.read(self.id, BufferRange::of(buffer, len))?;
        Ok(values.into_iter().map(f32::to_bits).collect())
    }

    /// Finds how many products make a turn.
    pub fn calibrate(&mut self) -> Result<()> {
        let once = self.time()?.max(1e-9);
        self.repeats = (TURN.as_secs_f64() / once).clamp(1.0, REPEATS as f64) as usize;
        if self.repeats > 1 {
            self.executor.unload(self.id);
            self.load()?;
            self.time()?;
        }
        Ok(())
    }

    /// Seconds of one product.
    pub fn time(&mut self) -> Result<f64> {
        self.executor.wait()?;
        let begun = Instant::now();
        self.executor.run(self.id, &[Step::default()])?;
        self.executor.wait()?;
        Ok(begun.elapsed().as_secs_f64() / self.repeats as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A product too large for a race shrinks until it fits, and stays of its kind.
    #[test]
    fn large_products_race_with_smaller_sizes() {
        let product = |m, n, k| Matmul::new(m, n, k, true, false);
        let at = 8192 * 8192;
        for large in [
            product(8192, 8192, 128).with_epilogue(Epilogue::BiasRow { at }),
            product(784, 10, 60_000).with_epilogue(Epilogue::InParts { steps: 8576 }),
            product(9001, 9001, 9001),
        ] {
            let small = smaller(&large);
            assert!(small.sizes().into_iter().all(|size| size <= ELEMENTS), "{small:?}");
            let sizes = |p: &Matmul| [p.params.m, p.params.n, p.params.k];
            for (small, large) in sizes(&small).into_iter().zip(sizes(&large)) {
                assert!(small > 0 && small <= large && (small % 4 == 0) == (large % 4 == 0), "{small} of {large}");
            }
        }
        let fitting = product(64, 64, 64);
        assert_eq!(smaller(&fitting), fitting);
    }
}
