//! Weights of rows and of classes.

use super::{Dataset, MOST_CLASSES};
use crate::{Error, Result};

impl Dataset {
    /// Weighs each row in the loss and in the metrics; without weights each row counts 1. A row of weight 0 counts as if
    /// it were not there, whatever it holds; only a batch normalisation that trains measures its inputs all the same.
    ///
    /// # Errors
    /// [`Error::Shape`] where their number is not that of the rows; [`Error::Data`] for a negative, NaN or
    /// infinite weight, and where all are 0.
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0]], [0, 1])?.with_weights(vec![1.0, 0.25])?;
    /// assert_eq!(set.weights(), Some(&[1.0, 0.25][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_weights(mut self, weights: Vec<f32>) -> Result<Self> {
        if weights.len() != self.rows {
            return Err(Error::shape("weights", format!("{} values, one a row", self.rows), weights.len()));
        }
        check_row_weights("weights", &weights)?;
        self.weights = Some(weights.into());
        Ok(self)
    }

    /// Weighs each row in the loss of output `target` (from 0) alone, and in what is reported of that output, as a factor
    /// beside the weight of the row. 0 where a row has no target for it: whatever stands there then, such as 0, counts for
    /// nothing. So rows of which only some answers are known train what they can (multi-task learning with partial labels).
    ///
    /// An output's own loss and metrics are means over the rows that have it, NaN where none has. In the `loss` of all
    /// outputs and in the gradients, which are means over all rows, a row without a target has a loss of 0 for that output:
    /// each target that is there counts the same, however many others of its batch are missing.
    ///
    /// # Errors
    /// [`Error::Value`] where there is no such target; [`Error::Shape`] where their number is not that of the rows;
    /// [`Error::Data`] for a negative, NaN or infinite weight, and where all are 0.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// // Which of two, and how large: the size of the last row is not known.
    /// let data = Dataset::new([[0.0], [1.0], [2.0]], [0, 1, 1])?.with_target([3.0, 5.0, 0.0])?;
    /// let data = data.with_target_weights(1, vec![1.0, 1.0, 0.0])?;
    ///
    /// let mut net = Network::new();
    /// let x = net.input("x", 1)?;
    /// let (kind, size) = (net.apply(Dense::new(2).named("kind"), x)?, net.apply(Dense::new(1).named("size"), x)?);
    /// net.output(kind)?;
    /// net.output(size)?;
    /// let losses = [Loss::CategoricalCrossEntropy, Loss::MeanSquaredError];
    /// let mut model = net.compile(Device::cpu(), losses, Adam::new(0.1))?;
    /// model.fit(&data, &Fit::new().epochs(300).silent())?;
    /// assert!((model.predict_all(&[Matrix::from([[2.0]])])?[1][(0, 0)] - 7.0).abs() < 0.1); // the line through the two
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_target_weights(mut self, target: usize, weights: Vec<f32>) -> Result<Self> {
        let count = self.targets.len();
        if target >= count {
            return Err(Error::value("target_weights", "target", format!("below {count} (the targets)"), target));
        }
        let place = format!("target_weights[{target}]");
        if weights.len() != self.rows {
            return Err(Error::shape(place, format!("{} values, one a row", self.rows), weights.len()));
        }
        check_row_weights(&place, &weights)?;
        self.weigh_target(target, weights);
        Ok(self)
    }

    /// The weights of output `target`, which may all be 0.
    pub(crate) fn weigh_target(&mut self, target: usize, weights: Vec<f32>) {
        if self.target_weights.len() <= target {
            self.target_weights.resize(target + 1, None);
        }
        self.target_weights[target] = Some(weights.into());
    }

    /// What [`with_target_weights`](Self::with_target_weights) set for output `target`; `None` means 1 each.
    pub fn target_weights(&self, target: usize) -> Option<&[f32]> {
        self.target_weights.get(target)?.as_deref().map(Vec::as_slice)
    }

    /// Whether some target has weights of its own.
    pub(crate) fn weighs_targets(&self) -> bool {
        self.target_weights.iter().any(Option::is_some)
    }

    /// The weight of each row for output `target`, where that has weights of its own.
    pub(crate) fn weights_for(&self, target: usize) -> Option<Vec<f32>> {
        let own = self.target_weights(target)?.iter().enumerate();
        Some(own.map(|(row, own)| self.weights.as_ref().map_or(*own, |weights| weights[row] * own)).collect())
    }

    /// Multiplies the weight of each row by that of its class, `weights[class]`. What [`with_weights`] set before
    /// stays as a factor; set afterwards, it takes the place of both.
    ///
    /// # Errors
    /// [`Error::Data`] where not exactly one target holds classes, for a class without a weight, for a negative, NaN or
    /// infinite weight, and where every row would weigh 0.
    ///
    /// [`with_weights`]: Self::with_weights
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 0])?.with_weights(vec![1.0, 1.0, 0.5])?;
    /// assert_eq!(set.with_class_weights(&[0.5, 4.0])?.weights(), Some(&[0.5, 4.0, 0.25][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_class_weights(mut self, weights: &[f32]) -> Result<Self> {
        let labels = self.only_labels()?;
        if let Some((class, weight)) = weights.iter().enumerate().find(|(_, weight)| !is_weight(**weight)) {
            return Err(Error::data(format!("class_weights class {class}"), not_a_weight(*weight)));
        }
        let mut rows = Vec::with_capacity(labels.len());
        for (row, class) in labels.iter().enumerate() {
            let Some(weight) = weights.get(*class as usize) else {
                let problem = format!("class {class}, but there are {} weights", weights.len());
                return Err(Error::data(format!("class_weights row {row}"), problem));
            };
            rows.push(self.weights.as_ref().map_or(1.0, |own| own[row]) * weight);
        }
        check_row_weights("class_weights", &rows)?;
        self.weights = Some(rows.into());
        Ok(self)
    }

    /// [`with_class_weights`](Self::with_class_weights) by [`balanced_class_weights`](Self::balanced_class_weights):
    /// every class counts as much as every other in the loss, however rare it is.
    ///
    /// # Errors
    /// As [`balanced_class_weights`](Self::balanced_class_weights).
    ///
    /// ```
    /// use axone::data::Dataset;
    /// let set = Dataset::new([[1.0], [2.0], [3.0]], [0, 1, 0])?.with_balanced_classes()?;
    /// assert_eq!(set.weights(), Some(&[0.75, 1.5, 0.75][..]));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_balanced_classes(self) -> Result<Self> {
        let weights = self.balanced_class_weights()?;
        self.with_class_weights(&weights)
    }

    /// For each class `n / (k · count)`: `n` rows, `k` classes that occur, `count` rows of the class; 0 for a class
    /// that does not occur. scikit-learn's `compute_class_weight("balanced")`, after G. King, L. Zeng, "Logistic
    /// regression in rare events data", Political Analysis 9, 2001. Weights of rows play no part.
    ///
    /// # Errors
    /// [`Error::Data`] where not exactly one target holds classes, and for a class from 2²⁴ up.
    pub fn balanced_class_weights(&self) -> Result<Vec<f32>> {
        let labels = self.only_labels()?;
        if let Some((row, class)) = labels.iter().enumerate().find(|(_, class)| **class as usize >= MOST_CLASSES) {
            let problem = format!("class {class}, but at most {MOST_CLASSES} classes can be weighed");
            return Err(Error::data(format!("class_weights row {row}"), problem));
        }
        let classes = labels.iter().max().map_or(0, |label| *label as usize + 1);
        let mut counts = vec![0u32; classes];
        labels.iter().for_each(|label| counts[*label as usize] += 1);
        let occurring = counts.iter().filter(|count| **count > 0).count();
        let (rows, occurring) = (labels.len() as f64, occurring as f64);
        let weight = |count: u32| if count > 0 { (rows / (occurring * f64::from(count))) as f32 } else { 0.0 };
        Ok(counts.into_iter().map(weight).collect())
    }

    /// The labels of the one target that holds classes.
    fn only_labels(&self) -> Result<&[u32]> {
        let mut labels = self.targets.iter().filter_map(|target| target.labels());
        match (labels.next(), labels.count()) {
            (Some(labels), 0) => Ok(labels),
            (first, more) => {
                let count = usize::from(first.is_some()) + more;
                Err(Error::data("class_weights", format!("{count} targets hold classes; one must")))
            }
        }
    }
}

fn is_weight(weight: f32) -> bool {
    weight.is_finite() && weight >= 0.0
}

fn not_a_weight(weight: f32) -> String {
    format!("a weight must be finite and at least 0, got {weight}")
}

/// Refuses weights of rows that are negative or not finite, and those that are all 0.
pub(crate) fn check_row_weights(place: &str, weights: &[f32]) -> Result<()> {
    if let Some((row, weight)) = weights.iter().enumerate().find(|(_, weight)| !is_weight(**weight)) {
        return Err(Error::data(format!("{place} row {row}"), not_a_weight(*weight)));
    }
    check_weights(place, weights.iter())
}

pub(super) fn check_weights<'a>(place: &str, mut weights: impl Iterator<Item = &'a f32>) -> Result<()> {
    if weights.any(|&weight| weight > 0.0) {
        return Ok(());
    }
    Err(Error::data(place, "every weight is 0"))
}
