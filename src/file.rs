//! Files that are whole or not there.

use crate::{Error, Result};
use std::ffi::OsString;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Writes `bytes` to `path` so that a crash at any moment leaves the old file or the new one, whole: they go to a
/// file beside it, which is on the disk before it takes the name. A file left beside by a crash is written over.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let beside = beside(path);
    let written = File::create(&beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    if let Err(error) = written.map_err(|error| Error::file(&beside, error)) {
        std::fs::remove_file(&beside).ok();
        return Err(error);
    }
    if let Err(error) = std::fs::rename(&beside, path) {
        std::fs::remove_file(&beside).ok();
        return Err(Error::file(path, error));
    }
    sync_folder(path)
}

/// Refuses a path that [`write_whole`] could not write to now.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(old) if old.is_dir() => return Err(Error::file(path, "is a folder")),
        // A device or a pipe: opening it may wait for a reader.
        Ok(old) if !old.is_file() => return Ok(()),
        _ => {}
    }
    let beside = beside(path);
    let tried = File::create(&beside).and_then(|_| std::fs::remove_file(&beside));
    tried.map_err(|error| Error::file(path, error))
}

/// `NAME.partial`: the whole name is kept, so that no two files share it.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.file_name().map_or_else(OsString::new, OsString::from);
    name.push(".partial");
    path.with_file_name(name)
}

/// The new name is on the disk once its folder is. Only Unix opens folders; elsewhere the system sees to it.
fn sync_folder(path: &Path) -> Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|error| Error::file(folder, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("axone-file-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn replaces_a_file_and_what_a_crash_left_beside_it() {
        let folder = folder("whole");
        let path = folder.join("model.safetensors");
        write_whole(&path, b"old").unwrap();
        // A crash in the middle of writing: half of a new file lies beside, the old one is untouched.
        std::fs::write(beside(&path), b"ne").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        write_whole(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");
        assert!(!beside(&path).exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// Whatever fails, the old file stays, and nothing lies beside it.
    #[test]
    fn a_failed_write_leaves_the_old_file() {
        let folder = folder("failed");
        let path = folder.join("model.safetensors");
        write_whole(&path, b"old").unwrap();
        // The bytes cannot be written: a folder has the name of the file beside.
        std::fs::create_dir(beside(&path)).unwrap();
        let error = write_whole(&path, b"new").unwrap_err().to_string();
        assert!(error.starts_with(&beside(&path).display().to_string()), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        std::fs::remove_dir(beside(&path)).unwrap();
        // The name cannot be taken: a folder has it.
        let taken = folder.join("taken");
        std::fs::create_dir_all(taken.join("full")).unwrap();
        let error = write_whole(&taken, b"new").unwrap_err().to_string();
        assert!(error.starts_with(&taken.display().to_string()), "{error}");
        assert!(taken.join("full").exists() && !beside(&taken).exists());
        std::fs::remove_dir_all(folder).unwrap();
    }

    /// A full disk: `/dev/full` accepts no byte.
    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_leaves_the_old_file() {
        let folder = folder("full");
        let path = folder.join("model.safetensors");
        write_whole(&path, b"old").unwrap();
        std::os::unix::fs::symlink("/dev/full", beside(&path)).unwrap();
        let error = write_whole(&path, b"new").unwrap_err();
        assert!(matches!(error, Error::File { .. }), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), b"old");
        std::fs::remove_dir_all(folder).unwrap();
    }
}
