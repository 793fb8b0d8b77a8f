//! What the reader of a table is told.

use super::CsvTable;
use super::columns::Column;
use super::field::quoted;
use super::records::Record;
use crate::data::LabelEncoder;
use crate::{Error, Result};
use std::borrow::Cow;

/// What the target columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
pub(super) enum Kind {
    Classes,
    ClassNames,
    Values,
}

/// What the columns of a table are.
///
/// It starts with the target ([`classes`](Self::classes), [`class_names`](Self::class_names),
/// [`values`](Self::values), or none: [`inputs_only`](Self::inputs_only)), or with a table that was read before
/// ([`like`](Self::like)). All other columns are inputs, the first line is a header and the delimiter is a comma, unless
/// told otherwise.
///
/// With the feature `save` it is `Serialize` and `Deserialize`: `CsvOptions::like(&table)` in a file beside the model is
/// what another program needs to read tables for it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "save", serde(deny_unknown_fields))]
pub struct CsvOptions {
    pub(super) kind: Kind,
    pub(super) targets: Vec<Column>,
    pub(super) inputs: Option<Vec<Column>>,
    pub(super) categories: Vec<Column>,
    pub(super) encoders: Option<Vec<LabelEncoder>>,
    pub(super) labels: Option<LabelEncoder>,
    pub(super) ignored: Vec<Column>,
    pub(super) rounded: Vec<Column>,
    pub(super) header: Option<bool>,
    pub(super) delimiter: u8,
    pub(super) quotes: bool,
    /// The number of columns that a table must have, where some are known by number alone.
    pub(super) width: Option<usize>,
}

impl CsvOptions {
    /// The target is a column of class numbers, counted from 0.
    pub fn classes(column: impl Into<Column>) -> Self {
        Self::new(Kind::Classes, vec![column.into()])
    }

    /// The target is a column of class names, numbered in sorted order; [`read_csv_table`](super::read_csv_table)
    /// returns the names.
    ///
    /// Each file is numbered by its own names: where one of them is missing in the file to test with, all behind it get
    /// other numbers, and a model seems to know nothing. Read further files with [`like`](Self::like) or
    /// [`labels`](Self::labels).
    pub fn class_names(column: impl Into<Column>) -> Self {
        Self::new(Kind::ClassNames, vec![column.into()])
    }

    /// The targets are columns of numbers.
    pub fn values(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self::new(Kind::Values, columns.into_iter().map(Into::into).collect())
    }

    /// There is no target: for [`read_csv_inputs`](super::read_csv_inputs).
    pub fn inputs_only() -> Self {
        Self::new(Kind::Values, Vec::new())
    }

    /// Reads another file as `table` was read: the same target; the same inputs in the same order, wherever their names
    /// stand in it, beside whatever other columns; the same numbers of class names and categories. A name that `table`
    /// did not have is an error, with its line. Columns without a name are known by their number, and then the file must
    /// have as many columns as `table`.
    ///
    /// ```
    /// use axone::data::{CsvOptions, read_csv_inputs, read_csv_table};
    /// # fn main() -> axone::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("axone-doc-like-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder).unwrap();
    /// # let (first, second, third) = (folder.join("a.csv"), folder.join("b.csv"), folder.join("c.csv"));
    /// std::fs::write(&first, "size,legs,kind\n0.1,2,bird\n0.3,4,cat\n0.9,4,dog\n").unwrap();
    /// std::fs::write(&second, "kind,legs,size\ndog,4,0.8\ncat,4,0.2\n").unwrap();
    /// std::fs::write(&third, "size,legs\n0.7,4\n").unwrap();
    ///
    /// let train = read_csv_table(&first, CsvOptions::class_names("kind"))?;
    /// let test = read_csv_table(&second, CsvOptions::like(&train))?;
    /// assert_eq!(test.dataset.targets()[0].labels(), Some(&[2, 1][..])); // read by itself: 1, 0
    /// assert_eq!(test.dataset.inputs()[0].data(), [0.8, 4.0, 0.2, 4.0]);
    /// let new = read_csv_inputs(&third, CsvOptions::like(&train))?;
    /// assert_eq!(new.matrices[0].data(), [0.7, 4.0]);
    /// # std::fs::remove_dir_all(&folder).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn like(table: &CsvTable) -> Self {
        table.options.clone()
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
        }
    }

    /// Takes these columns as inputs, in this order, instead of all that are no targets.
    pub fn inputs(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// These columns hold names of categories, whatever text: the names of each are numbered in sorted order. The
    /// numbers make an input of their own, behind that of the other columns, for
    /// [`Embedding::per_column`](crate::layers::Embedding::per_column). Another file is numbered anew, unless it is read
    /// with [`like`](Self::like) or [`encoders`](Self::encoders).
    ///
    /// ```
    /// use axone::data::{CsvOptions, read_csv_table};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-categories-{}.csv", std::process::id()));
    /// std::fs::write(&path, "town,size,colour,rent\nUlm,40,red,500\nBonn,60,blue,700\nUlm,55,blue,640\n").unwrap();
    /// let table = read_csv_table(&path, CsvOptions::values(["rent"]).categories(["town", "colour"]))?;
    /// assert_eq!(table.dataset.inputs()[0].data(), [40.0, 60.0, 55.0]);
    /// assert_eq!(table.dataset.inputs()[1].data(), [1.0, 1.0, 0.0, 0.0, 1.0, 0.0]);
    /// assert_eq!(table.categories[0].classes(), ["Bonn", "Ulm"]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn categories(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.categories = columns.into_iter().map(Into::into).collect();
        self
    }

    /// Numbers the categories as these encoders do, one for each column of [`categories`](Self::categories), such as
    /// [`CsvTable::categories`](super::CsvTable::categories) of the table that a model was trained on. A name that
    /// they do not know is an error, with its line.
    pub fn encoders(mut self, encoders: Vec<LabelEncoder>) -> Self {
        self.encoders = Some(encoders);
        self
    }

    /// Numbers the class names as this encoder does, such as [`CsvTable::labels`](super::CsvTable::labels) of the table
    /// that a model was trained on. A name that it does not know is an error, with its line.
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

    pub(super) fn has_header(&self) -> bool {
        self.header.unwrap_or(true)
    }

    /// Refuses a first line that these options do not fit.
    pub(super) fn check(&self, place: &str, first: &Record<'_>) -> Result<()> {
        let asked = [&self.targets, &self.categories, &self.ignored, &self.rounded].into_iter().chain(&self.inputs);
        let by_name = asked.flatten().any(|column| matches!(column, Column::Name(_)));
        let is_number = |field: &&Cow<'_, str>| field.parse().is_ok_and(f32::is_finite);
        if let Some(number) = first.fields.iter().find(is_number)
            && self.header.is_none()
            && !by_name
        {
            let say = "say `header(false)` if this line holds data, `header(true)` if it holds names";
            return Err(Error::data(
                format!("{place} line {}", first.line),
                format!("{} is a number; {say}", quoted(number)),
            ));
        }
        if let Some(width) = self.width.filter(|width| *width != first.fields.len()) {
            let expected = format!("{width} columns as in the table before, since not all have names");
            return Err(Error::shape(place, expected, first.fields.len()));
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
