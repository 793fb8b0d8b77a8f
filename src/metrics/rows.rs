//! The rows that a metric is computed from: truth, weights, and what the steps logged of the model's answers.

use super::{ConfusionMatrix, Measure, Metric, Need, RocCurve, first_largest, roc_curve};
use crate::data::{Matrix, Targets};
use crate::losses::Task;
use crate::{Error, Result};

/// An output with what was logged of it.
pub(crate) struct OutputLog<'a> {
    pub name: &'a str,
    pub task: Task,
    pub columns: usize,
    /// Above it a score of a yes-or-no output means yes.
    pub threshold: f32,
    pub target: &'a Targets,
    /// The weight of each row of the data; `None` means 1 each.
    pub weights: Option<&'a [f32]>,
    /// The rows of the data in the order in which they were visited.
    pub order: &'a [u32],
    /// The columns that each need takes in the log, by row of the data.
    pub logged: Vec<(Need, Vec<Vec<f32>>)>,
}

impl OutputLog<'_> {
    /// The value of `metric`; what is not defined reads NaN.
    pub fn value(&self, metric: &Metric) -> Result<f64> {
        let measure = metric.measure();
        match measure.value(&Rows { log: self, measure: &*measure }) {
            Err(Error::Data { .. }) => Ok(f64::NAN),
            outcome => outcome,
        }
    }

    /// Which class was taken for which, where one of `metrics` needs the classes.
    pub fn confusion_matrix(&self, metrics: &[Metric]) -> Option<ConfusionMatrix> {
        let measure = metrics.iter().map(Metric::measure).find(|measure| measure.needs().contains(&Need::Predicted))?;
        Rows { log: self, measure: &*measure }.confusion_matrix().ok()
    }

    /// The ROC curve, where one of `metrics` needs the scores of yes or no.
    pub fn roc_curve(&self, metrics: &[Metric]) -> Option<RocCurve> {
        let measure = metrics.iter().map(Metric::measure).find(|measure| measure.needs().contains(&Need::Columns))?;
        let rows = Rows { log: self, measure: &*measure };
        let is_one_answer = self.task == Task::YesNo && self.columns == 1;
        is_one_answer.then(|| roc_curve(&rows.truth(), &rows.column(0)?, rows.weights().as_deref()))?.ok()
    }
}

/// What a [`Measure`] sees of one output: the rows that have a weight, in the order of the data. What rows of weight 0
/// hold is neither refused nor a class that occurs.
pub struct Rows<'a> {
    log: &'a OutputLog<'a>,
    measure: &'a dyn Measure,
}

