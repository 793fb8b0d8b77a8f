//! Models in files: weights as safetensors, the architecture as JSON in the file's metadata.

use super::layout::Layout;
use super::serving::Serving;
use super::{Losses, Model, Network, Program, Weight};
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
const STEPS_KEY: &str = "axone.steps";
const SERVING_KEY: &str = "axone.serving";

/// What a model is made from, as its file says it.
#[derive(Debug, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
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

/// The version alone: what else a newer one writes may be anything.
#[derive(serde::Deserialize)]
struct Version {
    version: String,
}

impl Version {
    /// Refuses a version that is none, or newer than this one.
    fn check(&self, path: &Path) -> Result<()> {
        let (own, Self { version }) = (env!("CARGO_PKG_VERSION"), self);
        match (numbers(version), numbers(own)) {
            (None, _) => Err(Error::file(path, format!("{version:?} is no version of axone"))),
            (file, known) if file > known => {
                Err(Error::file(path, format!("written by axone {version}, which is newer than this one ({own})")))
            }
            _ => Ok(()),
        }
    }
}

/// The three numbers of a version; what stands behind them does not count.
fn numbers(version: &str) -> Option<[u64; 3]> {
    let core = version.split(['-', '+']).next()?;
    let numbers: Option<Vec<u64>> = core.split('.').map(|number| number.parse().ok()).collect();
    numbers?.try_into().ok()
}

/// What a checkpoint holds beside the model, as JSON.
pub(crate) enum State {
    /// Of a run of `fit`.
    Run(String),
    /// Of steps by hand.
    Steps(String),
}

/// A file that [`Model::save`] or a checkpoint wrote.
pub(crate) struct Contents {
    path: PathBuf,
    bytes: Vec<u8>,
    pub description: Description,
    /// The state of a training; a model alone has none.
    pub training: Option<State>,
    serving: Serving,
}

impl Contents {
    pub fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        Self::of(path, bytes)
    }

    /// The contents of `bytes`, which are or will be those of the file at `path`.
    fn of(path: &Path, bytes: Vec<u8>) -> Result<Self> {
        let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|error| Error::file(path, error))?;
        let entry = |key: &str| header.metadata().as_ref().and_then(|metadata| metadata.get(key)).cloned();
        let json = entry(KEY).ok_or_else(|| Error::file(path, "no axone architecture in the file's metadata"))?;
        let wrong = |error: serde_json::Error| Error::file(path, error);
        serde_json::from_str::<Version>(&json).map_err(wrong)?.check(path)?;
        let mut description: Description = serde_json::from_str(&json).map_err(wrong)?;
        if description.loss_weights.is_empty() {
            description.loss_weights.resize(description.losses.len(), 1.0);
        }
        // The sizes are checked here, before anything is changed.
        SafeTensors::deserialize(&bytes).map_err(|error| Error::file(path, error))?;
        let serving = entry(SERVING_KEY).map(|json| serde_json::from_str(&json)).transpose().map_err(wrong)?;
        let (path, serving) = (path.to_owned(), serving.unwrap_or_default());
        let training = entry(TRAINING_KEY).map(State::Run).or_else(|| entry(STEPS_KEY).map(State::Steps));
        Ok(Self { path, bytes, description, training, serving })
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

    /// What the model is made from, and its weights: all that can be wrong with them is found here, before anything is
    /// made of the sizes that the file names.
    fn model(&self) -> Result<(Program, Vec<Weight>)> {
        let Description { network, losses, loss_weights, optimizer, frozen, .. } = &self.description;
        if loss_weights.len() != losses.len() {
            return Err(Error::shape("loss_weights", format!("{} numbers", losses.len()), loss_weights.len()));
        }
        let are_none = losses.is_empty();
        let losses = Losses { losses: losses.clone(), weights: loss_weights.clone(), are_none };
        let program = Program::new(network.clone(), losses, *optimizer)?;
        frozen.iter().try_for_each(|layer| network.check_parameter_layer("frozen", layer))?;
        let layout = Layout::new(&program)?;
        let weights = self.weights(layout.parameters.iter().map(|parameter| parameter.name.as_str()))?;
        layout.check("weights", &weights)?;
        Ok((program, weights))
    }
}

