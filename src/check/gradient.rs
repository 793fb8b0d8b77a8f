//! Derivatives against finite differences, in f64.
//!
//! A central difference with step h errs by `h² f‴ / 6` and by `ε L / h` for a loss of size L. With
//! `h = ε^(1/3) ≈ 6e-6` both are near 1e-10 for losses and third derivatives near 1; `1e-7 (1 + abs(g))`
//! is allowed, which no wrong rule meets. Where a kink (relu, hard sigmoid, abs) lies within h of an
//! argument, the difference is taken again with a step 100 times smaller, and the closer one counts.

use super::{Report, Row};
use crate::Result;
use crate::cpu::CpuExecutor;
use crate::data::Dataset;
use crate::graph::Role;
use crate::kernels::Step;
use crate::model::Model;
use crate::plan::{Buffer, BufferRange, Executor, PlanId};
use crate::train::Feed;

const STEP: f64 = 6e-6;
const ALLOWED: f64 = 1e-7;
/// Elements of a parameter that are tried; more are sampled evenly.
const MOST: usize = 64;

/// Holds the gradient of `model`'s loss on `data` (all rows as one batch) against finite differences in f64: a row for
/// each parameter that is trained. Works on a copy of the weights, on the CPU, whatever the model's device.
///
/// # Errors
/// As [`Model::fit`]; a wrong gradient is a failed row, no error.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Dense::new(3).activation(Activation::Gelu)).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
/// let data = Dataset::new([[0.0, 1.0], [1.0, 0.5]], [0.5, -0.5])?;
/// let report = axone::check::gradient_check(&mut model, &data)?;
/// assert_eq!((report.rows.len(), report.failed()), (4, 0), "{report}");
/// # Ok::<(), axone::Error>(())
/// ```
pub fn gradient_check(model: &mut Model, data: &Dataset) -> Result<Report> {
    let classes = model.check_data(data)?;
    let mut weights: Vec<f64> = model.slab(Buffer::Parameters)?.into_iter().map(f64::from).collect();
    let mut probe = Probe::new(model, data, &classes)?;
    let gradient = probe.gradient(&weights)?;
    let mut rows = Vec::new();
    let parameters = model.layout().parameters.iter().enumerate();
    for (index, parameter) in parameters.filter(|(_, parameter)| parameter.role != Role::Statistic) {
        let place = model.layout().slab.place(index);
        let (mut got, mut expected, mut allowed) = (Vec::new(), Vec::new(), Vec::new());
        for at in place.clone().step_by(place.len().div_ceil(MOST)) {
            let exact = gradient[at];
            let mut slope = |h: f64| -> Result<f64> {
                let home = weights[at];
                weights[at] = home + h;
                let above = probe.loss(&weights)?;
                weights[at] = home - h;
                let below = probe.loss(&weights)?;
                weights[at] = home;
                Ok((above - below) / (2.0 * h))
            };
            let mut difference = slope(STEP)?;
            let bound = ALLOWED * (1.0 + exact.abs());
            if (difference - exact).abs() > bound {
                let finer = slope(STEP / 100.0)?;
                if (finer - exact).abs() < (difference - exact).abs() {
                    difference = finer;
                }
            }
            // The report holds f32: what is judged is the difference of the two slopes against 0.
            got.push((exact - difference) as f32);
            expected.push(0.0);
            allowed.push(bound);
        }
        let case = format!("{} of {} elements", got.len(), place.len());
        rows.push(Row::judge(parameter.name.clone(), case, &[got], &[expected], &[allowed]));
    }
    Ok(Report { device: "gradients against finite differences, f64".to_owned(), rows })
}

/// The loss and its gradient as functions of the weights.
struct Probe {
    executor: CpuExecutor<f64>,
    train: PlanId,
    gradients: BufferRange,
    weights: Vec<Vec<f64>>,
    /// What the losses of the outputs count.
    losses: Vec<f64>,
    step: Step,
}

impl Probe {
    fn new(model: &Model, data: &Dataset, classes: &[bool]) -> Result<Self> {
        let rows = data.len();
        let mut executor = CpuExecutor::<f64>::new();
        let plan = model.program().gradient_plan(rows, classes)?;
        let train = executor.load(&plan)?;
        Feed::whole(&mut executor, train, &plan, data)?;
        let total = data.weight(0..rows as u32);
        let step = Step { step: 1, ..Step::over(0, rows, total) };
        let gradients = BufferRange::of(Buffer::Gradients, plan.slab);
        let losses: Vec<f64> = model.program().weights_of_losses().into_iter().map(f64::from).collect();
        let all: Vec<f64> = (0..rows as u32).map(|row| data.weight([row].into_iter()) / total).collect();
        let of_target =
            |i: usize| data.target_weights(i).map(|own| all.iter().zip(own).map(|(w, own)| w * f64::from(*own)));
        let weights = (0..losses.len())
            .map(|i| of_target(i).map_or_else(|| all.clone(), Iterator::collect))
            .collect::<Vec<Vec<f64>>>();
        Ok(Self { executor, train, gradients, weights, losses, step })
    }

    fn loss(&mut self, weights: &[f64]) -> Result<f64> {
        self.executor.write_real(None, Buffer::Parameters, 0, weights)?;
        self.executor.run(self.train, &[self.step])?;
        let log = self.executor.read_real(self.train, BufferRange::whole(Buffer::Log))?;
        let rows = log.chunks_exact(self.weights[0].len()).zip(&self.losses).zip(&self.weights);
        let mean = |rows: &[f64], weights: &[f64]| rows.iter().zip(weights).map(|(loss, w)| loss * w).sum::<f64>();
        Ok(rows.map(|((rows, weight), weights)| weight * mean(rows, weights)).sum())
    }

    fn gradient(&mut self, weights: &[f64]) -> Result<Vec<f64>> {
        self.loss(weights)?;
        self.executor.read_real(None, self.gradients)
    }
}
