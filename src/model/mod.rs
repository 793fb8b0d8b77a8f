//! Models: an architecture, its weights, and the device they live on.

mod activations;
mod blend;
#[cfg(feature = "plot")]
mod boundary;
pub(crate) mod by_hand;
mod compiled;
mod fits;
mod frozen;
mod gradient;
mod inference;
mod layout;
mod metrics;
mod names;
mod network;
#[cfg(feature = "save")]
pub(crate) mod persist;
#[cfg(feature = "plot")]
mod picture;
mod piece;
mod plans;
mod precision;
mod predict;
mod predictor;
mod program;
pub(crate) mod reported;
mod residual;
mod rules;
mod sequential;
mod serving;
mod shared;
#[cfg(feature = "save")]
mod stored;
mod summary;
mod surgery;
mod value;
mod weights;

pub use crate::losses::Losses;
#[cfg(feature = "plot")]
pub use boundary::DecisionBoundary;
pub use compiled::Model;
pub(crate) use layout::Layout;
pub use network::{Network, RowShape};
pub(crate) use piece::Piece;
pub use precision::{LossScale, Precision};
pub use predictor::Predictor;
pub(crate) use program::Watched;
pub use program::{Program, Purpose};
pub use sequential::Sequential;
pub use shared::{Block, Shared};
pub use summary::Summary;
pub use value::Value;
pub use weights::{CopiedWeights, Weight};
pub(crate) use weights::{trained, write_slabs};
