//! Real data sets small enough to travel with the crate: examples and tests run without a download.
//!
//! The digits are those of the test part; the others are scikit-learn's, as `tests/fixtures/datasets/export.py` wrote them.

use super::{CsvOptions, CsvTable, Dataset, Matrix, Table};
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
    let text = unpacked("digits", DIGITS)?;
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

/// 150 irises: 4 inputs (length and width of sepals and petals in cm), 3 species of 50 flowers each.
///
/// Source: R. A. Fisher, "The Use of Multiple Measurements in Taxonomic Problems", 1936; UCI Machine Learning Repository,
/// <https://archive.ics.uci.edu/dataset/53>, licence CC BY 4.0.
///
/// # Errors
/// [`Error::Internal`] if the bundled file is damaged.
///
/// ```
/// let iris = axone::data::iris()?;
/// assert_eq!((iris.dataset.len(), iris.inputs[2].as_str()), (150, "petal length (cm)"));
/// assert_eq!(iris.labels.unwrap().classes(), ["setosa", "versicolor", "virginica"]);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn iris() -> Result<CsvTable> {
    table("iris", include_bytes!("iris.csv.gz"), CsvOptions::class_names("species"))
}

/// 178 wines of one region: 13 inputs (chemical analyses), 3 cultivars.
///
/// Source: S. Aeberhard, M. Forina, "Wine", UCI Machine Learning Repository, 1992,
/// <https://archive.ics.uci.edu/dataset/109>, licence CC BY 4.0.
///
/// # Errors
/// [`Error::Internal`] if the bundled file is damaged.
///
/// ```
/// let wine = axone::data::wine()?;
/// assert_eq!((wine.dataset.len(), wine.inputs.len(), wine.dataset.classes()), (178, 13, Some(3)));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn wine() -> Result<CsvTable> {
    table("wine", include_bytes!("wine.csv.gz"), CsvOptions::class_names("cultivar"))
}

/// 569 tumours of the breast: 30 inputs (mean, standard error and worst value of ten features of the cell nuclei), 357
/// benign (class 0) and 212 malignant (class 1). scikit-learn counts the classes the other way round.
///
/// Source: W. Wolberg, O. Mangasarian, N. Street, W. Street, "Breast Cancer Wisconsin (Diagnostic)", UCI Machine Learning
/// Repository, 1995, <https://archive.ics.uci.edu/dataset/17>, licence CC BY 4.0.
///
/// # Errors
/// [`Error::Internal`] if the bundled file is damaged.
///
/// ```
/// let tumours = axone::data::breast_cancer()?;
/// assert_eq!((tumours.dataset.len(), tumours.inputs.len()), (569, 30));
/// assert_eq!(tumours.labels.unwrap().classes(), ["benign", "malignant"]);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn breast_cancer() -> Result<CsvTable> {
    table("breast_cancer", include_bytes!("breast_cancer.csv.gz"), CsvOptions::class_names("diagnosis"))
}

/// 442 patients with diabetes: 10 inputs (age in years, sex, body mass index in kg/m², mean blood pressure in mmHg, six
/// measurements of blood serum), as they were measured, and the progression of the disease a year later, 25 to 346.
///
/// Source: B. Efron, T. Hastie, I. Johnstone, R. Tibshirani, "Least Angle Regression", Annals of Statistics 32, 2004; as
/// distributed with scikit-learn under the BSD 3-Clause licence.
///
/// # Errors
/// [`Error::Internal`] if the bundled file is damaged.
///
/// ```
/// let diabetes = axone::data::diabetes()?;
/// assert_eq!((diabetes.dataset.len(), diabetes.inputs.len()), (442, 10));
/// assert_eq!(diabetes.dataset.targets()[0].values().unwrap().row(0), Some(&[151.0][..]));
/// # Ok::<(), axone::Error>(())
/// ```
pub fn diabetes() -> Result<CsvTable> {
    table("diabetes", include_bytes!("diabetes.csv.gz"), CsvOptions::values(["progression"]))
}

fn table(name: &str, packed: &[u8], options: CsvOptions) -> Result<CsvTable> {
    let text = unpacked(name, packed)?;
    let read = Table::of_csv(format!("bundled {name}"), text.as_bytes(), &options);
    read.and_then(|table| CsvTable::of(&table, options)).map_err(|error| Error::Internal(error.to_string()))
}

fn unpacked(name: &str, packed: &[u8]) -> Result<String> {
    let mut text = String::new();
    let read = GzDecoder::new(packed).read_to_string(&mut text);
    read.map_err(|error| Error::Internal(format!("bundled {name}: {error}")))?;
    Ok(text)
}
