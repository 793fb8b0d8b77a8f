//! Pictures in folders, one folder a class.

use super::{Dataset, LabelEncoder, Matrix};
use crate::{Error, Result};
use image::{DynamicImage, ImageReader, Limits, imageops::FilterType};
use std::path::{Path, PathBuf};

/// Widest and highest picture that is decoded.
const MOST_PIXELS: u32 = 1 << 14;

/// How pictures become rows of numbers: red, green and blue of each pixel from 0 to 1, row by row from the top, unless told
/// otherwise. What is transparent is taken as if it were not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageOptions {
    gray: bool,
    size: Option<(u32, u32)>, // (height, width)
    labels: Option<LabelEncoder>,
}

impl ImageOptions {
    /// Three numbers a pixel, pictures in the size that they have, which must be one.
    pub fn new() -> Self {
        Self::default()
    }

    /// One number a pixel: its luminance.
    pub fn gray(self) -> Self {
        Self { gray: true, ..self }
    }

    /// Brings each picture to this size, whatever its own, interpolating linearly.
    pub fn size(self, height: u32, width: u32) -> Self {
        Self { size: Some((height, width)), ..self }
    }

    /// Numbers the classes as this encoder does, such as [`ImageFolder::labels`] of the pictures that a model was trained
    /// on. A folder that it does not know is an error.
    pub fn labels(self, labels: LabelEncoder) -> Self {
        Self { labels: Some(labels), ..self }
    }

    fn channels(&self) -> usize {
        if self.gray { 1 } else { 3 }
    }
}

/// Pictures with the names of their classes.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageFolder {
    /// One row a picture, of the shape `[height, width]` in gray, else `[height, width, 3]`, and its class.
    pub dataset: Dataset,
    /// The names of the classes: those of the folders.
    pub labels: LabelEncoder,
    /// The file of each row.
    pub files: Vec<PathBuf>,
}

/// Reads pictures (PNG, JPEG) from the folders in `folder`, which are the classes, in the order of their names. Names that
/// begin with a point are passed over.
///
/// # Errors
/// [`Error::File`] for a file that cannot be read or is no such picture; [`Error::Data`] and [`Error::Shape`] where there is
/// no folder or no picture in one, where a file lies beside the folders, and where pictures differ in size, unless
/// [`ImageOptions::size`] brings them to one.
///
/// ```no_run
/// use axone::data::{ImageOptions, read_image_folder};
/// let train = read_image_folder("flowers/train", &ImageOptions::new().gray().size(32, 32))?;
/// let test = read_image_folder("flowers/test", &ImageOptions::new().gray().size(32, 32).labels(train.labels.clone()))?;
/// println!("{} pictures of {:?}", train.dataset.len(), train.labels.classes());
/// # Ok::<(), axone::Error>(())
/// ```
pub fn read_image_folder(folder: impl AsRef<Path>, options: &ImageOptions) -> Result<ImageFolder> {
    let folder = folder.as_ref();
    let (mut names, mut files) = (Vec::new(), Vec::new());
    for class in entries(folder)? {
        let is_folder = class.is_dir();
        let name = class.file_name().and_then(|name| name.to_str());
        let Some(name) = name.filter(|_| is_folder) else {
            let problem = "not a folder of UTF-8 name, as each class must be";
            return Err(Error::data(class.display().to_string(), problem));
        };
        if let Some(labels) = options.labels.as_ref().filter(|labels| !labels.knows(name)) {
            let problem = format!("expected one of {}, got `{name}`", labels.known());
            return Err(Error::data(class.display().to_string(), problem));
        }
        let pictures = entries(&class)?;
        if pictures.is_empty() {
            return Err(Error::data(class.display().to_string(), "no picture"));
        }
        names.extend(pictures.iter().map(|_| name.to_owned()));
        files.extend(pictures);
    }
    if files.is_empty() {
        return Err(Error::data(folder.display().to_string(), "no folder, one a class"));
    }
    let (x, [height, width]) = rows(&files, options)?;
    let labels = options.labels.clone().unwrap_or_else(|| LabelEncoder::fit(names.iter().cloned()));
    let shape: &[usize] = if options.gray { &[height, width] } else { &[height, width, options.channels()] };
    let dataset = Dataset::new(x, labels.transform(&names)?)?.with_input_shape(shape)?;
    Ok(ImageFolder { dataset, labels, files })
}

/// Reads pictures (PNG, JPEG) to predict from, a row each.
///
/// # Errors
/// As [`read_image_folder`].
///
/// ```no_run
/// use axone::data::{ImageOptions, read_images};
/// let x = read_images(["a.png", "b.jpg"], &ImageOptions::new().gray().size(32, 32))?;
/// assert_eq!((x.rows(), x.cols()), (2, 32 * 32));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn read_images(files: impl IntoIterator<Item = impl AsRef<Path>>, options: &ImageOptions) -> Result<Matrix> {
    let files: Vec<PathBuf> = files.into_iter().map(|file| file.as_ref().to_owned()).collect();
    Ok(rows(&files, options)?.0)
}

/// What lies in `folder`, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let failed = |error: std::io::Error| Error::file(folder, error);
    let entries = std::fs::read_dir(folder).map_err(failed)?.map(|entry| Ok(entry?.path()));
    let mut paths = entries.collect::<std::io::Result<Vec<PathBuf>>>().map_err(failed)?;
    paths.retain(|path| !path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".")));
    paths.sort_unstable();
    Ok(paths)
}

/// A row for each picture, and the height and width of all.
fn rows(files: &[PathBuf], options: &ImageOptions) -> Result<(Matrix, [usize; 2])> {
    let (mut data, mut size) = (Vec::new(), [0, 0]);
    for (at, path) in files.iter().enumerate() {
        let picture = decode(path, options)?;
        let own = [picture.height() as usize, picture.width() as usize];
        if let (Some(first), true) = (files.first().filter(|_| at > 0), own != size) {
            let expected = format!("{} x {} pixels as in {}", size[1], size[0], first.display());
            let got = format!("{} x {}; `ImageOptions::size` brings all to one size", own[1], own[0]);
            return Err(Error::shape(path.display().to_string(), expected, got));
        }
        size = own;
        let bytes = if options.gray { picture.to_luma8().into_raw() } else { picture.to_rgb8().into_raw() };
        data.extend(bytes.into_iter().map(|byte| f32::from(byte) / 255.0));
    }
    Ok((Matrix::new(files.len(), size[0] * size[1] * options.channels(), data)?, size))
}

fn decode(path: &Path, options: &ImageOptions) -> Result<DynamicImage> {
    let reader = ImageReader::open(path).and_then(ImageReader::with_guessed_format);
    let mut reader = reader.map_err(|error| Error::file(path, error))?;
    let mut limits = Limits::default();
    (limits.max_image_width, limits.max_image_height) = (Some(MOST_PIXELS), Some(MOST_PIXELS));
    reader.limits(limits);
    let picture = reader.decode().map_err(|error| Error::file(path, error))?;
    Ok(match options.size {
        Some((0, _) | (_, 0)) => {
            return Err(Error::value("ImageOptions", "size", "at least one pixel", format!("{:?}", options.size)));
        }
        Some((height, width)) => picture.resize_exact(width, height, FilterType::Triangle),
        None => picture,
    })
}
