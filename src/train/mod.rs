//! Training: what a run reports while it runs and when it is done.

#[cfg(feature = "plot")]
mod axis;
mod by_hand;
mod callback;
mod callbacks;
#[cfg(feature = "save")]
mod checkpoint;
mod epoch;
mod evaluation;
mod feed;
mod fit;
mod history;
mod logged;
mod measure;
mod minimize;
#[cfg(feature = "plot")]
mod plot;
mod profile;
mod progress;
#[cfg(feature = "plot")]
mod range_plot;
mod range_test;
mod report;
#[cfg(feature = "save")]
mod resume;
mod run;
mod settings;
mod stop;
mod tensors;
mod trace;
mod writers;

#[cfg(all(feature = "plot", feature = "search"))]
pub(crate) use axis::{Axis, drawable};
pub use callback::{Callback, CallbackState};
pub use callbacks::{CsvLog, EarlyStopping, JsonLines, ReduceOnPlateau, TensorBoard, TerminateOnNonFinite, Threshold};
#[cfg(feature = "save")]
pub use checkpoint::Checkpoint;
pub use evaluation::Evaluation;
pub(crate) use feed::Feed;
#[cfg(feature = "search")]
pub(crate) use history::number;
pub use history::{Epoch, History};
use measure::profile;
pub use minimize::Lbfgs;
pub use profile::{Peaks, Profile, ProfileRow};
#[cfg(feature = "progress")]
pub(crate) use progress::bar;
pub use progress::{Progress, Verbosity};
pub use range_test::{RangeCurve, RangePoint, RangeTest};
pub use run::Run;
pub use settings::Fit;
#[cfg(all(feature = "ctrl-c", feature = "search"))]
pub(crate) use stop::CtrlC;
pub use stop::StopFlag;
