//! Models of Keras: `.keras` and `.h5` files with their layers, and weights alone (`.weights.h5`, `.h5`).
//!
//! What is read is what Keras 2 and 3 write of dense networks, Sequential and functional. Files of HDF5 may have many
//! layouts; the one that Keras writes is read, others are refused by name (`model.export(.., format="onnx")` and
//! [`interop::onnx`](crate::interop) are the way in then).
//!
//! ```
//! use axone::interop::keras;
//! use axone::prelude::*;
//!
//! # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/interop/keras/seq.keras");
//! let imported = keras::load(path)?;
//! println!("{}", imported.network().summary());
//! let mut model = imported.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::new(0.001))?;
//! assert_eq!(model.predict(&Matrix::new(2, 8, vec![0.1; 16])?)?.cols(), 3);
//! # Ok::<(), axone::Error>(())
//! ```
//!
//! # What is read
//!
//! Dense, Activation, ReLU, LeakyReLU, ELU, Softmax, Dropout, AlphaDropout, ActivityRegularization, BatchNormalization,
//! LayerNormalization, Normalization (as a batch normalisation that training leaves as it is), Embedding with a Flatten
//! behind it, Flatten, Reshape to one side, Add, Concatenate, and Subtract, Multiply, Average, Maximum, Minimum of two
//! values; the activations of Keras but those that users write. Layers keep their names. Losses, optimizers and
//! regularizers of the file are left: [`Imported::compile`] says them anew. Everything else is refused, all of it at once,
//! each with its layer.

mod hdf5;
mod layers;
mod weights;

pub use super::imported::{Imported, Output};

use crate::model::{Model, Network, Weight};
use crate::{Error, Result};
use hdf5::File;
use std::io::{Cursor, Read};
use std::path::Path;

/// Longest description of layers that is read.
const MOST_JSON: u64 = 1 << 26;

/// Reads the model in the file at `path`: `.keras`, or `.h5` with a description of its layers.
///
/// # Errors
/// [`Error::File`] where it cannot be read; [`Error::Data`] where it is no such file, or naming all that no layer of this
/// crate can express.
pub fn load(path: impl AsRef<Path>) -> Result<Imported> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    read(&bytes).map_err(|reason| Error::data(path.display().to_string(), reason))
}

/// Reads a model from the bytes of such a file.
///
/// # Errors
/// As [`load`].
///
/// ```
/// let error = axone::interop::keras::from_bytes(b"no model").unwrap_err().to_string();
/// assert_eq!(error, "keras: not an HDF5 file");
/// ```
pub fn from_bytes(bytes: &[u8]) -> Result<Imported> {
    read(bytes).map_err(|reason| Error::data("keras", reason))
}

fn read(bytes: &[u8]) -> std::result::Result<Imported, String> {
    if bytes.starts_with(b"PK") {
        let (config, weights) = (entry(bytes, "config.json", MOST_JSON)?, entry(bytes, "model.weights.h5", u64::MAX)?);
        return layers::import(&described(&config)?, &weights::read(&File::open(&weights)?)?);
    }
    let file = File::open(bytes)?;
    let config = file.texts(file.root(), "model_config")?.and_then(|texts| texts.into_iter().next());
    let config = config.ok_or("weights alone: `keras::load_weights` gives them to a model that has the layers")?;
    layers::import(&described(config.as_bytes())?, &weights::read(&file)?)
}

fn described(json: &[u8]) -> std::result::Result<serde_json::Value, String> {
    serde_json::from_slice(json).map_err(|error| format!("the description of its layers: {error}"))
}

/// The bytes of an entry of a `.keras` file, which Keras stores as they are.
fn entry(bytes: &[u8], name: &str, most: u64) -> std::result::Result<Vec<u8>, String> {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| error.to_string())?;
    let file = archive.by_name(name).map_err(|error| format!("{name}: {error}"))?;
    let mut content = Vec::new();
    // What is packed may be long, and what it unpacks to much longer.
    let most = most.min(16 * bytes.len() as u64);
    file.take(most).read_to_end(&mut content).map_err(|error| format!("{name}: {error}"))?;
    Ok(content)
}

