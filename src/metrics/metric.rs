//! The metrics that a model can report.

use super::confusion;
use crate::losses::{Loss, Task};
use crate::{Error, Result};
use std::fmt;

/// How the values of the classes become one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Average {
    /// The value of class 1, where there are two.
    Binary,
    /// The mean over the classes that occur in truth or prediction.
    Macro,
    /// From the sums of `TP`, `FP` and `FN` over the classes; with one class a row that is the accuracy.
    Micro,
    /// The mean over the classes, each by the weight of its rows.
    Weighted,
}

impl Average {
    fn suffix(self) -> &'static str {
        match self {
            Average::Binary => "",
            Average::Macro => "_macro",
            Average::Micro => "_micro",
            Average::Weighted => "_weighted",
        }
    }
}

/// Which values of a metric are the better ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Less is better: losses and errors.
    Minimize,
    /// More is better: accuracy, precision, recall, F1, AUC and R².
    Maximize,
}

impl Direction {
    /// What every value beats but NaN and itself.
    pub(crate) fn worst(self) -> f64 {
        match self {
            Direction::Minimize => f64::INFINITY,
            Direction::Maximize => f64::NEG_INFINITY,
        }
    }

    /// Whether `new` is better than `old` by more than `margin`. NaN is never better.
    pub(crate) fn beats(self, new: f64, old: f64, margin: f64) -> bool {
        match self {
            Direction::Minimize => new < old - margin,
            Direction::Maximize => new > old + margin,
        }
    }

    /// For a value of which nothing but the name is known: that of the metric whose whole name it is, `val_` apart.
    /// What is no metric is taken for a loss or an error.
    pub(crate) fn of_name(name: &str) -> Self {
        let name = name.strip_prefix("val_").unwrap_or(name);
        let averages = [Average::Binary, Average::Macro, Average::Micro, Average::Weighted];
        let averaged = averages.into_iter().flat_map(|a| [Metric::Precision(a), Metric::Recall(a), Metric::F1(a)]);
        let mut metrics = averaged.chain([Metric::Accuracy, Metric::RocAuc, Metric::R2]);
        let top = name.strip_prefix("top_").and_then(|name| name.strip_suffix("_accuracy"));
        let is_top = top.is_some_and(|k| k.parse::<usize>().is_ok());
        if is_top || name == Loss::BinaryCrossEntropy.metric() || metrics.any(|metric| metric.name() == name) {
            Direction::Maximize
        } else {
            Direction::Minimize
        }
    }
}

/// A metric that [`Model::set_metrics`](crate::model::Model::set_metrics) adds to what is reported.
///
/// An output is of one of three kinds, by its loss. *Classes*: cross-entropies of softmax, `CategoricalFocal`,
/// `KullbackLeibler`. *Yes or no*: `BinaryCrossEntropy`, `Focal`, the hinges. *Numbers*: all others. Formulas: see
/// [`metrics`](crate::metrics).
///
/// | metric | name | outputs |
/// |---|---|---|
/// | `Accuracy` | `accuracy`, `binary_accuracy` | classes, yes or no; always reported |
/// | `TopK(k)` | `top_5_accuracy` | classes, k from 1 to their number |
/// | `Precision(a)`, `Recall(a)`, `F1(a)` | `f1`, `f1_macro`, `f1_micro`, `f1_weighted` | classes, yes or no of one column; `Average::Binary` for two classes alone |
/// | `ConfusionMatrix` | in [`Evaluation`](crate::train::Evaluation) alone | the same, of at most 4096 classes |
/// | `RocAuc` | `auc` | the same; of more than two classes the mean of each against the rest |
/// | `MeanAbsoluteError` | `mae` | numbers; always reported |
/// | `MeanSquaredError`, `RootMeanSquaredError` | `mse`, `rmse` | numbers |
/// | `MeanAbsolutePercentageError` | `mape` | numbers |
/// | `R2` | `r2` | numbers; of several columns the mean of their values |
///
/// A value that is not defined (the AUC of rows of one class) reads NaN.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above says what each is")]
pub enum Metric {
    Accuracy,
    TopK(usize),
    Precision(Average),
    Recall(Average),
    F1(Average),
    ConfusionMatrix,
    RocAuc,
    MeanAbsoluteError,
    MeanSquaredError,
    RootMeanSquaredError,
    MeanAbsolutePercentageError,
    R2,
}

