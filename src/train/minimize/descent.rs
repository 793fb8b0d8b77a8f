//! One iteration: a direction from what is known of the curvature, then steps along it until one is good.

use super::curvature::Curvature;
use super::line_search::{LineSearch, Verdict};
use super::vectors::{Factors, Sums, Vectors};
use crate::Result;
use crate::plan::Executor;

/// Evaluations along one direction, as in L-BFGS-B.
const MOST_STEPS: usize = 20;

/// What is to be minimized: a function of the slab of parameters.
pub(super) trait Landscape {
    /// Where the slabs are.
    fn executor(&mut self) -> &mut dyn Executor;

    /// The loss of the parameters that lie in their slab; its gradient goes to the slab of gradients. `None` where it was
    /// interrupted.
    fn evaluate(&mut self) -> Result<Option<f64>>;
}

/// How an iteration ended.
pub(super) enum Moved {
    /// At a better point.
    By { step: f32, evaluations: usize },
    /// It was interrupted; the parameters are those from before.
    Interrupted,
    /// There is no better point in sight; the parameters are those from before.
    Nowhere,
}

/// The state between two iterations.
pub(super) struct Descent<'v> {
    vectors: &'v Vectors,
    curvature: Curvature,
    loss: f64,
    /// Of the gradient: its norm, its largest element.
    norm: f64,
    largest: f64,
    evaluations: usize,
}

impl<'v> Descent<'v> {
    pub fn new(vectors: &'v Vectors) -> Self {
        let curvature = Curvature::new(vectors.slots());
        Self { vectors, curvature, loss: f64::NAN, norm: 0.0, largest: f64::NAN, evaluations: 0 }
    }

    /// The objective, with its penalty.
    pub fn loss(&self) -> f64 {
        self.loss
    }

    pub fn largest_gradient(&self) -> f64 {
        self.largest
    }

    /// Of loss and gradient, so far.
    pub fn evaluations(&self) -> usize {
        self.evaluations
    }

    /// Evaluates the point that the parameters are; false where that was interrupted.
    pub fn start(&mut self, landscape: &mut dyn Landscape) -> Result<bool> {
        self.vectors.stay(landscape.executor())?;
        let Some((loss, sums)) = self.evaluate(landscape)? else { return Ok(false) };
        self.settle(landscape, loss, &sums)?;
        Ok(true)
    }

    /// Loss with penalty, and the sums of products at this point.
    fn evaluate(&mut self, landscape: &mut dyn Landscape) -> Result<Option<(f64, Sums)>> {
        let Some(loss) = landscape.evaluate()? else { return Ok(None) };
        self.evaluations += 1;
        let sums = self.vectors.measure(landscape.executor())?;
        Ok(Some((loss + 0.5 * sums.penalty, sums)))
    }

    /// Makes the point that was evaluated the one to go on from.
    fn settle(&mut self, landscape: &mut dyn Landscape, loss: f64, sums: &Sums) -> Result<()> {
        self.vectors.accept(landscape.executor())?;
        (self.loss, self.norm, self.largest) = (loss, sums.gg.sqrt(), sums.largest);
        Ok(())
    }

