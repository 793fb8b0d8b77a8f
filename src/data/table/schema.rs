//! Schemas: what a table has taught, and how the next is read by it.

use super::content::Content;
use super::options::TableOptions;
use super::{Column, Table};
use crate::Result;
use crate::data::{Dataset, LabelEncoder, Matrix, Scaler, Scaling};
use crate::text::table;
use std::fmt;

/// What was learned of a table that trains a model, to read all that the model sees: which columns are inputs, categories
/// and targets, how the names of categories and classes are numbered, what stands for missing values, and how numbers are
/// scaled.
///
/// With the feature `save` it is `Serialize` and `Deserialize`; `Model::set_schema` has it saved with the model.
///
/// ```
/// use axone::data::{Schema, Table, TableOptions};
/// let names = ["size", "legs", "kind"];
/// let train = Table::from_rows(names, [["0.1", "2", "bird"], ["0.3", "4", "cat"], ["0.9", "4", "dog"]])?;
/// let schema = Schema::fit(&train, TableOptions::class_names("kind"))?;
/// assert_eq!(schema.dataset(&train)?.targets()[0].labels(), Some(&[0, 1, 2][..]));
///
/// // Columns are found by their names; a target need not be there to predict from.
/// let next = Table::from_rows(["kind", "legs", "size"], [["dog", "4", "0.8"]])?;
/// assert_eq!(schema.dataset(&next)?.targets()[0].labels(), Some(&[2][..]));
/// assert_eq!(schema.inputs(&Table::from_rows(["legs", "size"], [["4", "0.8"]])?)?[0].data(), [0.8, 4.0]);
///
/// let error = schema.dataset(&Table::from_rows(names, [["0.1", "4", "cow"]])?).unwrap_err();
/// assert_eq!(error.to_string(), "table row 0, column `kind`: expected one of `bird`, `cat`, `dog`, got `cow`");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(try_from = "TableOptions", into = "TableOptions"))]
pub struct Schema(TableOptions);

impl Schema {
    /// Learns of `table` what `options` leave open: fit on the training part only.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) for a column that is not there; [`Error::Data`](crate::Error::Data) for a
    /// field that is not a number, label or known category, and for one that is missing without a rule, with its row or
    /// line and its column.
    pub fn fit(table: &Table, options: TableOptions) -> Result<Self> {
        let with_targets = !options.targets.is_empty();
        Ok(Self(Content::of(table, options, with_targets)?.options))
    }

    /// That of options that have learned all.
    #[cfg(feature = "datasets")]
    pub(in crate::data) fn learned(options: TableOptions) -> Self {
        Self(options)
    }

    /// Inputs and targets of `table`, by what was learned. Rows without what must not be missing are left out
    /// ([`Missing::drop_row`](super::Missing::drop_row)).
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and for names that are not known, and where the schema has no target.
    pub fn dataset(&self, table: &Table) -> Result<Dataset> {
        Content::of(table, self.0.clone(), true)?.into_dataset()
    }

    /// As [`dataset`](Self::dataset); `None` where no row is left.
    #[cfg(feature = "datasets")]
    pub(in crate::data) fn dataset_of_part(&self, table: &Table) -> Result<Option<Dataset>> {
        Content::of_part(table, self.0.clone(), true)?.map(Content::into_dataset).transpose()
    }

    /// The inputs of `table`, by what was learned, for `Model::predict_all`: the columns of numbers, if there are any, and
    /// those of categories, if there are any. The targets need not be there, and are left out where they are.
    ///
    /// # Errors
    /// As [`fit`](Self::fit), and for names that are not known. A row is left out only where the schema has no target:
    /// elsewhere each row is to be predicted from, and what is missing without anything to stand for it is an error.
    pub fn inputs(&self, table: &Table) -> Result<Vec<Matrix>> {
        Ok(Content::of(table, self.0.clone(), false)?.inputs)
    }

    /// The names of the classes, if they have names.
    pub fn labels(&self) -> Option<&LabelEncoder> {
        self.0.labels.as_ref()
    }

