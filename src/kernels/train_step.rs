//! A whole training step of a tiny classifier in one dispatch: what the kernels of its plan compute, in their order and
//! to the bit. For devices where a dispatch costs more than what such a step computes.
//!
//! It stands for a whole plan, not for a step of one, so it is no [`Kernel`](super::Kernel) and has no twin: the CPU
//! backend has no dispatches to save. [`OneDispatch`](crate::plan::OneDispatch) says which plans it can stand for.

use super::spec::{Access, Binding, Entry, Shader, Spec, params};
use super::{Activation, SoftmaxCrossEntropyParams, UpdateParams};

params! {
    /// Sizes, places in the slab and settings. Of a network of two layers the second hidden layer has width 0.
    #[derive(Default)]
    pub struct TrainStepParams {
        /// Rows of the batch.
        rows: u32,
        /// Columns of the input.
        inputs: u32,
        /// Width of the first hidden layer.
        hidden1: u32,
        /// Width of the second.
        hidden2: u32,
        /// Classes.
        outputs: u32,
        /// Where the weights of the first layer begin in the slab, in elements.
        weight1: u32,
        /// Where its bias does.
        bias1: u32,
        /// The weights of the second layer.
        weight2: u32,
        /// Its bias.
        bias2: u32,
        /// The weights of the third layer.
        weight3: u32,
        /// Its bias.
        bias3: u32,
        /// Parameters, padding included: a multiple of 4.
        n: u32,
        /// Parameter of the activation.
        alpha: f32,
        /// Label smoothing.
        smoothing: f32,
        /// Elements of the log from one step to the next.
        log_stride: u32,
        /// Where the losses of a step begin.
        log_at: u32,
        /// Where the hits of a step begin.
        hit_at: u32,
        /// Decay of Adam's first moment; this and what follows is 0 without Adam.
        decay1: f32,
        /// Decay of the second moment.
        decay2: f32,
        /// `1 - β₁`.
        rest1: f32,
        /// `1 - β₂`.
        rest2: f32,
        /// Added to the denominator.
        epsilon: f32,
    }
}

/// Most classes: a lane holds all columns of its rows.
pub const MOST_OUTPUTS: u32 = 16;
/// Activations of a batch, in elements: what `act` in the WGSL has room for.
pub const MOST_ACTIVATIONS: u32 = 4096;

/// Most columns of the input: llvmpipe ends loops after 65,535 turns of all loops together, and up to here a step of as
/// much work as [`OneDispatch`](crate::plan::OneDispatch) allows has at most half as many.
pub const MOST_INPUTS: u32 = 4096;

/// A training step of a network of two or three dense layers.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainStep {
    /// The uniform.
    pub params: TrainStepParams,
    /// Of the hidden layers.
    pub activation: Activation,
    /// Adam, otherwise gradient descent.
    pub adam: bool,
}

impl TrainStep {
    /// Dense layers.
    pub fn layers(&self) -> u32 {
        if self.params.hidden2 == 0 { 2 } else { 3 }
    }

    /// Takes over where and how the loss is logged.
    pub(crate) fn with_loss(mut self, loss: &SoftmaxCrossEntropyParams) -> Self {
        (self.params.outputs, self.params.smoothing) = (loss.cols, loss.smoothing);
        (self.params.log_stride, self.params.log_at, self.params.hit_at) = (loss.log_stride, loss.log_at, loss.hit_at);
        self
    }

    /// Takes over the settings of Adam.
    pub(crate) fn with_adam(mut self, adam: &UpdateParams) -> Self {
        self.adam = true;
        (self.params.decay1, self.params.rest1) = (adam.decay1, adam.rest1);
        (self.params.decay2, self.params.rest2) = (adam.decay2, adam.rest2);
        self.params.epsilon = adam.epsilon;
        self
    }

    /// Quads of outputs: the last is filled up.
    fn quads(&self) -> u32 {
        self.params.outputs.div_ceil(4)
    }

