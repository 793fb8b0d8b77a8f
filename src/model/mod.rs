//! Models: an architecture, its weights, and the device they live on.

mod compiled;
mod fits;
mod network;
#[cfg(feature = "save")]
mod persist;
mod predict;
mod program;
mod sequential;
mod summary;
mod weights;

pub(crate) use compiled::Loaded;
pub use compiled::Model;
pub use network::{Losses, Network, RowShape, Value};
pub use program::{Program, Purpose};
pub use sequential::Sequential;
pub use summary::Summary;
pub use weights::Weight;
