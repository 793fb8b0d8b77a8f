//! Parquet files as tables, in and out: each value as the text that a CSV file would have of it.

use super::table::{Table, TableOptions};
use crate::file::write_whole;
use crate::{Error, Result};
use ::parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use ::parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int64Type};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::properties::WriterProperties;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::file::writer::SerializedFileWriter;
use ::parquet::record::Field;
use ::parquet::record::reader::RowIter;
use ::parquet::schema::types::Type;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

const NO_ROWS: &str = "no rows";

impl Table {
    /// The rows of a Parquet file. Columns that `options` leave out are not read; what is null is missing, dates
    /// are text, and bools are `True` and `False`, which are 1 and 0 where a number is asked for.
    ///
    /// Pages may be plain or compressed by Snappy or gzip; by Zstandard (the default of polars) with the feature `zstd`.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read or unpacked; [`Error::Data`] for a column whose values are lists, maps or
    /// structs, with the row, and for a table without rows.
    ///
    /// ```no_run
    /// use axone::data::{Missing, Schema, Table, TableOptions};
    /// let options = TableOptions::values(["rent"]).categories(["town"]).missing(["age"], Missing::median());
    /// let (train, test) = Table::read_parquet("flats.parquet", &options)?.train_test_split(0.2, 1)?;
    /// let schema = Schema::fit(&train, options)?;
    /// let (train, test) = (schema.dataset(&train)?, schema.dataset(&test)?);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn read_parquet(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        ParquetChunks::open(path, options)?
            .next(usize::MAX)?
            .ok_or_else(|| Error::data(path.display().to_string(), NO_ROWS))
    }
}

impl Table {
    /// Writes the table as Parquet, compressed by Snappy. A column is one of numbers where all of its fields are finite
    /// numbers or empty, and one of whole numbers where these are whole; what is empty there is null.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be written.
    ///
    /// ```
    /// use axone::data::{Table, TableOptions};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-{}.parquet", std::process::id()));
    /// let table = Table::from_rows(["town", "size", "rooms"], [["Ulm", "40.5", "2"], ["Bonn", "", "3"]])?;
    /// table.write_parquet(&path)?;
    /// let again = Table::read_parquet(&path, &TableOptions::inputs_only())?;
    /// assert_eq!((again.field(0, 1), again.field(1, 1), again.field(1, 2)), (Some("40.5"), Some(""), Some("3")));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn write_parquet(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let bytes = bytes(self).map_err(|error| Error::file(path, error))?;
        write_whole(path, &bytes)
    }
}

/// The bytes of `table` as a file of one row group.
fn bytes(table: &Table) -> ::parquet::errors::Result<Vec<u8>> {
    let names = (0..table.width()).map(|at| table.header().map_or_else(|| at.to_string(), |names| names[at].clone()));
    let columns: Vec<(String, Values)> = names.enumerate().map(|(at, name)| (name, Values::of(table, at))).collect();
    let fields: ::parquet::errors::Result<Vec<_>> =
        columns.iter().map(|(name, values)| Ok(Arc::new(values.field(name)?))).collect();
    let schema = Arc::new(Type::group_type_builder("table").with_fields(fields?).build()?);
    let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
    let mut bytes = Vec::new();
    let mut writer = SerializedFileWriter::new(&mut bytes, schema, Arc::new(properties))?;
    let mut group = writer.next_row_group()?;
    for (_, values) in &columns {
        if let Some(mut column) = group.next_column()? {
            match values {
                Values::Whole(numbers) => {
                    let (there, levels) = nullable(numbers);
                    column.typed::<Int64Type>().write_batch(&there, Some(&levels), None)?;
                }
                Values::Numbers(numbers) => {
                    let (there, levels) = nullable(numbers);
                    column.typed::<DoubleType>().write_batch(&there, Some(&levels), None)?;
                }
                Values::Texts(texts) => {
                    column.typed::<ByteArrayType>().write_batch(texts, None, None)?;
                }
            }
            column.close()?;
        }
    }
    group.close()?;
    writer.close()?;
    Ok(bytes)
}

