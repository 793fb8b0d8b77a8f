//! How a set is split, scaled and scored in cross-validation, and one fold of it.

use super::workers::{check, room};
use crate::data::{Dataset, Folds, Matrix, MinMaxScaler, RobustScaler, Standardizer};
use crate::metrics::Direction;
use crate::model::Model;
use crate::model::reported::reported;
use crate::train::Fit;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

/// What brings a set into the form that was learnt from training rows.
pub type Transform = Arc<dyn Fn(Dataset) -> Result<Dataset> + Send + Sync>;

/// Learns a [`Transform`] from training rows.
type Prepare = Arc<dyn Fn(&Dataset) -> Result<Transform> + Send + Sync>;

#[derive(Debug, Clone)]
enum Split {
    KFold(usize),
    Stratified(usize),
    Grouped(usize, Vec<u64>),
    Repeated(usize, usize),
    LeaveOneOut,
    TimeSeries(usize),
}

/// How to cross-validate: the split, what is fitted to the training part of each fold before a model is, and the score.
///
/// Defaults: seed 0, score `accuracy`, no scaling, one thread a fold and as many folds at a time as there are cores.
///
/// ```
/// use axone::search::CrossValidation;
/// let cv = CrossValidation::stratified(5).seed(7).standardize().score("accuracy");
/// ```
#[derive(Clone)]
pub struct CrossValidation {
    split: Split,
    seed: u64,
    shuffle: bool,
    score: String,
    direction: Option<Direction>,
    prepare: Vec<Prepare>,
    pub(super) workers: Option<usize>,
    pub(super) threads: usize,
}

impl CrossValidation {
    fn new(split: Split) -> Self {
        Self {
            split,
            seed: 0,
            shuffle: true,
            score: "accuracy".to_owned(),
            direction: None,
            prepare: Vec::new(),
            workers: None,
            threads: 1,
        }
    }

    /// Each row held out once, in `k` parts: [`Dataset::k_fold`].
    pub fn k_fold(k: usize) -> Self {
        Self::new(Split::KFold(k))
    }

    /// The classes spread evenly: [`Dataset::k_fold_stratified`]. A class of fewer than `k` rows is refused.
    pub fn stratified(k: usize) -> Self {
        Self::new(Split::Stratified(k))
    }

    /// Rows of one group together: [`Dataset::k_fold_grouped`].
    pub fn grouped(k: usize, groups: impl IntoIterator<Item = u64>) -> Self {
        Self::new(Split::Grouped(k, groups.into_iter().collect()))
    }

    /// `k` parts, `repeats` times anew: [`Dataset::k_fold_repeated`].
    pub fn repeated(k: usize, repeats: usize) -> Self {
        Self::new(Split::Repeated(k, repeats))
    }

    /// Each row alone: [`Dataset::leave_one_out`].
    pub fn leave_one_out() -> Self {
        Self::new(Split::LeaveOneOut)
    }

    /// Each part from all before it: [`Dataset::time_series_split`].
    pub fn time_series(k: usize) -> Self {
        Self::new(Split::TimeSeries(k))
    }

    /// Seed of the split.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Whether the rows are dealt out in a seeded order; true by default. Without it k-fold and stratified splits are
    /// those of [`Dataset::k_fold_in_order`] and [`Dataset::k_fold_stratified_in_order`], as scikit-learn's are by
    /// default; splits of other kinds refuse it.
    pub fn shuffle(mut self, shuffle: bool) -> Self {
        self.shuffle = shuffle;
        self
    }

    /// What a fold is judged by: a name that the model's evaluation has, `loss` or a metric. More is better for
    /// accuracy, precision, recall, F1, AUC and R²; less is better for everything else, if not
    /// [`maximize`](Self::maximize) says otherwise.
    pub fn score(mut self, name: impl Into<String>) -> Self {
        self.score = name.into();
        self
    }

    /// More is better: for a score whose name does not tell, as that of a metric of one's own
    /// ([`Measure`](crate::metrics::Measure)) or of one output among several.
    pub fn maximize(mut self) -> Self {
        self.direction = Some(Direction::Maximize);
        self
    }

