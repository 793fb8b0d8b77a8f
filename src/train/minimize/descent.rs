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