impl Rows<'_> {
    /// What was logged for `need`.
    fn logged(&self, need: Need) -> Result<&[Vec<f32>]> {
        let needs = self.measure.needs();
        let kept = need.logged_as(self.log.task);
        let found = self.log.logged.iter().find(|(known, _)| needs.contains(&need) && *known == kept);
        let found = found.map(|(_, columns)| columns.as_slice());
        let wanted = || format!("with {need:?}, which its value is computed from");
        found.ok_or_else(|| Error::value(self.measure.name(), "needs", wanted(), format!("{needs:?}")))
    }

    /// The element of `values`, one a row of the data, of each row that has a weight.
    fn counted<T: Copy>(&self, values: &[T]) -> Vec<T> {
        values.iter().enumerate().filter(|(row, _)| self.weight(*row) > 0.0).map(|(_, value)| *value).collect()
    }

    fn weight(&self, row: usize) -> f64 {
        super::weight(self.log.weights, row)
    }

    /// The weight of each row; `None` means 1 each.
    pub fn weights(&self) -> Option<Vec<f32>> {
        self.log.weights.map(|weights| self.counted(weights))
    }

    /// The class of each row, of answers: classes from 0, or 1 for yes.
    pub fn truth(&self) -> Vec<u32> {
        match (self.log.target, self.log.task) {
            (Targets::Classes(labels), _) => self.counted(labels),
            // Targets are finite, so each row has a class.
            (Targets::Values(values), Task::Classes) => {
                let classes: Vec<_> = values.iter_rows().map(first_largest).collect();
                self.counted(&classes).into_iter().flatten().collect()
            }
            (Targets::Values(values), Task::YesNo | Task::Numbers) => {
                self.counted(values.data()).into_iter().map(|value| u32::from(value > 0.5)).collect()
            }
        }
    }

    /// The class that each row is taken for, none by a NaN.
    ///
    /// # Errors
    /// [`Error::Value`] where [`Measure::needs`] lacks [`Need::Predicted`].
    pub fn predicted(&self) -> Result<Vec<Option<u32>>> {
        let values = self.counted(&self.logged(Need::Predicted)?[0]);
        let class = |value: f32| match self.log.task {
            Task::Classes => (value < self.log.columns as f32).then_some(value as u32),
            Task::YesNo | Task::Numbers => (!value.is_nan()).then_some(u32::from(value > self.log.threshold)),
        };
        Ok(values.into_iter().map(class).collect())
    }

    /// Which class is taken for which, by weight: from what most metrics of classes follow.
    ///
    /// # Errors
    /// As [`predicted`](Self::predicted), and for more than 4096 classes.
    pub fn confusion_matrix(&self) -> Result<ConfusionMatrix> {
        let classes = if self.log.task == Task::Classes { self.log.columns } else { 2 };
        ConfusionMatrix::of(classes, &self.truth(), &self.predicted()?, self.weights().as_deref())
    }

    /// Number of columns of the output.
    pub fn columns(&self) -> usize {
        self.log.columns
    }

    /// Column `column` of the target: a number each row, or the class.
    pub fn target(&self, column: usize) -> Vec<f32> {
        match self.log.target {
            Targets::Classes(labels) => self.counted(labels).into_iter().map(|label| label as f32).collect(),
            Targets::Values(values) => self.counted(&values.iter_rows().map(|row| row[column]).collect::<Vec<_>>()),
        }
    }

    /// Column `column` of the output: numbers, the probabilities of a class, or the scores of yes, which are logits
    /// where the loss is computed from them.
    ///
    /// # Errors
    /// [`Error::Value`] where [`Measure::needs`] lacks [`Need::Columns`], and for a column that there is not.
    pub fn column(&self, column: usize) -> Result<Vec<f32>> {
        let (name, columns) = (self.log.name, self.logged(Need::Columns)?);
        let wanted = || format!("below {}", columns.len());
        columns
            .get(column)
            .map(|values| self.counted(values))
            .ok_or_else(|| Error::value(name, "column", wanted(), column))
    }

    /// The columns of the output side by side.
    ///
    /// # Errors
    /// As [`column`](Self::column).
    pub fn scores(&self) -> Result<Matrix> {
        let columns: Vec<Vec<f32>> = (0..self.log.columns).map(|column| self.column(column)).collect::<Result<_>>()?;
        let rows = columns.first().map_or(0, Vec::len);
        let scores = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
        Matrix::new(rows, columns.len(), scores.collect())
    }

    /// The weighted mean over the rows of `of` what was logged for `need`: of [`Need::Rank`] or [`Need::Squares`].
    ///
    /// # Errors
    /// [`Error::Value`] where [`Measure::needs`] lacks `need`.
    pub fn mean(&self, need: Need, of: impl Fn(f32) -> f64) -> Result<f64> {
        let values = &self.logged(need)?[0];
        let (mut sum, mut total) = (0.0, 0.0);
        for row in self.log.order.iter().map(|row| *row as usize).filter(|row| self.weight(*row) > 0.0) {
            sum += of(values[row]) * self.weight(row);
            total += self.weight(row);
        }
        Ok(sum / total)
    }

    /// The mean over the columns of `metric(truth, predicted, weights)`, for a function of slices.
    ///
    /// # Errors
    /// As [`column`](Self::column), and those of `metric`.
    pub fn over_columns(&self, metric: impl Fn(&[f32], &[f32], Option<&[f32]>) -> Result<f64>) -> Result<f64> {
        let weights = self.weights();
        let mut sum = 0.0;
        for column in 0..self.log.columns {
            sum += metric(&self.target(column), &self.column(column)?, weights.as_deref())?;
        }
        Ok(sum / self.log.columns as f64)
    }
}
