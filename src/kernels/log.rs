//! Copies the values of each row to the log of the epoch: what the host reads when it is over, and makes the losses and
//! metrics of.
//!
//! The log is `(steps, slots, rows)`; a matrix takes a slot for each of its columns. Loss and accuracy kernels write
//! there themselves once their plan is fused; this kernel does it for any other value.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params, touched_or};

params! {
    /// `log[step.log_row · log_stride + log_at + c · rows + r] = values[r, c]`.
    pub struct Log {
        /// Rows of a batch.
        rows: u32,
        /// Columns, each a slot of the log.
        cols: u32,
        /// Elements of the log from one step to the next.
        log_stride: u32,
        /// Where the values of a step begin.
        log_at: u32,
    }
}

/// `shaders/log.wgsl`.
pub const SHADER: Shader = Shader {
    name: "log",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/log.wgsl")],
    params: Log::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "values"), Binding::update(2, "log")] }],
};

impl Spec for Log {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize * self.cols as usize, 256)
    }

    /// The log may have any number of steps; the least, one, is given.
    fn sizes(&self) -> Vec<usize> {
        vec![self.rows as usize * self.cols as usize, self.log_stride as usize]
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [cells(self.rows, self.cols); 2])
    }
}