    /// The names of each column of categories.
    pub fn categories(&self) -> &[LabelEncoder] {
        self.0.encoders.as_deref().unwrap_or_default()
    }

    /// The scaler of the columns of numbers, if they are scaled.
    pub fn scaler(&self) -> Option<&Scaler> {
        self.0.scaler.as_ref()
    }

    /// The columns that [`inputs`](Self::inputs) needs: those of numbers, then those of categories.
    ///
    /// ```
    /// use axone::data::{Schema, Table, TableOptions};
    /// let table = Table::from_rows(["town", "size", "rent"], [["Ulm", "40", "500"], ["Bonn", "60", "700"]])?;
    /// let schema = Schema::fit(&table, TableOptions::values(["rent"]).categories(["town"]))?;
    /// let names = |columns: Vec<_>| columns.iter().map(ToString::to_string).collect::<Vec<_>>();
    /// assert_eq!(names(schema.input_columns()), ["size", "town"]);
    /// assert_eq!(names(schema.target_columns()), ["rent"]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn input_columns(&self) -> Vec<&Column> {
        self.0.inputs.iter().flatten().chain(&self.0.categories).collect()
    }

    /// The columns of the targets.
    pub fn target_columns(&self) -> Vec<&Column> {
        self.0.targets.iter().collect()
    }

    /// Columns of each matrix of [`inputs`](Self::inputs).
    pub fn widths(&self) -> Vec<usize> {
        let flags = self.0.missing.iter().filter(|rule| rule.policy.indicator).count();
        let mut widths = vec![self.0.inputs.as_ref().map_or(0, Vec::len) + flags, self.0.categories.len()];
        widths.retain(|width| *width > 0);
        widths
    }

    /// The options that read the next file: its delimiter, its header, and all that was learned.
    pub fn options(&self) -> &TableOptions {
        &self.0
    }
}

/// A line for each column: what it is used as, and what stands for its missing values.
impl fmt::Display for Schema {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = &self.0;
        let missing = |column: &Column| {
            let rule = options.missing.iter().find(|rule| rule.column == *column);
            rule.map_or("refused".to_owned(), |rule| match &rule.learned {
                None => "row left out".to_owned(),
                Some(fill) if rule.policy.indicator => format!("{fill}, and a column that says so"),
                Some(fill) => fill.clone(),
            })
        };
        let mut rows = vec![["column", "used as", "where missing"].map(str::to_owned).to_vec()];
        let scaled = match options.scaling {
            None => "number",
            Some(Scaling::Standard) => "number, scaled to mean 0 and deviation 1",
            Some(Scaling::MinMax) => "number, scaled to 0 to 1",
            Some(Scaling::Robust) => "number, scaled to median 0 and quartiles 1 apart",
        };
        let mut line = |column: &Column, used: String| rows.push(vec![column.to_string(), used, missing(column)]);
        options.inputs.iter().flatten().for_each(|column| line(column, scaled.to_owned()));
        for (column, encoder) in options.categories.iter().zip(self.categories()) {
            line(column, format!("category of {}: {}", encoder.classes().len(), encoder.known()));
        }
        let target = match &options.labels {
            Some(labels) => format!("target, class of {}: {}", labels.classes().len(), labels.known()),
            None => "target".to_owned(),
        };
        options.targets.iter().for_each(|column| line(column, target.clone()));
        f.write_str(&table(&rows, 3))
    }
}

impl From<Schema> for TableOptions {
    fn from(schema: Schema) -> Self {
        schema.0
    }
}

impl TryFrom<TableOptions> for Schema {
    type Error = crate::Error;

    /// # Errors
    /// [`Error::Data`](crate::Error::Data) for options that leave something to learn.
    fn try_from(options: TableOptions) -> Result<Self> {
        match options.lacks() {
            None => Ok(Self(options)),
            Some(what) => Err(crate::Error::data("schema", format!("{what}: not learned; `Schema::fit` does"))),
        }
    }
}