impl Metric {
    /// The name of its value: `f1_macro`, `top_5_accuracy`, …
    ///
    /// ```
    /// use axone::metrics::{Average, Metric};
    /// assert_eq!(Metric::F1(Average::Macro).name(), "f1_macro");
    /// assert_eq!(Metric::TopK(5).name(), "top_5_accuracy");
    /// ```
    pub fn name(&self) -> String {
        match self {
            Metric::Accuracy => "accuracy".to_owned(),
            Metric::TopK(k) => format!("top_{k}_accuracy"),
            Metric::Precision(average) => format!("precision{}", average.suffix()),
            Metric::Recall(average) => format!("recall{}", average.suffix()),
            Metric::F1(average) => format!("f1{}", average.suffix()),
            Metric::ConfusionMatrix => "confusion_matrix".to_owned(),
            Metric::RocAuc => "auc".to_owned(),
            Metric::MeanAbsoluteError => "mae".to_owned(),
            Metric::MeanSquaredError => "mse".to_owned(),
            Metric::RootMeanSquaredError => "rmse".to_owned(),
            Metric::MeanAbsolutePercentageError => "mape".to_owned(),
            Metric::R2 => "r2".to_owned(),
        }
    }

    /// Which of its values are the better ones; `None` for the confusion matrix, which is no number.
    ///
    /// ```
    /// use axone::metrics::{Direction, Metric};
    /// assert_eq!(Metric::RocAuc.direction(), Some(Direction::Maximize));
    /// assert_eq!(Metric::MeanAbsoluteError.direction(), Some(Direction::Minimize));
    /// ```
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Metric::Accuracy | Metric::TopK(_) | Metric::RocAuc | Metric::R2 => Some(Direction::Maximize),
            Metric::Precision(_) | Metric::Recall(_) | Metric::F1(_) => Some(Direction::Maximize),
            Metric::MeanAbsoluteError | Metric::MeanAbsolutePercentageError => Some(Direction::Minimize),
            Metric::MeanSquaredError | Metric::RootMeanSquaredError => Some(Direction::Minimize),
            Metric::ConfusionMatrix => None,
        }
    }

    /// Refuses a metric that does not fit an output of `cols` columns with `loss`.
    pub(crate) fn check(&self, output: &str, loss: &Loss, cols: usize) -> Result<()> {
        let (task, place) = (loss.task(), || format!("{output}: {self}"));
        let kind = loss.of_columns(cols);
        let refuse = |fits: &str| Err(Error::value(place(), "output", fits, &kind));
        match self {
            Metric::Accuracy if task == Task::Numbers => refuse("classes or yes and no"),
            Metric::TopK(_) if task != Task::Classes => refuse("classes"),
            Metric::TopK(k) if !(1..=cols).contains(k) => {
                Err(Error::value(place(), "k", format!("from 1 to {cols}, the number of classes"), k))
            }
            Metric::Accuracy | Metric::TopK(_) => Ok(()),
            Metric::Precision(_) | Metric::Recall(_) | Metric::F1(_) | Metric::ConfusionMatrix | Metric::RocAuc => {
                if task == Task::Numbers || (task == Task::YesNo && cols > 1) {
                    return refuse("classes, or yes and no in one column");
                }
                let binary =
                    matches!(self, Metric::Precision(a) | Metric::Recall(a) | Metric::F1(a) if *a == Average::Binary);
                if *self == Metric::ConfusionMatrix && cols > confusion::MOST {
                    return Err(Error::value(place(), "classes", format!("at most {}", confusion::MOST), cols));
                }
                if binary && task == Task::Classes && cols != 2 {
                    let fits = format!("Macro, Micro or Weighted for {cols} classes");
                    return Err(Error::value(place(), "average", fits, "Binary"));
                }
                Ok(())
            }
            _ if task != Task::Numbers => refuse("numbers"),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
