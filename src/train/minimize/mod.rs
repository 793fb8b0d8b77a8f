//! Full-batch training by L-BFGS: the run. Who does what beside it:
//!
//! | file | has |
//! |---|---|
//! | `settings.rs` | what a run can be told |
//! | `suits.rs` | which models have a loss that can be minimized, and the penalty of each block |
//! | `passes.rs` | loss and gradient over all rows, in one pass or several |
//! | `descent.rs` | one iteration: a direction, then a step along it |
//! | `curvature.rs` | from sums of products to the factors of the next direction |
//! | `line_search.rs` | how far to go |
//! | `vectors.rs` | the vectors on the device |

mod curvature;
mod descent;
mod line_search;
mod passes;
mod settings;
mod suits;
mod vectors;

pub use settings::Lbfgs;

use super::report::{self, Epoch, History};
use super::run::Run;
use crate::data::{Dataset, Held, Samples};
use crate::model::{Model, Purpose};
use crate::plan::{Buffer, Plan, PlanId};
use crate::{Error, Result};
use descent::{Descent, Moved};
use passes::Passes;
use std::time::Instant;
use vectors::Vectors;

impl Model {
    /// Trains on all rows of `data` at once by L-BFGS, from the weights that the model has: for small data and networks,
    /// which it brings to a minimum in few iterations. [`Lbfgs`] has what is minimized and when that ends;
    /// [`Model::set_weights`] and [`Model::reset`] set the start. The history has an epoch for each iteration, with its
    /// loss and metrics, `objective` (the loss with its penalty), `gradient` (the largest element), `evaluations` (so far),
    /// the step as its learning rate, and says in [`History::stopped`] why it ended.
    ///
    /// Computed in f32 whatever the [`Precision`](crate::Precision). The optimizer has no part in it: what it has gathered
    /// and the number of its steps stay. Frozen layers stay as they are.
    ///
    /// # Errors
    /// As [`Model::fit`]; [`Error::Value`] naming the layer for what a line search cannot do with: dropout, batch
    /// normalisation that is not frozen, [`l1`](crate::layers::Dense::l1); for a layer's `rate_factor` and an optimizer's
    /// penalties, decay and clipping, which would have no effect; and where the loss is not finite at the start.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut model = Sequential::new(1).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let line = Dataset::new([[0.0], [1.0], [2.0]], [[1.0], [3.0], [5.0]])?;
    /// let history = model.minimize(&line, &Lbfgs::new().tolerance(1e-5).silent())?;
    /// assert!(history.epochs.len() < 10);
    /// let weights = model.weights()?;
    /// assert!((weights[0].data[0] - 2.0).abs() < 1e-4 && (weights[1].data[0] - 1.0).abs() < 1e-4);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn minimize(&mut self, data: &Dataset, settings: &Lbfgs) -> Result<History> {
        minimize(self, data, settings)
    }
}

fn minimize(model: &mut Model, data: &Dataset, settings: &Lbfgs) -> Result<History> {
    settings.check()?;
    suits::check(model)?;
    let (data, held_out) = settings.run.parts(data.into())?;
    let Held::Memory(data) = data else {
        return Err(Error::Internal("a stream where rows in memory were given".to_owned()));
    };
    let plan = passes::plan(model, &data, settings.run.options.data_budget)?;
    let penalty = suits::penalty(model, settings.alpha / data.weight(0..data.len() as u32));
    let id = model.executor.load(&plan)?;
    let vectors = Vectors::new(&mut *model.executor, plan.slab, settings.history, &penalty);
    let history = vectors.and_then(|vectors| {
        let history = run(model, (&data, held_out.as_ref().map(Held::samples)), settings, (id, &plan), &vectors);
        vectors.release(&mut *model.executor);
        history
    });
    model.executor.unload(id);
    let released = model.release_data(&[Purpose::Evaluate]);
    history.and_then(|history| released.map(|()| history))
}

fn run(
    model: &mut Model,
    (data, held_out): (&Dataset, Option<Samples<'_>>),
    settings: &Lbfgs,
    (id, plan): (PlanId, &Plan),
    vectors: &Vectors,
) -> Result<History> {
    // A frozen parameter has no gradient: what lies there of it would be taken for one.
    model.drop_gradients()?;
    model.by_hand.scaled = false;
    if plan.batch < data.len() {
        model.executor.write_slab(Buffer::BatchGradients, 0, &vec![0.0; plan.slab])?;
    }
    let order: Vec<u32> = (0..data.len() as u32).collect();
    let called = (&settings.run.options, settings.run.callbacks()?);
    let mut run = Run::minimizing(model, (data, held_out), called, (id, plan))?;
    let mut descent = Descent::new(vectors);
    run.begin()?;
    let mut passes = Passes::new(&mut run, &order)?;
    if descent.start(&mut passes)? {
        if !descent.loss().is_finite() {
            let name = if settings.alpha > 0.0 { "loss with its penalty" } else { "loss" };
            return Err(Error::value("minimize", name, "finite for the weights it starts from", descent.loss()));
        }
        if let Some(reason) = settings.is_flat(&descent) {
            run.stop(reason);
        }
    } else {
        run.stop("stopped from outside before the first iteration");
    }
    while run.goes_on() {
        run.notify(|callback, run| callback.epoch_begin(run))?;
        let (begun, before) = (Instant::now(), descent.loss());
        let mut passes = Passes::new(&mut run, &order)?;
        let moved = descent.iterate(&mut passes)?;
        let logged = passes.logged;
        let (step, evaluations) = match moved {
            Moved::By { step, evaluations } => (step, evaluations),
            Moved::Interrupted => {
                run.stop(format!("stopped from outside in iteration {}", run.epoch() + 1));
                break;
            }
            Moved::Nowhere => {
                run.stop("no step along the gradient lowers the loss by more than its rounding");
                break;
            }
        };
        let mut values = logged.map(|logged| report::values(run.model, &logged)).transpose()?.unwrap_or_default();
        values.extend(run.validate()?);
        values.push(("objective".to_owned(), descent.loss()));
        values.push(("gradient".to_owned(), descent.largest_gradient()));
        values.push(("evaluations".to_owned(), descent.evaluations() as f64));
        let seconds = begun.elapsed().as_secs_f64();
        run.uniforms.rate = f64::from(step);
        let epoch = Epoch { epoch: run.epoch() + 1, seconds, learning_rate: step, values };
        run.progress.end_epoch(&epoch, (evaluations * data.len()) as f64 / seconds);
        run.history.epochs.push(epoch);
        if let Some(reason) = settings.is_flat(&descent).or_else(|| settings.is_done(&descent, before)) {
            run.stop(reason);
        }
        run.notify(|callback, run| callback.epoch_end(run))?;
    }
    run.notify(|callback, run| callback.end(run))?;
    Ok(run.finish())
}
