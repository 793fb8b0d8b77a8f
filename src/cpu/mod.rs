//! The CPU backend: a twin of every kernel, generic over f32 and f64, and the executor that runs a plan with them.

mod executor;
mod forward;
mod parallel;
mod product;
mod real;
mod sums;
mod twins;

pub use executor::{CpuExecutor, info};
pub(crate) use forward::{Forward, Weights};
pub use real::Real;
pub(crate) use twins::blend::blend;
pub(crate) use twins::update::{Number, update};

use crate::kernels::{Kernel, Step};

/// Runs the twin of `kernel`. `reads` and `writes` are its buffers in binding order without the row order of the
/// data set, which comes as `order`; `step` is what changes from step to step.
///
/// The twins are plain loops; they are compiled once for each instruction set that matters, and the widest one that
/// this CPU has is chosen here. Large elementwise kernels are shared out to all threads.
pub fn run<T: Real>(
    kernel: &Kernel,
    reads: &[&[T]],
    writes: &mut [&mut [T]],
    order: &[u32],
    step: &Step,
) -> crate::Result<()> {
    if !kernel.spec().is_flat() {
        return Twin { kernel, reads, writes, order, step }.dispatch();
    }
    parallel::halves(reads, writes, &|reads, writes| Twin { kernel, reads, writes, order, step }.dispatch())
}

/// A call of [`twins::twin`], to be made with the CPU's own instruction set.
struct Twin<'a, 'b, T> {
    kernel: &'a Kernel,
    reads: &'a [&'a [T]],
    writes: &'a mut [&'b mut [T]],
    order: &'a [u32],
    step: &'a Step,
}

impl<T: Real> Twin<'_, '_, T> {
    fn dispatch(self) -> crate::Result<()> {
        pulp::Arch::new().dispatch(self)
    }
}

impl<T: Real> pulp::WithSimd for Twin<'_, '_, T> {
    type Output = crate::Result<()>;

    #[inline(always)]
    fn with_simd<S: pulp::Simd>(self, _: S) -> Self::Output {
        twins::twin(self.kernel, self.reads, self.writes, self.order, self.step)
    }
}
