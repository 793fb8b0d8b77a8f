//! Tables larger than memory: sampled in a first pass, streamed by what the sample taught.

use super::Stream;
use super::sample::Reservoir;
use crate::data::table_file::Chunks;
use crate::data::{Dataset, Schema, Table, TableOptions};
use crate::{Error, Result};
use std::path::{Path, PathBuf};

impl Stream {
    /// The table at `path`, `rows` rows at a time, by a schema that a part of it has taught ([`Table::sample`]): a CSV file,
    /// one separated by tabs (`.tsv`), either of them as gzip too, or (feature `parquet`) a Parquet file.
    ///
    /// Errors are those of [`Table::read`] and [`Schema::dataset`], with file, line and column, as it comes to them: a
    /// file that is not there is one of the first epoch. Rows without what must not be missing are left out.
    ///
    /// ```
    /// use axone::data::{Missing, Schema, Stream, Table, TableOptions};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-stream-{}.csv", std::process::id()));
    /// let lines = (0..1000).map(|i| format!("{},{}\n", i % 50, ["cat", "dog"][i % 2]));
    /// std::fs::write(&path, "size,kind\n".to_owned() + &lines.collect::<String>()).unwrap();
    ///
    /// let options = TableOptions::class_names("kind").missing(["size"], Missing::mean());
    /// let schema = Schema::fit(&Table::sample(&path, &options, 200, 1)?, options)?;
    /// let stream = Stream::table(&path, &schema, 300).batch_size(500);
    /// let sizes = stream.epoch(0)?.map(|batch| Ok(batch?.len())).collect::<axone::Result<Vec<_>>>()?;
    /// assert_eq!(sizes, [500, 500]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn table(path: impl Into<PathBuf>, schema: &Schema, rows: usize) -> Self {
        let (path, schema, mut open) = (path.into(), schema.clone(), None);
        Dataset::stream(move |chunk| {
            if rows == 0 {
                return Err(Error::value("Stream::table", "rows", "at least 1", rows));
            }
            if chunk == 0 {
                open = Some(Chunks::open(&path, schema.options())?);
            }
            let Some(chunks) = &mut open else { return Ok(None) };
            while let Some(table) = chunks.next(rows)? {
                if let Some(set) = schema.dataset_of_part(&table)? {
                    return Ok(Some(set));
                }
            }
            open = None;
            Ok(None)
        })
    }
}

/// Rows that are read at a time to draw from.
const READ: usize = 4096;

impl Table {
    /// `rows` rows of the table at `path`, or all where there are fewer, each with the same chance, in the order of the
    /// file: to fit a [`Schema`] to a table larger than memory. Reads the file once. Names of classes and categories that no
    /// row of the sample has are refused in the stream, with their line: a larger sample knows more of them.
    ///
    /// # Errors
    /// As [`Table::read`]; [`Error::Value`] for no rows.
    ///
    /// ```
    /// use axone::data::{Table, TableOptions};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-sample-{}.csv", std::process::id()));
    /// std::fs::write(&path, "size\n".to_owned() + &(0..1000).map(|i| format!("{i}\n")).collect::<String>()).unwrap();
    /// let sample = Table::sample(&path, &TableOptions::inputs_only(), 10, 1)?;
    /// assert_eq!(sample.rows(), 10);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn sample(path: impl AsRef<Path>, options: &TableOptions, rows: usize, seed: u64) -> Result<Self> {
        let (path, mut sampled) = (path.as_ref(), None);
        let mut reservoir = Reservoir::new("Table::sample", rows, seed)?;
        let mut chunks = Chunks::open(path, options)?;
        while let Some(table) = chunks.next(READ)? {
            for row in 0..table.rows() {
                reservoir.offer(|| {
                    let (number, fields) = table.numbered(row);
                    Ok((number, fields.into_iter().map(str::to_owned).collect::<Vec<_>>()))
                })?;
            }
            sampled.get_or_insert(table);
        }
        let Some(table) = sampled else { return Err(Error::data(path.display().to_string(), "no rows")) };
        table.of_rows(reservoir.into_rows())
    }
}