    /// Less is better, whatever the name of the score says.
    pub fn minimize(mut self) -> Self {
        self.direction = Some(Direction::Minimize);
        self
    }

    /// Scales the inputs with a [`Standardizer`] fitted to the training part of each fold.
    pub fn standardize(self) -> Self {
        self.scale(Standardizer::fit, |scaler, x| scaler.transform(x))
    }

    /// Scales the inputs with a [`MinMaxScaler`] fitted to the training part of each fold.
    pub fn min_max(self) -> Self {
        self.scale(MinMaxScaler::fit, |scaler, x| scaler.transform(x))
    }

    /// Scales the inputs with a [`RobustScaler`] fitted to the training part of each fold.
    pub fn robust(self) -> Self {
        self.scale(RobustScaler::fit, |scaler, x| scaler.transform(x))
    }

    fn scale<S: Send + Sync + 'static>(
        self,
        fit: fn(&Matrix) -> Result<S>,
        apply: fn(&S, &Matrix) -> Result<Matrix>,
    ) -> Self {
        self.prepare(move |train| {
            let scalers: Vec<S> = train.inputs().iter().map(fit).collect::<Result<_>>()?;
            Ok(move |set: Dataset| {
                let mut scalers = scalers.iter();
                set.map_inputs(|x| scalers.next().map_or_else(|| Ok(x.clone()), |scaler| apply(scaler, x)))
            })
        })
    }

    /// Fits anything else to the training part of each fold: `fit` sees those rows alone, and what it returns is then
    /// applied to both parts. Several are applied in the order in which they were added.
    ///
    /// ```
    /// use axone::data::{Dataset, Standardizer};
    /// use axone::search::CrossValidation;
    /// let cv = CrossValidation::k_fold(5).prepare(|train| {
    ///     let scaler = Standardizer::fit(&train.inputs()[0])?;
    ///     Ok(move |set: Dataset| set.map_inputs(|x| scaler.transform(x)))
    /// });
    /// ```
    pub fn prepare<T>(mut self, fit: impl Fn(&Dataset) -> Result<T> + Send + Sync + 'static) -> Self
    where
        T: Fn(Dataset) -> Result<Dataset> + Send + Sync + 'static,
    {
        self.prepare.push(Arc::new(move |train| Ok(Arc::new(fit(train)?))));
        self
    }

    /// How many folds run at a time; at least 1. Default: as many as have cores. The scores do not depend on it. Within
    /// a [`Study`](super::Study) trials run at a time, and the folds of each one after the other.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Threads of each fold on the CPU backend; at least 1.
    pub fn threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// The name of the score, and which of two is better.
    pub(super) fn objective(&self) -> (String, Direction) {
        (self.score.clone(), self.direction.unwrap_or_else(|| Direction::of_name(&self.score)))
    }

    /// Refuses a score that goes by its name alone in the `direction` of a study, where the metric of `model` says
    /// otherwise.
    pub(super) fn check_direction(&self, model: &Model, direction: Direction) -> Result<()> {
        let known = reported(model.program()).into_iter().find(|reported| reported.name == self.score);
        let by_name = self.direction.is_none() && Direction::of_name(&self.score) == direction;
        let Some(own) = known.map(|known| known.direction).filter(|own| by_name && *own != direction) else {
            return Ok(());
        };
        let call = match own {
            Direction::Minimize => "minimize",
            Direction::Maximize => "maximize",
        };
        let wanted = format!("one whose name tells what is better, or CrossValidation::{call} called");
        Err(Error::value("cross_validate", "score", wanted, &self.score))
    }

    pub(super) fn score_name(&self) -> &str {
        &self.score
    }

    pub(super) fn places(&self) -> Result<(usize, usize)> {
        check("cross_validate", self.workers.unwrap_or(1), self.threads)?;
        Ok((self.workers.unwrap_or_else(|| room(self.threads)), self.threads))
    }

    /// The folds, after a look at their classes.
    pub(super) fn split<'a>(&self, data: &'a Dataset) -> Result<Folds<'a>> {
        let folds = match &self.split {
            Split::KFold(k) if self.shuffle => data.k_fold(*k, self.seed),
            Split::KFold(k) => data.k_fold_in_order(*k),
            Split::Stratified(k) if self.shuffle => data.k_fold_stratified(*k, self.seed),
            Split::Stratified(k) => data.k_fold_stratified_in_order(*k),
            other if !self.shuffle => {
                let wanted = format!("true for {other:?}: only k-fold and stratified splits go without");
                return Err(Error::value("cross_validate", "shuffle", wanted, self.shuffle));
            }
            Split::Grouped(k, groups) => data.k_fold_grouped(*k, groups, self.seed),
            Split::Repeated(k, repeats) => data.k_fold_repeated(*k, *repeats, self.seed),
            Split::LeaveOneOut => data.leave_one_out(),
            Split::TimeSeries(k) => data.time_series_split(*k),
        }?;
        let Some(labels) = data.targets().iter().find_map(|target| target.labels()) else { return Ok(folds) };
        let all: BTreeSet<u32> = labels.iter().copied().collect();
        for fold in 0..folds.len() {
            let (train, validation) = folds.rows(fold).unwrap_or_default();
            let stratified = matches!(self.split, Split::Stratified(_));
            for (part, rows) in
                [("training", train)].into_iter().chain(stratified.then_some(("validation", validation)))
            {
                let has: BTreeSet<u32> = rows.iter().filter_map(|row| labels.get(*row)).copied().collect();
                if let Some(class) = all.difference(&has).next() {
                    let count = labels.iter().filter(|label| *label == class).count();
                    let place = format!("cross_validate, {part} part of fold {fold}");
                    return Err(Error::data(
                        place,
                        format!("class {class} is missing (the data have {count} rows of it)"),
                    ));
                }
            }
        }
        Ok(folds)
    }

    /// What the training rows teach about preparing rows.
    pub(super) fn learn(&self, train: &Dataset) -> Result<Transform> {
        let (mut set, mut steps) = (train.clone(), Vec::new());
        for prepare in &self.prepare {
            let step = prepare(&set)?;
            set = step(set)?;
            steps.push(step);
        }
        Ok(Arc::new(move |set: Dataset| {
            let rows = set.len();
            let set = steps.iter().try_fold(set, |set, step| step(set))?;
            if set.len() == rows { Ok(set) } else { Err(Error::shape("prepare", format!("{rows} rows"), set.len())) }
        }))
    }

    /// One fold, prepared.
    pub(super) fn fold(&self, folds: &Folds<'_>, data: &Dataset, index: usize) -> Result<(Fold, Vec<usize>)> {
        let (train, rows) = folds.rows(index).unwrap_or_default();
        let (train, validation) = (data.gather(&train), data.gather(&rows));
        let transform = self.learn(&train)?;
        let fold =
            Fold { index, count: folds.len(), train: transform(train)?, validation: Some(transform(validation)?) };
        Ok((fold, rows))
    }

    /// All rows as training rows, with nothing held out, and how they were prepared.
    pub(super) fn whole(&self, data: &Dataset) -> Result<(Fold, Transform)> {
        let transform = self.learn(data)?;
        Ok((Fold { index: 0, count: 1, train: transform(data.clone())?, validation: None }, transform))
    }
}

impl fmt::Debug for CrossValidation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrossValidation({:?}, seed {}, score {})", self.split, self.seed, self.score)
    }
}

/// One fold: rows to train on and rows that are held out, both prepared with what the former taught.
#[derive(Debug, Clone)]
pub struct Fold {
    index: usize,
    count: usize,
    train: Dataset,
    validation: Option<Dataset>,
}

impl Fold {
    /// Its number, from 0.
    pub fn index(&self) -> usize {
        self.index
    }

    /// How many folds there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// The rows to train on.
    pub fn train(&self) -> &Dataset {
        &self.train
    }

    /// The rows that are held out, `None` where all rows are trained on ([`Trials::best_model`](super::Trials)).
    pub fn validation(&self) -> Option<&Dataset> {
        self.validation.as_ref()
    }

    /// These settings with the held-out rows as validation data, where there are any: for values such as `val_loss`
    /// after every epoch. A model that is chosen by them (by early stopping, say) has seen them.
    pub fn validate(&self, fit: Fit) -> Fit {
        match &self.validation {
            Some(data) => fit.validation(data),
            None => fit,
        }
    }
}
