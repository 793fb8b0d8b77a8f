//! The value of a hyperparameter.

use std::fmt;

/// A value of a hyperparameter. Its text is that of the number or of the option.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Of [`Trial::float`](super::Trial::float).
    Float(f64),
    /// Of [`Trial::int`](super::Trial::int).
    Int(i64),
    /// Of [`Trial::choice`](super::Trial::choice): the number of the option, from 0, and its `Debug` text.
    Choice(usize, String),
}

impl Value {
    /// The number; `None` for a choice.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            Value::Int(number) => Some(*number as f64),
            Value::Choice(..) => None,
        }
    }

    /// For tables: at most four digits of a real number.
    pub(super) fn short(&self) -> String {
        match self {
            Value::Float(number) => {
                format!("{number:.3e}").parse().map_or_else(|_| self.to_string(), |n| Value::Float(n).to_string())
            }
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Float(number) if number.abs() >= 1e5 || (*number != 0.0 && number.abs() < 1e-3) => {
                write!(f, "{number:e}")
            }
            Value::Float(number) => write!(f, "{number}"),
            Value::Int(number) => write!(f, "{number}"),
            Value::Choice(_, text) => f.write_str(text),
        }
    }
}
