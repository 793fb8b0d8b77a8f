//! Tables: rows of fields as they came from a file or from memory, before anything is made of them.
//!
//! A field stays the text it was, and each row knows its line, so that whatever is wrong with it later is told with file,
//! line and column. A [`Schema`] turns a table into numbers.

mod columns;
mod content;
mod field;
mod infer;
mod missing;
mod options;
mod schema;

pub use columns::Column;
#[cfg(feature = "datasets")]
pub(super) use content::Content;
#[cfg(feature = "datasets")]
pub(super) use field::quoted;
pub use infer::{Inference, Inferred};
pub use missing::Missing;
pub use options::TableOptions;
pub use schema::Schema;

use super::LabelEncoder;
use super::matrix::check_rows;
use super::shuffle::split_order;
use crate::{Error, Result};

/// Rows of fields with the names of their columns, as [`Schema`] takes them: a file that was read, or rows in memory.
///
/// ```
/// use axone::data::Table;
/// let table = Table::from_rows(["town", "size"], [["Ulm", "40"], ["Bonn", ""]])?;
/// assert_eq!((table.rows(), table.width()), (2, 2));
/// assert_eq!(table.field(0, 1), Some("40"));
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// What errors call it: the path of its file.
    place: String,
    /// What errors call one of its rows.
    unit: &'static str,
    /// The names of the columns, if it has them.
    header: Option<Vec<String>>,
    width: usize,
    /// All fields, one behind the other.
    text: String,
    rows: Vec<Row>,
    /// Where each field ends, counted from the beginning of its row.
    ends: Vec<u32>, // (rows, width)
}

/// Where a row begins in the text, and what number errors give it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Row {
    start: usize,
    number: usize,
}

