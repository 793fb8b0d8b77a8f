//! Cross-validation: how well models do on rows that they were not trained on.

use super::fold::{CrossValidation, Fold};
use super::{Score, workers};
use crate::data::{Dataset, Matrix};
use crate::model::Model;
use crate::train::{Evaluation, number};
use crate::{Error, Result};
use std::fmt;

/// Trains a model for each fold of `data` and judges it on the rows that the fold holds out. `train` is called with each
/// fold and returns the model that it trained on [`Fold::train`]; scaling and encoding that `cv` was told of are fitted
/// to those rows alone, before `train` sees them.
///
/// # Errors
/// Those of the split, with `k` and the rows; [`Error::Data`] for a class that is missing from the training part of a
/// fold (or, stratified, from either part); [`Error::Value`] for a score that the models do not report; those of `train`.
///
/// ```
/// use axone::prelude::*;
/// use axone::search::{CrossValidation, cross_validate};
///
/// let data = Dataset::new([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0]], [0, 0, 0, 1, 1, 1])?;
/// let cv = CrossValidation::stratified(3).standardize();
/// let result = cross_validate(&data, &cv, |fold| {
///     let net = Sequential::new(1).add(Dense::new(2));
///     let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.1))?;
///     model.fit(fold.train(), &Fit::new().epochs(100).silent())?;
///     Ok(model)
/// })?;
/// println!("{result}"); // accuracy 0.8333 ± 0.2887 (3 folds)
/// assert_eq!((result.scores().len(), result.predictions().rows()), (3, 6));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn cross_validate(
    data: &Dataset,
    cv: &CrossValidation,
    train: impl Fn(&Fold) -> Result<Model> + Sync,
) -> Result<CrossValidated> {
    let places = cv.places()?;
    let folds = cv.split(data)?;
    let judged = workers::for_each(places, folds.len(), |index| {
        let (fold, rows) = cv.fold(&folds, data, index)?;
        judge(&fold, &rows, &mut train(&fold)?, cv)
    })?;
    CrossValidated::new(data.len(), cv, judged)
}

/// What one fold came to.
pub(super) struct Judged {
    pub score: f64,
    evaluation: Evaluation,
    rows: Vec<usize>,
    outputs: Vec<Matrix>,
}

/// Scores the model of a fold on its held-out rows.
pub(super) fn judge(fold: &Fold, rows: &[usize], model: &mut Model, cv: &CrossValidation) -> Result<Judged> {
    let (score, evaluation) = evaluate(fold, model, cv)?;
    let outputs = fold.validation().map_or_else(|| Ok(Vec::new()), |held_out| model.predict_all(held_out.inputs()))?;
    Ok(Judged { score, evaluation, rows: rows.to_vec(), outputs })
}

/// The score of the held-out rows, with all that was evaluated.
pub(super) fn evaluate(fold: &Fold, model: &mut Model, cv: &CrossValidation) -> Result<(f64, Evaluation)> {
    let held_out = fold.validation().ok_or_else(|| Error::Internal("a fold without held-out rows".to_owned()))?;
    let evaluation = model.evaluate(held_out)?;
    let score = evaluation.get(cv.score_name()).ok_or_else(|| {
        let names: Vec<&str> = evaluation.values.iter().map(|(name, _)| name.as_str()).collect();
        Error::value("cross_validate", "score", format!("one of {}", names.join(", ")), cv.score_name())
    })?;
    Ok((score, evaluation))
}

/// What cross-validation found.
#[derive(Debug, Clone, PartialEq)]
pub struct CrossValidated {
    name: String,
    scores: Vec<f64>,
    evaluations: Vec<Evaluation>,
    /// Of each output; at least one.
    predictions: Vec<Matrix>,
}

impl CrossValidated {
    pub(super) fn new(rows: usize, cv: &CrossValidation, judged: Vec<Judged>) -> Result<Self> {
        let widths: Vec<usize> =
            judged.first().map(|fold| fold.outputs.iter().map(Matrix::cols).collect()).unwrap_or_default();
        let mut predictions = Vec::new();
        for (output, width) in widths.into_iter().enumerate() {
            let (mut sums, mut counts) = (vec![0.0f64; rows * width], vec![0u32; rows]);
            for fold in &judged {
                let fitting = fold.outputs.get(output).filter(|matrix| matrix.cols() == width);
                let matrix = fitting.ok_or_else(|| {
                    Error::shape("cross_validate", format!("{width} columns from the model of every fold"), "others")
                })?;
                for (row, values) in fold.rows.iter().zip(matrix.iter_rows()) {
                    counts[*row] += 1;
                    let sums = &mut sums[row * width..(row + 1) * width];
                    sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += f64::from(*value));
                }
            }
            let mean = sums.iter().enumerate().map(|(at, sum)| (sum / f64::from(counts[at / width])) as f32);
            predictions.push(Matrix::new(rows, width, mean.collect())?);
        }
        if predictions.is_empty() {
            return Err(Error::Internal("no fold has an output".to_owned()));
        }
        let (scores, evaluations) = judged.into_iter().map(|fold| (fold.score, fold.evaluation)).unzip();
        Ok(Self { name: cv.score_name().to_owned(), scores, evaluations, predictions })
    }

    /// The score of each fold.
    pub fn scores(&self) -> &[f64] {
        &self.scores
    }

    /// Their mean.
    pub fn mean(&self) -> f64 {
        Score::from(self.scores.clone()).mean()
    }

    /// Their standard deviation, that of a sample (divided by the folds less one; scikit-learn's `std_test_score`
    /// divides by the folds). NaN for a single fold.
    pub fn std(&self) -> f64 {
        let (mean, folds) = (self.mean(), self.scores.len() as f64);
        (self.scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / (folds - 1.0)).sqrt()
    }

    /// Loss and metrics of each fold on its held-out rows.
    pub fn evaluations(&self) -> &[Evaluation] {
        &self.evaluations
    }

    /// What the model of the fold that held a row out says of it, for every row of the data, of the first output: the
    /// mean where several folds held it out, NaN where none did (the first block of a time series).
    pub fn predictions(&self) -> &Matrix {
        &self.predictions[0]
    }

    /// [`predictions`](Self::predictions) of each output.
    pub fn all_predictions(&self) -> &[Matrix] {
        &self.predictions
    }
}

/// `accuracy 0.9533 ± 0.0122 (5 folds)`: mean and standard deviation.
impl fmt::Display for CrossValidated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (mean, std, folds) = (number(self.mean()), number(self.std()), self.scores.len());
        write!(f, "{} {mean} ± {std} ({folds} folds)", self.name)
    }
}

impl From<CrossValidated> for Score {
    fn from(result: CrossValidated) -> Self {
        Score::from(result.scores)
    }
}