    /// Goes to a point where the objective is lower.
    pub fn iterate(&mut self, landscape: &mut dyn Landscape) -> Result<Moved> {
        let before = self.evaluations;
        loop {
            // The first step along the gradient is as long as 1, as in L-BFGS-B.
            let (factors, first) = match self.curvature.direction() {
                Some(factors) => (factors, 1.0),
                None => (Factors::steepest(self.vectors.slots()), (1.0 / self.norm) as f32),
            };
            let slot = self.curvature.free_slot();
            self.vectors.advance(landscape.executor(), first, slot, self.curvature.used(), Some(&factors))?;
            let mut step = first;
            let mut search: Option<LineSearch> = None;
            for _ in 0..MOST_STEPS {
                let Some((loss, sums)) = self.evaluate(landscape)? else {
                    self.vectors.advance(landscape.executor(), 0.0, slot, self.curvature.used(), None)?;
                    return Ok(Moved::Interrupted);
                };
                let search = search.get_or_insert_with(|| LineSearch::new(self.loss, sums.slope_before, step.into()));
                match search.judge(loss, sums.of_slots[slot].dg) {
                    Verdict::Accept => {
                        self.settle(landscape, loss, &sums)?;
                        self.curvature.learn(slot, step.into(), &sums);
                        return Ok(Moved::By { step, evaluations: self.evaluations - before });
                    }
                    Verdict::Try(next) => {
                        step = next as f32;
                        self.vectors.advance(landscape.executor(), step, slot, self.curvature.used(), None)?;
                    }
                    Verdict::GiveUp => break,
                }
            }
            self.vectors.advance(landscape.executor(), 0.0, slot, self.curvature.used(), None)?;
            if self.curvature.is_empty() {
                return Ok(Moved::Nowhere);
            }
            self.curvature.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::{CpuExecutor, Real};
    use crate::plan::{ALIGNMENT, Buffer, BufferRange, Plan, PlanId};

    /// Rosenbrock's function of `n` numbers, `Σ 100 (x[i + 1] - x[i]²)² + (1 - x[i])²`, computed on the host.
    struct Rosenbrock<T> {
        executor: CpuExecutor<T>,
        id: PlanId,
        n: usize,
    }

    impl<T: Real> Rosenbrock<T> {
        fn new(start: &[f64]) -> Self {
            let mut executor = CpuExecutor::new();
            let slab = start.len().next_multiple_of(ALIGNMENT);
            let nothing = Plan {
                name: "rosenbrock".to_owned(),
                batch: 1,
                steps: Vec::new(),
                temporaries: Vec::new(),
                inputs: Vec::new(),
                outputs: Vec::new(),
                log_slots: 0,
                slab,
                moments: 0,
            };
            let id = executor.load(&nothing).unwrap();
            let start: Vec<T> = start.iter().map(|x| T::of(*x)).collect();
            executor.write_real(id, Buffer::Parameters, 0, &start).unwrap();
            Self { executor, id, n: start.len() }
        }

        fn slab(&self) -> usize {
            self.n.next_multiple_of(ALIGNMENT)
        }

        fn x(&mut self) -> Vec<f64> {
            let x = self.executor.read_real(self.id, BufferRange::of(Buffer::Parameters, self.n)).unwrap();
            x.into_iter().map(T::wide).collect()
        }
    }

    impl<T: Real> Landscape for Rosenbrock<T> {
        fn executor(&mut self) -> &mut dyn Executor {
            &mut self.executor
        }

        fn evaluate(&mut self) -> Result<Option<f64>> {
            let x = self.x();
            let (mut f, mut g) = (0.0, vec![0.0; self.n]);
            for i in 0..self.n - 1 {
                let (bend, far) = (x[i + 1] - x[i] * x[i], 1.0 - x[i]);
                f += 100.0 * bend * bend + far * far;
                g[i] -= 400.0 * x[i] * bend + 2.0 * far;
                g[i + 1] += 200.0 * bend;
            }
            let g: Vec<T> = g.into_iter().map(T::of).collect();
            self.executor.write_real(self.id, Buffer::Gradients, 0, &g)?;
            Ok(Some(f))
        }
    }

    /// Iterations until the largest element of the gradient is at most `tolerance`, and where that is.
    fn minimum<T: Real>(start: &[f64], tolerance: f64) -> (usize, f64, Vec<f64>) {
        let mut hill = Rosenbrock::<T>::new(start);
        let slab = hill.slab();
        let vectors = Vectors::new(&mut hill.executor, slab, 10, &vec![0.0; slab / ALIGNMENT]).unwrap();
        let mut descent = Descent::new(&vectors);
        assert!(descent.start(&mut hill).unwrap());
        for iteration in 0..1000 {
            if descent.largest_gradient() <= tolerance {
                return (iteration, descent.loss(), hill.x());
            }
            let before = descent.loss();
            let moved = descent.iterate(&mut hill).unwrap();
            assert!(matches!(moved, Moved::By { .. }), "stuck at {before}");
        }
        panic!("no minimum of {} numbers within 1000 iterations: {}", start.len(), descent.loss());
    }

    /// SciPy's L-BFGS-B finds the same, in about as many iterations (the fixture names its version).
    #[test]
    fn rosenbrock_converges_to_what_scipy_finds() {
        let fixture = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/lbfgs/lbfgs.json");
        let fixture: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(fixture).unwrap()).unwrap();
        let numbers = |value: &serde_json::Value| -> Vec<f64> {
            value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
        };
        for case in fixture["rosenbrock"].as_array().unwrap() {
            let (n, start) = (case["n"].as_u64().unwrap() as usize, numbers(&case["start"]));
            let start: Vec<f64> = (0..n).map(|i| start[i % start.len()]).collect();
            let (iterations, f, x) = minimum::<f64>(&start, 1e-5);
            let theirs = case["iterations"].as_u64().unwrap() as usize;
            assert!(4 * iterations < 5 * theirs, "{n}: {iterations} iterations, SciPy {theirs}");
            // The least curvature at the minimum is about 0.4: a gradient of 1e-5 in each direction is this far from it.
            let far = 1e-5 * (n as f64).sqrt() / 0.39;
            assert!(f <= 1e-5 * far * (n as f64).sqrt(), "{n}: {f}");
            for (x, wanted) in x.iter().zip(numbers(&case["x"])) {
                assert!((x - wanted).abs() <= 2.0 * far, "{n}: {x}, SciPy {wanted}");
            }
            // In f32 the vectors are rounded, and so is the gradient: its terms of size 400 to some 2e-5.
            let (_, f, x) = minimum::<f32>(&start, 1e-3);
            assert!(f < 1e-3 * 1e-3 * n as f64 / 0.39, "{n}: {f}");
            let far = 1e-3 * (n as f64).sqrt() / 0.39;
            assert!(x.iter().all(|x| (x - 1.0).abs() <= 2.0 * far), "{n}: {x:?}");
        }
    }
}
