//! What is said of a table: which columns are what, and what stands for their missing values.

use super::Table;
use super::columns::{Column, Found};
use super::missing::{Fill, MISSING_TEXTS, Missing};
use crate::data::{LabelEncoder, Scaler, Scaling};
use crate::{Error, Result};

/// What the target columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Kind {
    Classes,
    ClassNames,
    Values,
}

/// What stands for the missing values of a column.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(deny_unknown_fields))]
pub(super) struct Rule {
    pub column: Column,
    pub policy: Missing,
    /// The number or the name that the first table taught.
    pub learned: Option<String>,
}

/// What the columns of a table are.
///
/// It starts with the target ([`classes`](Self::classes), [`class_names`](Self::class_names),
/// [`values`](Self::values), or none: [`inputs_only`](Self::inputs_only)), or with a table that was read before
/// (`like`). All other columns are inputs, the first line of a file is a header and the delimiter is a comma, unless told
/// otherwise.
///
/// With the feature `save` it is `Serialize` and `Deserialize`.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(deny_unknown_fields))]
pub struct TableOptions {
    pub(super) kind: Kind,
    pub(super) targets: Vec<Column>,
    pub(super) inputs: Option<Vec<Column>>,
    pub(super) categories: Vec<Column>,
    pub(in crate::data) encoders: Option<Vec<LabelEncoder>>,
    pub(in crate::data) labels: Option<LabelEncoder>,
    pub(super) ignored: Vec<Column>,
    pub(super) rounded: Vec<Column>,
    pub(super) header: Option<bool>,
    pub(in crate::data) delimiter: u8,
    pub(in crate::data) quotes: bool,
    /// The number of columns that a table must have, where some are known by number alone.
    pub(super) width: Option<usize>,
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Vec::is_empty"))]
    pub(super) missing: Vec<Rule>,
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) missing_texts: Option<Vec<String>>,
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) scaling: Option<Scaling>,
    #[cfg_attr(feature = "save", serde(default, skip_serializing_if = "Option::is_none"))]
    pub(super) scaler: Option<Scaler>,
}

/// The numbers of a scaler are finite, so that each is equal to itself.
impl Eq for TableOptions {}

impl TableOptions {
    /// The target is a column of class numbers, counted from 0.
    pub fn classes(column: impl Into<Column>) -> Self {
        Self::new(Kind::Classes, vec![column.into()])
    }

    /// The target is a column of class names, numbered in sorted order; a [`Schema`](super::Schema) keeps the names.
    ///
    /// Each file that is read by itself is numbered by its own names: where one of them is missing in the file to test
    /// with, all behind it get other numbers, and a model seems to know nothing. Read further files with the schema of the
    /// first, with `like` or with [`labels`](Self::labels).
    pub fn class_names(column: impl Into<Column>) -> Self {
        Self::new(Kind::ClassNames, vec![column.into()])
    }

    /// The targets are columns of numbers.
    pub fn values(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self::new(Kind::Values, columns.into_iter().map(Into::into).collect())
    }

    /// There is no target: for [`Schema::inputs`](super::Schema::inputs).
    pub fn inputs_only() -> Self {
        Self::new(Kind::Values, Vec::new())
    }

    fn new(kind: Kind, targets: Vec<Column>) -> Self {
        Self {
            kind,
            targets,
            inputs: None,
            categories: Vec::new(),
            encoders: None,
            labels: None,
            ignored: Vec::new(),
            rounded: Vec::new(),
            header: None,
            delimiter: b',',
            quotes: true,
            width: None,
            missing: Vec::new(),
            missing_texts: None,
            scaling: None,
            scaler: None,
        }
    }

