//! Tables of text with one sample a line.
//!
//! Every field that is used must be a finite number, or the label of a class; nothing is guessed, filled in or
//! skipped. So a wrong field ends the reading with its line, its column and the text that stands there.

use super::file::open;
use super::{Dataset, LabelEncoder, Matrix, Targets};
use crate::{Error, Result};
use ::csv::{ErrorKind, ReaderBuilder, StringRecord, Trim};
use std::path::Path;

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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
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
    kind: Kind,
    targets: Vec<Column>,
    inputs: Option<Vec<Column>>,
    ignored: Vec<Column>,
    header: bool,
    delimiter: u8,
}

impl CsvOptions {
    /// The target is a column of class numbers, counted from 0.
    pub fn classes(column: impl Into<Column>) -> Self {
        Self::new(Kind::Classes, vec![column.into()])
    }

    /// The target is a column of class names, numbered in sorted order; [`read_csv_table`] returns the names.
    pub fn class_names(column: impl Into<Column>) -> Self {
        Self::new(Kind::ClassNames, vec![column.into()])
    }

    /// The targets are columns of numbers.
    pub fn values(columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        Self::new(Kind::Values, columns.into_iter().map(Into::into).collect())
    }

    fn new(kind: Kind, targets: Vec<Column>) -> Self {
        Self { kind, targets, inputs: None, ignored: Vec::new(), header: true, delimiter: b',' }
    }

    /// Takes these columns as inputs, in this order, instead of all that are no targets.
    pub fn inputs(mut self, columns: impl IntoIterator<Item = impl Into<Column>>) -> Self {
        self.inputs = Some(columns.into_iter().map(Into::into).collect());
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

/// A data set with the names it had as a table.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTable {
    /// One input of one column each, one target.
    pub dataset: Dataset,
    /// The names of the input columns; their numbers where the table has no header.
    pub inputs: Vec<String>,
    /// The names of the target columns.
    pub targets: Vec<String>,
    /// The class names, for [`CsvOptions::class_names`].
    pub labels: Option<LabelEncoder>,
}

/// Reads a CSV file, plain or gzip, into a data set.
///
/// # Errors
/// [`Error::File`] where it cannot be read; [`Error::Value`] for a column that is not there; [`Error::Data`]
/// for a field that is not a number or label, with its line and column, for lines of unequal length, and for a
/// table without rows.
///
/// ```
/// use axone::data::{CsvOptions, read_csv};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-{}.csv", std::process::id()));
/// std::fs::write(&path, "width,length,kind\n1.5,2.0,0\n3.0,4.5,1\n").unwrap();
/// let flowers = read_csv(&path, CsvOptions::classes("kind"))?;
/// assert_eq!(flowers.inputs()[0].data(), [1.5, 2.0, 3.0, 4.5]);
/// assert_eq!(flowers.targets()[0].labels(), Some(&[0, 1][..]));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_csv(path: impl AsRef<Path>, options: CsvOptions) -> Result<Dataset> {
    Ok(read_csv_table(path, options)?.dataset)
}

/// [`read_csv`] with the names of columns and classes.
///
/// # Errors
/// As [`read_csv`].
///
/// ```
/// use axone::data::{CsvOptions, read_csv_table};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-table-{}.csv", std::process::id()));
/// std::fs::write(&path, "id;size;animal\n1;0.3;cat\n2;0.9;dog\n").unwrap();
/// let table = read_csv_table(&path, CsvOptions::class_names("animal").ignore(["id"]).delimiter(b';'))?;
/// assert_eq!(table.inputs, ["size"]);
/// assert_eq!(table.labels.unwrap().classes(), ["cat", "dog"]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_csv_table(path: impl AsRef<Path>, options: CsvOptions) -> Result<CsvTable> {
    let path = path.as_ref();
    let place = path.display().to_string();
    let mut reader = ReaderBuilder::new()
        .has_headers(false) // the first line is read as any other, so its length binds the rest
        .delimiter(options.delimiter)
        .trim(Trim::All)
        .from_reader(open(path)?);
    let mut records = reader.records();
    let Some(first) = records.next() else {
        return Err(Error::data(place, "the table is empty"));
    };
    let first = first.map_err(|error| failure(path, &error))?;
    let columns = Columns::find(&place, &first, &options)?;

    let (mut x, mut values, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut rows = 0;
    let unread = (!options.header).then_some(Ok(first.clone()));
    for record in unread.into_iter().chain(records) {
        let record = record.map_err(|error| failure(path, &error))?;
        let field = |column| Field::of(&place, &record, column);
        for column in &columns.inputs {
            x.push(field(column).number()?);
        }
        for column in &columns.targets {
            match options.kind {
                Kind::Values => values.push(field(column).number()?),
                Kind::Classes => labels.push(field(column).label()?),
                Kind::ClassNames => names.push(field(column).name()?),
            }
        }
        rows += 1;
    }
    if rows == 0 {
        return Err(Error::data(place, "the table has a header but no rows"));
    }

    let encoder = (options.kind == Kind::ClassNames).then(|| LabelEncoder::fit(names.iter().cloned()));
    let y = match (&encoder, options.kind) {
        (Some(encoder), _) => Targets::Classes(encoder.transform(&names)?),
        (None, Kind::Values) => Targets::Values(Matrix::new(rows, columns.targets.len(), values)?),
        (None, _) => Targets::Classes(labels),
    };
    Ok(CsvTable {
        dataset: Dataset::new(Matrix::new(rows, columns.inputs.len(), x)?, y)?,
        inputs: columns.inputs.into_iter().map(|(_, name)| name).collect(),
        targets: columns.targets.into_iter().map(|(_, name)| name).collect(),
        labels: encoder,
    })
}

