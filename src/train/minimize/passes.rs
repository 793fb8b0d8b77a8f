//! Loss and gradient over all rows.

use super::descent::Landscape;
use crate::Error;
use crate::Result;
use crate::data::{Dataset, Samples};
use crate::kernels::Step;
use crate::model::{Model, Piece};
use crate::plan::{Executor, Plan};
use crate::train::feed::Feed;
use crate::train::feed::log::Logged;
use crate::train::run::{Outside, Run};

/// The plan that computes the gradient of as many rows at once as fit: all of them, or equal parts whose gradients add
/// up. Data and activations may take `budget` bytes each, and no buffer more than the device binds.
pub(super) fn plan(model: &Model, data: &Dataset, budget: u64) -> Result<Plan> {
    let classes = model.check_data(data)?;
    let inputs: usize = data.inputs().iter().map(|input| input.cols()).sum();
    let targets: usize = data.targets().iter().map(|target| target.width()).sum();
    let bindable = model.device().info().limits.storage_bytes();
    let of_budget = usize::try_from(budget / (4 * (inputs + targets + 1) as u64)).unwrap_or(usize::MAX);
    let mut batch = data.len().min(of_budget).max(1);
    loop {
        // Parts of equal size: the last is not much emptier.
        let parts = data.len().div_ceil(batch);
        batch = data.len().div_ceil(parts);
        let piece = if parts == 1 { Piece::Gradients } else { Piece::Accumulate };
        let fits = |plan: &Plan| plan.temporary_bytes() <= budget && plan.largest().0 <= bindable;
        match model.program().piece_plan(piece, batch, &classes) {
            Ok(plan) if batch == 1 || fits(&plan) => return Ok(if parts == 1 { plan.in_place() } else { plan }),
            Err(error) if batch == 1 || !matches!(error, Error::TooLarge { .. }) => return Err(error),
            _ => batch = batch.div_ceil(2),
        }
    }
}

/// The loss of a model on its data.
pub(super) struct Passes<'p, 'a, 'o> {
    executor: &'p mut dyn Executor,
    feed: &'p mut Feed<'a>,
    loss_weights: Vec<f32>,
    outside: &'p Outside,
    /// The share of each part in the mean of those up to it.
    shares: Vec<f32>,
    order: &'o [u32],
    /// What the last evaluation logged.
    pub logged: Option<Logged<'o>>,
}

impl<'p, 'a: 'o, 'o> Passes<'p, 'a, 'o> {
    /// `order`: the rows, in the order in which they are visited.
    pub fn new(run: &'p mut Run<'a>, order: &'o [u32]) -> Result<Self> {
        let feed = run.feed.as_mut().ok_or_else(|| Error::Internal("passes without data".to_owned()))?;
        let Samples::Memory(data) = run.data else {
            return Err(Error::Internal("passes over a stream".to_owned()));
        };
        let mut before = 0.0;
        let parts = order.chunks(feed.batch()).map(|rows| {
            let own = data.weight(rows.iter().copied());
            before += own;
            // Nothing lies there yet that counts.
            if own < before { (own / before) as f32 } else { 1.0 }
        });
        let shares = parts.collect();
        let loss_weights = run.model.program().weights_of_losses();
        Ok(Self {
            executor: &mut *run.model.executor,
            feed,
            loss_weights,
            outside: &run.outside,
            shares,
            order,
            logged: None,
        })
    }
}

impl<'a: 'o, 'o> Landscape for Passes<'_, 'a, 'o> {
    fn executor(&mut self) -> &mut dyn Executor {
        self.executor
    }

    fn evaluate(&mut self) -> Result<Option<f64>> {
        let fill = |i: usize, step: &mut Step| step.share = self.shares.get(i).copied().unwrap_or(1.0);
        let done = |_| !self.outside.stops();
        self.logged = self.feed.run_epoch(self.executor, self.order, fill, done)?;
        Ok(self.logged.as_ref().map(|logged| logged.loss(&self.loss_weights)))
    }
}
