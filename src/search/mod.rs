//! Searching for hyperparameters: studies of trials, and cross-validation.
//!
//! * [`Study`]: runs an objective again and again, with parameters from a grid, at random, or where good trials are
//!   dense; prunes, works in parallel, keeps a log;
//! * [`cross_validate`]: scores, their spread and out-of-fold predictions over folds;
//! * [`grid_search`], [`random_search`], [`bayesian_search`]: both together.

mod cross;
mod fold;
mod log;
mod number;
#[cfg(feature = "plot")]
mod picture;
mod progress;
mod pruner;
mod record;
mod results;
mod run;
mod sampler;
mod shared_folds;
mod space;
mod study;
mod trial;
mod value;
mod watch;
mod with_cv;
mod workers;

pub use cross::{CrossValidated, cross_validate};
pub use fold::{CrossValidation, Fold, Transform};
pub use number::{Float, Int};
#[cfg(feature = "plot")]
pub use picture::Picture;
pub use pruner::{Hyperband, MedianPruning, PatientPruning, Pruner, SuccessiveHalving};
pub use record::{Record, Score, State};
pub use results::Trials;
pub use sampler::{Grid, Random, Sampler, Tpe};
pub use space::Domain;
pub use study::Study;
pub use trial::Trial;
pub use value::Value;
pub use watch::Watch;
pub use with_cv::{BestModel, bayesian_search, grid_search, random_search};
