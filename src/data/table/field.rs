//! The text of a field as a number, a class or a name.

use super::Table;
use super::columns::Found;
use crate::data::LabelEncoder;
use crate::{Error, Result};

/// One field with where it stands.
pub(super) struct Field<'a> {
    table: &'a Table,
    row: usize,
    column: &'a Found,
    pub text: &'a str,
}

impl<'a> Field<'a> {
    pub fn of(table: &'a Table, row: usize, column: &'a Found) -> Self {
        Field { table, row, column, text: table.field(row, column.index).unwrap_or_default() }
    }

    pub fn number(&self) -> Result<f32> {
        let text = self.text.trim();
        let number = number(text).ok_or_else(|| self.wrong("a finite number"))?;
        let is_whole = || text.trim_start_matches(['+', '-']).bytes().all(|byte| byte.is_ascii_digit());
        // f32 holds all whole numbers up to 2^24.
        let may_round = number.abs() >= 16_777_216.0 && !self.column.round;
        if may_round && is_whole() && text.parse() != Ok(number as i128) {
            let problem = format!(
                "{} is a whole number that f32 rounds to {}; `ignore` the column, or take it as a category, if it tells \
                 rows apart, or allow it with `round`",
                quoted(text),
                number as i128
            );
            return Err(Error::data(self.place(), problem));
        }
        Ok(number)
    }

    pub fn label(&self) -> Result<u32> {
        let whole =
            |number: f64| (number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number)).then_some(number);
        let text = self.text.trim();
        let label = answer(text)
            .map(u32::from)
            .or_else(|| text.parse().ok())
            .or_else(|| text.parse().ok().and_then(whole).map(|number| number as u32));
        label.ok_or_else(|| self.wrong("a class number (0, 1, 2, ..)"))
    }

    /// The text, if `encoder` knows it; without one, any that a reader can see. `what` it is called in messages.
    pub fn name(&self, what: &str, encoder: Option<&LabelEncoder>) -> Result<String> {
        match encoder {
            Some(encoder) if encoder.knows(self.text) => {}
            Some(encoder) => return Err(self.wrong(&format!("one of {}", encoder.known()))),
            None if self.text.is_empty() => return Err(self.wrong(what)),
            // Such as the line end in a name that a stray quote has made of several rows.
            None if self.text.contains(|c: char| c.is_control() || c == '\u{feff}') => {
                let got = quoted(&self.text.escape_debug().to_string());
                return Err(Error::data(
                    self.place(),
                    format!("expected {what} without control characters, got {got}"),
                ));
            }
            None => {}
        }
        Ok(self.text.into())
    }

    pub fn place(&self) -> String {
        format!("{}, column `{}`", self.table.row_name(self.row), self.column.name)
    }

    fn wrong(&self, expected: &str) -> Error {
        let got = if self.text.is_empty() { "an empty field".into() } else { quoted(self.text) };
        Error::data(self.place(), format!("expected {expected}, got {got}"))
    }
}

/// The finite number that `text` is, if it is one.
pub(super) fn number(text: &str) -> Option<f32> {
    let text = text.trim();
    answer(text).map(f32::from).or_else(|| text.parse().ok().filter(|number: &f32| number.is_finite()))
}

/// Yes or no, as Python and its libraries write it.
fn answer(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// `text` in a message: its beginning, if it is long.
pub(in crate::data) fn quoted(text: &str) -> String {
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("`{}..`", text.get(..end).unwrap_or_default()),
        None => format!("`{text}`"),
    }
}
