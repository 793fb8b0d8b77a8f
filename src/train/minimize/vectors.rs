//! The vectors of L-BFGS on the device: a plan of three dispatches, each run by itself.

use crate::kernels::{FACTORS_AT, Kernel, Lbfgs, LbfgsPart, RULE_BLOCK, SUMS_OF_SLOT, Step};
use crate::plan::{Buffer, BufferRange, Executor, Plan, PlanId, PlanStep};
use crate::{Error, Result};

const COEFFICIENTS: Buffer = Buffer::Temporary(1);
const PENALTY: Buffer = Buffer::Temporary(2);
const SUMS: Buffer = Buffer::Temporary(3);

/// What the next direction is the sum of.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Factors {
    pub of_g: f64,
    /// By slot.
    pub of_d: Vec<f64>,
    pub of_y: Vec<f64>,
}

impl Factors {
    /// Against the gradient.
    pub fn steepest(slots: usize) -> Self {
        Self { of_g: -1.0, of_d: vec![0.0; slots], of_y: vec![0.0; slots] }
    }
}

/// The products of the vectors of a slot with the newest change `y` and with the gradient `g`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct OfSlot {
    pub dy: f64,
    pub dg: f64,
    pub yy: f64,
    pub yg: f64,
}

/// What the host knows of a point that was tried.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sums {
    pub of_slots: Vec<OfSlot>,
    /// The slope along the direction where the search stands.
    pub slope_before: f64,
    /// `Σ λ w²`.
    pub penalty: f64,
    pub gg: f64,
    /// The largest size of an element of `g`.
    pub largest: f64,
}

/// The plan.
pub(super) struct Vectors {
    id: PlanId,
    kernel: Lbfgs,
}

impl Vectors {
    /// Room for `pairs` pairs and the direction that is tried, all 0, for a slab of `slab` elements; `penalty` has the
    /// factor of each block.
    pub fn new(executor: &mut dyn Executor, slab: usize, pairs: usize, penalty: &[f32]) -> Result<Self> {
        let elements = (pairs as u64).saturating_mul(2).saturating_add(4).saturating_mul(slab as u64);
        let allowed = u64::from(u32::MAX / 4);
        if elements > allowed {
            let what = format!("the vectors of L-BFGS (history {pairs})");
            let (needed, allowed) = (elements.saturating_mul(4), 4 * allowed);
            return Err(Error::TooLarge { what, needed, allowed, device: "the kernels' 32-bit index".to_owned() });
        }
        let kernels = Lbfgs::all(slab as u32, pairs as u32 + 1);
        let kernel = kernels[0];
        let sums = kernel.params.partials as usize * kernel.sums_width();
        let lens = [kernel.memory_len(), kernel.coefficients_len(), slab / RULE_BLOCK, sums];
        let [memory, coefficients, factors, sums] =
            [0, 1, 2, 3].map(|i| BufferRange::of(Buffer::Temporary(i), lens[i]));
        let [parameters, gradients] =
            [Buffer::Parameters, Buffer::Gradients].map(|buffer| BufferRange::of(buffer, slab));
        let steps = kernels.map(|kernel| {
            let (operands, name) = match kernel.part {
                LbfgsPart::Advance => (vec![coefficients, memory, parameters], "advance"),
                LbfgsPart::Measure => (vec![coefficients, factors, parameters, gradients, memory, sums], "measure"),
                LbfgsPart::Accept => (vec![parameters, gradients, memory], "accept"),
            };
            PlanStep { kernel: Kernel::Lbfgs(kernel), operands, name: name.to_owned() }
        });
        let plan = Plan {
            name: "minimize".to_owned(),
            batch: 1,
            steps: steps.to_vec(),
            temporaries: lens.map(Into::into).to_vec(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            log_slots: 0,
            slab,
            moments: 0,
        };
        let id = executor.load(&plan)?;
        let vectors = Self { id, kernel };
        if let Err(error) = executor.write(id, PENALTY, 0, penalty) {
            executor.unload(id);
            return Err(error);
        }
        Ok(vectors)
    }

    /// Frees them.
    pub fn release(&self, executor: &mut dyn Executor) {
        executor.unload(self.id);
    }

    pub fn slots(&self) -> usize {
        self.kernel.slots()
    }

    fn dispatch(&self, executor: &mut dyn Executor, part: LbfgsPart) -> Result<()> {
        executor.run_one(self.id, part as usize, &Step::default())
    }

    /// Leaves the parameters as they are: there is no direction yet.
    pub fn stay(&self, executor: &mut dyn Executor) -> Result<()> {
        executor.write(self.id, COEFFICIENTS, 0, &vec![0.0; self.kernel.coefficients_len()])
    }

    /// The parameters become `x + step · d`, with the direction in `slot`: that of `factors`, or the one that is there.
    /// Slots up to `used` are in use.
    pub fn advance(
        &self,
        executor: &mut dyn Executor,
        step: f32,
        slot: usize,
        used: usize,
        factors: Option<&Factors>,
    ) -> Result<()> {
        let of_g = factors.map_or(0.0, |factors| factors.of_g as f32);
        let mut coefficients = vec![step, slot as f32, f32::from(u8::from(factors.is_some())), used as f32, of_g];
        coefficients.resize(FACTORS_AT, 0.0);
        if let Some(Factors { of_d, of_y, .. }) = factors {
            coefficients.extend(of_d.iter().chain(of_y).map(|factor| *factor as f32));
        }
        executor.write(self.id, COEFFICIENTS, 0, &coefficients)?;
        self.dispatch(executor, LbfgsPart::Advance)
    }

    /// What is to be known of the point that the parameters are, once its gradient lies in its slab: which then has that of
    /// the penalty, too.
    pub fn measure(&self, executor: &mut dyn Executor) -> Result<Sums> {
        self.dispatch(executor, LbfgsPart::Measure)?;
        let width = self.kernel.sums_width();
        let chunks = executor.read(self.id, BufferRange::of(SUMS, self.kernel.params.partials as usize * width))?;
        let mut totals = vec![0.0f64; width];
        for chunk in chunks.chunks_exact(width) {
            totals.iter_mut().zip(chunk).for_each(|(total, sum)| *total += f64::from(*sum));
        }
        let (of_slots, own) = totals.split_at(SUMS_OF_SLOT * self.slots());
        let of_slots = of_slots.as_chunks::<SUMS_OF_SLOT>().0.iter();
        let of_slots = of_slots.map(|&[dy, dg, yy, yg]| OfSlot { dy, dg, yy, yg }).collect();
        let largest = chunks.chunks_exact(width).filter_map(<[f32]>::last).fold(0.0f32, |most, one| most.max(*one));
        Ok(Sums { of_slots, slope_before: own[0], penalty: own[1], gg: own[2], largest: largest.into() })
    }

    /// The point that was measured is the one from which to go on.
    pub fn accept(&self, executor: &mut dyn Executor) -> Result<()> {
        self.dispatch(executor, LbfgsPart::Accept)
    }
}
