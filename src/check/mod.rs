//! Verification: every kernel, every plan and every gradient against the f64 twins.
//!
//! * [`kernels`] and [`Check`]: every kernel over sizes that tiles do not divide, outputs poisoned with NaN and framed
//!   by sentinels;
//! * [`compare`]: the plans of a model, dispatch by dispatch, each judged on the very bytes it read, and a few
//!   training steps end to end;
//! * [`gradient_check`]: derivatives against finite differences, in f64.
//!
//! Tolerances are derived in [`tolerance`], not chosen.

mod cases;
mod compare;
mod gradient;
mod progress;
mod report;
mod run;
mod suite;
mod tolerance;

use cases::quick_matmul_cases;
pub use cases::{Case, SHAPES, cases, large_cases, matmul_cases};
pub use compare::compare;
pub use gradient::gradient_check;
pub use report::{Outcome, Report, Row};
pub use run::{FRAME, judge_outputs, kernels_on, run_case};
pub use suite::{Check, kernels};
pub use tolerance::{Judged, tolerance};