/// The model in the file at `path`, without a device: what it computes, and its weights as a slab.
pub(super) fn program_and_slab(path: &Path) -> Result<(Program, Vec<f32>)> {
    let contents = Contents::read(path)?;
    let read = || {
        let (program, weights) = contents.model()?;
        let slab = Layout::new(&program)?.join("weights", &weights)?;
        Ok((program, slab))
    };
    read().map_err(|error| in_file(error, path))
}

/// An error that names the file.
fn in_file(error: Error, path: &Path) -> Error {
    if let Error::File { .. } = error { error } else { Error::file(path, error) }
}

impl Model {
    /// Writes weights, architecture, losses and optimizer settings, and the schema and the threshold if they are set, to
    /// `path`, as safetensors. The file is whole or not there: it is written beside `path`, flushed to the disk, and then
    /// renamed; its permissions stay. A symbolic link stays one, and the file it leads to is replaced. What is no file
    /// (`/dev/stdout`, a named pipe) is written to as it is.
    ///
    /// What [`Model::load_from`] would refuse is not written: the file that was there stays.
    ///
    /// # Errors
    /// [`Error::Data`] for a weight that is NaN or infinite, naming it; [`Error::File`]; [`Error::Gpu`].
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
    pub(crate) fn write_file(&mut self, path: &Path, training: Option<State>, beside: &[Weight]) -> Result<()> {
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
        weights.iter().try_for_each(Weight::check_finite)?;
        let views: Result<Vec<_>> =
            weights.iter().chain(beside).map(|weight| view(weight).map_err(|e| Error::file(path, e))).collect();
        let training = training.map(|state| match state {
            State::Run(json) => (TRAINING_KEY.to_owned(), json),
            State::Steps(json) => (STEPS_KEY.to_owned(), json),
        });
        let serving = (*self.serving != Serving::default()).then(|| serde_json::to_string(&self.serving)).transpose();
        let serving = serving.map_err(|error| Error::file(path, error))?.map(|json| (SERVING_KEY.to_owned(), json));
        let metadata: HashMap<_, _> = [(KEY.to_owned(), json)].into_iter().chain(training).chain(serving).collect();
        let bytes = safetensors::serialize(views?, Some(metadata)).map_err(|error| Error::file(path, error))?;
        write_whole(path, &Contents::of(path, bytes)?.bytes)
    }

    /// Reads a model that [`Model::save`] or a [`Checkpoint`](crate::train::Checkpoint) wrote, onto `device`.
    ///
    /// # Errors
    /// [`Error::File`] where the file cannot be read, is not such a file, was written by a newer version, has a field
    /// that this one does not know, or holds what [`Model::compile`] or [`Model::set_weights`] refuses, in their words;
    /// [`Error::TooLarge`] where the model does not fit the device; [`Error::Gpu`].
    pub fn load_from(path: impl AsRef<Path>, device: Device) -> Result<Self> {
        let path = path.as_ref();
        Self::from_contents(&Contents::read(path)?, path, device)
    }

    /// The model in `contents`, those of the file at `path`.
    pub(crate) fn from_contents(contents: &Contents, path: &Path, device: Device) -> Result<Self> {
        let in_file = |error| in_file(error, path);
        let (program, weights) = contents.model().map_err(in_file)?;
        let mut model = Model::of(program, device)?;
        model.set_weights(&weights)?;
        contents.description.frozen.iter().try_for_each(|layer| model.freeze(layer))?;
        if let Some(schema) = contents.serving.schema.clone() {
            model.set_schema(schema).map_err(in_file)?;
        }
        if let Some(threshold) = contents.serving.threshold {
            model.set_threshold(threshold).map_err(in_file)?;
        }
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
