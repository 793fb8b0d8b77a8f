//! Text taken apart into lines and fields, by RFC 4180 and no wider.
//!
//! Readers that forgive lose rows: a quote that never closes makes one field of the rest of the table. So a quote out of
//! place ends the reading here, with the line where it opens. Lines end in LF, CR LF or CR, in any mixture, and are
//! counted as an editor counts them.

use crate::data::table::{TableOptions, quoted};
use crate::{Error, Result};
use std::borrow::Cow;

/// The mark that text of Windows begins with.
pub(super) const BOM: &[u8] = "\u{feff}".as_bytes();

/// The records of a table; after an error there are no more.
pub(super) struct Records<'a> {
    place: &'a str,
    text: &'a [u8],
    at: usize,
    line: usize,
    delimiter: u8,
    quotes: bool,
    /// Fields of the first record, which bind the others.
    width: Option<usize>,
}

/// A row: the line that it begins in, and its fields; those that are not quoted without the spaces around them.
pub(super) struct Record<'a> {
    pub line: usize,
    pub fields: Vec<Cow<'a, str>>,
}

impl<'a> Records<'a> {
    pub fn new(place: &'a str, text: &'a [u8], options: &TableOptions) -> Result<Self> {
        if text.starts_with(&[0xff, 0xfe]) || text.starts_with(&[0xfe, 0xff]) {
            return Err(Error::data(place, "UTF-16 text; it must be UTF-8"));
        }
        Self::from_line(place, text.strip_prefix(BOM).unwrap_or(text), options, (1, None))
    }

    /// The records of a part of a file that begins in `line`; records before had `width` fields, if there were any.
    pub fn from_line(
        place: &'a str,
        text: &'a [u8],
        options: &TableOptions,
        (line, width): (usize, Option<usize>),
    ) -> Result<Self> {
        let delimiter = options.delimiter;
        if !delimiter.is_ascii() || matches!(delimiter, 0 | b'"' | b'\r' | b'\n') {
            let expected = "an ASCII character other than a quote or a line end";
            return Err(Error::value(place, "delimiter", expected, delimiter));
        }
        if let Some(at) = text.iter().position(|byte| *byte == 0) {
            let line = line + line_ends(text.get(..at).unwrap_or_default());
            let problem = "a NUL byte, which UTF-8 text does not have; UTF-16 does";
            return Err(Error::data(format!("{place} line {line}"), problem));
        }
        Ok(Self { place, text, at: 0, line, delimiter, quotes: options.quotes, width })
    }

    /// The line that it has come to, and the fields of a record.
    pub fn place(&self) -> (usize, Option<usize>) {
        (self.line, self.width)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong<T>(&self, line: usize, problem: String) -> Result<T> {
        Err(Error::data(format!("{} line {line}", self.place), problem))
    }

    /// Steps over a line end, if there is one.
    fn step_over_end(&mut self) -> bool {
        let length = match self.rest() {
            [b'\r', b'\n', ..] => 2,
            [b'\r' | b'\n', ..] => 1,
            _ => return false,
        };
        self.at += length;
        self.line += 1;
        true
    }

    /// What stands before the next delimiter or line end, which is stepped up to.
    fn up_to_end(&mut self) -> &'a [u8] {
        let rest = self.rest();
        let ends = |byte: &u8| *byte == self.delimiter || matches!(byte, b'\r' | b'\n');
        let field = rest.get(..rest.iter().position(ends).unwrap_or(rest.len())).unwrap_or_default();
        self.at += field.len();
        field
    }

    /// `bytes` of field `number`, which begins in `line`.
    fn utf8(&self, line: usize, number: usize, bytes: &'a [u8]) -> Result<&'a str> {
        std::str::from_utf8(bytes).or_else(|_| self.wrong(line, format!("field {number} is not UTF-8 text")))
    }

    fn field(&mut self, number: usize) -> Result<Cow<'a, str>> {
        let rest = self.rest();
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t') && **byte != self.delimiter;
        let spaces = rest.iter().take_while(is_space).count();
        if self.quotes && rest.get(spaces) == Some(&b'"') {
            self.at += spaces + 1;
            return self.quoted_field(number);
        }
        let field = self.up_to_end();
        let field = self.utf8(self.line, number, field)?.trim();
        if self.quotes && field.contains('"') {
            let rule = "a quote within a field must stand in a quoted field, twice; `CsvOptions::quotes(false)` takes \
                        quotes as text";
            return self.wrong(self.line, format!("field {number} is {}: {rule}", quoted(field)));
        }
        Ok(Cow::Borrowed(field))
    }

    /// The rest of a field whose quote has been read.
    fn quoted_field(&mut self, number: usize) -> Result<Cow<'a, str>> {
        let (first, opened) = (self.at, self.line);
        let mut is_doubled = false;
        loop {
            let Some(end) = self.rest().iter().position(|byte| *byte == b'"') else {
                return self.wrong(opened, format!("field {number} opens a quote that never closes"));
            };
            self.at += end + 1;
            if self.rest().first() != Some(&b'"') {
                break;
            }
            is_doubled = true;
            self.at += 1;
        }
        let inside = self.text.get(first..self.at - 1).unwrap_or_default();
        self.line += line_ends(inside);
        let inside = self.utf8(opened, number, inside)?;
        let after = self.up_to_end();
        let after = self.utf8(self.line, number, after)?.trim();
        if !after.is_empty() {
            let closes = format!("the quote that closes field {number}, which opens in line {opened}");
            return self.wrong(self.line, format!("{} follows {closes}", quoted(after)));
        }
        Ok(if is_doubled { inside.replace("\"\"", "\"").into() } else { inside.into() })
    }

    fn record(&mut self) -> Result<Record<'a>> {
        let line = self.line;
        let mut fields = Vec::with_capacity(self.width.unwrap_or_default());
        loop {
            fields.push(self.field(fields.len())?);
            if self.rest().first() != Some(&self.delimiter) {
                break;
            }
            self.at += 1;
        }
        self.step_over_end();
        let width = *self.width.get_or_insert(fields.len());
        if fields.len() != width {
            return self.wrong(line, format!("expected {width} fields as in the first line, got {}", fields.len()));
        }
        Ok(Record { line, fields })
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>>;

    fn next(&mut self) -> Option<Self::Item> {
        let line = self.line;
        while self.step_over_end() {}
        if self.at >= self.text.len() {
            return None;
        }
        // Where rows have more fields an empty line can be none of them.
        let record = if self.width == Some(1) && self.line > line {
            self.wrong(line, "an empty line, in a table of one column".to_owned())
        } else {
            self.record()
        };
        if record.is_err() {
            self.at = self.text.len();
        }
        Some(record)
    }
}

/// How many lines end in `text`.
pub(super) fn line_ends(text: &[u8]) -> usize {
    let is_end = |(at, byte): (usize, &u8)| *byte == b'\n' || (*byte == b'\r' && text.get(at + 1) != Some(&b'\n'));
    text.iter().enumerate().filter(|it| is_end(*it)).count()
}
