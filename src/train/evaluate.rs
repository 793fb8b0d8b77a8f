//! Evaluation: loss and metrics on data that are not trained on.

use super::feed::{DATA_BUDGET, Feed};
use super::report::{self, Evaluation};
use crate::data::Dataset;
use crate::model::{Model, Purpose};
use crate::{Error, Result};

impl Model {
    /// Loss and metrics on `data`, without training.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation> {
        let outcome = Validator::new(self, data, DATA_BUDGET).and_then(|mut validator| validator.run(self));
        let released = self.release_data(&[Purpose::Evaluate]);
        outcome.and_then(|evaluation| released.map(|()| evaluation))
    }
}

/// A data set bound to the evaluation plan.
pub(super) struct Validator<'a> {
    feed: Feed<'a>,
    order: Vec<u32>,
}

impl<'a> Validator<'a> {
    pub fn new(model: &mut Model, data: &'a Dataset, budget: u64) -> Result<Self> {
        let classes = model.check_data(data)?;
        let device = model.device().clone();
        let batch = model.inference_batch(Purpose::Evaluate, data.len(), &classes)?;
        let loaded = model.load(Purpose::Evaluate, batch, &classes)?.clone();
        let feed = Feed::new(&mut *model.executor, &device, (loaded.id, &loaded.plan), data, budget)?;
        Ok(Self { feed, order: (0..data.len() as u32).collect() })
    }

    pub fn run(&mut self, model: &mut Model) -> Result<Evaluation> {
        let logged = self.feed.run_epoch(&mut *model.executor, &self.order, |_, _| {}, |_| true)?;
        let logged = logged.ok_or_else(|| Error::Internal("an evaluation ended before its last step".to_owned()))?;
        report::evaluation(model, &logged)
    }
}
