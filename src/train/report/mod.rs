//! From the log of an epoch to the values it reports.
//!
//! The log's slots are the losses of the outputs, then the metrics of those, then, output by output, what further
//! metrics need.

#[cfg(feature = "plot")]
pub(crate) mod axis;
mod evaluation;
mod history;
#[cfg(feature = "plot")]
mod plot;

pub use evaluation::Evaluation;
pub(crate) use history::number;
pub use history::{Epoch, History};
pub(in crate::train) use history::{csv_header, csv_line};

use super::feed::log::Logged;
use crate::data::{Matrix, Targets};
use crate::losses::Task;
use crate::metrics::{self, ConfusionMatrix, Counts, Direction, Metric, Need, needs, roc_curve};
use crate::model::reported::{Entry, reported};
use crate::model::{Model, Watched};
use crate::{Error, Result};
use evaluation::Details;

/// The names that an epoch reports, and which of their values are the better ones.
pub(super) fn names(model: &Model) -> Vec<(String, Direction)> {
    reported(model.program()).into_iter().map(|reported| (reported.name, reported.direction)).collect()
}

/// The names and values that an epoch reports.
pub(super) fn values(model: &Model, logged: &Logged<'_>) -> Vec<(String, f64)> {
    let outputs = outputs(model, logged);
    let value = |entry: Entry| match entry {
        Entry::Loss => logged.loss(&model.program().loss_weights),
        Entry::Slot(slot) => logged.mean(slot),
        // What is not defined reads NaN.
        Entry::More(output, metric) => outputs.get(output).map_or(f64::NAN, |of| of.value(&metric).unwrap_or(f64::NAN)),
    };
    reported(model.program()).into_iter().map(|reported| (reported.name, value(reported.entry))).collect()
}

/// The values, with confusion matrices and curves.
pub(super) fn evaluation(model: &Model, logged: &Logged<'_>) -> Evaluation {
    let details = outputs(model, logged).iter().map(Output::details).collect();
    Evaluation { values: values(model, logged), details }
}

/// An output with what the log has of it.
struct Output<'a> {
    name: &'a str,
    task: Task,
    cols: usize,
    watched: &'a Watched,
    target: &'a Targets,
    logged: &'a Logged<'a>,
    /// Where what it needs begins in the log.
    slots: Vec<(Need, usize)>,
}

/// None where the targets are not there, which is where no metric asks for them.
fn outputs<'a>(model: &'a Model, logged: &'a Logged<'_>) -> Vec<Output<'a>> {
    let program = model.program();
    let mut next = 2 * program.losses.len();
    let parts = program.network.outputs().zip(&program.losses).zip(&program.watched).zip(logged.targets);
    let mut outputs = Vec::new();
    for (((value, loss), watched), target) in parts {
        let (task, cols) = (loss.task(), value.shape.iter().product());
        let mut slots = Vec::new();
        for need in needs(&watched.metrics, task) {
            slots.push((need, next));
            next += need.slots(cols);
        }
        outputs.push(Output { name: &value.name, task, cols, watched, target, logged, slots });
    }
    outputs
}

