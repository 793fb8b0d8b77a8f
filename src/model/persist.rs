//! Models in files: weights as safetensors, the architecture as JSON in the file's metadata.

use super::{Losses, Model, Network, Weight};
use crate::device::Device;
use crate::file::write_whole;
use crate::losses::Loss;
use crate::optimizers::Optimizer;
use crate::{Error, Result};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Keys of the metadata entries.
const KEY: &str = "axone";
const TRAINING_KEY: &str = "axone.training";

/// What a model is made from, as its file says it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
pub(crate) struct Description {
    version: String,
    pub network: Network,
    pub losses: Vec<Loss>,
    /// 1 each in files from before there were weights.
    #[serde(default)]
    pub loss_weights: Vec<f32>,
    pub optimizer: Optimizer,
    /// Layers that training leaves as they are.
    #[serde(default)]
    pub frozen: Vec<String>,
}

/// A file that [`Model::save`] or a checkpoint wrote.
pub(crate) struct Contents {
    path: PathBuf,
    bytes: Vec<u8>,
    pub description: Description,
    /// The state of a training run, as JSON; a model alone has none.
    pub training: Option<String>,
}

impl Contents {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::file(path, error))?;
        let entry = |key: &str| header.metadata().as_ref().and_then(|metadata| metadata.get(key)).cloned();
        let json = entry(KEY).ok_or_else(|| Error::file(path, "no axone architecture in the file's metadata"))?;
        let mut description: Description = serde_json::from_str(&json).map_err(|error| Error::file(path, error))?;
        description.loss_weights.resize(description.losses.len(), 1.0);
        // The sizes are checked here, before anything is changed.
        SafeTensors::deserialize(&bytes).map_err(|error| Error::file(path, error))?;
        Ok(Self { path: path.to_owned(), bytes, description, training: entry(TRAINING_KEY) })
    }

    /// The tensors called `names`, each a matrix of f32, under these names.
    pub fn weights<'a>(&self, names: impl Iterator<Item = &'a str>) -> Result<Vec<Weight>> {
        let tensors = SafeTensors::deserialize(&self.bytes).map_err(|error| Error::file(&self.path, error))?;
        let read = |name: &str| {
            let tensor = tensors.tensor(name).map_err(|error| Error::file(&self.path, error))?;
            weight(name, &tensor).ok_or_else(|| Error::file(&self.path, format!("{name}: not a matrix of f32")))
        };
        names.map(read).collect()
    }
}

impl Model {
    /// Writes weights, architecture, losses and optimizer settings to `path`, as safetensors. The file is whole or
    /// not there: it is written beside `path`, flushed to the disk, and then renamed.
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
        self.write_file(path.as_ref(), None, &[])
    }

    /// Writes the model, and beside it what else a checkpoint holds.
    pub(crate) fn write_file(&mut self, path: &Path, training: Option<String>, beside: &[Weight]) -> Result<()> {
        let description = Description {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            network: self.program().network.clone(),
            losses: self.program().losses.clone(),
            loss_weights: self.program().loss_weights.clone(),
            optimizer: self.program().optimizer,
            frozen: self.frozen().into_iter().map(str::to_owned).collect(),
        };
        let json = serde_json::to_string(&description).map_err(|error| Error::file(path, error))?;
        let weights = self.weights()?;
        // As `load_from` will.
        weights.iter().try_for_each(Weight::check_finite)?;
        let views: Result<Vec<_>> =
            weights.iter().chain(beside).map(|weight| view(weight).map_err(|e| Error::file(path, e))).collect();
        let training = training.map(|json| (TRAINING_KEY.to_owned(), json));
        let metadata: HashMap<_, _> = [(KEY.to_owned(), json)].into_iter().chain(training).collect();
        let bytes = safetensors::serialize(views?, Some(metadata)).map_err(|error| Error::file(path, error))?;
        write_whole(path, &bytes)
    }

    /// Reads a model that [`Model::save`] or a [`Checkpoint`](crate::train::Checkpoint) wrote, onto `device`.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be read or is not such a file; otherwise as [`Model::compile`] and
    /// [`Model::set_weights`].
    pub fn load_from(path: impl AsRef<Path>, device: Device) -> Result<Self> {
        let contents = Contents::read(path.as_ref())?;
        let Description { network, losses, loss_weights, optimizer, frozen, .. } = &contents.description;
        let losses = Losses { losses: losses.clone(), weights: loss_weights.clone() };
        let mut model = Model::compile(network.clone(), device, losses, *optimizer)?;
        let names = model.layout().parameters.iter().map(|parameter| parameter.name.as_str());
        let weights = contents.weights(names)?;
        model.set_weights(&weights)?;
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
