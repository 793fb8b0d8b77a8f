//! The batch of a step: rows of the data set in the order of the epoch, and their weights.
//!
//! Rows past `step.valid` are padding: zeros with weight 0, so the last, partial batch of an epoch
//! runs on the plan of every other.

use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params, touched_or};

params! {
    /// `batch[r] = data[order[step.start + r]]`, zeros from row `step.valid` on.
    pub struct Gather {
        /// Rows of the batch.
        rows: u32,
        /// Columns of the data and the batch.
        cols: u32,
    }
}

params! {
    /// `row_scale[r] = weights[order[step.start + r]] · step.inverse_weight`; 0 from row `step.valid` on.
    pub struct GatherWeights {
        /// Rows of the batch.
        rows: u32,
    }
}

params! {
    /// [`Gather`] of an input and of a target and [`GatherWeights`] in one dispatch.
    pub struct GatherBatch {
        /// Rows of the batch.
        rows: u32,
        /// Columns of the input.
        x_cols: u32,
        /// Columns of the target.
        y_cols: u32,
    }
}

/// `shaders/gather.wgsl`.
pub const SHADER: Shader = Shader {
    name: "gather",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/gather.wgsl")],
    params: Gather::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "data"), Binding::read(2, "order"), Binding::write(3, "batch").or_half()],
    }],
};

/// `shaders/gather_weights.wgsl`.
pub const WEIGHTS_SHADER: Shader = Shader {
    name: "gather_weights",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/gather_weights.wgsl")],
    params: GatherWeights::MEMBERS,
    entries: &[Entry {
        name: "main",
        bindings: &[Binding::read(1, "weights"), Binding::read(2, "order"), Binding::write(3, "row_scale")],
    }],
    ..SHADER
};

/// `shaders/gather_batch.wgsl` for inputs with rows of any length.
pub const BATCH_SHADER: Shader = Shader {
    name: "gather_batch",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/gather_x_any.wgsl"),
        include_str!("../../shaders/gather_batch.wgsl"),
    ],
    params: GatherBatch::MEMBERS,
    entries: &[Entry {
        name: "main",
        bindings: &[
            Binding::read(1, "x_data"),
            Binding::read(2, "y_data"),
            Binding::read(3, "weights"),
            Binding::read(4, "order"),
            Binding::write(5, "x").or_half(),
            Binding::write(6, "y"),
            Binding::write(7, "row_scale"),
        ],
    }],
    ..SHADER
};

/// `shaders/gather_batch.wgsl` for inputs whose rows begin at multiples of 4 elements.
pub const BATCH_VEC4_SHADER: Shader = Shader {
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/gather_x_vec4.wgsl"),
        include_str!("../../shaders/gather_batch.wgsl"),
    ],
    ..BATCH_SHADER
};

impl GatherBatch {
    fn x_is_vec4(&self) -> bool {
        self.x_cols.is_multiple_of(4)
    }
}

impl Spec for Gather {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize * (self.cols as usize).div_ceil(4), 256)
    }

    /// The data and its order may be of any length; the least is given.
    fn sizes(&self) -> Vec<usize> {
        vec![self.cols as usize, 1, self.rows as usize * self.cols as usize]
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [cells(self.rows, self.cols), self.rows.into(), 0])
    }
}

impl Spec for GatherWeights {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize, 1024)
    }

    /// The weights and the order may be of any length; the least is given.
    fn sizes(&self) -> Vec<usize> {
        vec![1, 1, self.rows as usize]
    }

    /// A weight times the inverse of their sum.
    fn flops(&self) -> u64 {
        self.rows.into()
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        touched_or(bound, [self.rows.into(); 3])
    }
}

impl Spec for GatherBatch {
    fn shader(&self) -> &'static Shader {
        if self.x_is_vec4() { &BATCH_VEC4_SHADER } else { &BATCH_SHADER }
    }

    fn binding_bytes(&self, binding: &Binding) -> u64 {
        if self.x_is_vec4() && matches!(binding.name, "x_data" | "x") { 16 } else { 4 }
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.rows as usize * (self.x_cols.max(self.y_cols) as usize).div_ceil(4), 256)
    }

    /// The data and the order may be of any length; the least is given.
    fn sizes(&self) -> Vec<usize> {
        let (rows, x, y) = (self.rows as usize, self.x_cols as usize, self.y_cols as usize);
        vec![x, y, 1, 1, rows * x, rows * y, rows]
    }

    fn flops(&self) -> u64 {
        self.rows.into()
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        let rows = u64::from(self.rows);
        let (x, y) = (cells(self.rows, self.x_cols), cells(self.rows, self.y_cols));
        touched_or(bound, [x, y, rows, rows, 0, 0, 0])
    }
}