/// The fields of a column, by the narrowest type that holds them all.
enum Values {
    Whole(Vec<Option<i64>>),
    Numbers(Vec<Option<f64>>),
    Texts(Vec<ByteArray>),
}

impl Values {
    fn of(table: &Table, column: usize) -> Self {
        let texts = || (0..table.rows()).map(|row| table.field(row, column).unwrap_or_default());
        fn all<'a, T: FromStr>(
            texts: impl Iterator<Item = &'a str>,
            keep: impl Fn(&T) -> bool,
        ) -> Option<Vec<Option<T>>> {
            let parse = |text: &str| match text {
                "" => Some(None),
                text => text.parse().ok().filter(&keep).map(Some),
            };
            texts.map(parse).collect::<Option<Vec<_>>>().filter(|all| all.iter().any(Option::is_some))
        }
        if let Some(whole) = all(texts(), |_: &i64| true) {
            return Self::Whole(whole);
        }
        match all(texts(), |number: &f64| number.is_finite()) {
            Some(numbers) => Self::Numbers(numbers),
            None => Self::Texts(texts().map(|text| ByteArray::from(text.as_bytes().to_vec())).collect()),
        }
    }

    fn field(&self, name: &str) -> ::parquet::errors::Result<Type> {
        let (physical, repetition, logical) = match self {
            Self::Whole(_) => (Physical::INT64, Repetition::OPTIONAL, None),
            Self::Numbers(_) => (Physical::DOUBLE, Repetition::OPTIONAL, None),
            Self::Texts(_) => (Physical::BYTE_ARRAY, Repetition::REQUIRED, Some(LogicalType::String)),
        };
        Type::primitive_type_builder(name, physical).with_repetition(repetition).with_logical_type(logical).build()
    }
}

/// What is there, and for each row whether it is.
fn nullable<T: Copy>(values: &[Option<T>]) -> (Vec<T>, Vec<i16>) {
    (values.iter().copied().flatten().collect(), values.iter().map(|value| i16::from(value.is_some())).collect())
}

/// A Parquet file, some rows at a time.
pub(super) struct ParquetChunks {
    path: PathBuf,
    place: String,
    names: Vec<String>,
    /// Which columns are read.
    wanted: Vec<bool>,
    rows: RowIter<'static>,
    /// The number of the next row.
    number: usize,
}

impl ParquetChunks {
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        decoded(path, || Self::opened(path, options))
    }

    fn opened(path: &Path, options: &TableOptions) -> Result<Self> {
        let failed = |error: &dyn std::fmt::Display| Error::file(path, error);
        let file = File::open(path).map_err(|error| failed(&error))?;
        let size = file.metadata().map_err(|error| failed(&error))?.len();
        let reader = SerializedFileReader::new(file).map_err(|error| failed(&error))?;
        for group in reader.metadata().row_groups() {
            let lies = |column: &ColumnChunkMetaData| {
                let first = column.dictionary_page_offset().unwrap_or(column.data_page_offset());
                let end = first.checked_add(column.compressed_size());
                first < 0 || column.compressed_size() < 0 || end.is_none_or(|end| end as u64 > size)
            };
            if let Some(column) = group.columns().iter().find(|column| lies(column)) {
                let problem = format!("column `{}` does not lie within the file", column.column_path());
                return Err(Error::data(path.display().to_string(), problem));
            }
        }
        let columns = reader.metadata().file_metadata().schema().get_fields();
        let names: Vec<String> = columns.iter().map(|column| column.name().to_owned()).collect();
        let wanted = names.iter().enumerate().map(|(at, name)| options.reads(at, name)).collect();
        let (path, place) = (path.to_owned(), path.display().to_string());
        Ok(Self { path, place, names, wanted, rows: reader.into_iter(), number: 0 })
    }

    /// The next rows, at most `most`; `None` behind the last.
    pub fn next(&mut self, most: usize) -> Result<Option<Table>> {
        let path = self.path.clone();
        decoded(&path, || {
            let Self { path, place, names, wanted, rows, number } = self;
            let mut table = Table::new(place.clone(), "row", Some(names.clone()), 0);
            for row in rows.take(most) {
                let row = row.map_err(|error| Error::file(&*path, error))?;
                let fields = row.get_column_iter().zip(&*wanted).map(|((name, value), wanted)| {
                    let nested = || Error::data(format!("{place} row {number}, column `{name}`"), "a value of several");
                    if *wanted { text(value).ok_or_else(nested) } else { Ok(String::new()) }
                });
                table.push(*number, fields.collect::<Result<Vec<_>>>()?.iter())?;
                *number += 1;
            }
            Ok((table.rows() > 0).then_some(table))
        })
    }
}

