//! Where the time of a training step goes: one row for each dispatch.
//!
//! A row's time is the median of its runs. Its work ([`Work`]) is what the mathematics asks for, so its rates are
//! honest: a kernel that reads an operand twice gains nothing by it. Its share of the peak is the larger of two,
//! operations against the best product of matrices and bytes against the memory, because a kernel can be bound by
//! either. Values that still lie in a cache come faster than memory gives them: a share may then exceed 100 %.

mod measure;
mod trace;

pub(super) use measure::{copy_slabs, profile};

use crate::plan::device_info::DeviceInfo;
use crate::plan::{Clock, Span, Work};
use crate::text::table;
use std::fmt;

/// What a device reaches, measured with the kernels of this crate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peaks {
    /// GFLOP/s of the best square product of matrices.
    pub gflops: f64,
    /// GB/s of the best of a large `scale`, `sgd` and `adam`: from memory, not from a cache.
    pub gigabytes: f64,
}

/// One dispatch of the training step.
#[derive(Debug, Clone, PartialEq)]
pub struct ProfileRow {
    /// The WGSL file, with the entry point where it has several.
    pub kernel: String,
    /// The layer it came from; `d` in front: its gradient.
    pub layer: String,
    /// The median of its runs, in seconds.
    pub seconds: f64,
    /// What it had to do.
    pub work: Work,
}

impl ProfileRow {
    /// Achieved GFLOP/s.
    pub fn gflops(&self) -> f64 {
        rate(self.work.flops, self.seconds)
    }

    /// Achieved GB/s.
    pub fn gigabytes(&self) -> f64 {
        rate(self.work.bytes, self.seconds)
    }

    /// The share of what the device reaches, in operations or in bytes, whichever is more; 1 is all of it.
    pub fn share(&self, peaks: &Peaks) -> f64 {
        let share = |rate: f64, peak: f64| if peak > 0.0 { rate / peak } else { 0.0 };
        share(self.gflops(), peaks.gflops).max(share(self.gigabytes(), peaks.gigabytes))
    }
}

/// Thousand millions a second; 0 where the clock was too coarse to see any time pass.
pub(super) fn rate(work: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { work as f64 / seconds * 1e-9 } else { 0.0 }
}

/// The time of each kernel of a training step: from [`Model::profile`](crate::model::Model::profile) or
/// [`Fit::profile`](super::Fit::profile).
///
/// It prints as a table, in the order of the plan, and writes itself as a trace.
///
/// ```
/// use axone::prelude::*;
///
/// let net = Sequential::new(4).add(Dense::new(3).activation(Activation::Softmax));
/// let mut model = net.compile(Device::cpu(), Loss::CategoricalCrossEntropy, Sgd::default())?;
/// let data = Dataset::new([[0.0, 1.0, 2.0, 3.0], [3.0, 2.0, 1.0, 0.0]], [0, 2])?;
/// let profile = model.profile(&data, 2)?;
/// assert_eq!(profile.rows[1].layer, "dense_1");
/// assert_eq!(profile.rows[1].work.flops, 2 * 2 * 3 * 4 + 2 * 3); // x W, and the bias
/// println!("{profile}");
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// The device.
    pub device: DeviceInfo,
    /// Rows of a batch.
    pub batch: usize,
    /// Steps that were timed.
    pub runs: usize,
    /// The clock that timed them.
    pub clock: Clock,
    /// What the device reaches; measured once a process.
    pub peaks: Peaks,
    /// The dispatches of a step, in order.
    pub rows: Vec<ProfileRow>,
    /// When each dispatch ran, of a few steps.
    pub(super) timeline: Vec<Vec<Span>>,
}

impl Profile {
    /// What the kernels of a step take together, in seconds; the time between them is not in it.
    pub fn seconds(&self) -> f64 {
        self.rows.iter().map(|row| row.seconds).sum()
    }

    /// What a step has to do.
    pub fn work(&self) -> Work {
        self.rows.iter().map(|row| row.work).sum()
    }

    /// All rows as one.
    fn total(&self) -> ProfileRow {
        let (kernel, layer) = ("all".to_owned(), String::new());
        ProfileRow { kernel, layer, seconds: self.seconds(), work: self.work() }
    }

    fn cells(&self, row: &ProfileRow) -> Vec<String> {
        let all = self.seconds();
        let part = if all > 0.0 { 100.0 * row.seconds / all } else { 0.0 };
        vec![
            row.kernel.clone(),
            row.layer.clone(),
            format!("{:.1}", row.seconds * 1e6),
            format!("{part:.1} %"),
            format!("{:.2}", row.gflops()),
            format!("{:.2}", row.gigabytes()),
            format!("{:.1} %", 100.0 * row.share(&self.peaks)),
        ]
    }
}

/// A header and a table: kernel, layer, microseconds, part of the step, GFLOP/s, GB/s, share of the peak.
impl fmt::Display for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, peaks) = (self.rows.len(), &self.peaks);
        writeln!(f, "{}", self.device)?;
        writeln!(f, "training step, batch {}: {count} dispatches, median of {} runs", self.batch, self.runs)?;
        writeln!(f, "timed by {}", self.clock)?;
        let (gflops, gigabytes) = (peaks.gflops, peaks.gigabytes);
        writeln!(f, "peak: best matmul {gflops:.1} GFLOP/s, memory {gigabytes:.1} GB/s")?;
        let head = ["kernel", "layer", "us", "of step", "GFLOP/s", "GB/s", "of peak"].map(String::from).to_vec();
        let total = self.total();
        let rows = self.rows.iter().chain([&total]).map(|row| self.cells(row));
        write!(f, "\n{}", table(&[head].into_iter().chain(rows).collect::<Vec<_>>(), 2))
    }
}
