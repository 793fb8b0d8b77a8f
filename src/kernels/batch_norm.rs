//! Batch normalisation (Ioffe & Szegedy 2015): what it measures of a batch, what it makes of it, and its gradients.
//!
//! Training runs three dispatches a layer: `train` measures and normalises, `running_statistics` follows the measured
//! numbers, `all_three` computes the three gradients. The other entry points are the same work in parts: for
//! inference, for unfused plans, and where not every gradient is wanted.

use super::columns::{WORKGROUP, column_groups, lanes_override};
use super::spec::{Binding, Entry, Shader, Spec, cells, groups, params};

/// What of a normalisation a dispatch computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormPart {
    /// The statistics.
    Measure,
    /// The normalised values, from known statistics.
    Normalize,
    /// Both.
    Both,
}

impl NormPart {
    /// Operations for an element. Sum; difference, square, sum; then a difference, two products and a sum.
    pub(super) fn flops(self) -> u64 {
        match self {
            NormPart::Measure | NormPart::Normalize => 4,
            NormPart::Both => 8,
        }
    }
}

params! {
    /// `Params` of `batch_norm`.
    pub struct BatchNormParams {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Where in `running` the variance begins.
        running_at: u32,
        /// Where in `known` the variance begins.
        known_at: u32,
        /// Added to the variance.
        epsilon: f32,
    }
}

/// `y = scale (x - mean) / √(variance + ε) + shift` by columns.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNorm {
    /// What to compute.
    pub part: NormPart,
    /// The uniform.
    pub params: BatchNormParams,
}

const X: Binding = Binding::read(1, "x");
const RUNNING: Binding = Binding::read(2, "running");
const SCALE: Binding = Binding::read(3, "scale");
const SHIFT: Binding = Binding::read(4, "shift");
const STATISTICS: Binding = Binding::write(6, "statistics");
const Y: Binding = Binding::write(7, "y");

/// `shaders/batch_norm.wgsl`.
pub const SHADER: Shader = Shader {
    name: "batch_norm",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/columns.wgsl"),
        include_str!("../../shaders/batch_norm.wgsl"),
    ],
    params: BatchNormParams::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: true,
    entries: &[
        Entry { name: "measure_alone", bindings: &[X, RUNNING, STATISTICS] },
        Entry { name: "normalize", bindings: &[X, SCALE, SHIFT, Binding::read(5, "known"), Y] },
        Entry { name: "train", bindings: &[X, RUNNING, SCALE, SHIFT, STATISTICS, Y] },
    ],
};

impl Spec for BatchNorm {
    fn entry(&self) -> &'static Entry {
        &SHADER.entries[self.part as usize]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.params.cols)]
    }

    fn workgroups(&self) -> u64 {
        match self.part {
            NormPart::Normalize => groups(self.params.rows as usize * self.params.cols as usize, 256),
            NormPart::Measure | NormPart::Both => column_groups(self.params.cols),
        }
    }

    fn sizes(&self) -> Vec<usize> {
        let (cols, n) = (self.params.cols as usize, self.params.rows as usize * self.params.cols as usize);
        let (running, known) = (self.params.running_at as usize + cols, self.params.known_at as usize + cols);
        match self.part {
            NormPart::Measure => vec![n, running, 2 * cols],
            NormPart::Normalize => vec![n, cols, cols, known, n],
            NormPart::Both => vec![n, running, cols, cols, 2 * cols, n],
        }
    }

    fn flops(&self) -> u64 {
        self.part.flops() * cells(self.params.rows, self.params.cols)
    }
}

/// Which gradients of a batch normalisation a dispatch computes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BatchNormGradPart {
    /// With respect to the input.
    Input,
    /// With respect to the scale.
    Scale,
    /// With respect to the input, the scale and the shift.
    All,
}

params! {
    /// `Params` of `batch_norm_grad`.
    pub struct BatchNormGradParams {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Where in `statistics` the variance begins.
        variance_at: u32,
        /// Where in `dparameters` the gradient of the shift begins.
        shift_at: u32,
        /// Added to the variance.
        epsilon: f32,
        /// 1 where the statistics do not depend on the input: the running ones.
        known: u32,
    }
}

/// The gradients of a batch normalisation.
#[derive(Debug, Clone, PartialEq)]
pub struct BatchNormGrad {
    /// What to compute.
    pub part: BatchNormGradPart,
    /// The uniform.
    pub params: BatchNormGradParams,
}

const MEASURED: Binding = Binding::read(2, "statistics");
const DY: Binding = Binding::read(4, "dy");
const DX: Binding = Binding::write(5, "dx");

/// `shaders/batch_norm_grad.wgsl`.
pub const GRAD_SHADER: Shader = Shader {
    name: "batch_norm_grad",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/columns.wgsl"),
        include_str!("../../shaders/batch_norm_grad.wgsl"),
    ],
    params: BatchNormGradParams::MEMBERS,
    entries: &[
        Entry { name: "input", bindings: &[X, MEASURED, SCALE, DY, DX] },
        Entry { name: "scale_alone", bindings: &[X, MEASURED, DY, Binding::write(6, "dparameters")] },
        // What lies between the two gradients is left as it was.
        Entry { name: "all_three", bindings: &[X, MEASURED, SCALE, DY, DX, Binding::update(6, "dparameters")] },
    ],
    ..SHADER
};

impl Spec for BatchNormGrad {
    fn entry(&self) -> &'static Entry {
        &GRAD_SHADER.entries[self.part as usize]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.params.cols)]
    }

    fn workgroups(&self) -> u64 {
        column_groups(self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (cols, n) = (self.params.cols as usize, self.params.rows as usize * self.params.cols as usize);
        let statistics = self.params.variance_at as usize + cols;
        match self.part {
            BatchNormGradPart::Input => vec![n, statistics, cols, n, n],
            BatchNormGradPart::Scale => vec![n, statistics, n, cols],
            BatchNormGradPart::All => vec![n, statistics, cols, n, n, self.params.shift_at as usize + cols],
        }
    }

    /// n: 2; sums of dy and dy n: 3; the step back: a product, a sum, a product, a difference, a product.
    fn flops(&self) -> u64 {
        let each = match self.part {
            BatchNormGradPart::Scale => 4,
            BatchNormGradPart::Input | BatchNormGradPart::All => 10,
        };
        each * cells(self.params.rows, self.params.cols)
    }
}

params! {
    /// `running ← (1 - momentum) running + momentum · statistics`, the variance unbiased.
    pub struct RunningStatistics {
        /// Rows of the batch.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Where in `running` the variance begins.
        running_at: u32,
        /// Share of the batch.
        momentum: f32,
    }
}

/// `shaders/running_statistics.wgsl`.
pub const RUNNING_SHADER: Shader = Shader {
    name: "running_statistics",
    sources: &[include_str!("../../shaders/lib/step.wgsl"), include_str!("../../shaders/running_statistics.wgsl")],
    params: RunningStatistics::MEMBERS,
    overrides: &[],
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "statistics"), Binding::update(2, "running")] }],
    ..SHADER
};

impl Spec for RunningStatistics {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.cols as usize, 256)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![2 * self.cols as usize, (self.running_at + self.cols) as usize]
    }

    /// Two products and a sum for the mean, one product more for the variance.
    fn flops(&self) -> u64 {
        7 * u64::from(self.cols)
    }

    fn touched(&self, bound: &[usize]) -> u64 {
        self.entry().touched_twice(bound)
    }
}
