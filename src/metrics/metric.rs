//! The metrics that a model can report.

use super::{Measure, Output, classes, confusion, errors, ranking};
use crate::losses::Loss;
use crate::{Error, Result};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

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
    pub(super) fn suffix(self) -> &'static str {
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
        let own = Metric::known_by(name).into_iter().find(|metric| metric.name() == name);
        let loss_own = (name == Loss::BinaryCrossEntropy.metric()).then_some(Metric::Accuracy);
        own.or(loss_own).and_then(|metric| metric.direction()).unwrap_or(Direction::Minimize)
    }
}

/// What a metric of the list below is made with.
trait Parameter: Sized {
    /// The values by which a metric may be called `name`.
    fn in_name(name: &str) -> Vec<Self>;
}

impl Parameter for Average {
    fn in_name(_: &str) -> Vec<Self> {
        vec![Average::Binary, Average::Macro, Average::Micro, Average::Weighted]
    }
}

impl Parameter for usize {
    fn in_name(name: &str) -> Vec<Self> {
        name.split('_').filter_map(|part| part.parse().ok()).collect()
    }
}

/// The metrics: a variant for each, and the [`Measure`] that it stands for.
macro_rules! metrics {
    ($(#[$about:meta])* $($variant:ident $(($parameter:ident: $of:ty))? => $measure:expr,)*) => {
        $(#[$about])*
        pub enum Metric {
            $($variant $(($of))?,)*
            Custom(Custom),
        }

        impl Metric {
            pub(crate) fn measure(&self) -> Arc<dyn Measure> {
                match self {
                    $(Metric::$variant $(($parameter))? => Arc::new($measure),)*
                    Metric::Custom(custom) => Arc::clone(&custom.0),
                }
            }

            /// Those of this crate that may be called `name`.
            fn known_by(name: &str) -> Vec<Self> {
                let mut known = Vec::new();
                $(metrics!(@known known name $variant $($of)?);)*
                known
            }
        }
    };
    (@known $known:ident $name:ident $variant:ident) => { $known.push(Metric::$variant) };
    (@known $known:ident $name:ident $variant:ident $of:ty) => {
        $known.extend(<$of>::in_name($name).into_iter().map(Metric::$variant))
    };
}

metrics! {
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
    /// | `Metric::custom(m)` | as `m` says | as `m` says: a [`Measure`] of the user's |
    ///
    /// A value that is not defined (the AUC of rows of one class) reads NaN.
    #[derive(Debug, Clone, PartialEq, Eq, Hash)]
    #[non_exhaustive]
    #[allow(missing_docs, reason = "the table above says what each is")]
    Accuracy => classes::as_accuracy(),
    TopK(k: usize) => classes::as_top_k(*k),
    Precision(average: Average) => classes::as_precision(*average),
    Recall(average: Average) => classes::as_recall(*average),
    F1(average: Average) => classes::as_f1(*average),
    ConfusionMatrix => confusion::as_confusion_matrix(),
    RocAuc => ranking::as_auc(),
    MeanAbsoluteError => errors::as_mae(),
    MeanSquaredError => errors::as_mse(),
    RootMeanSquaredError => errors::as_rmse(),
    MeanAbsolutePercentageError => errors::as_mape(),
    R2 => errors::as_r2(),
}

/// A user's own metric, as [`Metric::custom`] makes it. It equals its clones alone.
#[derive(Clone)]
pub struct Custom(Arc<dyn Measure>);

impl PartialEq for Custom {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::addr_eq(Arc::as_ptr(&self.0), Arc::as_ptr(&other.0))
    }
}

impl Eq for Custom {}

impl Hash for Custom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).cast::<()>().hash(state);
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.name())
    }
}

impl Metric {
    /// A metric of the user's own: see [`Measure`].
    pub fn custom(measure: impl Measure + 'static) -> Self {
        Metric::Custom(Custom(Arc::new(measure)))
    }

    /// The name of its value: `f1_macro`, `top_5_accuracy`, …
    ///
    /// ```
    /// use axone::metrics::{Average, Metric};
    /// assert_eq!(Metric::F1(Average::Macro).name(), "f1_macro");
    /// assert_eq!(Metric::TopK(5).name(), "top_5_accuracy");
    /// ```
    pub fn name(&self) -> String {
        self.measure().name()
    }

    /// Which of its values are the better ones; `None` for the confusion matrix, which is no number.
    ///
    /// ```
    /// use axone::metrics::{Direction, Metric};
    /// assert_eq!(Metric::RocAuc.direction(), Some(Direction::Maximize));
    /// assert_eq!(Metric::MeanAbsoluteError.direction(), Some(Direction::Minimize));
    /// ```
    pub fn direction(&self) -> Option<Direction> {
        (*self != Metric::ConfusionMatrix).then(|| self.measure().direction())
    }

    /// Refuses a name that is no word of a log or is taken for that of a value on validation data, and a metric that
    /// needs nothing. `place` is where it stands in the list.
    pub(crate) fn check(&self, place: &str) -> Result<()> {
        let name = self.name();
        if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c.is_control()) || name.starts_with("val_") {
            let wanted = "a word that does not begin with \"val_\"";
            return Err(Error::value(place, "name", wanted, format!("{name:?}")));
        }
        if matches!(self, Metric::Custom(_)) && self.measure().needs().is_empty() {
            return Err(Error::value(place, "needs", format!("at least one for {name}"), "none"));
        }
        Ok(())
    }

    /// Refuses an output of `columns` columns with `loss` that it does not fit.
    pub(crate) fn check_output(&self, output: &str, loss: &Loss, columns: usize) -> Result<()> {
        let measure = self.measure();
        let output = Output { place: format!("{output}: {self}"), loss: *loss, columns };
        measure.needs().iter().try_for_each(|need| need.fits(&output))?;
        measure.fits(&output)
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}