/// Gives `model` the weights in the file at `path` (`.weights.h5`, `.h5`, `.keras`), whose layers have the model's names; where
/// these do not fit, those that Keras named by number are matched in order: its `dense`, `dense_1` are our `dense_1`, `dense_2`. All parameters are
/// found, or none is changed.
///
/// # Errors
/// [`Error::File`]; [`Error::Data`] where it is no such file; [`Error::Value`] with all parameters that have no array;
/// [`Error::Shape`] with both shapes.
///
/// ```
/// use axone::interop::keras;
/// use axone::prelude::*;
///
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/interop/keras/seq.weights.h5");
/// let net = Sequential::new(8)
///     .add(Dense::new(16).activation(Activation::Relu))
///     .add(BatchNorm::new().epsilon(1e-3))
///     .add(Dense::new(8).activation(Activation::Tanh))
///     .add(LayerNorm::new().epsilon(1e-3))
///     .add(Dense::new(3).activation(Activation::Softmax));
/// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Adam::default())?;
/// keras::load_weights(&mut model, path)?;
/// assert_eq!(model.predict(&Matrix::new(1, 8, vec![0.0; 8])?)?.cols(), 3);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn load_weights(model: &mut Model, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
    let arrays = arrays(&bytes).map_err(|reason| Error::data(path.display().to_string(), reason))?;
    let own = model.weights()?;
    let network = model.program().network();
    // Names that are there were meant.
    let has_names = own.iter().all(|weight| arrays.contains_key(layer_of(&weight.name).0));
    let found = matched(network, &own, |layer| arrays.get(layer)).or_else(|by_name| {
        let by_number = matched(network, &own, |layer| arrays.get(&numbered(layer)));
        by_number.map_err(|by_number| if has_names { by_name } else { by_number })
    });
    let found = found.map_err(|misfit| match misfit {
        Misfit::Shape(error) => error,
        Misfit::Missing(names) => {
            let known: Vec<&str> =
                arrays.iter().filter(|(_, list)| !list.is_empty()).map(|(name, _)| name.as_str()).collect();
            let got = format!("none for {}; the file has the layers {}", names.join(", "), known.join(", "));
            Error::value(path.display().to_string(), "arrays", "one for each parameter", got)
        }
    })?;
    model.set_weights(&found)
}

/// Why the arrays of a file are not those of a model.
enum Misfit {
    Shape(Error),
    Missing(Vec<String>),
}

/// The array of each parameter, where `arrays` has those of a layer.
fn matched<'a>(
    network: &Network,
    own: &[Weight],
    arrays: impl Fn(&str) -> Option<&'a Vec<weights::Array>>,
) -> std::result::Result<Vec<Weight>, Misfit> {
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    for Weight { name, shape, .. } in own {
        let (layer, part) = layer_of(name);
        let place = layers::place(network, layer, part);
        match arrays(layer).zip(place).and_then(|(list, place)| list.get(place)) {
            None => missing.push(name.clone()),
            Some((sides, data)) => {
                let got = match sides.as_slice() {
                    [cols] => (1, *cols),
                    [rows, cols] => (*rows, *cols),
                    _ => (0, 0),
                };
                if got != *shape {
                    return Err(Misfit::Shape(Error::shape(name, format!("{shape:?}"), format!("{sides:?}"))));
                }
                found.push(Weight { name: name.clone(), shape: *shape, data: data.clone() });
            }
        }
    }
    if missing.is_empty() { Ok(found) } else { Err(Misfit::Missing(missing)) }
}

fn arrays(bytes: &[u8]) -> std::result::Result<weights::Arrays, String> {
    match bytes.starts_with(b"PK") {
        true => weights::read(&File::open(&entry(bytes, "model.weights.h5", u64::MAX)?)?),
        false => weights::read(&File::open(bytes)?),
    }
}

/// The layer and the part of it that a parameter is.
fn layer_of(name: &str) -> (&str, &str) {
    name.rsplit_once('.').unwrap_or((name, ""))
}

/// What Keras calls the layer that is `dense_2` here: `dense_1`; another name as it is.
fn numbered(layer: &str) -> String {
    let split = layer.rsplit_once('_').and_then(|(kind, number)| Some((kind, number.parse::<usize>().ok()?)));
    let Some((kind, number)) = split.filter(|(_, number)| *number > 0) else { return layer.to_owned() };
    let kind = match kind {
        "batch_norm" => "batch_normalization",
        "layer_norm" => "layer_normalization",
        other => other,
    };
    if number == 1 { kind.to_owned() } else { format!("{kind}_{}", number - 1) }
}
