//! Loss functions, with the metric that is reported beside each.

mod build;
mod functions;
mod targets;
mod weighted;

pub(crate) use build::LossNodes;
pub use weighted::Losses;

use crate::formula::{Formula, Symbol};
use crate::{Error, Result};

/// The loss of one output. The batch's loss is the mean over its rows, weighted by the rows' weights.
///
/// `y` is the output, `t` the target, `e = y - t`; `p = softmax(z)` or `sigmoid(z)` of the logits `z`, the values
/// before the last activation. A mean is over the columns of a row.
///
/// | name | loss of a row | last layer | targets |
/// |---|---|---|---|
/// | `CategoricalCrossEntropy` | `-Σ t ln p` | softmax, or none (logits) | class indices, or a distribution a row |
/// | `SmoothedCrossEntropy(s)` | the same with `t ← (1 - s) t + s / C` | the same | the same |
/// | `CategoricalFocal(g)` | `-(1 - p)^g ln p` of the row's class \[1\] | the same | class indices, or one-hot rows |
/// | `KullbackLeibler` | `Σ t ln(t / p)` \[2\] | the same | a distribution a row |
/// | `BinaryCrossEntropy` | mean of `-t ln p - (1 - t) ln(1 - p)` | sigmoid, or none (logits), or probabilities | 0 to 1 |
/// | `Focal { gamma, alpha }` | mean of `-a t (1 - p)^g ln p - b (1 - t) p^g ln(1 - p)` \[1\] | sigmoid, or none (logits) | 0 to 1 |
/// | `Hinge` | mean of `max(0, 1 - s y)`, `s` the answer as -1 or 1 | none | 0 and 1, or -1 and 1 |
/// | `SquaredHinge` | mean of `max(0, 1 - s y)²` | none | the same |
/// | `MeanSquaredError` | mean of `e²` | any | numbers |
/// | `MeanAbsoluteError` | mean of `abs(e)` | any | numbers |
/// | `Huber(d)` | mean of `e²/2` for abs(e) ≤ d, else `d (abs(e) - d/2)` | any | numbers |
/// | `LogCosh` | mean of `ln cosh e` | any | numbers |
/// | `Quantile(q)` | mean of `-q e` for e ≤ 0, else `(1 - q) e` \[3\] | any | numbers |
/// | `Poisson` | mean of `exp(y) - t y`, or `y - t ln(y + 1e-8)` of a rate y | none (the rate's logarithm), or one with values from 0 up (the rate) | counts: 0 or more |
/// | `Cosine` | `1 - y·t / (‖y‖ ‖t‖)`; 1 where a row is all zeros | any | numbers |
/// | `Custom` | what [`Loss::custom`] is told | any | numbers |
///
/// Losses of softmax and sigmoid are computed from the logits, so that no probability is rounded to 0 or 1 before its
/// logarithm is taken. `Focal` weighs positive elements by `a = alpha` and the others by `b = 1 - alpha`; both are 1
/// where `alpha` is `None`. The authors use gamma 2 and alpha 0.25. `Hinge` and `Quantile` have slope 0 at their kink.
/// `Poisson` leaves out `ln t!`, which no weight changes; an output without activation is the logarithm of the rate.
///
/// 1. T.-Y. Lin, P. Goyal, R. Girshick, K. He, P. Dollár, "Focal loss for dense object detection", ICCV 2017.
/// 2. S. Kullback, R. A. Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22, 1951.
/// 3. R. Koenker, G. Bassett, "Regression quantiles", Econometrica 46, 1978.
///
/// ```
/// use axone::prelude::*;
///
/// // Nine samples of ten should lie below what this model predicts.
/// let net = Sequential::new(1).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::Quantile(0.9), Adam::new(0.05))?;
/// let noise: Vec<f32> = (0..100).map(|i| (i % 10) as f32).collect();
/// let data = Dataset::new(Matrix::new(100, 1, vec![1.0; 100])?, noise)?;
/// model.fit(&data, &Fit::new().epochs(200).batch_size(100).silent())?;
/// let level = model.predict(&[[1.0]].into())?.data()[0];
/// assert!((7.5..9.5).contains(&level), "{level}");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
#[non_exhaustive]
#[allow(missing_docs, reason = "the table above has each formula")]
pub enum Loss {
    CategoricalCrossEntropy,
    SmoothedCrossEntropy(f32),
    CategoricalFocal(f32),
    KullbackLeibler,
    BinaryCrossEntropy,
    Focal { gamma: f32, alpha: Option<f32> },
    Hinge,
    SquaredHinge,
    MeanSquaredError,
    MeanAbsoluteError,
    Huber(f32),
    LogCosh,
    Quantile(f32),
    Poisson,
    Cosine,
    Custom(Formula),
}