impl Output<'_> {
    fn slot(&self, need: Need) -> Result<usize> {
        let found = self.slots.iter().find(|(known, _)| *known == need);
        found.map(|(_, slot)| *slot).ok_or_else(|| Error::Internal(format!("{}: no log of {need:?}", self.name)))
    }

    /// Of one value a row those of the rows that count. Metrics see no others, so that what rows of weight 0 hold is
    /// neither refused nor a class that occurs.
    fn counted<T: Copy>(&self, values: &[T]) -> Vec<T> {
        values.iter().enumerate().filter(|(row, _)| self.logged.counts(*row)).map(|(_, value)| *value).collect()
    }

    fn column(&self, column: usize) -> Result<Vec<f32>> {
        Ok(self.counted(&self.logged.by_row(self.slot(Need::Columns)? + column)))
    }

    fn weights(&self) -> Option<Vec<f32>> {
        self.logged.weights.map(|weights| self.counted(weights))
    }

    /// The class of each row that counts. Targets are finite, so each has one.
    fn truth(&self) -> Vec<u32> {
        match (self.target, self.task) {
            (Targets::Classes(labels), _) => self.counted(labels),
            (Targets::Values(values), Task::Classes) => {
                let classes: Vec<_> = values.iter_rows().map(metrics::first_largest).collect();
                self.counted(&classes).into_iter().flatten().collect()
            }
            (Targets::Values(values), _) => {
                self.counted(values.data()).into_iter().map(|value| u32::from(value > 0.5)).collect()
            }
        }
    }

    /// The class that each row is taken for: none by a NaN.
    fn predicted(&self) -> Result<Vec<Option<u32>>> {
        if self.task == Task::Classes {
            let classes = self.counted(&self.logged.by_row(self.slot(Need::Predicted)?));
            let known = |class: f32| (class < self.cols as f32).then_some(class as u32);
            return Ok(classes.into_iter().map(known).collect());
        }
        let answer = |score: f32| (!score.is_nan()).then_some(u32::from(score > self.watched.threshold));
        Ok(self.column(0)?.into_iter().map(answer).collect())
    }

    fn value(&self, metric: &Metric) -> Result<f64> {
        let weights = self.weights();
        let weights = weights.as_deref();
        let counts = || Counts::new("counts", &self.truth(), &self.predicted()?, weights);
        match *metric {
            Metric::TopK(k) => {
                let hit = |rank: f32| f64::from(u8::from(rank < k as f32));
                Ok(self.logged.mean_of(self.slot(Need::Rank)?, hit))
            }
            Metric::Precision(average) => counts()?.precision(average),
            Metric::Recall(average) => counts()?.recall(average),
            Metric::F1(average) => counts()?.f1(average),
            Metric::RocAuc if self.task == Task::Classes => {
                let columns: Result<Vec<Vec<f32>>> = (0..self.cols).map(|column| self.column(column)).collect();
                let columns = columns?;
                let rows = columns.first().map_or(0, Vec::len);
                let scores = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row]));
                let scores = Matrix::new(rows, self.cols, scores.collect())?;
                metrics::roc_auc_ovr(&self.truth(), &scores, weights)
            }
            Metric::RocAuc => metrics::roc_auc(&self.truth(), &self.column(0)?, weights),
            Metric::MeanSquaredError => Ok(self.logged.mean(self.slot(Need::Squares)?)),
            Metric::RootMeanSquaredError => Ok(self.logged.mean(self.slot(Need::Squares)?).sqrt()),
            Metric::MeanAbsolutePercentageError => self.over_columns(metrics::mape),
            Metric::R2 => self.over_columns(metrics::r2),
            Metric::Accuracy | Metric::MeanAbsoluteError | Metric::ConfusionMatrix => Ok(f64::NAN),
        }
    }

    /// The mean over the columns of `metric(truth, predicted, weights)`.
    fn over_columns(&self, metric: impl Fn(&[f32], &[f32], Option<&[f32]>) -> Result<f64>) -> Result<f64> {
        let truth = |column: usize| -> Vec<f32> {
            match self.target {
                Targets::Classes(labels) => self.counted(labels).into_iter().map(|label| label as f32).collect(),
                Targets::Values(values) => self.counted(&values.iter_rows().map(|row| row[column]).collect::<Vec<_>>()),
            }
        };
        let mut sum = 0.0;
        for column in 0..self.cols {
            sum += metric(&truth(column), &self.column(column)?, self.weights().as_deref())?;
        }
        Ok(sum / self.cols as f64)
    }

    fn details(&self) -> Details {
        let asked = |wanted: fn(&Metric) -> bool| self.watched.metrics.iter().any(wanted);
        let confusion = asked(|metric| {
            matches!(metric, Metric::Precision(_) | Metric::Recall(_) | Metric::F1(_) | Metric::ConfusionMatrix)
        });
        let confusion = confusion.then(|| {
            let classes = if self.task == Task::Classes { self.cols } else { 2 };
            ConfusionMatrix::of(classes, &self.truth(), &self.predicted()?, self.weights().as_deref())
        });
        let curve = (asked(|metric| *metric == Metric::RocAuc) && self.task == Task::YesNo)
            .then(|| roc_curve(&self.truth(), &self.column(0)?, self.weights().as_deref()));
        Details {
            output: self.name.to_owned(),
            confusion: confusion.and_then(Result::ok),
            curve: curve.and_then(Result::ok),
        }
    }
}
