//! Formats that are off by default, on files that other libraries wrote (`tests/fixtures/tables`, `tests/fixtures/interop`).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

mod cli;
#[path = "../common/mod.rs"]
mod common;
mod images;
mod keras;
mod nd;
mod npy;
mod onnx;
mod parquet;
mod torch;

use common::mutants;

use std::path::{Path, PathBuf};

/// A file that another library wrote.
fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/tables").join(name)
}

/// A folder of its own for each test, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(test: &str) -> Self {
        let path = std::env::temp_dir().join(format!("axone-formats-{test}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// The message of an error, without the path it starts with.
fn refused<T>(path: &Path, result: axone::Result<T>) -> String {
    let message = result.map(drop).unwrap_err().to_string();
    let rest = message.strip_prefix(&path.display().to_string());
    rest.unwrap_or_else(|| panic!("`{message}` does not start with the path")).to_string()
}