fn failure(path: &Path, error: &::csv::Error) -> Error {
    let place = |line: Option<u64>| match line {
        Some(line) => format!("{} line {line}", path.display()),
        None => path.display().to_string(),
    };
    match error.kind() {
        ErrorKind::UnequalLengths { pos, expected_len, len } => Error::data(
            place(pos.as_ref().map(|pos| pos.line())),
            format!("expected {expected_len} fields as in the first line, got {len}"),
        ),
        ErrorKind::Utf8 { pos, err } => {
            Error::data(place(pos.as_ref().map(|pos| pos.line())), format!("field {} is not UTF-8 text", err.field()))
        }
        _ => Error::file(path, error),
    }
}

/// Which fields of a line are inputs and targets: number and name of each.
struct Columns {
    inputs: Vec<(usize, String)>,
    targets: Vec<(usize, String)>,
}

impl Columns {
    fn find(place: &str, first: &StringRecord, options: &CsvOptions) -> Result<Self> {
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
        let is_in = |list: &[(usize, String)], index| list.iter().any(|(other, _)| *other == index);
        let inputs: Vec<(usize, String)> = match &options.inputs {
            Some(inputs) => inputs.iter().map(find).collect::<Result<_>>()?,
            None => {
                (0..first.len()).filter(|&index| !is_in(&targets, index)).map(|index| (index, name(index))).collect()
            }
        };
        if let Some((_, name)) = inputs.iter().find(|(index, _)| is_in(&targets, *index)) {
            return Err(Error::data(place, format!("column `{name}` is both input and target")));
        }
        let inputs: Vec<_> = inputs.into_iter().filter(|(index, _)| !is_in(&ignored, *index)).collect();
        if inputs.is_empty() || targets.is_empty() {
            let what = if inputs.is_empty() { "input" } else { "target" };
            return Err(Error::data(place, format!("no {what} columns are left of {}", first.len())));
        }
        Ok(Self { inputs, targets })
    }
}

/// One field with where it stands.
struct Field<'a> {
    place: &'a str,
    line: Option<u64>,
    column: &'a str,
    text: &'a str,
}

impl<'a> Field<'a> {
    fn of(place: &'a str, record: &'a StringRecord, (index, column): &'a (usize, String)) -> Self {
        let line = record.position().map(::csv::Position::line);
        Field { place, line, column, text: record.get(*index).unwrap_or_default() }
    }

    fn number(&self) -> Result<f32> {
        let number = self.text.parse().ok().filter(|number: &f32| number.is_finite());
        number.ok_or_else(|| self.wrong("a finite number"))
    }

    fn label(&self) -> Result<u32> {
        let whole =
            |number: f64| (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number);
        let label =
            self.text.parse().ok().or_else(|| self.text.parse().ok().and_then(whole).map(|number| number as u32));
        label.ok_or_else(|| self.wrong("a class number (0, 1, 2, ..)"))
    }

    fn name(&self) -> Result<String> {
        if self.text.is_empty() { Err(self.wrong("a class name")) } else { Ok(self.text.into()) }
    }

    fn wrong(&self, expected: &str) -> Error {
        let got = if self.text.is_empty() { "an empty field".into() } else { format!("`{}`", self.text) };
        let line = self.line.map(|line| format!(" line {line}")).unwrap_or_default();
        Error::data(
            format!("{}{line}, column `{}`", self.place, self.column),
            format!("expected {expected}, got {got}"),
        )
    }
}
