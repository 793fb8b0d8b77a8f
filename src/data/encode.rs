//! Names to class indices, and class indices to rows of 0 and 1.

use super::Matrix;
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Largest number of classes where it is the size of something: f32 holds every number below it, and a larger one is a
/// mistake in the labels.
pub(crate) const MOST_CLASSES: usize = 1 << 24;

/// `(rows, classes)`: row `i` is 1 in column `labels[i]` and 0 elsewhere.
///
/// Training on classes needs no one-hot rows (see [`Targets::Classes`](super::Targets::Classes)); they serve
/// losses on values, and categories among the inputs.
///
/// # Errors
/// [`Error::Data`] for a label that is not below `classes`, with its row; [`Error::Value`] for more than 2²⁴ classes, and
/// where memory has no room.
///
/// ```
/// use axone::data::one_hot;
/// assert_eq!(one_hot(&[2, 0], 3)?.data(), [0.0, 0.0, 1.0, 1.0, 0.0, 0.0]);
/// let error = one_hot(&[0, 3], 3).unwrap_err();
/// assert_eq!(error.to_string(), "one_hot, row 1: label 3, but there are 3 classes (0 to 2)");
/// # Ok::<(), axone::Error>(())
/// ```
pub fn one_hot(labels: &[u32], classes: usize) -> Result<Matrix> {
    if classes == 0 {
        return Err(Error::value("one_hot", "classes", "at least 1", classes));
    }
    if classes > MOST_CLASSES {
        return Err(Error::value("one_hot", "classes", format!("at most {MOST_CLASSES}"), classes));
    }
    if let Some((row, label)) = labels.iter().enumerate().find(|&(_, &label)| label as usize >= classes) {
        let problem = format!("label {label}, but there are {classes} classes (0 to {})", classes - 1);
        return Err(Error::data(format!("one_hot, row {row}"), problem));
    }
    let mut data = Vec::new();
    let size = labels.len().checked_mul(classes).filter(|size| data.try_reserve_exact(*size).is_ok());
    let Some(size) = size else {
        return Err(Error::value("one_hot", "classes", "small enough for memory", classes));
    };
    data.resize(size, 0.0);
    for (row, &label) in data.chunks_exact_mut(classes).zip(labels) {
        if let Some(value) = row.get_mut(label as usize) {
            *value = 1.0;
        }
    }
    Matrix::new(labels.len(), classes, data)
}

/// Class names and their indices, both ways.
///
/// ```
/// use axone::data::LabelEncoder;
/// let encoder = LabelEncoder::fit(["dog", "cat", "dog"]);
/// assert_eq!(encoder.classes(), ["cat", "dog"]);
/// assert_eq!(encoder.transform(["dog", "cat"])?, [1, 0]);
/// assert_eq!(encoder.name(0), Some("cat"));
/// let error = encoder.transform(["dog", "cow"]).unwrap_err();
/// assert_eq!(error.to_string(), "LabelEncoder::transform, row 1: unknown class `cow`, known are `cat`, `dog`");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(try_from = "Vec<String>", into = "Vec<String>"))]
pub struct LabelEncoder {
    names: Vec<String>,
    index: BTreeMap<String, u32>,
}

impl LabelEncoder {
    /// The distinct names among `labels`, in sorted order: fit on the training part only. Fitted to other data it numbers
    /// them anew, so keep it for whatever the model is to see (with the feature `save` it is `Serialize`).
    pub fn fit(labels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let distinct: BTreeMap<String, u32> = labels.into_iter().map(|label| (label.into(), 0)).collect();
        Self::index(distinct.into_keys().collect())
    }

    /// Classes in the order given.
    ///
    /// # Errors
    /// [`Error::Data`] for a name that stands there twice.
    ///
    /// ```
    /// use axone::data::LabelEncoder;
    /// let encoder = LabelEncoder::from_classes(["low", "high"])?;
    /// assert_eq!(encoder.transform(["low"])?, [0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn from_classes(classes: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let mut seen: BTreeMap<String, usize> = BTreeMap::new();
        let names: Vec<String> = classes.into_iter().map(Into::into).collect();
        for (at, name) in names.iter().enumerate() {
            if let Some(first) = seen.insert(name.clone(), at) {
                let problem = format!("class `{name}` stands at {first} and at {at}");
                return Err(Error::data("LabelEncoder::from_classes", problem));
            }
        }
        Ok(Self::index(names))
    }

    fn index(names: Vec<String>) -> Self {
        let index = names.iter().cloned().zip(0..).collect();
        Self { names, index }
    }

    /// The names; the index of each is its label.
    pub fn classes(&self) -> &[String] {
        &self.names
    }

    /// The name of a label, `None` where there is no such class.
    pub fn name(&self, label: u32) -> Option<&str> {
        self.names.get(label as usize).map(String::as_str)
    }

    /// Whether `name` is one of the classes.
    pub(super) fn knows(&self, name: &str) -> bool {
        self.index.contains_key(name)
    }

    /// The first ten names, for messages.
    pub(super) fn known(&self) -> String {
        let mut known: Vec<String> = self.names.iter().take(10).map(|name| format!("`{name}`")).collect();
        if self.names.len() > known.len() {
            known.push("..".into());
        }
        known.join(", ")
    }

    /// The label of each name.
    ///
    /// # Errors
    /// [`Error::Data`] for a name that is no class, with its row.
    pub fn transform(&self, labels: impl IntoIterator<Item = impl AsRef<str>>) -> Result<Vec<u32>> {
        let encode = |(row, label): (usize, &str)| {
            self.index.get(label).copied().ok_or_else(|| {
                let problem = format!("unknown class `{label}`, known are {}", self.known());
                Error::data(format!("LabelEncoder::transform, row {row}"), problem)
            })
        };
        labels.into_iter().enumerate().map(|(row, label)| encode((row, label.as_ref()))).collect()
    }

    /// The name of each label.
    ///
    /// # Errors
    /// [`Error::Data`] for a label without a class, with its row.
    pub fn inverse(&self, labels: &[u32]) -> Result<Vec<&str>> {
        let decode = |(row, &label)| {
            let problem = || format!("label {label}, but there are {} classes", self.names.len());
            self.name(label).ok_or_else(|| Error::data(format!("LabelEncoder::inverse, row {row}"), problem()))
        };
        labels.iter().enumerate().map(decode).collect()
    }
}

impl From<LabelEncoder> for Vec<String> {
    fn from(encoder: LabelEncoder) -> Self {
        encoder.names
    }
}

impl TryFrom<Vec<String>> for LabelEncoder {
    type Error = Error;

    fn try_from(names: Vec<String>) -> Result<Self> {
        Self::from_classes(names)
    }
}