impl Table {
    /// A table of `rows`, a field a column: text, or numbers as text. An empty field is a missing value, as is `NaN`.
    ///
    /// # Errors
    /// [`Error::Shape`] for a row of another length than `names`; [`Error::Data`] without rows.
    ///
    /// ```
    /// use axone::data::{Schema, Table, TableOptions};
    /// let table = Table::from_rows(["size", "rent"], [[40.0, 500.0], [60.0, 700.0]])?;
    /// let schema = Schema::fit(&table, TableOptions::values(["rent"]))?;
    /// assert_eq!(schema.dataset(&table)?.inputs()[0].data(), [40.0, 60.0]);
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn from_rows(
        names: impl IntoIterator<Item = impl Into<String>>,
        rows: impl IntoIterator<Item = impl IntoIterator<Item = impl ToString>>,
    ) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let mut table = Self::new("table".to_owned(), "row", Some(names), 0);
        for (number, row) in rows.into_iter().enumerate() {
            table.push(number, row.into_iter().map(|field| field.to_string()))?;
        }
        table.checked("no rows")
    }

    /// A table without rows; `width` counts where there is no header.
    pub(super) fn new(place: String, unit: &'static str, header: Option<Vec<String>>, width: usize) -> Self {
        let width = header.as_ref().map_or(width, Vec::len);
        Self { place, unit, header, width, text: String::new(), rows: Vec::new(), ends: Vec::new() }
    }

    /// Adds a row that errors call `number`.
    pub(super) fn push(&mut self, number: usize, fields: impl Iterator<Item = impl AsRef<str>>) -> Result<()> {
        let (start, before) = (self.text.len(), self.ends.len());
        for field in fields {
            self.text.push_str(field.as_ref());
            let end = u32::try_from(self.text.len() - start);
            self.ends.push(end.map_err(|_| Error::data(self.at(number), "more than 4 GiB in one row"))?);
        }
        let got = self.ends.len() - before;
        if got != self.width {
            return Err(Error::shape(self.at(number), format!("{} fields, one a column", self.width), got));
        }
        self.rows.push(Row { start, number });
        Ok(())
    }

    /// The table, which must have rows.
    pub(super) fn checked(self, problem: &str) -> Result<Self> {
        if self.rows.is_empty() { Err(Error::data(&self.place, problem)) } else { Ok(self) }
    }

    /// Number of rows, at least 1.
    pub fn rows(&self) -> usize {
        self.rows.len()
    }

    /// Number of columns.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The names of the columns, if the table has them.
    pub fn header(&self) -> Option<&[String]> {
        self.header.as_deref()
    }

    /// The text in a row and a column, both counted from 0; `None` outside of the table.
    pub fn field(&self, row: usize, column: usize) -> Option<&str> {
        let start = self.rows.get(row).filter(|_| column < self.width)?.start;
        let end = |at: usize| self.ends.get(at).map(|end| start + *end as usize);
        let at = row * self.width + column;
        self.text.get(if column == 0 { start } else { end(at - 1)? }..end(at)?)
    }

    /// A table as this one, of other rows with their numbers.
    #[cfg(feature = "datasets")]
    pub(super) fn of_rows(&self, rows: impl Iterator<Item = (usize, Vec<String>)>) -> Result<Self> {
        let mut table = Self::new(self.place.clone(), self.unit, self.header.clone(), self.width);
        rows.into_iter().try_for_each(|(number, fields)| table.push(number, fields.iter()))?;
        table.checked("no rows")
    }

    /// The number that errors give to a row, and its fields.
    #[cfg(feature = "datasets")]
    pub(super) fn numbered(&self, row: usize) -> (usize, Vec<&str>) {
        let fields = (0..self.width).map(|column| self.field(row, column).unwrap_or_default());
        (self.rows.get(row).map_or(0, |row| row.number), fields.collect())
    }

    /// What errors call the row that errors number so.
    fn at(&self, number: usize) -> String {
        format!("{} {} {number}", self.place, self.unit)
    }

    /// What errors call `row`.
    fn row_name(&self, row: usize) -> String {
        self.rows.get(row).map_or_else(|| self.place.clone(), |row| self.at(row.number))
    }

    /// The rows named, in that order; errors go on to call them by their lines.
    ///
    /// # Errors
    /// [`Error::Value`] naming the first index that is not below [`rows`](Self::rows); [`Error::Data`] where no row is
    /// named.
    ///
    /// ```
    /// use axone::data::Table;
    /// let table = Table::from_rows(["x"], [["a"], ["b"], ["c"]])?;
    /// assert_eq!(table.select(&[2, 0])?.field(0, 0), Some("c"));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn select(&self, rows: &[usize]) -> Result<Self> {
        check_rows("Table::select", rows, self.rows.len())?;
        let mut part = Self::new(self.place.clone(), self.unit, self.header.clone(), self.width);
        for row in rows {
            let number = self.rows.get(*row).map_or(0, |row| row.number);
            part.push(number, (0..self.width).map(|column| self.field(*row, column).unwrap_or_default()))?;
        }
        part.checked("Table::select: no rows")
    }

    /// `(train, test)`, as [`Dataset::train_test_split`](super::Dataset::train_test_split) parts the same number of rows:
    /// fit a [`Schema`] to the first, so that what it learns is of the rows that train alone.
    ///
    /// # Errors
    /// [`Error::Value`] unless 0 < `test_fraction` < 1; [`Error::Data`] for a table of one row.
    ///
    /// ```
    /// use axone::data::{Missing, Schema, Table, TableOptions};
    /// let table = Table::from_rows(["age", "ill"], [["30", "0"], ["", "1"], ["50", "1"], ["70", "0"], ["61", "1"]])?;
    /// let (train, test) = table.train_test_split(0.2, 42)?;
    /// let schema = Schema::fit(&train, TableOptions::classes("ill").missing(["age"], Missing::median()))?;
    /// assert_eq!((schema.dataset(&train)?.len(), schema.dataset(&test)?.len()), (4, 1));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn train_test_split(&self, test_fraction: f64, seed: u64) -> Result<(Self, Self)> {
        let held_out = super::split::held_out("Table::train_test_split", "test_fraction", test_fraction, self.rows())?;
        let order = split_order(self.rows(), seed);
        let (test, train) = order.split_at_checked(held_out).unwrap_or_default();
        Ok((self.select(train)?, self.select(test)?))
    }

    /// [`train_test_split`](Self::train_test_split) with the values of `column` in the same proportion in both parts, as
    /// [`Dataset::train_test_split_stratified`](super::Dataset::train_test_split_stratified) has classes.
    ///
    /// # Errors
    /// As `train_test_split`, and [`Error::Value`] for a column that is not there.
    ///
    /// ```
    /// use axone::data::Table;
    /// let table = Table::from_rows(["kind"], [["cat"], ["dog"], ["cat"], ["dog"], ["cat"], ["cat"]])?;
    /// let (train, test) = table.train_test_split_stratified("kind", 0.5, 42)?;
    /// let dogs = |part: &Table| (0..part.rows()).filter(|row| part.field(*row, 0) == Some("dog")).count();
    /// assert_eq!((dogs(&train), dogs(&test)), (1, 1));
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn train_test_split_stratified(
        &self,
        column: impl Into<Column>,
        test_fraction: f64,
        seed: u64,
    ) -> Result<(Self, Self)> {
        let place = "Table::train_test_split_stratified";
        let column = columns::Header::of(self).find(&column.into())?;
        let held_out = super::split::held_out(place, "test_fraction", test_fraction, self.rows())?;
        let names: Vec<&str> = (0..self.rows()).filter_map(|row| self.field(row, column)).collect();
        let labels = LabelEncoder::fit(names.iter().copied()).transform(&names)?;
        let (train, test) = super::split::stratified(&labels, test_fraction, held_out, seed);
        Ok((self.select(&train)?, self.select(&test)?))
    }
}
