//! Trains and runs dense neural networks on any GPU that [wgpu](https://docs.rs/wgpu) reaches (Vulkan, Metal,
//! DX12) and on the CPU. One plan, the list of kernels that a training step is, runs on both, and in 64-bit on the
//! CPU, so that every number a GPU computes can be held against a better one ([`check`]).
//!
//! ```
//! use axone::prelude::*;
//!
//! let xor = Dataset::new([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])?;
//! let mut model = Sequential::new(2)
//!     .add(Dense::new(8).activation(Activation::Tanh))
//!     .add(Dense::new(1).activation(Activation::Sigmoid))
//!     .compile(Device::auto()?, Loss::BinaryCrossEntropy, Adam::new(0.05))?;
//! let history = model.fit(&xor, &Fit::new().epochs(200).batch_size(4).silent())?;
//! assert!(history.last("loss").unwrap() < 0.1);
//! assert!(model.predict(&[[1.0, 0.0]].into())?.data()[0] > 0.5);
//! # Ok::<(), axone::Error>(())
//! ```
//!
//! # Where things are
//!
//! | to do | look in |
//! |---|---|
//! | choose a device | [`Device`] |
//! | read, split, scale and encode data | [`data`] |
//! | describe a model: a chain, or branches that meet | [`Sequential`](model::Sequential), [`Network`](model::Network) with [`layers`] |
//! | compute with values, write an activation or a loss | [`Network::formula`](model::Network::formula), [`Activation::custom`](layers::Activation::custom), [`Loss::custom`], [`formula`] |
//! | say what is to become small, and how | [`Loss`], [`optimizers`], [`schedules`] |
//! | train, evaluate, predict, save | [`Model`](model::Model) with the settings of [`Fit`](train::Fit) |
//! | train on all rows at once, without a learning rate | [`minimize`](model::Model::minimize) with [`Lbfgs`](train::Lbfgs) |
//! | stop early, lower the rate, log, checkpoint and resume | [`Callback`](train::Callback) and what implements it, [`Fit`](train::Fit)`::checkpoint` |
//! | drive the steps yourself | [`train_on_batch`](model::Model::train_on_batch), [`compute_gradients`](model::Model::compute_gradients), [`accumulate_gradients`](model::Model::accumulate_gradients), [`apply_gradients`](model::Model::apply_gradients), [`backward`](model::Model::backward) |
//! | say how good predictions are | [`metrics`] |
//! | search for hyperparameters, cross-validate | `search` |
//! | exchange models with PyTorch, scikit-learn and Keras | `interop::onnx`, `interop::torch`, `interop::keras` |
//! | see what a run reported | [`History`](train::History) |
//! | see a model: layers, graph, weights, decision boundary, loss surface | `write_svg` and its kin, in `plot` |
//! | see where the time of a step goes | [`Profile`](train::Profile) |
//! | hold a device or a model against 64-bit arithmetic | [`check`] |
//! | look inside: operations, dispatches, kernels | [`graph`], [`plan`], [`kernels`], [`cpu`], [`gpu`] |
//!
//! [`prelude`] has the names that most programs need.
//!
//! # Features
//!
//! Those up to `search` are on by default; what stands below it is not.
//!
//! | feature | adds |
//! |---|---|
//! | `progress` | a progress bar within each epoch, at a terminal |
//! | `plot` | pictures as SVG: `write_svg` of what can be drawn, and charts of your own: `plot` |
//! | `datasets` | readers for CSV and IDX (MNIST) files, and the bundled digits: [`data`] |
//! | `save` | models and checkpoints in safetensors files: [`Model`](model::Model)`::save` and `load_from`; check reports as JSON |
//! | `ctrl-c` | [`Fit`](train::Fit)`::stop_on_ctrl_c`: the first Ctrl-C ends a run, the second the program |
//! | `search` | hyperparameter search and cross-validation: `search` |
//! | `npy` | NumPy's files, in and out: `data::read_npy`, `data::Npz` |
//! | `ndarray` | arrays of the crate `ndarray` as matrices and targets, and back |
//! | `image` | folders of pictures (PNG, JPEG), one a class: `data::read_image_folder` |
//! | `parquet` | Parquet files as tables: `data::Table::read_parquet`; with `zstd` those that polars writes |
//! | `onnx` | models of other libraries, in and out as ONNX: `interop::onnx` |
//! | `torch` | weights of PyTorch (`.pt`, safetensors), in and out: `interop::torch` |
//! | `keras` | models and weights of Keras (`.keras`, `.h5`): `interop::keras` |
//! | `cli` | the program `axone`: training, predictions and more at the command line |

pub mod check;
pub mod cpu;
pub mod data;
mod device;
mod error;
#[cfg_attr(not(feature = "save"), allow(dead_code, reason = "logs alone compare the places of files"))]
mod file;
pub mod formula;
pub mod gpu;
pub mod graph;
mod init;
#[cfg(any(feature = "keras", feature = "onnx", feature = "torch"))]
pub mod interop;
pub mod kernels;
pub mod layers;
mod losses;
pub mod metrics;
pub mod model;
pub mod optimizers;
pub mod plan;
#[cfg(feature = "plot")]
pub mod plot;
pub mod prelude;
pub mod random;
pub mod schedules;
#[cfg(feature = "search")]
pub mod search;
mod size;
mod text;
pub mod train;

pub use device::{Device, SOFTWARE_HINT};
pub use error::{Error, Result};
pub use init::Initializer;
pub use losses::Loss;
pub use model::Precision;
pub use plan::device_info::{DeviceInfo, DeviceKind, DeviceLimits};

/// The chapters of the guide: each block of code in them is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/guide/01-neuron.md")]
#[doc = include_str!("../docs/guide/02-activations.md")]
#[doc = include_str!("../docs/guide/03-forward.md")]
#[doc = include_str!("../docs/guide/04-losses.md")]
#[doc = include_str!("../docs/guide/05-chain-rule.md")]
#[doc = include_str!("../docs/guide/06-descent.md")]
#[doc = include_str!("../docs/guide/07-optimizers.md")]
#[doc = include_str!("../docs/guide/08-fitting.md")]
#[doc = include_str!("../docs/guide/09-dropout.md")]
#[doc = include_str!("../docs/guide/10-search.md")]
#[doc = include_str!("../docs/guide/11-gpu.md")]
#[cfg_attr(feature = "datasets", doc = include_str!("../docs/guide/12-streams.md"))]
fn guide() {}
