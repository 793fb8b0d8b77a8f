//! Which kernels are checked at which sizes.

use super::progress::Progress;
use super::run::rows_of;
use super::{Report, SHAPES, cases, large_cases, matmul_cases, quick_matmul_cases};
use crate::Result;
use crate::device::Device;
use crate::train::Verbosity;
use rayon::prelude::*;

/// The shapes of a quick check: less than a tile, and more than one with rests on both sides.
const QUICK_SHAPES: [(u32, u32); 2] = [(3, 33), (130, 17)];

/// A check of the kernels on a device: every kernel, tile and activation, at many sizes or at few.
///
/// ```no_run
/// use axone::Device;
/// use axone::check::Check;
///
/// let report = Check::quick().run(&Device::auto()?)?;
/// println!("{report}");
/// assert_eq!(report.failed(), 0);
/// # Ok::<(), axone::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Check {
    quick: bool,
    verbosity: Verbosity,
}

impl Check {
    /// At every size: minutes on a software adapter, most of it for compiling.
    pub fn full() -> Self {
        Self { quick: false, verbosity: Verbosity::default() }
    }

    /// At a few sizes, and none with more than 65,535 workgroups.
    pub fn quick() -> Self {
        Self { quick: true, ..Self::full() }
    }

    /// How much it says on standard error while it runs; a bar or, where that is no terminal, a line for each tenth if
    /// not told otherwise.
    pub fn verbosity(self, verbosity: Verbosity) -> Self {
        Self { verbosity, ..self }
    }

    /// Runs it on `device` and judges the results against the f64 twins.
    ///
    /// # Errors
    /// [`Error::Value`](crate::Error::Value) where the environment asks for what there is not (`AXONE_TUNE`). A result
    /// that is wrong, and a kernel that cannot be compiled or run, is a failed row.
    pub fn run(self, device: &Device) -> Result<Report> {
        let shapes: &[(u32, u32)] = if self.quick { &QUICK_SHAPES } else { &SHAPES };
        let products = || if self.quick { quick_matmul_cases() } else { matmul_cases() };
        let large = if self.quick { Vec::new() } else { large_cases() };
        let by_shape: usize = shapes.par_iter().map(|&(rows, cols)| cases(rows, cols).len()).sum();
        let progress = Progress::new(self.verbosity, &device.info().name, by_shape + products().len() + large.len());
        let by_shape = shapes.iter().flat_map(|&(rows, cols)| cases(rows, cols));
        rows_of(device, by_shape.chain(products()).chain(large.into_iter().map(|make| make())), progress)
    }
}

/// Every kernel at every size on `device`, judged against the f64 twin, without a word: [`Check::full`].
///
/// # Errors
/// As [`Check::run`].
///
/// ```no_run
/// let report = axone::check::kernels(&axone::Device::auto()?)?;
/// println!("{report}");
/// assert_eq!(report.failed(), 0);
/// # Ok::<(), axone::Error>(())
/// ```
pub fn kernels(device: &Device) -> Result<Report> {
    Check::full().verbosity(Verbosity::Silent).run(device)
}
