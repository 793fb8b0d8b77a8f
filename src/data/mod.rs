//! Data to train on: matrices, data sets, splits, scaling, encoding and readers.
//!
//! What is learned from the rows that train (means, numbers of names, the columns of a table) belongs to the model: fit it
//! there once, and use it for all that the model sees. A scaler or a [`LabelEncoder`] has `transform` for that; a [`Schema`]
//! does it for tables.
//!
//! ```
//! use axone::data::{Dataset, Standardizer};
//! let set = Dataset::new([[1.0, 20.0], [2.0, 10.0], [3.0, 30.0], [4.0, 40.0]], [0, 0, 1, 1])?;
//! let (train, test) = set.train_test_split_stratified(0.5, 42)?;
//! let scaler = Standardizer::fit(&train.inputs()[0])?; // the test part stays unseen
//! let train = train.map_inputs(|x| scaler.transform(x))?;
//! let test = test.map_inputs(|x| scaler.transform(x))?;
//! assert_eq!((train.len(), test.len()), (2, 2));
//! # Ok::<(), axone::Error>(())
//! ```

mod arithmetic;
#[cfg(feature = "datasets")]
mod array;
#[cfg(feature = "datasets")]
mod bundled;
#[cfg(feature = "datasets")]
mod csv;
mod dataset;
mod encode;
#[cfg(feature = "datasets")]
mod file;
mod folds;
#[cfg(feature = "datasets")]
mod idx;
#[cfg(feature = "image")]
mod images;
mod matrix;
#[cfg(feature = "ndarray")]
mod nd;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "parquet")]
mod parquet;
mod quantile;
mod samples;
mod scale;
pub(crate) mod shuffle;
mod split;
mod stream;
mod subset;
mod table;
#[cfg(feature = "datasets")]
mod table_file;
mod targets;
mod weights;

#[cfg(feature = "datasets")]
pub use array::Array;
#[cfg(feature = "datasets")]
pub use bundled::{breast_cancer, diabetes, digits, iris, wine};
#[cfg(feature = "datasets")]
pub use csv::{CsvInputs, CsvOptions, CsvTable, read_csv, read_csv_inputs, read_csv_table};
pub use dataset::Dataset;
pub(crate) use encode::MOST_CLASSES;
pub use encode::{LabelEncoder, one_hot};
pub use folds::Folds;
#[cfg(feature = "datasets")]
pub use idx::{IdxArray, idx_shape, read_idx, read_idx_rows, read_mnist};
#[cfg(feature = "image")]
pub use images::{ImageFolder, ImageOptions, read_image_folder, read_images};
pub use matrix::Matrix;
pub(crate) use matrix::are_finite;
#[cfg(feature = "npy")]
pub use npy::{Npz, NpzWriter, npy_shape, read_npy, read_npy_rows, write_npy, write_npz};
pub(crate) use samples::Held;
pub use samples::Samples;
pub use scale::{MinMaxScaler, RobustScaler, Scaler, Scaling, Standardizer};
pub use stream::{Batches, Stream};
pub(crate) use stream::{Pass, Window};
pub use table::{Column, Inference, Inferred, Missing, Schema, Table, TableOptions};
pub use targets::Targets;
pub(crate) use weights::check_row_weights;
