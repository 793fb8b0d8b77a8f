//! Tables of text with one sample a line.
//!
//! Every field that is used must be a finite number, or the label of a class; nothing is guessed, filled in or
//! skipped. So a wrong field ends the reading with its line, its column and the text that stands there. What is learned
//! from a file (numbers of names, the order of columns) is kept, for the files that follow.

mod columns;
mod field;
mod options;
mod records;

pub use columns::Column;
pub use options::CsvOptions;

use super::file::open;
use super::{Dataset, LabelEncoder, Matrix, Targets};
use crate::{Error, Result};
use columns::{Columns, Found, Header};
use field::Field;
use options::Kind;
use records::Records;
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
    /// As it was read, with all that was learned.
    options: CsvOptions,
}

/// The inputs of a table, of which no target is wanted.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvInputs {
    /// One of the columns of numbers, if there are any, and one of those of categories, if there are any: what
    /// [`Model::predict_all`](crate::model::Model::predict_all) takes.
    pub matrices: Vec<Matrix>,
    /// The names of the columns of numbers; their numbers where the table has no header.
    pub columns: Vec<String>,
    /// The names of each column of [`CsvOptions::categories`].
    pub categories: Vec<LabelEncoder>,
}

/// Reads a CSV file, plain or gzip, into a data set.
///
/// The file is UTF-8 text as RFC 4180 has it, with any line ends; empty lines are passed over, except in a table of one
/// column. Spaces around a field are no part of it, those within quotes are. Refused are quotes out of place (one that
/// never closes would make one field of all rows behind it), columns without a name or with that of another, unless they
/// are asked for or ignored by number, and whole numbers that f32 cannot hold ([`CsvOptions::round`]).
///
/// Class names and categories are numbered by those of this file alone; [`read_csv_table`] keeps the numbers for the next.
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

/// [`read_csv`] with the names of columns and classes, and all that [`CsvOptions::like`] needs to read another file
/// alike.
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
    let Content { inputs, targets, columns, options } = Content::of(path.as_ref(), options, true)?;
    let mut inputs = inputs.into_iter();
    let dataset = Dataset::new(inputs.next().unwrap_or_default(), targets)?;
    Ok(CsvTable {
        dataset: inputs.try_fold(dataset, Dataset::with_input)?,
        inputs: names(columns.inputs),
        targets: names(columns.targets),
        labels: options.labels.clone(),
        categories: options.encoders.clone().unwrap_or_default(),
        options,
    })
}

/// Reads the inputs of a CSV file, to predict from: the target columns need not be there, and are left out where they
/// are. With [`CsvOptions::like`] the inputs are those of a table that was read before, with
/// [`CsvOptions::inputs_only`] all columns.
///
/// # Errors
/// As [`read_csv`].
///
/// ```
/// use axone::data::{CsvOptions, read_csv_inputs};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-inputs-{}.csv", std::process::id()));
/// std::fs::write(&path, "size,weight\n0.3,4\n0.9,11\n").unwrap();
/// let inputs = read_csv_inputs(&path, CsvOptions::inputs_only())?;
/// assert_eq!(inputs.columns, ["size", "weight"]);
/// assert_eq!(inputs.matrices[0].data(), [0.3, 4.0, 0.9, 11.0]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub fn read_csv_inputs(path: impl AsRef<Path>, options: CsvOptions) -> Result<CsvInputs> {
    let Content { inputs, columns, options, .. } = Content::of(path.as_ref(), options, false)?;
    let categories = options.encoders.unwrap_or_default();
    Ok(CsvInputs { matrices: inputs, columns: names(columns.inputs), categories })
}

fn names(columns: Vec<Found>) -> Vec<String> {
    columns.into_iter().map(|column| column.name).collect()
}

/// What was read of a table.
struct Content {
    /// The columns of numbers and those of categories; what has no columns is left out.
    inputs: Vec<Matrix>,
    /// Without columns where they are not wanted.
    targets: Targets,
    columns: Columns,
    /// Those that read another table alike.
    options: CsvOptions,
}

impl Content {
    fn of(path: &Path, options: CsvOptions, with_targets: bool) -> Result<Self> {
        let (place, mut text) = (path.display().to_string(), Vec::new());
        open(path)?.read_to_end(&mut text).map_err(|error| Error::file(path, error))?;
        let mut records = Records::new(&place, &text, &options)?;
        let Some(first) = records.next().transpose()? else {
            return Err(Error::data(&place, "the table is empty"));
        };
        options.check(&place, &first)?;
        let columns = Columns::find(&place, &first.fields, &options, with_targets)?;
        let targets = if with_targets { columns.targets.as_slice() } else { &[] };

        let (mut x, mut values, mut labels, mut names) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut picked: Vec<Vec<String>> = vec![Vec::new(); columns.categories.len()];
        let mut rows = 0;
        if !options.has_header() {
            records = Records::new(&place, &text, &options)?;
        }
        for record in records {
            let record = record?;
            let field = |column| Field::of(&place, &record, column);
            for column in &columns.inputs {
                x.push(field(column).number()?);
            }
            for (i, (column, names)) in columns.categories.iter().zip(&mut picked).enumerate() {
                let encoder = options.encoders.as_ref().and_then(|encoders| encoders.get(i));
                names.push(field(column).name("a category", encoder)?);
            }
            for column in targets {
                match options.kind {
                    Kind::Values => values.push(field(column).number()?),
                    Kind::Classes => labels.push(field(column).label()?),
                    Kind::ClassNames => names.push(field(column).name("a class name", options.labels.as_ref())?),
                }
            }
            rows += 1;
        }
        if rows == 0 {
            return Err(Error::data(&place, "the table has a header but no rows"));
        }

        let header = Header::new(&place, &first.fields, options.has_header());
        let options = columns.learned(options, &header, &picked, &names);
        let targets = match (&options.labels, options.kind) {
            (Some(encoder), Kind::ClassNames) => Targets::Classes(encoder.transform(&names)?),
            (_, Kind::Values) => Targets::Values(Matrix::new(rows, targets.len(), values)?),
            _ => Targets::Classes(labels),
        };
        let encoders = options.encoders.as_deref().unwrap_or_default();
        let mut inputs = vec![Matrix::new(rows, columns.inputs.len(), x)?, numbered(encoders, &picked, rows)?];
        inputs.retain(|input| input.cols() > 0);
        Ok(Self { inputs, targets, columns, options })
    }
}

/// The numbers of the names of each column, a column each.
fn numbered(encoders: &[LabelEncoder], names: &[Vec<String>], rows: usize) -> Result<Matrix> {
    let columns: Vec<Vec<u32>> =
        encoders.iter().zip(names).map(|(encoder, names)| encoder.transform(names)).collect::<Result<_>>()?;
    let row = |row: usize| columns.iter().filter_map(move |column| column.get(row)).map(|number| *number as f32);
    Matrix::new(rows, columns.len(), (0..rows).flat_map(row).collect())
}
