//! CSV files that are read a part at a time.
//!
//! A part ends behind a line that ends outside of quotes, so that each is a table, and lines are counted on.

use super::records::{BOM, Records, line_ends};
use super::{EMPTY, NO_ROWS};
use crate::data::file::open;
use crate::data::table::{Table, TableOptions};
use crate::{Error, Result};
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Bytes that are read at a time, at least.
const READ: usize = 1 << 22;
/// Most bytes of a row: beyond, a quote that never closes would bring the whole file into memory.
const MOST_ROW: usize = 1 << 26;

/// A CSV file, plain or gzip, part by part.
pub(in crate::data) struct CsvChunks {
    path: PathBuf,
    place: String,
    options: TableOptions,
    file: Box<dyn Read + Send>,
    /// What was read, and how much of it was handed out.
    text: Vec<u8>,
    from: usize,
    ended: bool,
    /// The line in which the rest begins, and the fields of a record, once one was read.
    at: (usize, Option<usize>),
    header: Option<Vec<String>>,
    /// Whether there was a row.
    has_rows: bool,
}

impl CsvChunks {
    pub fn open(path: &Path, options: &TableOptions) -> Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            place: path.display().to_string(),
            options: options.clone(),
            file: open(path)?,
            text: Vec::new(),
            from: 0,
            ended: false,
            at: (1, None),
            header: None,
            has_rows: false,
        })
    }

    /// The next rows, at most `most`; `None` behind the last.
    pub fn next(&mut self, most: usize) -> Result<Option<Table>> {
        while let Some(part) = self.part(most)? {
            let (text, is_first) = (self.text.get(part).unwrap_or_default(), self.at.1.is_none());
            let mut records = match is_first {
                true => Records::new(&self.place, text, &self.options)?,
                false => Records::from_line(&self.place, text, &self.options, self.at)?,
            };
            let mut table = match (is_first, self.at.1) {
                (false, Some(width)) => Table::new(self.place.clone(), "line", self.header.clone(), width),
                _ => match records.next().transpose()? {
                    Some(first) => Table::begun(&self.place, &first, &self.options)?,
                    None => continue,
                },
            };
            while let Some(record) = records.next().transpose()? {
                table.push(record.line, record.fields.iter())?;
            }
            self.at = records.place();
            self.header = table.header().map(<[String]>::to_vec);
            if table.rows() > 0 {
                self.has_rows = true;
                return Ok(Some(table));
            }
        }
        match (self.has_rows, self.at.1) {
            (true, _) => Ok(None),
            (false, None) => Err(Error::data(&self.place, EMPTY)),
            (false, Some(_)) => Err(Error::data(&self.place, NO_ROWS)),
        }
    }

    /// Where in the text the next whole lines lie, at most `most`; `None` behind the last.
    fn part(&mut self, most: usize) -> Result<Option<Range<usize>>> {
        loop {
            let (end, lines) = self.whole_lines(most.max(1));
            if self.ended || lines >= most.max(1) {
                let end = if lines < most.max(1) { self.text.len() } else { end };
                let part = self.from..end;
                self.from = end;
                return Ok(Some(part).filter(|part| !part.is_empty()));
            }
            if self.text.len() - end >= MOST_ROW {
                let line = self.at.0 + line_ends(self.text.get(self.from..end).unwrap_or_default());
                let place = format!("{} line {line}", self.place);
                return Err(Error::data(
                    place,
                    format!("a row of more than {MOST_ROW} bytes, or a quote never closes"),
                ));
            }
            drop(self.text.drain(..self.from));
            self.from = 0;
            let wanted = self.text.len().clamp(READ, MOST_ROW / 8);
            let read = (&mut self.file).take(wanted as u64).read_to_end(&mut self.text);
            self.ended = read.map_err(|error| Error::file(&self.path, error))? < wanted;
        }
    }

    /// Where the first `most` whole lines of the text end, or as many as there are, and how many these are. An empty line
    /// belongs to the rows behind it, which may be of one column and refuse it.
    fn whole_lines(&self, most: usize) -> (usize, usize) {
        let (text, delimiter) = (self.text.as_slice(), self.options.delimiter);
        let is_first = self.at.1.is_none() && text.starts_with(BOM);
        let mut at = self.from + if is_first { BOM.len() } else { 0 };
        let (mut end, mut lines, mut line, mut begins_field) = (self.from, 0, at, true);
        while let Some(&byte) = text.get(at) {
            at += 1;
            match byte {
                b'"' if begins_field && self.options.quotes => {
                    begins_field = false;
                    loop {
                        let rest = text.get(at..).unwrap_or_default();
                        let Some(closes) = rest.iter().position(|byte| *byte == b'"') else { return (end, lines) };
                        at += closes + 1;
                        match text.get(at) {
                            Some(b'"') => at += 1,
                            Some(_) => break,
                            None => return (end, lines),
                        }
                    }
                }
                b'\n' | b'\r' => {
                    let is_empty = at - 1 == line;
                    match (byte, text.get(at)) {
                        (b'\r', None) => return (end, lines),
                        (b'\r', Some(b'\n')) => at += 1,
                        _ => {}
                    }
                    if !is_empty {
                        (end, lines) = (at, lines + 1);
                        if lines == most {
                            return (end, lines);
                        }
                    }
                    (line, begins_field) = (at, true);
                }
                _ if byte == delimiter => begins_field = true,
                b' ' | b'\t' => {}
                _ => begins_field = false,
            }
        }
        (end, lines)
    }
}
