//! Parquet files as tables: each value as the text that a CSV file would have of it.

use super::table::{Table, TableOptions};
use crate::{Error, Result};
use ::parquet::file::metadata::ColumnChunkMetaData;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

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
        // The crate panics at some damaged pages: 6 of 60,000 mutants.
        let read = panic::catch_unwind(AssertUnwindSafe(|| read(path, options)));
        read.unwrap_or_else(|_| Err(Error::file(path, "damaged: its pages cannot be decoded")))
    }
}

fn read(path: &Path, options: &TableOptions) -> Result<Table> {
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
    let wanted: Vec<bool> = names.iter().enumerate().map(|(at, name)| options.reads(at, name)).collect();
    let place = path.display().to_string();
    let mut table = Table::new(place.clone(), "row", Some(names), 0);
    for (number, row) in reader.get_row_iter(None).map_err(|error| failed(&error))?.enumerate() {
        let row = row.map_err(|error| failed(&error))?;
        let fields = row.get_column_iter().zip(&wanted).map(|((name, value), wanted)| {
            let nested = || Error::data(format!("{place} row {number}, column `{name}`"), "a value of several");
            if *wanted { text(value).ok_or_else(nested) } else { Ok(String::new()) }
        });
        table.push(number, fields.collect::<Result<Vec<_>>>()?.iter())?;
    }
    table.checked("no rows")
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
