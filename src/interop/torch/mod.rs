//! Weights of PyTorch, in and out: `state_dict`s as `.pt` (of `torch.save`, new and old format) and as safetensors.
//!
//! A `state_dict` has weights and no architecture: describe the network, then [`StateDict::load_into`] gives its layers
//! what the modules hold. Nothing in a `.pt` file is executed.

mod files;
mod pickle;

use crate::layers::Layer;
use crate::model::{Model, Weight};
use crate::{Error, Result};
use std::fmt;
use std::path::Path;

/// A tensor of PyTorch.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    name: String,
    shape: Vec<usize>,
    data: Vec<f32>,
}

/// Tensors by PyTorch's names, in PyTorch's layout: a linear layer has `weight` (out, in) and `bias`.
///
/// ```
/// use axone::interop::torch::StateDict;
/// use axone::prelude::*;
///
/// let net = || Sequential::new(3).add(Dense::new(4).activation(Activation::Relu)).add(Dense::new(1));
/// let compile = || net().compile(Device::cpu(), Loss::MeanSquaredError, Adam::default());
/// let mut model = compile()?;
/// let state = StateDict::of(&mut model, &[("dense_1", "0"), ("dense_2", "2")])?;
/// assert_eq!(state.names(), ["0.weight", "0.bias", "2.weight", "2.bias"]);
/// let mut again = compile()?;
/// again.reset(7)?;
/// let matched = state.load_into(&mut again, &[("dense_1", "0"), ("dense_2", "2")])?;
/// assert!(matched.to_string().contains("0.weight (4, 3) -> dense_1.w"));
/// assert_eq!(again.weights()?, model.weights()?);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default)]
pub struct StateDict {
    entries: Vec<Entry>,
}

/// Which tensor went where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Matched {
    lines: Vec<String>,
    left: Vec<String>,
}

impl Matched {
    /// Tensors that no layer took.
    pub fn left(&self) -> &[String] {
        &self.left
    }
}

impl fmt::Display for Matched {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        self.left.iter().try_for_each(|name| writeln!(f, "{name} was not taken"))
    }
}

fn sides(shape: &[usize]) -> String {
    let sides: Vec<String> = shape.iter().map(usize::to_string).collect();
    format!("({})", sides.join(", "))
}

/// PyTorch's name of the parameter `part` of `layer`, if it has one, and whether it is turned.
fn name_of(layer: &Layer, part: &str) -> Option<(&'static str, bool)> {
    match (layer, part) {
        (Layer::Dense(_), "w") => Some(("weight", true)),
        (Layer::Dense(_), "b") | (Layer::BatchNorm(_) | Layer::LayerNorm(_), "shift") => Some(("bias", false)),
        (Layer::BatchNorm(_) | Layer::LayerNorm(_), "scale") | (Layer::Embedding(_), "w") => Some(("weight", false)),
        (Layer::BatchNorm(_), "mean") => Some(("running_mean", false)),
        (Layer::BatchNorm(_), "variance") => Some(("running_var", false)),
        _ => None,
    }
}

/// `data (rows, cols)` as `(cols, rows)`.
fn turned(data: &[f32], rows: usize, cols: usize) -> Vec<f32> {
    (0..cols).flat_map(|col| (0..rows).filter_map(move |row| data.get(row * cols + col).copied())).collect()
}

/// Ours and theirs for each parameter of `model`: its weight, PyTorch's name, whether it is turned.
fn pairs(model: &mut Model, modules: &[(&str, &str)]) -> Result<Vec<(Weight, String, bool)>> {
    let weights = model.weights()?;
    let network = &model.program().network;
    modules.iter().try_for_each(|(layer, _)| network.check_parameter_layer("modules", layer))?;
    let pair = |weight: Weight| {
        let (layer, part) = weight.name.rsplit_once('.').unwrap_or((&weight.name, ""));
        let applied = network.values().iter().find(|value| value.name == layer);
        let known = applied.and_then(|value| value.layer.as_ref()).and_then(|layer| name_of(layer, part));
        let (theirs, turn) = known.ok_or_else(|| {
            Error::value(layer, "layer", "one that PyTorch has as one module", format!("the parameter {}", weight.name))
        })?;
        let module = modules.iter().find(|(ours, _)| *ours == layer).map_or(layer, |(_, module)| module);
        let name = if module.is_empty() { theirs.to_owned() } else { format!("{module}.{theirs}") };
        Ok((weight, name, turn))
    };
    weights.into_iter().map(pair).collect()
}

