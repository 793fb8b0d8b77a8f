//! Atomic writes: a file is there whole, or as it was. And the folder of what need not be found out twice.

use crate::{Error, Result};
use std::ffi::OsString;
use std::fs::{File, OpenOptions, Permissions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Most links from a name to its file: as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes `bytes` to `path` so that a crash at any moment leaves the old file or the new one, whole: they go to a
/// file beside it, which is on the disk before it takes the name. A file left beside by a crash is written over. A
/// symbolic link stays one: the file it leads to is written. What is there and no file (a device, a pipe) cannot be
/// replaced, and is written to.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(old) if !old.is_file() && !old.is_dir() => {
            let written = OpenOptions::new().write(true).open(path).and_then(|mut file| file.write_all(bytes));
            written.map_err(|error| Error::file(path, error))
        }
        old => replace(path, bytes, old.ok().map(|old| old.permissions())),
    }
}

/// Writes the file that `path` leads to anew, with these permissions if it has some already.
fn replace(path: &Path, bytes: &[u8], permissions: Option<Permissions>) -> Result<()> {
    let target = target(path)?;
    let beside = beside(&target);
    let written = File::create(&beside).and_then(|mut file| {
        // Before the first byte, so that nobody reads it who may not. A link beside could lead to a device.
        if let Some(permissions) = permissions
            && file.metadata()?.is_file()
        {
            file.set_permissions(permissions)?;
        }
        file.write_all(bytes)?;
        file.sync_all()
    });
    let written = written.map_err(|error| format!("{error} ({})", beside.display()));
    let replaced = written.and_then(|()| std::fs::rename(&beside, &target).map_err(|error| error.to_string()));
    if let Err(problem) = replaced {
        std::fs::remove_file(&beside).ok();
        return Err(Error::file(path, problem));
    }
    sync_folder(&target).map_err(|error| Error::file(path, format!("written, but its folder was not flushed: {error}")))
}

/// Whether the two paths lead to one file, which need not be there; devices and pipes have room for all.
pub(crate) fn same_place(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        let target = target(path).ok()?;
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        Some(std::fs::canonicalize(folder).ok()?.join(target.file_name()?))
    };
    let device = std::fs::metadata(a).is_ok_and(|there| !there.is_file());
    !device && (a == b || place(a).is_some_and(|a| place(b) == Some(a)))
}

/// The name at the end of the links that begin at `path`; nothing has to be there.
fn target(path: &Path) -> Result<PathBuf> {
    let mut target = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&target) {
            Ok(next) => target = target.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(target),
        }
    }
    Err(Error::file(path, format!("more than {MOST_LINKS} symbolic links one behind the other")))
}

/// Refuses a path that [`write_whole`] could not write to now.
pub(crate) fn check_writable(path: &Path) -> Result<()> {
    match std::fs::metadata(path) {
        Ok(old) if old.is_dir() => return Err(Error::file(path, "is a folder")),
        // A device or a pipe: opening it may wait for a reader.
        Ok(old) if !old.is_file() => return Ok(()),
        _ => {}
    }
    let beside = beside(&target(path)?);
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
fn sync_folder(path: &Path) -> std::io::Result<()> {
    if !cfg!(unix) {
        return Ok(());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}

/// The file of `kind` for what `header` says, in the user's cache folder, which is made; `None` where there is none.
pub(crate) fn cache_file(kind: &str, header: &str) -> Option<PathBuf> {
    let folder = cache_folder()?;
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join(format!("{kind}-{:016x}.txt", fnv1a(header))))
}

/// `AXONE_CACHE`, or the user's folder for such files.
fn cache_folder() -> Option<PathBuf> {
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    if let Some(own) = variable("AXONE_CACHE") {
        return Some(own);
    }
    let home = || variable("HOME");
    let base = if cfg!(windows) {
        variable("LOCALAPPDATA")
    } else if cfg!(target_os = "macos") {
        home().map(|home| home.join("Library").join("Caches"))
    } else {
        // A relative path is to be ignored (XDG Base Directory Specification).
        variable("XDG_CACHE_HOME").filter(|path| path.is_absolute()).or_else(|| home().map(|home| home.join(".cache")))
    };
    base.map(|base| base.join("axone"))
}

/// Fowler, Noll and Vo's hash: a name for the file, no proof; the header in it is compared in full.
fn fnv1a(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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
        assert!(error.starts_with(&format!("{}: ", path.display())), "{error}");
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
