//! Tables of text with one sample a line.
//!
//! Every field that is used must be a finite number, or the label of a class; nothing is guessed, filled in or
//! skipped. So a wrong field ends the reading with its line, its column and the text that stands there.

mod columns;

pub use columns::{Column, CsvOptions};

use super::file::open;
use super::{Dataset, LabelEncoder, Matrix, Targets};
use crate::{Error, Result};
use ::csv::{ErrorKind, Position, ReaderBuilder, StringRecord, Trim};
use columns::{Columns, Kind};
use std::io::Read;
use std::path::Path;

/// A data set with the names it had as a table.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTable {
    /// An input of the columns of numbers, one of those of categories if there are any, and a target.
    pub dataset: Dataset,
    /// The names of the input columns; their numbers where the table has no header.
    pub inputs: Vec<String>,
    /// The names of the target columns.
    pub targets: Vec<String>,
    /// The class names, for [`CsvOptions::class_names`].
    pub labels: Option<LabelEncoder>,
    /// The names of each column of [`CsvOptions::categories`].
    pub categories: Vec<LabelEncoder>,
}

/// Reads a CSV file, plain or gzip, into a data set.
///
/// # Errors
/// [`Error::File`] where it cannot be read; [`Error::Value`] for a column that is not there; [`Error::Data`]
/// for a field that is not a number, label or known category, with its line and column, for lines of unequal length, and for a
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
    let mut source = Source { place: path.display().to_string(), text: Vec::new() };
    open(path)?.read_to_end(&mut source.text).map_err(|error| Error::file(path, error))?;
    let mut reader = ReaderBuilder::new()
        .has_headers(false) // the first line is read as any other, so its length binds the rest
        .delimiter(options.delimiter)
        .trim(Trim::All)
        .from_reader(source.text.as_slice());
    let mut records = reader.records();
    let Some(first) = records.next() else {
        return Err(Error::data(&source.place, "the table is empty"));
    };
    let first = first.map_err(|error| source.failure(&error))?;
    let columns = Columns::find(&source.place, &first, &options)?;

    let (mut x, mut values, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    let mut picked: Vec<Vec<String>> = vec![Vec::new(); columns.categories.len()];
    let mut rows = 0;
    let unread = (!options.header).then_some(Ok(first.clone()));
    for record in unread.into_iter().chain(records) {
        let record = record.map_err(|error| source.failure(&error))?;
        let field = |column| Field::of(&source, &record, column);
        for column in &columns.inputs {
            x.push(field(column).number()?);
        }
        for (i, (column, names)) in columns.categories.iter().zip(&mut picked).enumerate() {
            names.push(field(column).category(options.encoders.as_ref().and_then(|encoders| encoders.get(i)))?);
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
        return Err(Error::data(&source.place, "the table has a header but no rows"));
    }

    let encoder = (options.kind == Kind::ClassNames).then(|| LabelEncoder::fit(names.iter().cloned()));
    let y = match (&encoder, options.kind) {
        (Some(encoder), _) => Targets::Classes(encoder.transform(&names)?),
        (None, Kind::Values) => Targets::Values(Matrix::new(rows, columns.targets.len(), values)?),
        (None, _) => Targets::Classes(labels),
    };
    let categories = options.encoders.unwrap_or_else(|| picked.iter().cloned().map(LabelEncoder::fit).collect());
    Ok(CsvTable {
        dataset: dataset(Matrix::new(rows, columns.inputs.len(), x)?, numbered(&categories, &picked, rows)?, y)?,
        categories,
        inputs: columns.inputs.into_iter().map(|(_, name)| name).collect(),
        targets: columns.targets.into_iter().map(|(_, name)| name).collect(),
        labels: encoder,
    })
}

/// The numbers of the names of each column, a column each.
fn numbered(encoders: &[LabelEncoder], names: &[Vec<String>], rows: usize) -> Result<Matrix> {
    let columns: Vec<Vec<u32>> =
        encoders.iter().zip(names).map(|(encoder, names)| encoder.transform(names)).collect::<Result<_>>()?;
    let row = |row: usize| columns.iter().filter_map(move |column| column.get(row)).map(|number| *number as f32);
    Matrix::new(rows, columns.len(), (0..rows).flat_map(row).collect())
}

/// An input of numbers and one of categories; one without columns is left out.
fn dataset(numbers: Matrix, categories: Matrix, y: Targets) -> Result<Dataset> {
    match (numbers.cols(), categories.cols()) {
        (_, 0) => Dataset::new(numbers, y),
        (0, _) => Dataset::new(categories, y),
        _ => Dataset::new(numbers, y)?.with_input(categories),
    }
}

/// The whole table, to find the line of an error.
struct Source {
    place: String,
    text: Vec<u8>,
}

impl Source {
    /// The place of the record at `position`, which the reader puts before any line breaks that it skips.
    fn place(&self, position: Option<&Position>) -> String {
        let Some(position) = position else {
            return self.place.clone();
        };
        let breaks = |bytes: &[u8]| bytes.iter().filter(|&&byte| byte == b'\n').count();
        let (before, rest) = self.text.split_at_checked(position.byte() as usize).unwrap_or((&self.text, &[]));
        let skipped = rest.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = 1 + breaks(before) + rest.get(..skipped).map_or(0, breaks);
        format!("{} line {line}", self.place)
    }

    fn failure(&self, error: &::csv::Error) -> Error {
        match error.kind() {
            ErrorKind::UnequalLengths { pos, expected_len, len } => Error::data(
                self.place(pos.as_ref()),
                format!("expected {expected_len} fields as in the first line, got {len}"),
            ),
            ErrorKind::Utf8 { pos, err } => {
                Error::data(self.place(pos.as_ref()), format!("field {} is not UTF-8 text", err.field()))
            }
            _ => Error::data(&self.place, error.to_string()),
        }
    }
}

/// One field with where it stands.
struct Field<'a> {
    source: &'a Source,
    position: Option<&'a Position>,
    column: &'a str,
    text: &'a str,
}

impl<'a> Field<'a> {
    fn of(source: &'a Source, record: &'a StringRecord, (index, column): &'a (usize, String)) -> Self {
        Field { source, position: record.position(), column, text: record.get(*index).unwrap_or_default() }
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

    /// The text, if `encoder` knows it; without one, any but none.
    fn category(&self, encoder: Option<&LabelEncoder>) -> Result<String> {
        match encoder {
            Some(encoder) if !encoder.knows(self.text) => Err(self.wrong(&format!("one of {}", encoder.known()))),
            None if self.text.is_empty() => Err(self.wrong("a category")),
            _ => Ok(self.text.into()),
        }
    }

    fn wrong(&self, expected: &str) -> Error {
        let got = if self.text.is_empty() { "an empty field".into() } else { format!("`{}`", self.text) };
        let place = format!("{}, column `{}`", self.source.place(self.position), self.column);
        Error::data(place, format!("expected {expected}, got {got}"))
    }
}