impl StateDict {
    /// Reads a `.pt` or safetensors file.
    ///
    /// # Errors
    /// [`Error::File`] where it is neither, or cannot be read.
    ///
    /// ```
    /// use axone::interop::torch::StateDict;
    ///
    /// assert!(StateDict::read("no_such_file.pt").is_err());
    /// ```
    pub fn read(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|error| Error::file(path, error))?;
        Self::parse(&bytes).map_err(|reason| Error::file(path, reason))
    }

    /// Reads the bytes of such a file.
    ///
    /// # Errors
    /// [`Error::Data`] where they are none.
    ///
    /// ```
    /// use axone::interop::torch::StateDict;
    ///
    /// assert!(StateDict::from_bytes(b"PK no archive").is_err());
    /// ```
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        Self::parse(bytes).map_err(|reason| Error::data("state_dict", reason))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let named = if bytes.starts_with(b"PK") || bytes.starts_with(&[0x80]) && bytes.get(7) != Some(&0) {
            files::read(bytes)?
        } else {
            tensors(bytes)?
        };
        if named.is_empty() {
            return Err("no tensors by name: save `model.state_dict()`, not the module".to_owned());
        }
        Ok(Self { entries: named.into_iter().map(|(name, shape, data)| Entry { name, shape, data }).collect() })
    }

    /// The names of the tensors; those of dictionaries in the file stand behind the name of the dictionary.
    pub fn names(&self) -> Vec<&str> {
        self.entries.iter().map(|entry| entry.name.as_str()).collect()
    }

    /// Name and shape of each tensor.
    pub fn shapes(&self) -> Vec<(&str, &[usize])> {
        self.entries.iter().map(|entry| (entry.name.as_str(), entry.shape.as_slice())).collect()
    }

    /// The tensors whose names begin with `prefix` and a dot, without it: of one model in a checkpoint of several things.
    ///
    /// ```
    /// use axone::interop::torch::StateDict;
    ///
    /// assert!(StateDict::default().within("model").names().is_empty());
    /// ```
    pub fn within(&self, prefix: &str) -> Self {
        let own = |entry: &Entry| {
            let name = entry.name.strip_prefix(prefix)?.strip_prefix('.')?.to_owned();
            Some(Entry { name, ..entry.clone() })
        };
        Self { entries: self.entries.iter().filter_map(own).collect() }
    }

    /// Gives `model` these weights. `modules` names the module of each layer (`("dense_1", "0")`); a layer that is not
    /// named there is looked for by its own name. All parameters of the model are found, or none is changed.
    ///
    /// # Errors
    /// [`Error::Value`] with all parameters that have no tensor, and all names there are; [`Error::Shape`] with both
    /// shapes; [`Error::Data`] for NaN or infinity.
    pub fn load_into(&self, model: &mut Model, modules: &[(&str, &str)]) -> Result<Matched> {
        let (mut weights, mut lines, mut missing) = (Vec::new(), Vec::new(), Vec::new());
        let mut taken = vec![false; self.entries.len()];
        for (mut weight, name, turn) in pairs(model, modules)? {
            let Some(at) = self.entries.iter().position(|entry| entry.name == name) else {
                missing.push(format!("{} (looked for as {name})", weight.name));
                continue;
            };
            let entry = &self.entries[at];
            let (rows, cols) = weight.shape;
            let wanted = if turn {
                vec![cols, rows]
            } else if rows == 1 {
                vec![cols]
            } else {
                vec![rows, cols]
            };
            if entry.shape != wanted && !(rows == 1 && entry.shape == [rows, cols]) {
                return Err(Error::shape(name, sides(&wanted), sides(&entry.shape)));
            }
            weight.data = if turn { turned(&entry.data, cols, rows) } else { entry.data.clone() };
            lines.push(format!("{name} {} -> {}", sides(&entry.shape), weight.name));
            taken[at] = true;
            weights.push(weight);
        }
        if !missing.is_empty() {
            let got = format!("none for {}; there are {}", missing.join(", "), self.names().join(", "));
            return Err(Error::value("state_dict", "tensors", "one for each parameter", got));
        }
        model.set_weights(&weights)?;
        let left = self.entries.iter().zip(taken).filter(|(_, taken)| !taken).map(|(entry, _)| entry.name.clone());
        Ok(Matched { lines, left: left.collect() })
    }

    /// The weights of `model` under PyTorch's names and in its layout; `modules` as in [`load_into`](Self::load_into).
    ///
    /// # Errors
    /// [`Error::Value`] for a layer that PyTorch has not as one module; [`Error::Gpu`].
    pub fn of(model: &mut Model, modules: &[(&str, &str)]) -> Result<Self> {
        let entry = |(weight, name, turn): (Weight, String, bool)| {
            let (rows, cols) = weight.shape;
            let is_vector = rows == 1 && !turn && !weight.name.ends_with(".w");
            let (shape, data) = if turn {
                (vec![cols, rows], turned(&weight.data, rows, cols))
            } else {
                (if is_vector { vec![cols] } else { vec![rows, cols] }, weight.data)
            };
            Entry { name, shape, data }
        };
        Ok(Self { entries: pairs(model, modules)?.into_iter().map(entry).collect() })
    }

    /// Writes the tensors as safetensors: `model.load_state_dict(safetensors.torch.load_file(path))` reads them.
    ///
    /// # Errors
    /// [`Error::File`].
    ///
    /// ```
    /// use axone::interop::torch::StateDict;
    /// use axone::prelude::*;
    ///
    /// let path = std::env::temp_dir().join(format!("axone-doc-torch-{}.safetensors", std::process::id()));
    /// let mut model = Sequential::new(2).add(Dense::new(1)).compile(Device::cpu(), Loss::MeanSquaredError, Sgd::default())?;
    /// let state = StateDict::of(&mut model, &[("dense_1", "fc")])?;
    /// state.save(&path)?;
    /// assert_eq!(StateDict::read(&path)?.names(), ["fc.bias", "fc.weight"]);
    /// # std::fs::remove_file(path).ok();
    /// # Ok::<(), axone::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        use safetensors::{Dtype, tensor::TensorView};
        let path = path.as_ref();
        let views: std::result::Result<Vec<_>, _> = self
            .entries
            .iter()
            .map(|entry| {
                let view = TensorView::new(Dtype::F32, entry.shape.clone(), bytemuck::cast_slice(&entry.data))?;
                Ok::<_, safetensors::SafeTensorError>((entry.name.as_str(), view))
            })
            .collect();
        let bytes =
            views.and_then(|views| safetensors::serialize(views, None)).map_err(|error| Error::file(path, error))?;
        crate::file::write_whole(path, &bytes)
    }
}

/// The tensors of a safetensors file that hold real numbers.
fn tensors(bytes: &[u8]) -> Result<Vec<files::Named>, String> {
    use half::{bf16, f16};
    use safetensors::{Dtype, SafeTensors};
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    // The file's own order is that of a hash table.
    let mut all: Vec<_> = file.iter().collect();
    all.sort_by_key(|(name, _)| *name);
    let mut found = Vec::new();
    for (name, tensor) in all {
        let data = tensor.data();
        let numbers: Vec<f32> = match tensor.dtype() {
            Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::BF16 => data.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            _ => continue,
        };
        found.push((name.to_owned(), tensor.shape().to_vec(), numbers));
    }
    Ok(found)
}
