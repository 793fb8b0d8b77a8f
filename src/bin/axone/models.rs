//! Model files of any kind, by the end of their name.

use crate::said::Failure;
use axone::interop::torch::StateDict;
use axone::interop::{Output, keras, onnx};
use axone::model::Model;
use axone::{Device, Error};
use std::path::Path;

/// A model, and what its file says beside it.
pub struct Loaded {
    pub model: Model,
    /// Where it comes from.
    pub format: &'static str,
    /// The outputs as the file of another library names them; empty where the model's own are meant.
    pub named: Vec<Output>,
}

/// The end of a file's name, without the dot.
pub fn extension(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The model at `path`.
pub fn load(path: &Path, device: Device) -> Result<Loaded, Failure> {
    match extension(path).as_str() {
        "onnx" => {
            let imported = onnx::load(path)?;
            Ok(Loaded { model: imported.model(device)?, format: "ONNX", named: imported.outputs().to_vec() })
        }
        "keras" | "h5" | "hdf5" => {
            let imported = keras::load(path)?;
            Ok(Loaded { model: imported.model(device)?, format: "Keras", named: imported.outputs().to_vec() })
        }
        "safetensors" => match Model::load_from(path, device) {
            Err(Error::File { message, .. }) if message.contains("no axone architecture") => Err(weights_alone(path)),
            loaded => Ok(Loaded { model: loaded?, format: "axone", named: Vec::new() }),
        },
        "pt" | "pth" | "bin" => Err(weights_alone(path)),
        _ => Err(unknown(path)),
    }
}

/// The weights at `path`, where the file has nothing else.
pub fn weights(path: &Path) -> Option<Result<StateDict, Failure>> {
    let is_state = match extension(path).as_str() {
        "pt" | "pth" | "bin" => true,
        // A file without axone's metadata.
        "safetensors" => load(path, Device::cpu()).is_err_and(|failure| failure.message.contains("weights alone")),
        _ => false,
    };
    is_state.then(|| StateDict::read(path).map_err(Failure::from))
}

fn weights_alone(path: &Path) -> Failure {
    Failure::failed(format!(
        "{}: weights alone, without layers: `axone convert {} model.safetensors --like MODEL` gives them to a model that has \
         the layers, and torch.onnx.export in PyTorch writes both",
        path.display(),
        path.display()
    ))
}

/// For a name with another end.
pub fn unknown(path: &Path) -> Failure {
    Failure::usage(format!(
        "{}: no model file: its name should end in .safetensors, .onnx, .keras or .h5",
        path.display()
    ))
}
