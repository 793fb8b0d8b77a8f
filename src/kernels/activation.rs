//! Activation functions: which there are, their conventions, and the kernels that apply them.
//!
//! Definitions and conventions are PyTorch's (`relu'(0) = 0`, `leaky_relu'(0) = slope`), but softplus is
//! exact: PyTorch's switch to `x` above 20 differs by 2e-9 relative. The gradient of a function that can
//! be inverted cheaply is computed from its output, so that the input need not be kept.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

/// A function applied to every element.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
pub enum Activation {
    /// `x`.
    Identity,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `tanh(x)`.
    Tanh,
    /// `max(x, 0)`; the gradient at 0 is 0.
    Relu,
    /// `x` above 0, else `slope · x`; the gradient at 0 is `slope`.
    LeakyRelu {
        /// Slope below 0; must be at least 0, for the sign of the output stands for the sign of `x`.
        slope: f32,
    },
    /// `x` above 0, else `alpha · (exp(x) - 1)`.
    Elu {
        /// Minus the limit at -∞; must be at least 0, for the sign of the output stands for the sign of `x`.
        alpha: f32,
    },
    /// `λ · elu(x)` with the constants of Klambauer et al. 2017, which keep mean 0 and variance 1.
    Selu,
    /// `x · sigmoid(x)`.
    Silu,
    /// `x · Φ(x)`, Φ the normal distribution function.
    Gelu,
    /// `x/2 · (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
    GeluTanh,
    /// `log(1 + exp(x))`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `min(max(x + 3, 0), 6) / 6`.
    HardSigmoid,
    /// `x · tanh(softplus(x))`.
    Mish,
}

/// λ of [`Activation::Selu`].
pub const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// α of [`Activation::Selu`].
pub const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

impl Activation {
    /// Every function, with PyTorch's default parameters, in the order of [`Activation::kind`].
    pub const ALL: [Activation; 14] = [
        Activation::Identity,
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Relu,
        Activation::LeakyRelu { slope: 0.01 },
        Activation::Elu { alpha: 1.0 },
        Activation::Selu,
        Activation::Silu,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Softplus,
        Activation::Softsign,
        Activation::HardSigmoid,
        Activation::Mish,
    ];

    /// The number of this function in `shaders/lib/activation.wgsl`.
    pub const fn kind(self) -> u32 {
        match self {
            Activation::Identity => 0,
            Activation::Sigmoid => 1,
            Activation::Tanh => 2,
            Activation::Relu => 3,
            Activation::LeakyRelu { .. } => 4,
            Activation::Elu { .. } => 5,
            Activation::Selu => 6,
            Activation::Silu => 7,
            Activation::Gelu => 8,
            Activation::GeluTanh => 9,
            Activation::Softplus => 10,
            Activation::Softsign => 11,
            Activation::HardSigmoid => 12,
            Activation::Mish => 13,
        }
    }

    /// The parameter of the function; 0 where it has none.
    pub const fn alpha(self) -> f32 {
        match self {
            Activation::LeakyRelu { slope } => slope,
            Activation::Elu { alpha } => alpha,
            _ => 0.0,
        }
    }

