//! The callbacks that come with the crate.

mod early_stopping;
mod growing;
mod logs;
mod monitor;
mod non_finite;
mod plateau;
mod tensorboard;

pub use early_stopping::EarlyStopping;
pub use logs::{CsvLog, JsonLines};
pub(super) use monitor::Monitor;
pub use non_finite::TerminateOnNonFinite;
pub use plateau::{ReduceOnPlateau, Threshold};
pub use tensorboard::TensorBoard;
