//! NPZ: a ZIP archive of arrays by their names.

use super::source::Source;
use super::{framed, npy};
use crate::data::table::quoted;
use crate::data::{Array, Targets};
use crate::file::write_whole;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Cursor, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

/// An NPZ file, whose arrays are read by name: what `numpy.savez` and `savez_compressed` write.
///
/// ```
/// use axone::data::{Dataset, Matrix, Npz, Targets, write_npz};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-{}.npz", std::process::id()));
/// write_npz(&path, [("x", Targets::from(Matrix::from([[0.5], [1.5]]))), ("y", Targets::from([0, 1]))])?;
/// let mut file = Npz::open(&path)?;
/// assert_eq!(file.names(), ["x", "y"]);
/// let set = Dataset::new(file.read("x")?.into_matrix()?, file.read("y")?.to_labels()?)?;
/// assert_eq!((set.len(), set.classes()), (2, Some(2)));
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Npz {
    path: PathBuf,
    archive: ZipArchive<BufReader<File>>,
}

impl Npz {
    /// Opens the file at `path`.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be read, or is no ZIP archive.
    pub fn open(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref().to_owned();
        let file = File::open(&path).map_err(|error| Error::file(&path, error))?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| Error::file(&path, error))?;
        Ok(Self { path, archive })
    }

    /// The names of its arrays, in the order of the archive.
    pub fn names(&self) -> Vec<String> {
        let names = self.archive.file_names().flatten();
        names.filter_map(|name| name.strip_suffix(".npy").map(str::to_owned)).collect()
    }

    /// The array of that name.
    ///
    /// # Errors
    /// [`Error::Value`] for a name that is not there; as [`read_npy`] for its content.
    pub fn read(&mut self, name: &str) -> Result<Array> {
        self.source(name)?.array()
    }

    /// The array of that name as the fields of a table: a row for each index of the first side, text as it is and numbers
    /// as they are printed.
    ///
    /// # Errors
    /// As [`read`](Self::read), and [`Error::Data`] for what is no Unicode.
    ///
    /// ```
    /// use axone::data::{Npz, NpzWriter};
    /// # fn main() -> axone::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("axone-doc-texts-{}.npz", std::process::id()));
    /// let mut file = NpzWriter::new(&path);
    /// file.add_texts("town", &["Ulm", "Köln"])?;
    /// file.finish()?;
    /// assert_eq!(Npz::open(&path)?.read_fields("town")?, [["Ulm"], ["Köln"]]);
    /// # std::fs::remove_file(&path).unwrap();
    /// # Ok(())
    /// # }
    /// ```
    pub fn read_fields(&mut self, name: &str) -> Result<Vec<Vec<String>>> {
        self.source(name)?.fields()
    }

    fn source(&mut self, name: &str) -> Result<Source<'_>> {
        let known: Vec<String> = self.names().iter().take(20).map(|name| quoted(name)).collect();
        let Some(at) = self.archive.index_for_name(&format!("{name}.npy")) else {
            let (place, expected) = (self.path.display().to_string(), format!("one of {}", known.join(", ")));
            return Err(Error::value(place, "array", expected, quoted(name)));
        };
        let file = self.archive.by_index(at).map_err(|error| Error::file(&self.path, error))?;
        let place = format!("{}, array {}", self.path.display(), quoted(name));
        Ok(Source { path: &self.path, place, file: Box::new(file) })
    }
}

/// Writes an NPZ file of arrays by their names, uncompressed as `numpy.savez` does.
///
/// # Errors
/// [`Error::Value`] for a name that stands there twice; [`Error::File`] where it cannot be written.
pub fn write_npz(
    path: impl AsRef<Path>,
    arrays: impl IntoIterator<Item = (impl AsRef<str>, impl Into<Targets>)>,
) -> Result<()> {
    let mut file = NpzWriter::new(path);
    arrays.into_iter().try_for_each(|(name, values)| file.add(name.as_ref(), values))?;
    file.finish()
}

/// An NPZ file that is written array by array; it is there, whole, once it is [finished](Self::finish).
///
/// ```
/// use axone::data::{Matrix, NpzWriter, Npz};
/// # fn main() -> axone::Result<()> {
/// # let path = std::env::temp_dir().join(format!("axone-doc-writer-{}.npz", std::process::id()));
/// let mut file = NpzWriter::new(&path);
/// file.add("probabilities", Matrix::from([[0.9, 0.1]]))?;
/// file.add_integers("class", &[-1])?;
/// file.add_texts("name", &["cat"])?;
/// file.finish()?;
/// assert_eq!(Npz::open(&path)?.names(), ["probabilities", "class", "name"]);
/// # std::fs::remove_file(&path).unwrap();
/// # Ok(())
/// # }
/// ```
pub struct NpzWriter {
    path: PathBuf,
    archive: ZipWriter<Cursor<Vec<u8>>>,
    names: BTreeSet<String>,
}

impl NpzWriter {
    /// A file for `path`; nothing is written yet.
    pub fn new(path: impl AsRef<Path>) -> Self {
        let archive = ZipWriter::new(Cursor::new(Vec::new()));
        Self { path: path.as_ref().to_owned(), archive, names: BTreeSet::new() }
    }

    /// Adds a matrix as f4 of two sides, or class numbers as u4 of one.
    ///
    /// # Errors
    /// [`Error::Value`] for a name that is taken.
    pub fn add(&mut self, name: &str, values: impl Into<Targets>) -> Result<()> {
        self.push(name, &npy(&values.into()))
    }

    /// Adds whole numbers as i8 (64 bits) of one side.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_integers(&mut self, name: &str, values: &[i64]) -> Result<()> {
        self.push(name, &framed("i8", &format!("({},)", values.len()), bytemuck::cast_slice(values)))
    }

    /// Adds texts as U of one side: 32 bits a character, as many of them as the longest text has.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn add_texts(&mut self, name: &str, values: &[impl AsRef<str>]) -> Result<()> {
        let longest = values.iter().map(|text| text.as_ref().chars().count()).max().unwrap_or(0).max(1);
        let padded = |text: &str| -> Vec<u32> {
            text.chars().map(u32::from).chain(std::iter::repeat(0)).take(longest).collect()
        };
        let characters: Vec<u32> = values.iter().flat_map(|text| padded(text.as_ref())).collect();
        let shape = format!("({},)", values.len());
        self.push(name, &framed(&format!("U{longest}"), &shape, bytemuck::cast_slice(&characters)))
    }

    fn push(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        if !self.names.insert(name.to_owned()) {
            return Err(Error::value(self.path.display().to_string(), "array", "named once", quoted(name)));
        }
        // Arrays of more than 4 GiB need the longer form.
        let options = SimpleFileOptions::default().compression_method(CompressionMethod::Stored).large_file(true);
        self.archive.start_file(format!("{name}.npy"), options).map_err(|error| Error::file(&self.path, error))?;
        self.archive.write_all(bytes).map_err(|error| Error::file(&self.path, error))
    }

    /// Writes the file.
    ///
    /// # Errors
    /// [`Error::File`] where it cannot be written.
    pub fn finish(self) -> Result<()> {
        let bytes = self.archive.finish().map_err(|error| Error::file(&self.path, error))?;
        write_whole(&self.path, bytes.get_ref())
    }
}

impl std::fmt::Debug for NpzWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "NpzWriter({}, {:?})", self.path.display(), self.names)
    }
}
