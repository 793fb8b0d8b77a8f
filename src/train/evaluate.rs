//! Evaluation: loss and metrics on data that are not trained on.

use super::feed::stream::Streamed;
use super::feed::{DATA_BUDGET, Feed};
use super::report::{self, Evaluation};
use crate::data::{Dataset, Samples, Stream};
use crate::model::{Model, Purpose};
use crate::{Error, Result};

impl Model {
    /// Loss and metrics on `data`, without training: of a data set or of a stream, whose rows come in the order of its
    /// reader. Metrics that ask for each answer (not loss, accuracy and errors) keep it of a stream, 4 bytes a number.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn evaluate<'d>(&mut self, data: impl Into<Samples<'d>>) -> Result<Evaluation> {
        let outcome = match data.into() {
            Samples::Memory(data) => {
                Validator::new(self, data, DATA_BUDGET).and_then(|mut validator| validator.run(self))
            }
            Samples::Stream(stream) => evaluate_stream(self, stream, DATA_BUDGET),
        };
        let released = self.release_data(&[Purpose::Evaluate]);
        outcome.and_then(|evaluation| released.map(|()| evaluation))
    }
}

/// Loss and metrics on a stream; at most `budget` bytes of it lie on the device.
pub(super) fn evaluate_stream(model: &mut Model, stream: &Stream, budget: u64) -> Result<Evaluation> {
    let batch = model.most_evaluated();
    let rows = stream.known_rows();
    let pass = Streamed { stream, purpose: Purpose::Evaluate, number: 0, shuffle: None, rows, batch, budget };
    let tally = pass.run(model, |_, _| {}, |_| true)?;
    let mut tally = tally.ok_or_else(|| Error::Internal("an evaluation ended before its last step".to_owned()))?;
    report::evaluation(model, &tally.logged())
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
