//! What an evaluation reports.

#[cfg(doc)]
use crate::metrics::Metric;
use crate::metrics::{ConfusionMatrix, RocCurve};

/// Loss and metrics on a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Names (`loss`, `accuracy`, …) and values.
    pub values: Vec<(String, f64)>,
    pub(super) details: Vec<Details>,
}

/// What an output has beside numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Details {
    pub output: String,
    pub confusion: Option<ConfusionMatrix>,
    pub curve: Option<RocCurve>,
}

impl Evaluation {
    /// The value called `name`.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// The loss.
    pub fn loss(&self) -> f64 {
        self.get("loss").unwrap_or(f64::NAN)
    }

    /// Which class was taken for which, of the first output for which [`Metric::ConfusionMatrix`], precision, recall
    /// or F1 was asked ([`Model::set_metrics`]); `None` where none was, and for more than 4096 classes.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let net = Sequential::new(1).add(Dense::new(2));
    /// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.1))?;
    /// model.set_metrics([Metric::ConfusionMatrix])?;
    /// let data = Dataset::new([[-2.0], [-1.0], [1.0], [2.0]], [0, 0, 1, 1])?;
    /// model.fit(&data, &Fit::new().epochs(50).silent())?;
    /// let evaluation = model.evaluate(&data)?;
    /// let matrix = evaluation.confusion_matrix().unwrap();
    /// println!("{matrix}");
    /// assert_eq!((matrix.count(0, 0), matrix.count(1, 1)), (2.0, 2.0));
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// [`Model::set_metrics`]: crate::model::Model::set_metrics
    pub fn confusion_matrix(&self) -> Option<&ConfusionMatrix> {
        self.details.iter().find_map(|details| details.confusion.as_ref())
    }

    /// [`confusion_matrix`](Self::confusion_matrix) of the output called `output`.
    pub fn confusion_matrix_of(&self, output: &str) -> Option<&ConfusionMatrix> {
        self.of(output).and_then(|details| details.confusion.as_ref())
    }

    /// The ROC curve of the first yes-or-no output for which [`Metric::RocAuc`] was asked; `None` where none was. Its
    /// scores are logits where the loss is computed from them.
    pub fn roc_curve(&self) -> Option<&RocCurve> {
        self.details.iter().find_map(|details| details.curve.as_ref())
    }

    /// [`roc_curve`](Self::roc_curve) of the output called `output`.
    pub fn roc_curve_of(&self, output: &str) -> Option<&RocCurve> {
        self.of(output).and_then(|details| details.curve.as_ref())
    }

    fn of(&self, output: &str) -> Option<&Details> {
        self.details.iter().find(|details| details.output == output)
    }
}
