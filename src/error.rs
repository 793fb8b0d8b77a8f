//! The one error type of the crate. Every message repeats the value it received and names the layer,
//! column or row it belongs to.

use std::path::PathBuf;

/// `Result` with this crate's [`Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Two shapes do not fit; `place` is the layer or operation.
    #[error("{place}: expected {expected}, got {got}")]
    Shape {
        /// Layer, operation or data set where it was found.
        place: String,
        /// The shape that fits.
        expected: String,
        /// The shape received.
        got: String,
    },
    /// A parameter has a value it cannot have.
    #[error("{place}: {name} must be {expected}, got {got}")]
    Value {
        /// Layer, optimizer or function.
        place: String,
        /// The parameter.
        name: &'static str,
        /// What is allowed.
        expected: String,
        /// The value received.
        got: String,
    },
    /// Data that cannot be trained on: NaN, infinity, a label out of range, an empty set.
    #[error("{place}: {problem}")]
    Data {
        /// Which data, with row and column where they are known.
        place: String,
        /// What is wrong with it, with the value.
        problem: String,
    },
    /// No device of that name, or none at all.
    #[error("{0}")]
    Device(String),
    /// The model or the data does not fit the device.
    #[error("{what} needs {needed} bytes, but {device} allows {allowed}")]
    TooLarge {
        /// What was to be allocated.
        what: String,
        /// Bytes needed.
        needed: u64,
        /// Bytes allowed.
        allowed: u64,
        /// The device.
        device: String,
    },
    /// A kernel needs what the device does not have.
    #[error("{device} cannot run {what}")]
    Unsupported {
        /// The kernel.
        what: String,
        /// The device.
        device: String,
    },
    /// The graphics driver or wgpu reported an error.
    #[error("{device}: {message}")]
    Gpu {
        /// The device.
        device: String,
        /// What wgpu said.
        message: String,
    },
    /// A file could not be read or written.
    #[error("{}: {message}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's message.
        message: String,
    },
    /// A part of axone broke its own rules; please report it.
    #[error("internal error, please report it: {0}")]
    Internal(String),
}

/// For conversions that cannot fail, beside others that can.
impl From<std::convert::Infallible> for Error {
    fn from(never: std::convert::Infallible) -> Self {
        match never {}
    }
}

impl Error {
    /// Two shapes that do not fit at `place`.
    pub(crate) fn shape(place: impl Into<String>, expected: impl ToString, got: impl ToString) -> Self {
        Error::Shape { place: place.into(), expected: expected.to_string(), got: got.to_string() }
    }

    /// A parameter `name` of `place` outside what is `expected`.
    pub(crate) fn value(
        place: impl Into<String>,
        name: &'static str,
        expected: impl ToString,
        got: impl ToString,
    ) -> Self {
        Error::Value { place: place.into(), name, expected: expected.to_string(), got: readable(got.to_string()) }
    }

    /// Data of `place` that cannot be used.
    pub(crate) fn data(place: impl Into<String>, problem: impl Into<String>) -> Self {
        Error::Data { place: place.into(), problem: problem.into() }
    }

    /// A file operation that failed.
    pub(crate) fn file(path: impl Into<PathBuf>, error: impl ToString) -> Self {
        Error::File { path: path.into(), message: error.to_string() }
    }
}

/// Text as it is, but a number of many digits by its power of ten: `Display` writes 1e300 in 301.
fn readable(text: String) -> String {
    match text.parse::<f64>() {
        Ok(number) if text.len() > 24 && number.is_finite() => format!("{number:e}"),
        _ => text,
    }
}
