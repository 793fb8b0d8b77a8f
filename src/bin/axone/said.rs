//! What a command has to say, and how it fails.

use axone::Error;
use std::io::Write;

/// The result of a command: for people, and as JSON.
pub struct Said {
    pub text: String,
    pub json: serde_json::Value,
    /// Whether it found what should not be.
    pub failed: bool,
}

impl Said {
    pub fn new(text: impl Into<String>, json: serde_json::Value) -> Self {
        Self { text: text.into(), json, failed: false }
    }
}

/// Why a command came to no result.
pub struct Failure {
    pub message: String,
    pub status: u8,
}

impl Failure {
    /// Something went wrong: status 1.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: 1 }
    }

    /// The call cannot be meant so: status 2.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), status: 2 }
    }
}

/// What the library's words are called here.
const ADVICE: [(&str, &str); 5] = [
    ("`header(false)`", "--no-header says that the first line holds data"),
    ("`ignore`", "--ignore COLUMN leaves a column out"),
    ("`ignore([", "--ignore COLUMN leaves a column out, by its name or its number"),
    ("one of categories", "--categories COLUMN does that, --ignore COLUMN leaves it out"),
    ("which are no classes", "--task regression takes them as numbers"),
];

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let message = error.to_string();
        let advice = ADVICE.iter().find(|(words, _)| message.contains(words)).map(|(_, advice)| *advice);
        Self::failed(advice.map_or(message.clone(), |advice| format!("{message}\n  {advice}")))
    }
}

/// A line on standard error; where that is closed nobody listens.
pub fn note(line: &str) {
    let _closed = std::io::stderr().write_all(format!("{line}\n").as_bytes());
}
