//! The training loop, and evaluation.

use super::callback::Shared;
use super::feed::Feed;
use super::report;
use super::run::Run;
use super::settings::{DATA_BUDGET, Fit, Validation};
use super::{Evaluation, History};
use crate::data::Dataset;
use crate::model::{Model, Purpose};
use crate::{Error, Result};

impl Model {
    /// Trains on `data`: mini-batches in an order shuffled anew each epoch. Returns loss and metrics of every epoch.
    ///
    /// # Errors
    /// [`Error::Shape`] and [`Error::Data`] where the data do not fit the model, naming input, row and value;
    /// [`Error::Value`] for settings out of range; [`Error::TooLarge`]; [`Error::Gpu`].
    pub fn fit(&mut self, data: &Dataset, settings: &Fit) -> Result<History> {
        fit(self, data, settings)
    }

    /// Loss and metrics on `data`, without training.
    ///
    /// # Errors
    /// As [`Model::fit`].
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation> {
        evaluate(self, data)
    }
}

fn fit(model: &mut Model, data: &Dataset, settings: &Fit) -> Result<History> {
    let outcome = train(model, data, settings);
    // However it ended.
    let released = model.release_data(&[Purpose::Train, Purpose::Evaluate]);
    outcome.and_then(|history| released.map(|()| history))
}

fn train(model: &mut Model, data: &Dataset, settings: &Fit) -> Result<History> {
    settings.check()?;
    let split = split(data, settings)?;
    let (data, held_out) = parts(data, split.as_ref(), settings);
    let taken: Result<Vec<_>> = settings.callbacks.iter().map(Shared::take).collect();
    let mut callbacks = taken?;
    super::writers::check(settings, &callbacks)?;
    let mut run = Run::new(model, data, held_out, settings)?;
    #[cfg(feature = "save")]
    settings.checkpoints.iter().try_for_each(|checkpoint| checkpoint.begin(&run))?;
    #[cfg(feature = "save")]
    let states = match &settings.resume {
        Some(path) => super::resume::read(&mut run, path, &super::resume::keeping(&callbacks))?,
        None => Vec::new(),
    };
    run.notify(&mut callbacks, |callback, run| callback.begin(run))?;
    #[cfg(feature = "save")]
    {
        super::resume::restore(&mut callbacks, states)?;
        run.reconsider(&mut callbacks)?;
        if settings.resume.is_some() && run.epoch() >= run.epochs() {
            run.note(&format!("nothing to train: {} of {} epochs are done", run.epoch(), run.epochs()));
        }
    }
    while run.goes_on() {
        run.notify(&mut callbacks, |callback, run| callback.epoch_begin(run))?;
        if !run.epoch_of_training()? {
            break;
        }
        run.notify(&mut callbacks, |callback, run| callback.epoch_end(run))?;
        // Last, so that a file holds what the callbacks made of the epoch.
        #[cfg(feature = "save")]
        settings.checkpoints.iter().try_for_each(|checkpoint| checkpoint.write(&mut run, &callbacks))?;
    }
    run.notify(&mut callbacks, |callback, run| callback.end(run))?;
    Ok(run.finish())
}

/// The two parts of `data`, where the settings split it.
pub(super) fn split(data: &Dataset, settings: &Fit) -> Result<Option<(Dataset, Dataset)>> {
    match &settings.validation {
        Validation::Split(fraction) => data.validation_split(*fraction, settings.seed).map(Some),
        _ => Ok(None),
    }
}

/// What is trained on, and what is kept for validation.
pub(super) fn parts<'a>(
    data: &'a Dataset,
    split: Option<&'a (Dataset, Dataset)>,
    settings: &'a Fit,
) -> (&'a Dataset, Option<&'a Dataset>) {
    match (split, &settings.validation) {
        (Some((train, held_out)), _) => (train, Some(held_out)),
        (None, Validation::Data(held_out)) => (data, Some(held_out)),
        _ => (data, None),
    }
}

fn evaluate(model: &mut Model, data: &Dataset) -> Result<Evaluation> {
    let outcome = Validator::new(model, data, DATA_BUDGET).and_then(|mut validator| validator.run(model));
    let released = model.release_data(&[Purpose::Evaluate]);
    outcome.and_then(|evaluation| released.map(|()| evaluation))
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
