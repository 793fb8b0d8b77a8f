//! Models in files: weights as safetensors, the architecture as JSON in the file's metadata.

use super::{Losses, Model, Network, Weight};
use crate::device::Device;
use crate::losses::Loss;
use crate::optimizers::Optimizer;
use crate::{Error, Result};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::Path;

/// Key of the metadata entry.
const KEY: &str = "axone";

#[derive(serde::Serialize, serde::Deserialize)]
struct Description {
    version: String,
    network: Network,
    losses: Vec<Loss>,
    optimizer: Optimizer,
    /// Layers that training leaves as they are.
    #[serde(default)]
    frozen: Vec<String>,
}

impl Model {
    /// Writes weights, architecture, losses and optimizer settings to `path`, as safetensors. The file is whole or
    /// not there: it is written beside `path` and then renamed.
    ///
    /// # Errors
    /// [`Error::File`]; [`Error::Gpu`].
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let path = std::env::temp_dir().join(format!("axone-doc-{}.safetensors", std::process::id()));
    /// let net = Sequential::new(3).add(Dense::new(2));
    /// let mut model = net.compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// model.save(&path)?;
    /// let mut again = Model::load_from(&path, Device::cpu())?;
    /// assert_eq!(again.weights()?, model.weights()?);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn save(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let description = Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: self.program().network.clone(),
            losses: self.program().losses.clone(),
            optimizer: self.program().optimizer,
            frozen: self.frozen().into_iter().map(str::to_owned).collect(),
        };
        let json = serde_json::to_string(&description).map_err(|error| Error::file(path, error))?;
        let weights = self.weights()?;
        let views: Result<Vec<_>> =
            weights.iter().map(|weight| view(weight).map_err(|e| Error::file(path, e))).collect();
        let metadata = HashMap::from([(KEY.to_owned(), json)]);
        let bytes = safetensors::serialize(views?, Some(metadata)).map_err(|error| Error::file(path, error))?;
        let beside = path.with_extension("partial");
        std::fs::write(&beside, bytes).map_err(|error| Error::file(&beside, error))?;
        std::fs::rename(&beside, path).map_err(|error| Error::file(path, error))
    }

    /// Reads a model that [`Model::save`] wrote, onto `device`.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be read or is not such a file; otherwise as [`Model::compile`] and
    /// [`Model::set_weights`].
    pub fn load_from(path: impl AsRef<Path>, device: Device) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::file(path, error))?;
        let json = header.metadata().as_ref().and_then(|metadata| metadata.get(KEY));
        let json = json.ok_or_else(|| Error::file(path, "no axone architecture in the file's metadata"))?;
        let description: Description = serde_json::from_str(json).map_err(|error| Error::file(path, error))?;
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| Error::file(path, error))?;
        let Description { network, losses, optimizer, frozen, .. } = description;
        let mut model = Model::compile(network, device, Losses(losses), optimizer)?;
        let read = |name: &str| {
            let tensor = tensors.tensor(name).map_err(|error| Error::file(path, error))?;
            weight(name, &tensor).ok_or_else(|| Error::file(path, format!("{name}: not a matrix of f32")))
        };
        let parameters = &model.layout().parameters;
        let weights: Result<Vec<Weight>> = parameters.iter().map(|parameter| read(&parameter.name)).collect();
        model.set_weights(&weights?)?;
        frozen.iter().try_for_each(|layer| model.freeze(layer))?;
        Ok(model)
    }
}

fn view(weight: &Weight) -> std::result::Result<(&str, TensorView<'_>), safetensors::SafeTensorError> {
    let (rows, cols) = weight.shape;
    // safetensors is little-endian, as is every machine that wgpu runs on.
    let view = TensorView::new(Dtype::F32, vec![rows, cols], bytemuck::cast_slice(&weight.data))?;
    Ok((weight.name.as_str(), view))
}

fn weight(name: &str, tensor: &TensorView<'_>) -> Option<Weight> {
    let (Dtype::F32, &[rows, cols]) = (tensor.dtype(), tensor.shape()) else { return None };
    let numbers =
        tensor.data().chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]));
    Some(Weight { name: name.to_owned(), shape: (rows, cols), data: numbers.collect() })
}
