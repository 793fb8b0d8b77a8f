//! Tables of text with one sample a line.
//!
//! Every field that is used must be a finite number, or the label of a class; nothing is guessed, filled in or
//! skipped, unless a rule for a column says so. So a wrong field ends the reading with its line, its column and the text that stands there. What is learned
//! from a file (numbers of names, the order of columns) is kept, for the files that follow.

mod chunks;
mod records;

pub(super) use chunks::CsvChunks;

use super::file::open;
use super::table::{Content, Schema, Table, TableOptions, quoted};
use super::{Dataset, LabelEncoder, Matrix};
use crate::{Error, Result};
use records::{Record, Records};
use std::io::Read;
use std::path::Path;

/// What the columns of a CSV file are, and how it is written: [`TableOptions`] by the name that says where they began.
pub type CsvOptions = TableOptions;

const EMPTY: &str = "the table is empty";
const NO_ROWS: &str = "the table has a header but no rows";

/// A data set with the names it had as a table.
#[derive(Debug, Clone, PartialEq)]
pub struct CsvTable {
    /// An input of the columns of numbers, one of those of categories if there are any, and a target.
    pub dataset: Dataset,
    /// The names of the input columns; their numbers where the table has no header. Columns that indicate what is missing
    /// stand behind them.
    pub inputs: Vec<String>,
    /// The names of the target columns.
    pub targets: Vec<String>,
    /// The class names, for [`CsvOptions::class_names`].
    pub labels: Option<LabelEncoder>,
    /// The names of each column of [`CsvOptions::categories`].
    pub categories: Vec<LabelEncoder>,
    schema: Schema,
}

impl CsvTable {
    /// What `options` make of `table`.
    pub(super) fn of(table: &Table, options: CsvOptions) -> Result<Self> {
        let content = Content::of(table, options, true)?;
        let (inputs, targets) = (content.input_names.clone(), content.target_names.clone());
        let schema = Schema::learned(content.options.clone());
        let (labels, categories) = (schema.labels().cloned(), schema.categories().to_vec());
        Ok(Self { dataset: content.into_dataset()?, inputs, targets, labels, categories, schema })
    }

    /// All that was learned, to read the next table by.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }
}

impl TableOptions {
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
        table.schema.options().clone()
    }
}

impl Table {
    /// The fields of a CSV file, plain or gzip, which is read as [`read_csv`] does. Of `options` those count that say how the
    /// file is written: delimiter, quotes, header; those of a schema serve for the next file
    /// ([`Schema::options`]).
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read; [`Error::Data`] for lines of unequal length, quotes out of place, and a
    /// table without rows, with the line.
    ///
    /// ```
    /// use axone::data::{CsvOptions, Missing, Schema, Table};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-read-{}.csv", std::process::id()));
    /// std::fs::write(&path, "age,ill\n30,0\n,1\n50,1\n70,0\n").unwrap();
    /// let options = CsvOptions::classes("ill").missing(["age"], Missing::mean());
    /// let (train, test) = Table::read_csv(&path, &options)?.train_test_split(0.25, 1)?;
    /// let schema = Schema::fit(&train, options)?; // the mean is that of the rows that train
    /// assert_eq!((schema.dataset(&train)?.len(), schema.dataset(&test)?.len()), (3, 1));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_csv(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self> {
        let path = path.as_ref();
        let mut text = Vec::new();
        open(path)?.read_to_end(&mut text).map_err(|error| Error::file(path, error))?;
        Self::of_csv(path.display().to_string(), &text, options)
    }

    /// The fields of `text`, which errors call `place`.
    pub(super) fn of_csv(place: String, text: &[u8], options: &CsvOptions) -> Result<Self> {
        let mut records = Records::new(&place, text, options)?;
        let Some(first) = records.next().transpose()? else {
            return Err(Error::data(&place, EMPTY));
        };
        let mut table = Self::begun(&place, &first, options)?;
        for record in records {
            let record = record?;
            table.push(record.line, record.fields.iter())?;
        }
        table.checked(NO_ROWS)
    }

    /// The table that begins with the record `first`: its header, or its first row.
    fn begun(place: &str, first: &Record<'_>, options: &CsvOptions) -> Result<Self> {
        let number = first.fields.iter().find(|field| field.parse().is_ok_and(f32::is_finite));
        if let Some(number) = number.filter(|_| !options.knows_header()) {
            let say = "say `header(false)` if this line holds data, `header(true)` if it holds names";
            let problem = format!("{} is a number; {say}", quoted(number));
            return Err(Error::data(format!("{place} line {}", first.line), problem));
        }
        let header = options.has_header().then(|| first.fields.iter().map(|field| field.to_string()).collect());
        let mut table = Self::new(place.to_owned(), "line", header, first.fields.len());
        if !options.has_header() {
            table.push(first.line, first.fields.iter())?;
        }
        Ok(table)
    }
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
/// are asked for or ignored by number, and whole numbers that f32 cannot hold ([`CsvOptions::round`]). `True` and
/// `false` in any of the usual spellings are the numbers 1 and 0.
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
    CsvTable::of(&Table::read_csv(path, &options)?, options)
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
    let Content { inputs, input_names, options, .. } = Content::of(&Table::read_csv(path, &options)?, options, false)?;
    Ok(CsvInputs { matrices: inputs, columns: input_names, categories: options.encoders.unwrap_or_default() })
}
