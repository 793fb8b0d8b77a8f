//! A real data set small enough to travel with the crate: examples and tests run without a download.
//!
//! Source: "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository (E. Alpaydin,
//! C. Kaynak, 1998), <https://archive.ics.uci.edu/dataset/80>, licence CC BY 4.0: the 1,797 digits of the test part.

use super::{Dataset, Matrix};
use crate::{Error, Result};
use flate2::read::GzDecoder;
use std::io::Read;

static DIGITS: &[u8] = include_bytes!("digits.csv.gz");

/// 1,797 handwritten digits of 8 x 8 pixels: 64 inputs from 0 to 1 in the shape `[8, 8]`, classes 0 to 9.
///
/// Each pixel of the original counts ink in a 4 x 4 block, 0 to 16, and is divided by 16 here.
///
/// Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning
/// Repository, 1998, <https://archive.ics.uci.edu/dataset/80>, licence CC BY 4.0.
///
/// # Errors
/// [`Error::Internal`] if the bundled file is damaged.
///
/// ```
/// let digits = axone::data::digits()?;
/// assert_eq!((digits.len(), digits.classes()), (1797, Some(10)));
/// assert_eq!(digits.input_shapes()[0], [8, 8]);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn digits() -> Result<Dataset> {
    let damaged = |problem: String| Error::Internal(format!("bundled digits: {problem}"));
    let mut text = String::new();
    GzDecoder::new(DIGITS).read_to_string(&mut text).map_err(|error| damaged(error.to_string()))?;
    let (mut pixels, mut labels) = (Vec::new(), Vec::new());
    for (row, line) in text.lines().enumerate() {
        let values: Vec<u8> = line.split(',').filter_map(|value| value.parse().ok()).collect();
        let (Some((&label, row_pixels)), 65) = (values.split_last(), values.len()) else {
            return Err(damaged(format!("row {row} is `{line}`")));
        };
        pixels.extend(row_pixels.iter().map(|&pixel| f32::from(pixel) / 16.0));
        labels.push(u32::from(label));
    }
    Dataset::new(Matrix::new(labels.len(), 64, pixels)?, labels)?.with_input_shape(&[8, 8])
}
