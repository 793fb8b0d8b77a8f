//! Which columns of a table are what: as asked for, and as found in its first line.

use crate::data::LabelEncoder;
use crate::{Error, Result};
use ::csv::StringRecord;

/// A column of a table: by the name in its header, or by its number, counted from 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Column {
    /// The name that stands in the first line.
    Name(String),
    /// The number, counted from 0.
    Index(usize),
}

impl From<&str> for Column {
    fn from(name: &str) -> Self {
        Column::Name(name.into())
    }
}

impl From<String> for Column {
    fn from(name: String) -> Self {
        Column::Name(name)
    }
}

impl From<usize> for Column {
    fn from(index: usize) -> Self {
        Column::Index(index)
    }
}

/// What the target columns hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Classes,
    ClassNames,
    Values,
}

/// What the columns of a table are.
///
/// It starts with the target ([`classes`](Self::classes), [`class_names`](Self::class_names) or
/// [`values`](Self::values)); all other columns are inputs, the first line is a header and the delimiter is a
/// comma, unless told otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CsvOptions {
    pub(super) kind: Kind,
    targets: Vec<Column>,
    inputs: Option<Vec<Column>>,
    categories: Vec<Column>,
    pub(super) encoders: Option<Vec<LabelEncoder>>,
    ignored: Vec<Column>,
    pub(super) header: bool,
    pub(super) delimiter: u8,
}

impl CsvOptions {
    /// The target is a column of class numbers, counted from 0.
    pub fn classes(column: impl Into<Column>) -> Self {
        Self::new(Kind::Classes, vec![column.into()])
    }

    /// The target is a column of class names, numbered in sorted order; [`read_csv_table`](super::read_csv_table) returns the names.
    pub fn class_names(column: impl Into<Column>) -> Self {
        Self::new(Kind::ClassNames, vec![column.into()])
    }

    /// The targets are columns of numbers.
    pub fn values(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self::new(Kind::Values, columns.into_iter().map(Into::into).collect())
    }

    fn new(kind: Kind, targets: Vec<Column>) -> Self {
        Self {
            kind,
            targets,
            inputs: None,
            categories: Vec::new(),
            encoders: None,
            ignored: Vec::new(),
            header: true,
            delimiter: b',',
        }
    }

    /// Takes these columns as inputs, in this order, instead of all that are no targets.
    pub fn inputs(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// These columns hold names of categories, whatever text: the names of each are numbered in sorted order. The
    /// numbers make an input of their own, behind that of the other columns, for
    /// [`Embedding::per_column`](crate::layers::Embedding::per_column).
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

    /// Leaves these columns out, such as a row number.
    pub fn ignore(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.ignored.extend(columns.into_iter().map(Into::into));
        self
    }

    /// Whether the first line holds the names of the columns; default `true`.
    pub fn header(mut self, header: bool) -> Self {
        self.header = header;
        self
    }

    /// The byte between fields, such as `b';'` or `b'\t'`; default `b','`.
    pub fn delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }
}

/// Which fields of a line are inputs and targets: number and name of each.
pub(super) struct Columns {
    pub(super) inputs: Vec<(usize, String)>,
    pub(super) categories: Vec<(usize, String)>,
    pub(super) targets: Vec<(usize, String)>,
}

impl Columns {
    pub(super) fn find(place: &str, first: &StringRecord, options: &CsvOptions) -> Result<Self> {
        let name = |index: usize| match first.get(index) {
            Some(name) if options.header => name.to_string(),
            _ => index.to_string(),
        };
        let find = |column: &Column| -> Result<(usize, String)> {
            let wrong = |expected: String, got: String| Err(Error::value(place, "column", expected, got));
            match column {
                Column::Index(index) if *index < first.len() => Ok((*index, name(*index))),
                Column::Index(index) => wrong(format!("below {}", first.len()), index.to_string()),
                Column::Name(text) if !options.header => {
                    wrong("a number where the table has no header".into(), format!("`{text}`"))
                }
                Column::Name(text) => {
                    let mut found = (0..).zip(first).filter(|(_, header)| header == text).map(|(index, _)| index);
                    match (found.next(), found.next()) {
                        (Some(index), None) => Ok((index, text.clone())),
                        (Some(one), Some(two)) => {
                            wrong(format!("a number, as columns {one} and {two} share that name"), format!("`{text}`"))
                        }
                        (None, _) => {
                            let known: Vec<String> = first.iter().map(|header| format!("`{header}`")).collect();
                            wrong(format!("one of {}", known.join(", ")), format!("`{text}`"))
                        }
                    }
                }
            }
        };
        let targets = options.targets.iter().map(find).collect::<Result<Vec<_>>>()?;
        let ignored = options.ignored.iter().map(find).collect::<Result<Vec<_>>>()?;
        let categories = options.categories.iter().map(find).collect::<Result<Vec<_>>>()?;
        let is_in = |list: &[(usize, String)], index| list.iter().any(|(other, _)| *other == index);
        let inputs: Vec<(usize, String)> = match &options.inputs {
            Some(inputs) => inputs.iter().map(find).collect::<Result<_>>()?,
            None => {
                let others = (0..first.len()).filter(|&index| !is_in(&targets, index) && !is_in(&categories, index));
                others.map(|index| (index, name(index))).collect()
            }
        };
        if let Some((_, name)) = inputs.iter().chain(&categories).find(|(index, _)| is_in(&targets, *index)) {
            return Err(Error::data(place, format!("column `{name}` is both input and target")));
        }
        if let Some((_, name)) = inputs.iter().find(|(index, _)| is_in(&categories, *index)) {
            return Err(Error::data(place, format!("column `{name}` is both number and category")));
        }
        if let Some(encoders) = &options.encoders
            && encoders.len() != categories.len()
        {
            let expected = format!("one for each of {} columns of categories", categories.len());
            return Err(Error::value(place, "encoders", expected, encoders.len()));
        }
        let inputs: Vec<_> = inputs.into_iter().filter(|(index, _)| !is_in(&ignored, *index)).collect();
        let nothing = inputs.is_empty() && categories.is_empty();
        if nothing || targets.is_empty() {
            let what = if nothing { "input" } else { "target" };
            return Err(Error::data(place, format!("no {what} columns are left of {}", first.len())));
        }
        Ok(Self { inputs, categories, targets })
    }
}