/// What `read` makes of the file at `path`. The crate panics at some damaged pages: 6 of 60,000 mutants.
fn decoded<T>(path: &Path, read: impl FnOnce() -> Result<T>) -> Result<T> {
    let read = panic::catch_unwind(AssertUnwindSafe(read));
    read.unwrap_or_else(|_| Err(Error::file(path, "damaged: its pages cannot be decoded")))
}

/// A value as text; `None` for several in one.
fn text(value: &Field) -> Option<String> {
    Some(match value {
        Field::Null => String::new(),
        Field::Bool(yes) => if *yes { "True" } else { "False" }.to_owned(),
        Field::Byte(number) => number.to_string(),
        Field::Short(number) => number.to_string(),
        Field::Int(number) => number.to_string(),
        Field::Long(number) => number.to_string(),
        Field::UByte(number) => number.to_string(),
        Field::UShort(number) => number.to_string(),
        Field::UInt(number) => number.to_string(),
        Field::ULong(number) => number.to_string(),
        Field::Float16(number) => number.to_f32().to_string(),
        Field::Float(number) => number.to_string(),
        Field::Double(number) => number.to_string(),
        Field::Str(text) => text.clone(),
        Field::Bytes(bytes) => String::from_utf8_lossy(bytes.data()).into_owned(),
        Field::Decimal(_) => value.to_string(),
        Field::Date(days) => date(i64::from(*days)),
        Field::TimeMillis(milliseconds) => time(i64::from(*milliseconds) * 1000),
        Field::TimeMicros(microseconds) => time(*microseconds),
        Field::TimestampMillis(milliseconds) => moment(i128::from(*milliseconds) * 1000),
        Field::TimestampMicros(microseconds) => moment(i128::from(*microseconds)),
        Field::Group(_) | Field::ListInternal(_) | Field::MapInternal(_) => return None,
    })
}

const DAY: i64 = 86_400_000_000; // in microseconds

fn moment(microseconds: i128) -> String {
    let (days, rest) = (microseconds.div_euclid(DAY.into()), microseconds.rem_euclid(DAY.into()));
    format!("{} {}", date(days as i64), time(rest as i64))
}

fn time(microseconds: i64) -> String {
    let seconds = microseconds / 1_000_000;
    format!("{:02}:{:02}:{:02}.{:06}", seconds / 3600, seconds / 60 % 60, seconds % 60, microseconds % 1_000_000)
}

/// The date that many days from 1970-01-01 (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`).
fn date(days: i64) -> String {
    let days = days + 719_468; // from 0000-03-01
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153; // from March
    let (day, month) = (day - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    format!("{:04}-{month:02}-{day:02}", year + era * 400 + i64::from(month <= 2))
}

#[cfg(test)]
mod tests {
    use super::{date, moment};

    #[test]
    fn days_have_dates() {
        let days = [0, 59, 789, 19_000, -1, -719_528];
        let dates = ["1970-01-01", "1970-03-01", "1972-02-29", "2022-01-08", "1969-12-31", "0000-01-01"];
        assert_eq!(days.map(date), dates);
        assert_eq!(moment(-1), "1969-12-31 23:59:59.999999");
    }
}
