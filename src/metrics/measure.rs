//! What makes a metric: its name, its direction, the outputs that it fits, what it needs of each row, and its value.

use super::{Direction, Need, Rows};
use crate::losses::{Loss, Task};
use crate::{Error, Result};

/// A performance measure. The metrics of this crate are made of it, and so are those of a user:
/// [`Metric::custom`](super::Metric::custom) takes one.
///
/// Whatever takes the name of a metric takes that of a user's: early stopping, checkpoints, `ReduceOnPlateau`, logs
/// and the scores of a search, with `val_` in front where it is of validation data. A search goes by the name before
/// there is a model, so it is told where more is better: `CrossValidation::maximize`.
///
/// A metric is code, so no file holds it: a model that was loaded reports its loss until `set_metrics` is called, and
/// `Fit::resume` refuses a run that does not report the names of the one that it goes on with.
///
/// ```
/// use axone::metrics::{Direction, Measure, Need, Rows};
/// use axone::prelude::*;
///
/// /// The correlation of truth and prediction, from -1 to 1; 0 where all rows are taken for one class (B. W. Matthews
/// /// 1975).
/// struct Matthews;
///
/// impl Measure for Matthews {
///     fn name(&self) -> String {
///         "matthews".to_owned()
///     }
///
///     fn direction(&self) -> Direction {
///         Direction::Maximize
///     }
///
///     fn needs(&self) -> &[Need] {
///         &[Need::Predicted]
///     }
///
///     fn value(&self, rows: &Rows<'_>) -> Result<f64> {
///         let m = rows.confusion_matrix()?;
///         let (tn, fp, fn_, tp) = (m.count(0, 0), m.count(0, 1), m.count(1, 0), m.count(1, 1));
///         let spread = ((tp + fp) * (tp + fn_) * (tn + fp) * (tn + fn_)).sqrt();
///         Ok(if spread > 0.0 { (tp * tn - fp * fn_) / spread } else { 0.0 })
///     }
/// }
///
/// let net = Sequential::new(1).add(Dense::new(1).activation(Activation::Sigmoid));
/// let mut model = net.compile(Device::cpu(), Loss::BinaryCrossEntropy, Adam::new(0.1))?;
/// model.set_metrics([Metric::custom(Matthews), Metric::RocAuc])?;
/// let data = Dataset::new([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])?;
/// let stopping = EarlyStopping::new("val_matthews").patience(20).restore_best();
/// let history = model.fit(&data, &Fit::new().epochs(100).validation(&data).callback(stopping).silent())?;
/// assert_eq!(history.max("val_matthews").map(|best| best.1), Some(1.0));
/// # Ok::<(), axone::Error>(())
/// ```
pub trait Measure: Send + Sync {
    /// The name of its value: a word that does not begin with `val_`.
    fn name(&self) -> String;

    /// Which of its values are the better ones.
    fn direction(&self) -> Direction;

    /// What it reads of the model's answers, at least one; all else of [`Rows`] is there anyway.
    fn needs(&self) -> &[Need];

    /// Refuses an output that it does not fit. Those are refused without it that do not have what it
    /// [needs](Self::needs).
    ///
    /// # Errors
    /// As [`Output::must_be`].
    fn fits(&self, output: &Output) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// Its value over `rows`: once an epoch, and once an evaluation.
    ///
    /// # Errors
    /// [`Error::Data`] for rows that have no value, which reads NaN. Any other error is that of `fit` or `evaluate`.
    fn value(&self, rows: &Rows<'_>) -> Result<f64>;
}

/// An output of a model, as a metric is held against it.
#[derive(Debug)]
pub struct Output {
    /// The output and the metric, for errors.
    pub(super) place: String,
    pub(super) loss: Loss,
    pub(super) columns: usize,
}

impl Output {
    /// Number of its columns: of classes one each.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Refuses all but classes.
    ///
    /// # Errors
    /// [`Error::Value`] with the output and the metric; so in the others.
    pub fn classes(&self) -> Result<()> {
        self.must_be(self.loss.task() == Task::Classes, "classes")
    }

    /// Refuses numbers.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn answers(&self) -> Result<()> {
        self.must_be(self.loss.task() != Task::Numbers, "classes or yes and no")
    }

    /// Refuses what does not give each row one class: numbers, and yes or no in several columns.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn one_answer(&self) -> Result<()> {
        let fits = match self.loss.task() {
            Task::Classes => true,
            Task::YesNo => self.columns == 1,
            Task::Numbers => false,
        };
        self.must_be(fits, "classes, or yes and no in one column")
    }

    /// Refuses all but numbers.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn numbers(&self) -> Result<()> {
        self.must_be(self.loss.task() == Task::Numbers, "numbers")
    }

    /// Refuses an output unless it `fits`; `wanted` says which would.
    ///
    /// # Errors
    /// As [`classes`](Self::classes).
    pub fn must_be(&self, fits: bool, wanted: &str) -> Result<()> {
        self.must(fits, "output", || wanted.to_owned(), self.loss.of_columns(self.columns))
    }

    /// Refuses what `name` of the metric is, unless it `fits`.
    pub(super) fn must(
        &self,
        fits: bool,
        name: &'static str,
        wanted: impl Fn() -> String,
        got: impl ToString,
    ) -> Result<()> {
        if fits { Ok(()) } else { Err(Error::value(&self.place, name, wanted(), got)) }
    }
}

type Fits = Box<dyn Fn(&Output) -> Result<()> + Send + Sync>;
type Value = Box<dyn Fn(&Rows<'_>) -> Result<f64> + Send + Sync>;

/// A metric of this crate.
pub(super) struct Definition {
    name: String,
    direction: Direction,
    needs: &'static [Need],
    fits: Fits,
    value: Value,
}

impl Definition {
    pub fn new(
        name: impl Into<String>,
        direction: Direction,
        needs: &'static [Need],
        value: impl Fn(&Rows<'_>) -> Result<f64> + Send + Sync + 'static,
    ) -> Self {
        Self { name: name.into(), direction, needs, fits: Box::new(|_| Ok(())), value: Box::new(value) }
    }

    /// Of the outputs alone that `fits` does not refuse.
    pub fn of(self, fits: impl Fn(&Output) -> Result<()> + Send + Sync + 'static) -> Self {
        Self { fits: Box::new(fits), ..self }
    }
}

impl Measure for Definition {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn direction(&self) -> Direction {
        self.direction
    }

    fn needs(&self) -> &[Need] {
        self.needs
    }

    fn fits(&self, output: &Output) -> Result<()> {
        (self.fits)(output)
    }

    fn value(&self, rows: &Rows<'_>) -> Result<f64> {
        (self.value)(rows)
    }
}
