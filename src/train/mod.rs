//! Training: what a run reports while it runs and when it is done.

mod by_hand;
mod callbacks;
#[cfg(feature = "save")]
mod checkpoint;
mod evaluate;
mod feed;
mod fit;
mod minimize;
mod profile;
mod race;
mod range_test;
mod report;
mod run;
mod settings;

pub use callbacks::{CsvLog, EarlyStopping, JsonLines, ReduceOnPlateau, TensorBoard, TerminateOnNonFinite, Threshold};
#[cfg(feature = "save")]
pub use checkpoint::Checkpoint;
pub(crate) use feed::Feed;
pub use minimize::Lbfgs;
pub use profile::{Peaks, Profile, ProfileRow};
pub use race::Race;
pub use range_test::{RangeCurve, RangePoint, RangeTest};
#[cfg(all(feature = "plot", feature = "search"))]
pub(crate) use report::axis::{Axis, drawable};
#[cfg(feature = "search")]
pub(crate) use report::number;
pub use report::{Epoch, Evaluation, History};
#[cfg(all(feature = "ctrl-c", feature = "search"))]
pub(crate) use run::CtrlC;
#[cfg(feature = "progress")]
pub(crate) use run::bar;
pub use run::{Callback, CallbackState, Progress, Run, StopFlag, Verbosity};
pub use settings::Fit;
