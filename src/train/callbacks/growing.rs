//! A file that grows while a run goes on.
//!
//! What cannot be written does not end the run: it waits, and goes in front of what comes next.

use crate::train::run::Run;
use crate::{Error, Result};
use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

#[derive(Debug, Default)]
pub(super) struct Growing {
    path: PathBuf,
    file: Option<File>,
    /// What could not be written yet.
    waiting: Vec<u8>,
}

impl Growing {
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), ..Self::default() }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Begins `file`, which lies at the path, with `bytes`.
    pub fn begin(&mut self, file: File, bytes: &[u8]) -> Result<()> {
        (self.file, self.waiting) = (Some(file), bytes.to_vec());
        self.write()
    }

    /// Begins the file at the path anew.
    pub fn begin_anew(&mut self, text: &str) -> Result<()> {
        let file = File::create(&self.path).map_err(|error| Error::file(&self.path, error))?;
        self.begin(file, text.as_bytes())
    }

    /// Adds `bytes`; `place`, the callback, warns where they cannot be written.
    pub fn add(&mut self, place: &str, run: &mut Run<'_>, bytes: &[u8]) {
        self.waiting.extend(bytes);
        if let Err(error) = self.write() {
            run.warn(format!("{place}: {error}"));
        }
    }

    fn write(&mut self) -> Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        // A file without a name takes what is written, and nobody ever sees it.
        let there = std::fs::metadata(&self.path);
        there.and_then(|_| empty(&mut self.waiting, file)).map_err(|error| Error::file(&self.path, error))
    }
}

/// Writes all of `waiting`. What of it was written is gone from it, whatever happens behind.
fn empty(waiting: &mut Vec<u8>, file: &mut impl Write) -> std::io::Result<()> {
    while !waiting.is_empty() {
        // A file of the standard library has no buffer: what is written is with the system.
        match file.write(waiting) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => drop(waiting.drain(..written)),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A disk with room for so many bytes.
    struct Disk(Vec<u8>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let fits = bytes.len().min(self.1 - self.0.len());
            self.0.extend(&bytes[..fits]);
            if fits == 0 { Err(ErrorKind::StorageFull.into()) } else { Ok(fits) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_a_full_disk_refuses_follows_when_there_is_room() {
        let (mut disk, mut waiting) = (Disk(Vec::new(), 5), b"first\nsecond\n".to_vec());
        assert_eq!(empty(&mut waiting, &mut disk).unwrap_err().kind(), ErrorKind::StorageFull);
        waiting.extend(b"third\n");
        assert!(empty(&mut waiting, &mut disk).is_err());
        disk.1 = 100;
        empty(&mut waiting, &mut disk).unwrap();
        assert_eq!((disk.0.as_slice(), waiting.len()), (&b"first\nsecond\nthird\n"[..], 0));
    }
}
