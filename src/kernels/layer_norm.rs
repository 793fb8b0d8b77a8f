//! Layer normalisation (Ba, Kiros & Hinton 2016): each row by its own mean and variance, and its gradients.

use super::batch_norm::NormPart;
use super::columns;
use super::rows::{WORKGROUP, lanes_override, row_groups};
use super::spec::{Binding, Entry, Shader, Spec, cells, params};

params! {
    /// `Params` of `layer_norm`.
    pub struct LayerNormParams {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Added to the variance.
        epsilon: f32,
    }
}

/// `y = scale (x - mean) / √(variance + ε) + shift` by rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNorm {
    /// What to compute; what it measures of a row is the mean and `1 / √(variance + ε)`.
    pub part: NormPart,
    /// The uniform.
    pub params: LayerNormParams,
}

const X: Binding = Binding::read(1, "x");
const SCALE: Binding = Binding::read(2, "scale");
const SHIFT: Binding = Binding::read(3, "shift");
const STATISTICS: Binding = Binding::write(5, "statistics");
const Y: Binding = Binding::write(6, "y");

/// `shaders/layer_norm.wgsl`.
pub const SHADER: Shader = Shader {
    name: "layer_norm",
    sources: &[include_str!("../../shaders/lib/rows.wgsl"), include_str!("../../shaders/layer_norm.wgsl")],
    params: LayerNormParams::MEMBERS,
    overrides: &["LANES"],
    workgroup_size: WORKGROUP,
    uses_step: false,
    entries: &[
        Entry { name: "measure_alone", bindings: &[X, STATISTICS] },
        Entry { name: "normalize", bindings: &[X, SCALE, SHIFT, Binding::read(4, "known"), Y] },
        Entry { name: "train", bindings: &[X, SCALE, SHIFT, STATISTICS, Y] },
    ],
};

impl Spec for LayerNorm {
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
        row_groups(self.params.rows, self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        match self.part {
            NormPart::Measure => vec![rows * cols, 2 * rows],
            NormPart::Normalize => vec![rows * cols, cols, cols, 2 * rows, rows * cols],
            NormPart::Both => vec![rows * cols, cols, cols, 2 * rows, rows * cols],
        }
    }

    fn flops(&self) -> u64 {
        self.part.flops() * cells(self.params.rows, self.params.cols)
    }
}

params! {
    /// The gradient of a layer normalisation with respect to its input.
    pub struct LayerNormGrad {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
    }
}

/// `shaders/layer_norm_grad.wgsl`.
pub const GRAD_SHADER: Shader = Shader {
    name: "layer_norm_grad",
    sources: &[include_str!("../../shaders/lib/rows.wgsl"), include_str!("../../shaders/layer_norm_grad.wgsl")],
    params: LayerNormGrad::MEMBERS,
    entries: &[Entry {
        name: "main",
        bindings: &[
            X,
            Binding::read(2, "statistics"),
            Binding::read(3, "scale"),
            Binding::read(4, "dy"),
            Binding::write(5, "dx"),
        ],
    }],
    ..SHADER
};

impl Spec for LayerNormGrad {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![lanes_override(self.cols)]
    }

    fn workgroups(&self) -> u64 {
        row_groups(self.rows, self.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.rows as usize, self.cols as usize);
        vec![rows * cols, 2 * rows, cols, rows * cols, rows * cols]
    }

    /// As that of a batch normalisation, and g.
    fn flops(&self) -> u64 {
        11 * cells(self.rows, self.cols)
    }
}

params! {
    /// `Params` of `layer_norm_scale_grad`.
    pub struct LayerNormScaleGradParams {
        /// Rows.
        rows: u32,
        /// Columns.
        cols: u32,
        /// Where in `dparameters` the gradient of the shift begins.
        shift_at: u32,
    }
}

/// The gradients of a layer normalisation with respect to its scale and shift: sums over the rows.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerNormScaleGrad {
    /// Also the gradient of the shift.
    pub with_shift: bool,
    /// The uniform.
    pub params: LayerNormScaleGradParams,
}

const MEASURED: Binding = Binding::read(2, "statistics");
const DY: Binding = Binding::read(3, "dy");

/// `shaders/layer_norm_scale_grad.wgsl`.
pub const SCALE_GRAD_SHADER: Shader = Shader {
    name: "layer_norm_scale_grad",
    sources: &[
        include_str!("../../shaders/lib/columns.wgsl"),
        include_str!("../../shaders/layer_norm_scale_grad.wgsl"),
    ],
    params: LayerNormScaleGradParams::MEMBERS,
    workgroup_size: columns::WORKGROUP,
    entries: &[
        Entry { name: "scale_alone", bindings: &[X, MEASURED, DY, Binding::write(4, "dparameters")] },
        // What lies between the two gradients is left as it was.
        Entry { name: "scale_and_shift", bindings: &[X, MEASURED, DY, Binding::update(4, "dparameters")] },
    ],
    ..SHADER
};

impl Spec for LayerNormScaleGrad {
    fn entry(&self) -> &'static Entry {
        &SCALE_GRAD_SHADER.entries[usize::from(self.with_shift)]
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![columns::lanes_override(self.params.cols)]
    }

    fn workgroups(&self) -> u64 {
        columns::column_groups(self.params.cols)
    }

    fn sizes(&self) -> Vec<usize> {
        let (rows, cols) = (self.params.rows as usize, self.params.cols as usize);
        let shift = if self.with_shift { self.params.shift_at as usize } else { 0 };
        vec![rows * cols, 2 * rows, rows * cols, shift + cols]
    }

    fn flops(&self) -> u64 {
        (4 + u64::from(self.with_shift)) * cells(self.params.rows, self.params.cols)
    }
}
