//! Evaluation: loss and metrics on data that are not trained on.

use super::feed::{DATA_BUDGET, Feed};
use super::report::{self, Evaluation};
use crate::data::{Dataset, Matrix, Targets};
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

impl Model {
    /// Loss and metrics of some of the outputs, on data that have targets for these alone, in the order of `outputs`. The
    /// others are computed and counted for nothing: `loss` is what the outputs that are asked for, and losses without a
    /// target, have in it.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let mut net = Network::new();
    /// let x = net.input("x", 1)?;
    /// let (kind, size) = (net.apply(Dense::new(2).named("kind"), x)?, net.apply(Dense::new(1).named("size"), x)?);
    /// net.output(kind)?;
    /// net.output(size)?;
    /// let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    /// let mut model = net.compile(Device::cpu(), losses, Adam::new(0.1))?;
    /// let sizes = Dataset::new([[0.0], [1.0]], [3.0, 5.0])?;
    /// let scores = model.evaluate_outputs(&["size"], &sizes)?;
    /// let names: Vec<&str> = scores.values.iter().map(|(name, _)| name.as_str()).collect();
    /// assert_eq!(names, ["loss", "size_loss", "size_mae"]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Value`] with the names of the outputs, for one that is not among them or there twice; [`Error::Shape`] where
    /// the targets are not as many; else as [`Model::evaluate`].
    pub fn evaluate_outputs(&mut self, outputs: &[&str], data: &Dataset) -> Result<Evaluation> {
        self.program().check_has_losses()?;
        let (place, known) = ("evaluate_outputs", self.program().network.output_shapes());
        for (i, name) in outputs.iter().enumerate() {
            let again = if outputs[..i].contains(name) { " twice" } else { "" };
            if !again.is_empty() || known.iter().all(|(own, _)| own != name) {
                let names: Vec<&str> = known.iter().map(|(name, _)| *name).collect();
                return Err(Error::value(
                    place,
                    "output",
                    format!("one of {}", names.join(", ")),
                    format!("\"{name}\"{again}"),
                ));
            }
        }
        if data.targets().len() != outputs.len() {
            return Err(Error::shape("targets", format!("{} targets", outputs.len()), data.targets().len()));
        }
        let asked: Vec<Option<usize>> =
            known.iter().map(|(own, _)| outputs.iter().position(|name| name == own)).collect();
        let mut whole = data.without_targets();
        for (i, ((place, (_, shape)), loss)) in asked.iter().zip(&known).zip(self.program().losses()).enumerate() {
            let target = match place {
                Some(place) => data.targets()[*place].clone(),
                None if loss.takes_classes() => Targets::Classes(vec![0; data.len()]),
                None => {
                    let units = shape.iter().product();
                    Targets::Values(Matrix::new(data.len(), units, vec![0.0; data.len() * units])?)
                }
            };
            whole = whole.with_target(target)?;
            match place {
                Some(place) => {
                    if let Some(own) = data.target_weights(*place) {
                        whole.weigh_target(i, own.to_vec());
                    }
                }
                None => whole.weigh_target(i, vec![0.0; data.len()]),
            }
        }
        let mut found = self.evaluate(&whole)?;
        report::keep_outputs(self, &mut found, |output| asked[output].is_some());
        Ok(found)
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
