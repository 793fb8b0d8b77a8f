//! Which class is taken for which.

use super::counts::classes;
use super::{Definition, Direction, Need, Rows, check_rows};
use crate::text::table;
use crate::{Error, Result};
use std::fmt;

/// Largest number of classes: a matrix of 128 MiB.
pub(super) const MOST: usize = 1 << 12;

/// The weight of the rows of each class (down) that are taken for each class (across).
///
/// It prints as a table, and (feature `plot`) draws itself: `write_svg`. Rows for which a model gives NaN are taken for no
/// class: they are in no cell, but [`undecided`](Self::undecided), and in a last column of the table if there are any.
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
    counts: Vec<f64>,    // (classes, classes)
    undecided: Vec<f64>, // (classes)
    labels: Vec<String>,
}

impl ConfusionMatrix {
    /// Of true and predicted classes; there are as many as the largest label tells.
    ///
    /// # Errors
    /// As [`accuracy`](super::accuracy); [`Error::Value`] for labels from 4096 up.
    pub fn new(truth: &[u32], predicted: &[u32], weights: Option<&[f32]>) -> Result<Self> {
        let predicted: Vec<Option<u32>> = predicted.iter().copied().map(Some).collect();
        Self::of(0, truth, &predicted, weights)
    }

    /// With at least `least` classes; a row that is taken for none is undecided.
    pub(crate) fn of(least: usize, truth: &[u32], predicted: &[Option<u32>], weights: Option<&[f32]>) -> Result<Self> {
        check_rows("confusion_matrix", truth.len(), &[("predicted", predicted.len())], weights)?;
        let classes = classes("confusion_matrix", truth, predicted, MOST)?.max(least);
        if classes > MOST {
            return Err(Error::value("confusion_matrix", "classes", format!("at most {MOST}"), classes));
        }
        let (mut counts, mut undecided) = (vec![0.0; classes * classes], vec![0.0; classes]);
        for (row, (&truth, &predicted)) in truth.iter().zip(predicted).enumerate() {
            let (weight, truth) = (super::weight(weights, row), truth as usize);
            match predicted {
                Some(predicted) => counts[truth * classes + predicted as usize] += weight,
                None => undecided[truth] += weight,
            }
        }
        Ok(Self { counts, undecided, labels: (0..classes).map(|class| class.to_string()).collect() })
    }

    /// Names the classes, first to last. More names than classes are those of classes that do not occur, which the matrix
    /// then has too: so the names of a training set fit the matrix of any other.
    ///
    /// # Errors
    /// [`Error::Shape`] for fewer names than classes; [`Error::Value`] for more than 4096.
    ///
    /// ```
    /// use axone::metrics::ConfusionMatrix;
    /// let matrix = ConfusionMatrix::new(&[0, 1], &[1, 1], None)?.with_labels(["bird", "cat", "dog"])?;
    /// assert_eq!((matrix.classes(), matrix.count(0, 1), matrix.count(2, 2)), (3, 1.0, 0.0));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn with_labels<S: Into<String>>(mut self, labels: impl IntoIterator<Item = S>) -> Result<Self> {
        let labels: Vec<String> = labels.into_iter().map(Into::into).collect();
        if labels.len() < self.classes() {
            return Err(Error::shape("confusion_matrix", format!("{} labels", self.classes()), labels.len()));
        }
        if labels.len() > MOST {
            return Err(Error::value("confusion_matrix", "labels", format!("at most {MOST}"), labels.len()));
        }
        let classes = labels.len();
        self.counts = (0..classes * classes).map(|cell| self.count(cell / classes, cell % classes)).collect();
        self.undecided.resize(classes, 0.0);
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

    /// The weight of the rows of class `truth` that are taken for no class, because the model gives NaN.
    pub fn undecided(&self, truth: usize) -> f64 {
        self.undecided.get(truth).copied().unwrap_or(0.0)
    }

    /// The share of the rows of class `truth` that are taken for `predicted`; 0 where no row is of it.
    pub fn share(&self, truth: usize, predicted: usize) -> f64 {
        let cells: f64 = (0..self.classes()).map(|column| self.count(truth, column)).sum();
        let all = cells + self.undecided(truth);
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
        let head = ["truth"].into_iter().chain(self.labels.iter().map(String::as_str));
        let mut rows: Vec<Vec<String>> = vec![head.map(str::to_owned).collect()];
        rows.extend(self.labels.iter().enumerate().map(|(truth, label)| {
            let counts = (0..self.classes()).map(|class| shown(self.count(truth, class)));
            [label.clone()].into_iter().chain(counts).collect()
        }));
        if self.undecided.iter().any(|count| *count > 0.0) {
            let column = ["NaN".to_owned()].into_iter().chain(self.undecided.iter().map(|count| shown(*count)));
            rows.iter_mut().zip(column).for_each(|(row, cell)| row.push(cell));
        }
        f.write_str(&table(&rows, 0))
    }
}

/// In an evaluation alone: the matrix is no number, and nothing compares it.
pub(super) fn as_confusion_matrix() -> Definition {
    let value = |_: &Rows<'_>| Ok(f64::NAN);
    Definition::new("confusion_matrix", Direction::Maximize, &[Need::Predicted], value)
        .of(|output| output.must(output.columns() <= MOST, "classes", || format!("at most {MOST}"), output.columns()))
}