    /// Takes these columns as inputs, in this order, instead of all that are no targets.
    pub fn inputs(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// These columns hold names of categories, whatever text: the names of each are numbered in sorted order. The
    /// numbers make an input of their own, behind that of the other columns, for
    /// `Embedding::per_column`. Another file is numbered anew, unless it is read with the schema of the first, with `like`
    /// or with [`encoders`](Self::encoders).
    ///
    /// ```
    /// use axone::data::{Schema, Table, TableOptions};
    /// let names = ["town", "size", "colour", "rent"];
    /// let table = Table::from_rows(names, [["Ulm", "40", "red", "500"], ["Bonn", "60", "blue", "700"]])?;
    /// let schema = Schema::fit(&table, TableOptions::values(["rent"]).categories(["town", "colour"]))?;
    /// let set = schema.dataset(&table)?;
    /// assert_eq!((set.inputs()[0].data(), set.inputs()[1].data()), (&[40.0, 60.0][..], &[1.0, 1.0, 0.0, 0.0][..]));
    /// assert_eq!(schema.categories()[0].classes(), ["Bonn", "Ulm"]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn categories(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.categories = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Numbers the categories as these encoders do, one for each column of [`categories`](Self::categories), such as
    /// [`Schema::categories`](super::Schema::categories) of the table that a model was trained on. A name that they do not
    /// know is an error, with its line.
    pub fn encoders(mut self, encoders: Vec<LabelEncoder>) -> Self {
        self.encoders = Some(encoders);
        self
    }

    /// Numbers the class names as this encoder does, such as [`Schema::labels`](super::Schema::labels) of the table that a
    /// model was trained on. A name that it does not know is an error, with its line.
    pub fn labels(mut self, encoder: LabelEncoder) -> Self {
        self.labels = Some(encoder);
        self
    }

    /// Leaves these columns out, such as a row number. A column that is ignored cannot be anything else.
    pub fn ignore(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.ignored.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Whole numbers in these columns that f32 does not hold may be rounded. Everywhere else they are an error: from 2²⁴
    /// up neighbours become equal, which is the end of a number that tells rows apart. Numbers with a point or an
    /// exponent are rounded to the nearest f32 anyway.
    pub fn round(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.rounded.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Whether the first line holds the names of the columns. Without this call it does; but where no column is asked for
    /// by name, a number in that line is an error, lest the first row be lost.
    pub fn header(mut self, header: bool) -> Self {
        self.header = Some(header);
        self
    }

    /// The byte between fields, such as `b';'` or `b'\t'`; default `b','`.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// Whether a field that begins with a quote (`"`) goes up to the next, whatever is between; default `true`. Files
    /// separated by tabs are often written without: `false` takes quotes as text.
    pub fn quotes(mut self, quotes: bool) -> Self {
        self.quotes = quotes;
        self
    }

    /// What is done about missing values in these columns, one rule a column; elsewhere they are refused.
    pub fn missing(mut self, columns: impl IntoIterator<Item = impl Into<Column>>, policy: Missing) -> Self {
        let rule = |column: Column| Rule { column, policy: policy.clone(), learned: None };
        self.missing.extend(columns.into_iter().map(Into::into).map(rule));
        self
    }

    /// The texts that mean a missing value in columns with a rule for such ([`missing`](Self::missing)), in place of the
    /// empty field and the usual ways to write "not available": `NA`, `N/A`, `NaN`, `nan`, `null`, `NULL`, `None`.
    ///
    /// ```
    /// use axone::data::{Missing, Schema, Table, TableOptions};
    /// let table = Table::from_rows(["age", "ill"], [["30", "0"], ["?", "1"]])?;
    /// let options = TableOptions::classes("ill").missing(["age"], Missing::mean()).missing_texts(["?"]);
    /// assert_eq!(Schema::fit(&table, options)?.dataset(&table)?.inputs()[0].data(), [30.0, 30.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn missing_texts(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.missing_texts = Some(texts.into_iter().map(Into::into).collect());
        self
    }

    /// Scales the columns of numbers, as the first table teaches it; columns that say what is missing stay 0 and 1.
    ///
    /// ```
    /// use axone::data::{Scaling, Schema, Table, TableOptions};
    /// let options = TableOptions::classes("ill").scale(Scaling::MinMax);
    /// let schema = Schema::fit(&Table::from_rows(["age", "ill"], [["20", "0"], ["60", "1"]])?, options)?;
    /// assert_eq!(schema.inputs(&Table::from_rows(["age"], [["30"]])?)?[0].data(), [0.25]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn scale(mut self, scaling: Scaling) -> Self {
        (self.scaling, self.scaler) = (Some(scaling), None);
        self
    }

    pub(super) fn is_missing(&self, text: &str) -> bool {
        let text = text.trim();
        match &self.missing_texts {
            Some(texts) => texts.iter().any(|missing| missing == text),
            None => MISSING_TEXTS.contains(&text),
        }
    }

    /// Whether another name stands for the one in a column of categories.
    pub(super) fn is_missing_name(&self, column: &Found, name: &str, encoder: Option<&LabelEncoder>) -> bool {
        match encoder {
            Some(encoder) if self.rule(column).is_some_and(|rule| rule.policy.unknown) => !encoder.knows(name),
            _ => self.is_missing(name),
        }
    }

    pub(super) fn rule(&self, column: &Found) -> Option<&Rule> {
        self.missing.get(column.rule?)
    }

    pub(super) fn has_indicator(&self, column: &Found) -> bool {
        self.rule(column).is_some_and(|rule| rule.policy.indicator)
    }

    /// What stands for a missing value of a column.
    pub(super) fn filling(&self, column: &Found) -> Option<&str> {
        self.rule(column)?.learned.as_deref()
    }

    /// What no fitted options lack: the first of it that these do.
    pub(super) fn lacks(&self) -> Option<&'static str> {
        let is_learned = |rule: &Rule| rule.learned.is_some() || rule.policy.fill == Fill::DropRow;
        let lacking = [
            (self.inputs.is_none(), "inputs"),
            (self.header.is_none(), "header"),
            (self.encoders.as_ref().is_none_or(|encoders| encoders.len() != self.categories.len()), "encoders"),
            (self.labels.is_some() != (self.kind == Kind::ClassNames), "labels"),
            (!self.missing.iter().all(is_learned), "what stands for missing values"),
            (
                self.scaling.map(|_| self.inputs.iter().flatten().count()) != self.scaler.as_ref().map(Scaler::width),
                "scaler",
            ),
        ];
        lacking.into_iter().find(|(lacks, _)| *lacks).map(|(_, what)| what)
    }

