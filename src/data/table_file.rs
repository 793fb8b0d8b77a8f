//! Tables as files, read and written by the end of their name.

use super::Table;
use super::csv::CsvChunks;
#[cfg(feature = "parquet")]
use super::parquet::ParquetChunks;
use super::table::TableOptions;
use crate::file::write_whole;
use crate::text::quoted;
use crate::{Error, Result};
use std::path::Path;

/// A table that is read some rows at a time.
pub(super) enum Chunks {
    Csv(Box<CsvChunks>),
    #[cfg(feature = "parquet")]
    Parquet(Box<ParquetChunks>),
}

impl Chunks {
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        match Format::of(path)? {
            Format::Csv => Ok(Self::Csv(CsvChunks::open(path, options)?.into())),
            Format::Tsv => Ok(Self::Csv(CsvChunks::open(path, &options.clone().delimiter(b'\t'))?.into())),
            #[cfg(feature = "parquet")]
            Format::Parquet => Ok(Self::Parquet(ParquetChunks::open(path, options)?.into())),
        }
    }

    /// The next rows, at most `most`; `None` behind the last.
    pub fn next(&mut self, most: usize) -> Result<Option<Table>> {
        match self {
            Self::Csv(chunks) => chunks.next(most),
            #[cfg(feature = "parquet")]
            Self::Parquet(chunks) => chunks.next(most),
        }
    }
}

/// What kind of table the end of a name stands for.
enum Format {
    Csv,
    Tsv,
    #[cfg(feature = "parquet")]
    Parquet,
}

impl Format {
    fn of(path: &Path) -> Result<Self> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
        let name = name.strip_suffix(".gz").unwrap_or(&name);
        match name.rsplit_once('.').map_or("", |(_, end)| end) {
            "csv" | "txt" => Ok(Self::Csv),
            "tsv" => Ok(Self::Tsv),
            #[cfg(feature = "parquet")]
            "parquet" | "pq" => Ok(Self::Parquet),
            #[cfg(not(feature = "parquet"))]
            "parquet" | "pq" => Err(Error::file(path, "Parquet files need the feature `parquet`")),
            _ => {
                Err(Error::file(path, "no table: its name should end in .csv, .tsv, .txt (or .csv.gz, ..) or .parquet"))
            }
        }
    }
}

impl Table {
    /// The table at `path`: a CSV file, one separated by tabs (`.tsv`), either of them as gzip too, or (feature `parquet`) a
    /// Parquet file.
    ///
    /// # Errors
    /// [`Error::File`] for another end of the name; as [`read_csv`](Self::read_csv) and `read_parquet`.
    ///
    /// ```
    /// use axone::data::{Table, TableOptions};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-any-{}.tsv", std::process::id()));
    /// Table::from_rows(["town", "size"], [["Ulm", "40"], ["Bonn", "60"]])?.write(&path)?;
    /// let table = Table::read(&path, &TableOptions::inputs_only())?;
    /// assert_eq!((table.rows(), table.field(1, 0)), (2, Some("Bonn")));
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn read(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        match Format::of(path)? {
            Format::Csv => Self::read_csv(path, options),
            Format::Tsv => Self::read_csv(path, &options.clone().delimiter(b'\t')),
            #[cfg(feature = "parquet")]
            Format::Parquet => Self::read_parquet(path, options),
        }
    }

    /// Writes the table to `path`: as CSV, separated by tabs (`.tsv`), or (feature `parquet`) as Parquet, where a column all
    /// of whose fields are numbers is one of numbers. The file is whole or not there.
    ///
    /// # Errors
    /// [`Error::File`] for another end of the name, and where the file cannot be written.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        match Format::of(path)? {
            Format::Csv => write_whole(path, self.to_csv(',').as_bytes()),
            Format::Tsv => write_whole(path, self.to_csv('\t').as_bytes()),
            #[cfg(feature = "parquet")]
            Format::Parquet => self.write_parquet(path),
        }
    }

    /// Refuses a path that [`write`](Self::write) would not take, before there is anything to write.
    ///
    /// # Errors
    /// [`Error::File`] for another end of the name.
    pub fn check_name(path: impl AsRef<Path>) -> Result<()> {
        Format::of(path.as_ref()).map(drop)
    }

    /// The table as text: the names of its columns, if it has some, and a line for each row.
    ///
    /// ```
    /// use axone::data::Table;
    /// let table = Table::from_rows(["town", "says"], [["Ulm", "\"so, so\""]])?;
    /// assert_eq!(table.to_csv(','), "town,says\nUlm,\"\"\"so, so\"\"\"\n");
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn to_csv(&self, delimiter: char) -> String {
        let field = |text: &str| quoted(text, delimiter);
        let between = delimiter.to_string();
        let line = |fields: Vec<String>| fields.join(&between) + "\n";
        let header = self.header().map(|names| line(names.iter().map(|name| field(name)).collect()));
        let row =
            |row| line((0..self.width()).map(|column| field(self.field(row, column).unwrap_or_default())).collect());
        header.into_iter().chain((0..self.rows()).map(row)).collect()
    }
}
