//! Training: what a run reports while it runs and when it is done.

#[cfg(feature = "plot")]
mod axis;
mod feed;
mod fit;
mod history;
#[cfg(feature = "plot")]
mod plot;
mod progress;

pub(crate) use feed::Feed;
pub use fit::{Evaluation, Fit};
pub(crate) use fit::{evaluate, fit};
pub use history::{Epoch, History};
pub use progress::{Progress, Verbosity};
