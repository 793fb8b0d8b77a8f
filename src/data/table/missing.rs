//! Missing values: what stands for them, column by column.

use std::collections::BTreeMap;

/// What is done about the missing values of a column; without it they are refused, with their lines.
///
/// A mean, a median and what is most frequent are those of the table that a [`Schema`](super::Schema) is fitted to, as
/// scikit-learn's `SimpleImputer` has them, and fill the tables that follow.
///
/// ```
/// use axone::data::{Missing, Schema, Table, TableOptions};
/// let names = ["age", "town", "rent"];
/// let train = Table::from_rows(names, [["30", "Ulm", "500"], ["", "Ulm", "600"], ["50", "", "700"], ["70", "Bonn", ""]])?;
/// let options = TableOptions::values(["rent"])
///     .categories(["town"])
///     .missing(["age"], Missing::median().indicator())
///     .missing(["town"], Missing::most_frequent())
///     .missing(["rent"], Missing::drop_row());
/// let schema = Schema::fit(&train, options)?;
/// let set = schema.dataset(&train)?;
/// assert_eq!(set.inputs()[0].data(), [30.0, 0.0, 40.0, 1.0, 50.0, 0.0]); // the age, and whether it is missing
/// assert_eq!(set.inputs()[1].data(), [0.0, 0.0, 0.0]);
/// let next = Table::from_rows(["town", "age"], [["Ulm", ""]])?; // the next table takes what the first has taught
/// assert_eq!(schema.inputs(&next)?[0].data(), [40.0, 1.0]);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(deny_unknown_fields))]
pub struct Missing {
    pub(super) fill: Fill,
    pub(super) indicator: bool,
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "std::ops::Not::not"))]
    pub(super) unknown: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Fill {
    DropRow,
    Constant(String),
    Mean,
    Median,
    MostFrequent,
}

impl Missing {
    /// Leaves the row out: the only rule for a target. To predict from such a row is an error, with its line.
    pub fn drop_row() -> Self {
        Self::new(Fill::DropRow)
    }

    /// This number or, in a column of categories, this name.
    pub fn constant(value: impl ToString) -> Self {
        Self::new(Fill::Constant(value.to_string()))
    }

    /// The mean of the values that are there.
    pub fn mean() -> Self {
        Self::new(Fill::Mean)
    }

    /// The median of the values that are there; of an even number of them the mean of the middle two.
    pub fn median() -> Self {
        Self::new(Fill::Median)
    }

    /// The value or the name that is there most often; of several the least.
    pub fn most_frequent() -> Self {
        Self::new(Fill::MostFrequent)
    }

    /// Adds a column behind the numbers: 1 where the value is missing, else 0.
    pub fn indicator(self) -> Self {
        Self { indicator: true, ..self }
    }

    /// In a column of categories, names that are not known count as missing, too: what stands for them must be known
    /// itself, by the first table or by [`encoders`](super::TableOptions::encoders). And a name that is known is never
    /// missing, whatever it is.
    ///
    /// ```
    /// use axone::data::{LabelEncoder, Missing, Schema, Table, TableOptions};
    /// let train = Table::from_rows(["town"], [["Ulm"], ["Bonn"]])?;
    /// let options = TableOptions::inputs_only()
    ///     .categories(["town"])
    ///     .encoders(vec![LabelEncoder::from_classes(["Bonn", "Ulm", "elsewhere"])?])
    ///     .missing(["town"], Missing::constant("elsewhere").or_unknown());
    /// let schema = Schema::fit(&train, options)?;
    /// let next = Table::from_rows(["town"], [["Rome"], ["Ulm"], [""]])?;
    /// assert_eq!(schema.inputs(&next)?[0].data(), [2.0, 1.0, 2.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn or_unknown(self) -> Self {
        Self { unknown: true, ..self }
    }

    fn new(fill: Fill) -> Self {
        Self { fill, indicator: false, unknown: false }
    }
}

/// What counts as missing unless [`TableOptions::missing_texts`](super::TableOptions::missing_texts) says otherwise.
pub(super) const MISSING_TEXTS: [&str; 9] = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "NAN"];

/// The mean; `None` of nothing.
pub(super) fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// The median; `None` of nothing.
pub(super) fn median(values: &[f64]) -> Option<f64> {
    let sorted = crate::data::quantile::sorted(values);
    crate::data::quantile::quantile(&sorted, 0.5)
}

/// What is there most often, of several the least; `None` of nothing.
pub(super) fn most_frequent<T: Ord>(values: impl Iterator<Item = T>) -> Option<T> {
    let mut counts: BTreeMap<T, usize> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    // The first of the largest counts: the last maximum of the reversed order.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map(|(value, _)| value)
}

/// A number that is told apart, and ordered, by its value.
#[derive(Clone, Copy, PartialEq)]
pub(super) struct Ordered(pub f64);

impl Eq for Ordered {}

impl PartialOrd for Ordered {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ordered {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // -0 and 0 are one number.
        (self.0 + 0.0).total_cmp(&(other.0 + 0.0))
    }
}
