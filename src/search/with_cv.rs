//! Searches whose score is cross-validated: `grid_search` and its kind.

use super::cross::evaluate;
use super::fold::{CrossValidation, Fold, Transform};
use super::shared_folds::SharedFolds;
use super::{Grid, Random, Score, Study, Tpe, Trial, Trials, run};
use crate::data::{Dataset, Matrix};
use crate::model::Model;
use crate::train::Evaluation;
use crate::{Error, Result};
use std::fmt;

/// Every combination of the lists of `grid`, cross-validated. As a [`Study`] with the defaults:
/// `Study::of(&cv).sampler(grid).run_folds(data, &cv, train)`.
///
/// # Errors
/// As [`Study::run_folds`].
///
/// ```
/// use axone::prelude::*;
/// use axone::search::{CrossValidation, Fold, Grid, Trial, grid_search};
///
/// fn train(trial: &Trial, fold: &Fold) -> Result<Model> {
///     let units: usize = trial.int("units", 1..=1000).get()?;
///     let l2 = trial.float("l2", 0.0..=10.0).get_f32()?;
///     let net = Sequential::new(1).add(Dense::new(units).activation(Activation::Tanh)).add(Dense::new(2));
///     let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.05).l2(l2))?;
///     model.reset(trial.seed())?;
///     model.fit(fold.train(), &Fit::new().epochs(60).silent())?;
///     Ok(model)
/// }
///
/// let data = Dataset::new([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 0, 1, 1, 1])?;
/// let grid = Grid::new().values("units", [2, 4]).values("l2", [0.0, 0.001]);
/// let cv = CrossValidation::stratified(3).standardize();
/// # use axone::search::Study;
/// # let trials = Study::of(&cv).sampler(grid.clone()).silent().run_folds(&data, &cv, train)?;
/// # if false {
/// let trials = grid_search(&data, &cv, grid, train)?;
/// # }
/// let mut best = trials.best_model(&data, &cv, train)?; // trained on all rows
/// assert_eq!(best.predict(&data)?.rows(), 6);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn grid_search(
    data: &Dataset,
    cv: &CrossValidation,
    grid: Grid,
    train: impl Fn(&Trial, &Fold) -> Result<Model> + Sync,
) -> Result<Trials> {
    Study::of(cv).sampler(grid).run_folds(data, cv, train)
}

/// `trials` random combinations, cross-validated: `Study::of(&cv).sampler(Random).trials(trials)`.
///
/// # Errors
/// As [`Study::run_folds`].
pub fn random_search(
    data: &Dataset,
    cv: &CrossValidation,
    trials: usize,
    train: impl Fn(&Trial, &Fold) -> Result<Model> + Sync,
) -> Result<Trials> {
    Study::of(cv).sampler(Random).trials(trials).run_folds(data, cv, train)
}

/// `trials` combinations where good ones are dense, cross-validated: `Study::of(&cv).sampler(Tpe::new()).trials(trials)`.
///
/// # Errors
/// As [`Study::run_folds`].
pub fn bayesian_search(
    data: &Dataset,
    cv: &CrossValidation,
    trials: usize,
    train: impl Fn(&Trial, &Fold) -> Result<Model> + Sync,
) -> Result<Trials> {
    Study::of(cv).sampler(Tpe::new()).trials(trials).run_folds(data, cv, train)
}

impl Study {
    /// A study of the score of `cv`.
    pub fn of(cv: &CrossValidation) -> Self {
        let (name, direction) = cv.objective();
        Self::new(name, direction)
    }

