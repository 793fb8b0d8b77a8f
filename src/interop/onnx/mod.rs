//! Models as ONNX files: what other libraries trained comes in, what was trained here goes out.
//!
//! [`load`] reads what PyTorch (both exporters), scikit-learn (skl2onnx) and Keras (tf2onnx, and by PyTorch) write of
//! dense networks: opset 9 to 25, IR 3 to 12, weights inside the file or beside it. What comes of it is an ordinary
//! model that can be trained on. [`save`] writes opset 20.
//!
//! ```
//! use axone::interop::onnx;
//! use axone::prelude::*;
//!
//! let path = std::env::temp_dir().join(format!("axone-doc-{}.onnx", std::process::id()));
//! let net = Sequential::new(3).add(Dense::new(4).activation(Activation::Gelu)).add(Dense::new(1));
//! let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
//! onnx::save(&mut model, &path)?;
//! let mut again = onnx::load(&path)?.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
//! let x = [[0.1, 0.2, 0.3]].into();
//! assert_eq!(again.predict(&x)?, model.predict(&x)?);
//! # std::fs::remove_file(path).ok();
//! # Ok::<(), axone::Error>(())
//! ```
//!
//! # What is read
//!
//! Constants are folded. GELU, SiLU, Mish, softplus, softsign and layer normalisation are recognised from their parts,
//! in whatever order these are written. A function that has no layer of its own is made of those that have
//! (ReLU6, PReLU, `Abs`), or is a formula: products, quotients, powers, roots and extremes of values, sums and means of
//! columns, `Exp`, `Log`, `Sin`, HardSwish. `Mul` and `Add` with constants, as Keras folds a batch normalisation into, or
//! the scaler of a scikit-learn pipeline, become a batch normalisation that training leaves as it is
//! ([`unfreeze`](crate::model::Model::unfreeze) lets it be trained); so does picking columns, by a dense layer of zeros
//! and ones. The number of a class (`ArgMax` and what follows) is no output of the model: [`Output`] says of which
//! output it is the largest column, and the names of the classes.
//!
//! A pipeline of scikit-learn (skl2onnx) is a network with a [`schema`](Imported::schema): `SimpleImputer` is what stands for
//! missing numbers, `OneHotEncoder` and `OrdinalEncoder` of columns of names are their categories, numbered by the
//! schema and looked up in an embedding that training leaves as it is. Its columns are called as the inputs of the file;
//! those of a wider input with their number (`X_0`). The model takes raw rows by
//! [`predict_table`](crate::model::Model::predict_table). A category that is a whole number must be written as the file
//! has it, and one that the file does not know is an error, where names may be unknown if the encoder ignores such.
//! Linear and logistic regressions are dense layers. What compares and chooses (`Greater`, `And`, `Where`) is a formula;
//! NaN, which no input may have, is not more and not less than anything.
//!
//! Everything else is refused, all of it at once, each with its node.

mod export;
mod import;
mod proto;
mod tensor;

pub use super::imported::{Imported, Output};

use crate::file::write_whole;
use crate::model::{Model, Weight};
use crate::{Error, Result};
use prost::Message;
use std::path::Path;

/// The metadata entry with the names of frozen layers.
const FROZEN: &str = "axone.frozen";
/// Those of what is done to a table before the network, as JSON, and of the answer yes.
const SCHEMA: &str = "axone.schema";
const THRESHOLD: &str = "axone.threshold";

/// Reads the model in the ONNX file at `path`, with what it keeps in files beside it.
///
/// # Errors
/// [`Error::File`] where it cannot be read; [`Error::Data`] where it is no ONNX file, or naming all that no layer of this
/// crate can express.
///
/// ```
/// use axone::interop::onnx;
/// use axone::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("axone-doc-load-{}.onnx", std::process::id()));
/// let net = Sequential::new(2).add(Dense::new(1));
/// onnx::save(&mut net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?, &path)?;
/// let mut model = onnx::load(&path)?.compile(Device::cpu(), Loss::MeanSquaredError, Adam::new(0.01))?;
/// model.fit(&Dataset::new([[0.0, 1.0], [1.0, 0.0]], [1.0, 2.0])?, &Fit::new().epochs(2).silent())?;
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), axone::Error>(())
/// ```
pub fn load(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    read(&bytes, &path.display().to_string(), Some(path.parent().unwrap_or(Path::new(""))))
}

/// Reads a model from the bytes of an ONNX file that keeps all of its weights inside.
///
/// # Errors
/// As [`load`].
///
/// ```
/// use axone::interop::onnx;
///
/// let error = onnx::from_bytes(b"no model").unwrap_err().to_string();
/// assert!(error.starts_with("onnx: "), "{error}");
/// ```
pub fn from_bytes(bytes: &[u8]) -> Result<Imported> {
    read(bytes, "onnx", None)
}

fn read(bytes: &[u8], name: &str, folder: Option<&Path>) -> Result<Imported> {
    let model = proto::Model::decode(bytes).map_err(|error| Error::data(name, format!("no ONNX model: {error}")))?;
    import::import(&model, &import::Source { name, folder, bytes: bytes.len() })
}

/// Writes `model` to `path` as ONNX (opset 20, IR 9), with a batch of any size. What matters in training alone (dropout,
/// penalties, losses) is left out. Weights lie in the file; those that layers share, once. [`load`] makes layers of their own
/// of such uses.
///
/// The model's schema and threshold are entries of the metadata (`axone.schema`, JSON, and `axone.threshold`), which
/// [`load`] reads: a model that it makes takes raw rows again. To other libraries the network takes what
/// [`Schema::inputs`](crate::data::Schema::inputs) gives, numbers as they are scaled and categories as their numbers.
///
/// # Errors
/// [`Error::Data`] for a weight that is NaN or infinite; [`Error::File`]; [`Error::Gpu`].
///
/// ```
/// use axone::interop::onnx;
/// use axone::prelude::*;
///
/// let path = std::env::temp_dir().join(format!("axone-doc-save-{}.onnx", std::process::id()));
/// let net = Sequential::new(2).add(Dense::new(8).activation(Activation::Silu)).add(Dropout::new(0.1)).add(Dense::new(1));
/// onnx::save(&mut net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?, &path)?;
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), axone::Error>(())
/// ```
pub fn save(model: &mut Model, path: impl AsRef<Path>) -> Result<()> {
    write_whole(path.as_ref(), &to_bytes(model)?)
}

/// The bytes that [`save`] writes.
///
/// # Errors
/// As [`save`].
///
/// ```
/// use axone::interop::onnx;
/// use axone::prelude::*;
///
/// let net = Sequential::new(2).add(Dense::new(1));
/// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
/// assert!(onnx::to_bytes(&mut model)?.len() > 100);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn to_bytes(model: &mut Model) -> Result<Vec<u8>> {
    let weights = model.weights()?;
    weights.iter().try_for_each(Weight::check_finite)?;
    let schema =
        model.schema().map(serde_json::to_string).transpose().map_err(|e| Error::data("schema", e.to_string()))?;
    let metadata = vec![
        (FROZEN, model.frozen().join("\n")),
        (SCHEMA, schema.unwrap_or_default()),
        (THRESHOLD, model.threshold().map_or_else(String::new, |threshold| threshold.to_string())),
    ];
    Ok(export::export(&model.program().network, weights, metadata)?.encode_to_vec())
}
