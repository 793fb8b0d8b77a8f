//! Training: what a run reports while it runs and when it is done.

#[cfg(feature = "plot")]
mod axis;
mod history;
#[cfg(feature = "plot")]
mod plot;
mod progress;

pub use history::{Epoch, History};
pub use progress::{Progress, Verbosity};