    /// Whether the kernel can compute these sizes.
    pub(crate) fn takes(&self) -> bool {
        let p = &self.params;
        let hidden = p.hidden1.saturating_add(p.hidden2).saturating_add(4 * self.quads());
        p.hidden1 > 0
            && p.hidden1.is_multiple_of(4)
            && p.hidden2.is_multiple_of(4)
            && p.inputs <= MOST_INPUTS
            && (1..=MOST_OUTPUTS).contains(&p.outputs)
            && p.rows.saturating_mul(hidden) <= MOST_ACTIVATIONS
    }
}

const X: Binding = Binding::read(1, "x_data");
const Y: Binding = Binding::read(2, "y_data");
const WEIGHTS: Binding = Binding::read(3, "weights");
const ORDER: Binding = Binding::read(4, "order");
const GRADIENT: Binding = Binding::update(5, "gradient");
const PARAMETER: Binding = Binding::update(6, "parameter");
const LOG: Binding = Binding::update(9, "log");

const SGD: Entry = Entry { name: "main", bindings: &[X, Y, WEIGHTS, ORDER, GRADIENT, PARAMETER, LOG] };
const ADAM: Entry = Entry {
    name: "main",
    bindings: &[X, Y, WEIGHTS, ORDER, GRADIENT, PARAMETER, Binding::update(7, "m"), Binding::update(8, "v"), LOG],
};

macro_rules! shader {
    ($x:literal, $update:literal, $entry:expr) => {
        Shader {
            name: "train_step",
            sources: &[
                include_str!("../../shaders/lib/step.wgsl"),
                include_str!("../../shaders/lib/moment.wgsl"),
                include_str!("../../shaders/lib/math.wgsl"),
                include_str!("../../shaders/lib/activation.wgsl"),
                include_str!("../../shaders/lib/train_step.wgsl"),
                include_str!("../../shaders/lib/adam.wgsl"),
                include_str!("../../shaders/lib/train_step_blocks.wgsl"),
                include_str!(concat!("../../shaders/lib/", $x, ".wgsl")),
                include_str!(concat!("../../shaders/lib/", $update, ".wgsl")),
                include_str!("../../shaders/train_step.wgsl"),
            ],
            params: TrainStepParams::MEMBERS,
            overrides: &["LAYERS", "ACTIVATION", "QUADS"],
            workgroup_size: 8,
            uses_step: true,
            entries: &[$entry],
        }
    };
}

/// `shaders/train_step.wgsl`: by whether rows of the input can be read as vec4, then by whether the update is Adam's.
pub static SHADERS: [Shader; 4] = [
    shader!("train_step_x_any", "train_step_sgd", SGD),
    shader!("train_step_x_any", "train_step_adam", ADAM),
    shader!("train_step_x_vec4", "train_step_sgd", SGD),
    shader!("train_step_x_vec4", "train_step_adam", ADAM),
];

impl Spec for TrainStep {
    fn shader(&self) -> &'static Shader {
        match (self.params.inputs.is_multiple_of(4), self.adam) {
            (false, false) => &SHADERS[0],
            (false, true) => &SHADERS[1],
            (true, false) => &SHADERS[2],
            (true, true) => &SHADERS[3],
        }
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![
            ("LAYERS", f64::from(self.layers())),
            ("ACTIVATION", f64::from(self.activation.kind())),
            ("QUADS", f64::from(self.quads())),
        ]
    }

    fn workgroups(&self) -> u64 {
        1
    }

    fn binding_bytes(&self, binding: &Binding) -> u64 {
        let vec4 = match binding.name {
            "x_data" => self.params.inputs.is_multiple_of(4),
            "log" => false,
            _ => binding.access != Access::Read,
        };
        if vec4 { 16 } else { 4 }
    }

    /// The data, their order and the log may be of any length; the least is given.
    fn sizes(&self) -> Vec<usize> {
        let slabs = if self.adam { 4 } else { 2 };
        let slabs = std::iter::repeat_n(self.params.n as usize, slabs);
        let data = [self.params.inputs as usize, 1, 1, 1];
        data.into_iter().chain(slabs).chain([self.params.log_stride as usize]).collect()
    }
}