/// What an output answers: which metrics fit it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Task {
    /// One class of several a row.
    Classes,
    /// Yes or no in each column.
    YesNo,
    /// Numbers.
    Numbers,
}

impl Loss {
    /// A loss of your own, called `name`: `build` says it, once, for an output and its target, with the operators and
    /// methods of [`Symbol`]. Where it has several columns, the loss of a row is their mean. It is kept as a formula, which
    /// the graph differentiates and a file keeps with the model.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// // Too little costs three times as much as too much.
    /// let asymmetric = Loss::custom("asymmetric", |output, target| {
    ///     let error = target - output;
    ///     error.greater(0.0).select(3.0 * error, -error)
    /// });
    /// let model = Sequential::new(4).add(Dense::new(1)).compile(Device::cpu(), asymmetric, Adam::default())?;
    ///
    /// let blind = Loss::custom("blind", |_, target| target.square());
    /// let error = Sequential::new(4).add(Dense::new(1)).compile(Device::cpu(), blind, Adam::default()).unwrap_err();
    /// assert_eq!(error.to_string(), "blind: formula must be a function of output, got square(target)");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn custom(name: &str, build: impl for<'a> FnOnce(Symbol<'a>, Symbol<'a>) -> Symbol<'a>) -> Self {
        Self::Custom(Formula::new(name, ["output", "target"], |[output, target]| build(output, target)))
    }

    /// The name, as in summaries.
    pub fn name(&self) -> &'static str {
        match self {
            Loss::CategoricalCrossEntropy => "categorical_cross_entropy",
            Loss::SmoothedCrossEntropy(_) => "smoothed_cross_entropy",
            Loss::CategoricalFocal(_) => "categorical_focal",
            Loss::KullbackLeibler => "kullback_leibler",
            Loss::BinaryCrossEntropy => "binary_cross_entropy",
            Loss::Focal { .. } => "focal",
            Loss::Hinge => "hinge",
            Loss::SquaredHinge => "squared_hinge",
            Loss::MeanSquaredError => "mean_squared_error",
            Loss::MeanAbsoluteError => "mean_absolute_error",
            Loss::Huber(_) => "huber",
            Loss::LogCosh => "log_cosh",
            Loss::Quantile(_) => "quantile",
            Loss::Poisson => "poisson",
            Loss::Cosine => "cosine",
            Loss::Custom(formula) => formula.name(),
        }
    }

    /// In words, the loss of an output of `cols` columns.
    pub(crate) fn of_columns(&self, cols: usize) -> String {
        format!("{} of {cols} {}", self.name(), if cols == 1 { "column" } else { "columns" })
    }

    /// The metric reported beside it: `accuracy`, `binary_accuracy` or `mae`.
    pub fn metric(&self) -> &'static str {
        match self.task() {
            Task::Classes => "accuracy",
            Task::YesNo => "binary_accuracy",
            Task::Numbers => "mae",
        }
    }

    pub(crate) fn task(&self) -> Task {
        match self {
            Loss::CategoricalCrossEntropy | Loss::SmoothedCrossEntropy(_) => Task::Classes,
            Loss::CategoricalFocal(_) | Loss::KullbackLeibler => Task::Classes,
            Loss::BinaryCrossEntropy | Loss::Focal { .. } | Loss::Hinge | Loss::SquaredHinge => Task::YesNo,
            _ => Task::Numbers,
        }
    }

    /// Whether targets may be class indices rather than one number for each output.
    pub(crate) fn takes_classes(&self) -> bool {
        self.task() == Task::Classes && *self != Loss::KullbackLeibler
    }

    pub(crate) fn check(&self) -> Result<()> {
        let refuse = |name, expected, got: f32| Err(Error::value(self.name(), name, expected, got));
        match *self {
            Loss::SmoothedCrossEntropy(s) if !(0.0..1.0).contains(&s) => {
                refuse("smoothing", "at least 0 and less than 1", s)
            }
            Loss::Huber(d) if !(d.is_finite() && d > 0.0) => refuse("delta", "positive and finite", d),
            Loss::Quantile(q) if !(q > 0.0 && q < 1.0) => refuse("quantile", "more than 0 and less than 1", q),
            Loss::CategoricalFocal(gamma) | Loss::Focal { gamma, .. } if !(gamma.is_finite() && gamma >= 0.0) => {
                refuse("gamma", "at least 0 and finite", gamma)
            }
            Loss::Focal { alpha: Some(alpha), .. } if !(alpha > 0.0 && alpha < 1.0) => {
                refuse("alpha", "more than 0 and less than 1", alpha)
            }
            Loss::Custom(formula) => formula.check(formula.name(), 1),
            _ => Ok(()),
        }
    }
}