    /// The name in summaries and plans.
    pub const fn name(self) -> &'static str {
        match self {
            Activation::Identity => "identity",
            Activation::Sigmoid => "sigmoid",
            Activation::Tanh => "tanh",
            Activation::Relu => "relu",
            Activation::LeakyRelu { .. } => "leaky_relu",
            Activation::Elu { .. } => "elu",
            Activation::Selu => "selu",
            Activation::Silu => "silu",
            Activation::Gelu => "gelu",
            Activation::GeluTanh => "gelu_tanh",
            Activation::Softplus => "softplus",
            Activation::Softsign => "softsign",
            Activation::HardSigmoid => "hard_sigmoid",
            Activation::Mish => "mish",
        }
    }

    /// Whether the gradient is computed from the output `y`; otherwise from the input `x`.
    pub const fn saves_output(self) -> bool {
        self.kind() <= Activation::Selu.kind()
    }

    /// Operations for an element, as [`Spec::flops`] counts them.
    pub(super) fn flops(self) -> u64 {
        u64::from(self != Activation::Identity)
    }

    /// Of the derivative and its product with the gradient from above.
    pub(super) fn gradient_flops(self) -> u64 {
        2 * self.flops()
    }

    /// The largest `|f'|`: how much the function can enlarge an error of its input.
    pub fn lipschitz(self) -> f64 {
        match self {
            Activation::Sigmoid => 0.25,
            Activation::LeakyRelu { slope } => f64::from(slope).abs().max(1.0),
            Activation::Elu { alpha } => f64::from(alpha).abs().max(1.0),
            Activation::Selu => SELU_SCALE * SELU_ALPHA,
            Activation::Silu => LIPSCHITZ_SILU,
            Activation::Gelu => LIPSCHITZ_GELU,
            Activation::GeluTanh => LIPSCHITZ_GELU_TANH,
            Activation::HardSigmoid => 1.0 / 6.0,
            Activation::Mish => LIPSCHITZ_MISH,
            Activation::Identity
            | Activation::Tanh
            | Activation::Relu
            | Activation::Softplus
            | Activation::Softsign => 1.0,
        }
    }
}

// The maxima of |f'|, by mpmath at 30 digits, rounded up in the last digit.
const LIPSCHITZ_SILU: f64 = 1.099_839_320_2;
const LIPSCHITZ_GELU: f64 = 1.128_904_145_2;
const LIPSCHITZ_GELU_TANH: f64 = 1.128_993_068_7;
const LIPSCHITZ_MISH: f64 = 1.088_498_161_3;

params! {
    /// `Params` of `activation` and `activation_grad`.
    pub struct ActivationParams {
        /// Elements.
        n: u32,
        /// [`Activation::alpha`].
        alpha: f32,
    }
}

/// `y = f(x)`.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationForward {
    /// The function.
    pub function: Activation,
    /// The uniform.
    pub params: ActivationParams,
}

/// `dx = dy · f'`, from `saved`: the output where [`Activation::saves_output`], else the input.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationGrad {
    /// The function.
    pub function: Activation,
    /// The uniform.
    pub params: ActivationParams,
}

impl ActivationForward {
    /// `function` over `n` elements.
    pub fn new(function: Activation, n: u32) -> Self {
        Self { function, params: ActivationParams { n, alpha: function.alpha() } }
    }
}

impl ActivationGrad {
    /// The gradient of `function` over `n` elements.
    pub fn new(function: Activation, n: u32) -> Self {
        Self { function, params: ActivationParams { n, alpha: function.alpha() } }
    }
}

/// `shaders/activation.wgsl`.
pub const SHADER: Shader = Shader {
    name: "activation",
    sources: &[
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/activation.wgsl"),
        include_str!("../../shaders/activation.wgsl"),
    ],
    params: ActivationParams::MEMBERS,
    overrides: &["KIND"],
    workgroup_size: 256,
    uses_step: false,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x").or_half(), Binding::write(2, "y").or_half()] }],
};

/// `shaders/activation_grad.wgsl`.
pub const GRAD_SHADER: Shader = Shader {
    name: "activation_grad",
    sources: &[
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/activation.wgsl"),
        include_str!("../../shaders/activation_grad.wgsl"),
    ],
    entries: &[Entry {
        name: "main",
        bindings: &[
            Binding::read(1, "saved").or_half(),
            Binding::read(2, "dy").or_half(),
            Binding::write(3, "dx").or_half(),
        ],
    }],
    ..SHADER
};

impl Spec for ActivationForward {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![("KIND", f64::from(self.function.kind()))]
    }

    fn workgroups(&self) -> u64 {
        groups(self.params.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.params.n as usize; 2]
    }

    fn flops(&self) -> u64 {
        self.function.flops() * u64::from(self.params.n)
    }

    fn is_flat(&self) -> bool {
        true
    }
}

impl Spec for ActivationGrad {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        vec![("KIND", f64::from(self.function.kind()))]
    }

    fn workgroups(&self) -> u64 {
        groups(self.params.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.params.n as usize; 3]
    }

    fn flops(&self) -> u64 {
        self.function.gradient_flops() * u64::from(self.params.n)
    }

    fn is_flat(&self) -> bool {
        true
    }
}