    /// [`run`](Self::run) with the mean score over the folds of `cv`. `train` returns the model that it trained on
    /// [`Fold::train`]. The folds of a trial run one after the other, so that the trial can be pruned between them (where
    /// nothing is pruned or learnt, workers without a trial of their own help with the folds of the last): a trial that
    /// [watches](Trial::watch) nothing reports the mean so far after each fold.
    ///
    /// # Errors
    /// As [`run`](Self::run) and [`cross_validate`](super::cross_validate).
    pub fn run_folds(
        &self,
        data: &Dataset,
        cv: &CrossValidation,
        train: impl Fn(&Trial, &Fold) -> Result<Model> + Sync,
    ) -> Result<Trials> {
        let folds = cv.split(data)?;
        let score = |trial: &Trial, index: usize| -> Result<Option<f64>> {
            let (fold, _) = cv.fold(&folds, data, index)?;
            let mut model = train(trial, &fold)?;
            if trial.is_pruned() || trial.is_cut() {
                return Ok(None);
            }
            let judged = cv.check_direction(&model, self.direction).and_then(|()| evaluate(&fold, &mut model, cv));
            let judged = judged.inspect_err(|error| {
                // Every trial would repeat it, unlike a model that does not fit the device.
                if matches!(error, Error::Value { name: "score", .. }) {
                    trial.fault(error);
                }
            })?;
            Ok(Some(judged.0))
        };
        let score = &score;
        let shared = SharedFolds::default();
        let objective = |trial: &Trial| -> Result<Score> {
            let sharing = shared.begin();
            let Some(first) = score(trial, 0)? else { return Ok(Score::from(Vec::new())) };
            let rest: Box<dyn Iterator<Item = Result<Option<f64>>>> = if self.lag().is_none() && !trial.is_watched() {
                // Nothing depends on the order any more.
                let trial = trial.clone();
                let shared = sharing.for_each(1..folds.len(), move |index| score(&trial, index));
                let panicked = || Error::Internal("a worker that helped with a fold panicked".to_owned());
                Box::new(shared.into_iter().map(move |one| one.ok_or_else(panicked)?))
            } else {
                Box::new((1..folds.len()).map(|index| score(trial, index)))
            };
            let mut scores = Vec::new();
            for outcome in std::iter::once(Ok(Some(first))).chain(rest) {
                let Some(own) = outcome? else { break };
                scores.push(own);
                if !trial.is_watched() {
                    trial.report(scores.len(), scores.iter().sum::<f64>() / scores.len() as f64)?;
                    if trial.is_pruned() {
                        break;
                    }
                }
            }
            Ok(scores.into())
        };
        run::run(self, &objective, &|| shared.help())
    }
}

impl Trials {
    /// Trains the best trial's model on all rows of `data`, prepared as `cv` says: `train` is called once more, with a
    /// trial that answers with the best parameters and a fold that holds nothing out.
    ///
    /// # Errors
    /// Those of [`best`](Self::best) and of `train`.
    pub fn best_model(
        &self,
        data: &Dataset,
        cv: &CrossValidation,
        train: impl Fn(&Trial, &Fold) -> Result<Model>,
    ) -> Result<BestModel> {
        let trial = self.best()?.trial();
        let (fold, transform) = cv.whole(data)?;
        Ok(BestModel { model: train(&trial, &fold)?, transform })
    }
}

/// A model with the preparation of its data: scaling and encoding as fitted to the rows that it was trained on.
pub struct BestModel {
    model: Model,
    transform: Transform,
}

impl BestModel {
    /// The model, for data that have been [prepared](Self::prepare).
    pub fn model(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Rows as the model wants them.
    ///
    /// # Errors
    /// Those of the preparation.
    pub fn prepare(&self, data: &Dataset) -> Result<Dataset> {
        (self.transform)(data.clone())
    }

    /// The first output for each row of `data`, which is prepared first.
    ///
    /// # Errors
    /// Those of the preparation and of [`Model::predict`].
    pub fn predict(&mut self, data: &Dataset) -> Result<Matrix> {
        let data = self.prepare(data)?;
        let mut outputs = self.model.predict_all(data.inputs())?;
        Ok(outputs.drain(..1).next().unwrap_or_default())
    }

    /// Loss and metrics on `data`, which is prepared first.
    ///
    /// # Errors
    /// Those of the preparation and of [`Model::evaluate`].
    pub fn evaluate(&mut self, data: &Dataset) -> Result<Evaluation> {
        let data = self.prepare(data)?;
        self.model.evaluate(&data)
    }
}

impl fmt::Debug for BestModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BestModel({:?})", self.model)
    }
}
