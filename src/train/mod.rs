//! Training: what a run reports while it runs and when it is done.

#[cfg(feature = "plot")]
mod axis;
mod by_hand;
mod feed;
mod fit;
mod history;
mod measure;
#[cfg(feature = "plot")]
mod plot;
mod profile;
mod progress;
mod trace;

pub(crate) use by_hand::ByHand;
pub(crate) use feed::Feed;
pub use fit::{Evaluation, Fit};
pub(crate) use fit::{evaluate, fit};
pub use history::{Epoch, History};
pub(crate) use measure::profile;
pub use profile::{Peaks, Profile, ProfileRow};
pub use progress::{Progress, Verbosity};