    /// Whether the column at `at`, of that name, is any use.
    #[cfg(feature = "parquet")]
    pub(in crate::data) fn reads(&self, at: usize, name: &str) -> bool {
        let has = |columns: &[Column]| {
            columns.iter().any(|column| match column {
                Column::Name(asked) => asked == name,
                Column::Index(asked) => *asked == at,
            })
        };
        let is_input = self.inputs.as_deref().map_or_else(|| !has(&self.ignored), has);
        is_input || has(&self.targets) || has(&self.categories)
    }

    #[cfg(feature = "datasets")]
    pub(in crate::data) fn has_header(&self) -> bool {
        self.header.unwrap_or(true)
    }

    /// Whether it is said, or columns that are asked for by name say, what the first line holds.
    #[cfg(feature = "datasets")]
    pub(in crate::data) fn knows_header(&self) -> bool {
        let asked = [&self.targets, &self.categories, &self.ignored, &self.rounded].into_iter().chain(&self.inputs);
        let mut asked = asked.flatten().chain(self.missing.iter().map(|rule| &rule.column));
        self.header.is_some() || asked.any(|column| matches!(column, Column::Name(_)))
    }

    /// Refuses a table that these options do not fit.
    pub(super) fn check(&self, table: &Table) -> Result<()> {
        let place = &table.place;
        if let Some(width) = self.width.filter(|width| *width != table.width) {
            let expected = format!("{width} columns as in the table before, since not all have names");
            return Err(Error::shape(place, expected, table.width));
        }
        if let Some(encoders) = &self.encoders
            && encoders.len() != self.categories.len()
        {
            let expected = format!("one for each of {} columns of categories", self.categories.len());
            return Err(Error::value(place, "encoders", expected, encoders.len()));
        }
        if self.labels.is_some() && self.kind != Kind::ClassNames {
            return Err(Error::value(place, "labels", "left out where the target is no class name", "an encoder"));
        }
        Ok(())
    }
}
