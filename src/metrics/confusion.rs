//! Which class is taken for which.

use super::check_rows;
use super::counts::classes;
use crate::{Error, Result};
use std::fmt;

/// Largest number of classes: a matrix of 128 MiB.
const MOST: usize = 1 << 12;

/// The weight of the rows of each class (down) that are taken for each class (across).
///
/// It prints as a table, and (feature `plot`) draws itself: `write_svg`.
///
/// ```
/// use axone::metrics::ConfusionMatrix;
///
/// let matrix = ConfusionMatrix::new(&[0, 0, 0, 1, 1], &[0, 0, 1, 1, 1], None)?.with_labels(["no", "yes"])?;
/// assert_eq!(matrix.count(0, 1), 1.0);
/// let table = "\
/// truth  no  yes
///    no   2    1
///   yes   0    2";
/// assert_eq!(matrix.to_string(), table);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    counts: Vec<f64>, // (classes, classes)
    labels: Vec<String>,
}

impl ConfusionMatrix {
    /// Of true and predicted classes; there are as many as the largest label tells.
    ///
    /// # Errors
    /// As [`accuracy`](super::accuracy); [`Error::Value`] for labels from 4096 up.
    pub fn new(truth: &[u32], predicted: &[u32], weights: Option<&[f32]>) -> Result<Self> {
        Self::of(0, truth, predicted, weights)
    }

    /// With at least `least` classes.
    pub(crate) fn of(least: usize, truth: &[u32], predicted: &[u32], weights: Option<&[f32]>) -> Result<Self> {
        check_rows("confusion_matrix", truth.len(), &[("predicted", predicted.len())], weights)?;
        let classes = classes("confusion_matrix", &[truth, predicted], MOST)?.max(least.min(MOST));
        let mut counts = vec![0.0; classes * classes];
        for (row, (&truth, &predicted)) in truth.iter().zip(predicted).enumerate() {
            counts[truth as usize * classes + predicted as usize] += super::weight(weights, row);
        }
        Ok(Self { counts, labels: (0..classes).map(|class| class.to_string()).collect() })
    }

    /// Names the classes, first to last.
    ///
    /// # Errors
    /// [`Error::Shape`] where there are not as many names as classes.
    pub fn with_labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Result<Self> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if labels.len() != self.classes() {
            return Err(Error::shape("confusion_matrix", format!("{} labels", self.classes()), labels.len()));
        }
        self.labels = labels;
        Ok(self)
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// The names of the classes: their numbers, unless [`with_labels`](Self::with_labels) gave others.
    pub fn labels(&self) -> &[String] {
        &self.labels
    }

    /// The weight of the rows of class `truth` that are taken for `predicted`; 0 for a class that there is not.
    pub fn count(&self, truth: usize, predicted: usize) -> f64 {
        if predicted >= self.classes() {
            return 0.0;
        }
        self.counts.get(truth * self.classes() + predicted).copied().unwrap_or(0.0)
    }

    /// The share of the rows of class `truth` that are taken for `predicted`; 0 where no row is of it.
    pub fn share(&self, truth: usize, predicted: usize) -> f64 {
        let all: f64 = (0..self.classes()).map(|column| self.count(truth, column)).sum();
        if all > 0.0 { self.count(truth, predicted) / all } else { 0.0 }
    }
}

/// A count without decimals where it is a whole number.
pub(super) fn shown(count: f64) -> String {
    if count.fract() == 0.0 { format!("{count}") } else { format!("{count:.2}") }
}

/// A table: true classes down, predicted ones across.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let classes = self.classes();
        let cells: Vec<String> = self.counts.iter().map(|count| shown(*count)).collect();
        let width = |text: &String| text.chars().count();
        let head = self.labels.iter().map(width).max().unwrap_or(0).max("truth".len());
        let column = |c: usize| cells.iter().skip(c).step_by(classes).chain([&self.labels[c]]).map(width).max();
        let widths: Vec<usize> = (0..classes).map(|c| column(c).unwrap_or(0)).collect();
        write!(f, "{:>head$}", "truth")?;
        for (label, width) in self.labels.iter().zip(&widths) {
            write!(f, "  {label:>width$}")?;
        }
        for (label, row) in self.labels.iter().zip(cells.chunks(classes)) {
            write!(f, "\n{label:>head$}")?;
            for (cell, width) in row.iter().zip(&widths) {
                write!(f, "  {cell:>width$}")?;
            }
        }
        Ok(())
    }
}
