//! A batch that is the whole data set, in its own order, is read where the data lie.

use super::{Buffer, BufferRange, Plan, PlanStep};
use crate::kernels::{GatherWeights, Kernel};

impl Plan {
    /// The same plan without the gathering of inputs and targets: what read them reads the data. For a data set of as
    /// many rows as a batch has, visited in its own order; weights are gathered still, to be divided by their sum.
    pub(crate) fn in_place(mut self) -> Self {
        let mut moved: Vec<(BufferRange, BufferRange)> = Vec::new();
        let mut steps = Vec::with_capacity(self.steps.len());
        for mut step in self.steps {
            let gathered: &[[usize; 2]] = match &step.kernel {
                Kernel::Gather(_) => &[[0, 2]],
                Kernel::GatherBatch(_) => &[[0, 4], [1, 5]],
                _ => &[],
            };
            if !gathered.is_empty() {
                for &[from, to] in gathered {
                    let (data, batch) = (step.operands[from].buffer, step.operands[to]);
                    moved.push((batch, BufferRange::of(data, batch.fixed())));
                }
                if let Kernel::GatherBatch(batch) = step.kernel {
                    let kernel = Kernel::GatherWeights(GatherWeights { rows: batch.rows });
                    let operands = [2, 3, 6].map(|i| step.operands[i]).to_vec();
                    steps.push(PlanStep { kernel, operands, name: step.name });
                }
                continue;
            }
            let reads: Vec<bool> = {
                let access = step.kernel.spec().entry().bindings.iter();
                access.map(|binding| binding.access == crate::kernels::Access::Read).collect()
            };
            for (range, _) in step.operands.iter_mut().zip(&reads).filter(|(_, read)| **read) {
                if let Some((_, data)) = moved.iter().find(|(batch, _)| batch == range) {
                    *range = *data;
                }
            }
            // What is written takes the place of a batch that nothing reads any more.
            let written: Vec<Buffer> = step.writes().map(|range| range.buffer).collect();
            moved.retain(|(batch, _)| !written.contains(&batch.buffer));
            steps.push(step);
        }
        self.steps = steps;
        self
    }
}
