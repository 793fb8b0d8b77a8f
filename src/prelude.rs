//! Everything that describing and training a model needs: `use axone::prelude::*;`.

pub use crate::data::{Dataset, Matrix, Targets};
pub use crate::init::Initializer;
pub use crate::layers::{
    Activation, ActivityRegularization, AlphaDropout, BatchNorm, Dense, Dropout, Embedding, Flatten, LayerNorm,
    Reshape, Residual,
};
pub use crate::losses::{Loss, Losses};
pub use crate::metrics::{Average, Metric};
pub use crate::model::{Model, Network, Precision, Sequential};
pub use crate::optimizers::{Adadelta, Adagrad, Adam, AdamW, Adamax, Nadam, Optimizer, OptimizerExt, RmsProp, Sgd};
pub use crate::schedules::{
    CosineDecay, ExponentialDecay, OneCycle, PiecewiseConstant, PolynomialDecay, Schedule, StepDecay,
};
#[cfg(feature = "save")]
pub use crate::train::Checkpoint;
pub use crate::train::{
    Callback, CsvLog, EarlyStopping, Epoch, Fit, History, JsonLines, Lbfgs, ReduceOnPlateau, Run, StopFlag,
    TensorBoard, TerminateOnNonFinite, Verbosity,
};
pub use crate::{Device, Error, Result};
