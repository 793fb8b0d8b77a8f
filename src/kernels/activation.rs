//! Activation functions: which there are, their conventions, and the kernels that apply them.
//!
//! Definitions and conventions are PyTorch's (`relu'(0) = 0`, `leaky_relu'(0) = slope`), but softplus is
//! exact: PyTorch's switch to `x` above 20 differs by 2e-9 relative. The gradient of a function that can
//! be inverted cheaply is computed from its output, so that the input need not be kept.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};
use crate::formula::{Formula, Symbol};
use crate::{Error, Result};
use std::fmt;

/// Writes [`Activation`] and what is asked of it from one table. Of an elementwise function a row has its
/// documentation, its name in Rust and in summaries, its number in `shaders/lib/activation.wgsl`, what its gradient is
/// computed from, and its largest `|f'|`; a parameter stands with its default and must be at least 0.
macro_rules! activations {
    (
        elementwise {
            $($(#[$doc:meta])* $name:ident $({ $(#[$about:meta])* $parameter:ident = $default:literal })?:
                $text:literal, $number:literal, from $from:ident, $lipschitz:expr;)*
        }
        by rows { $($(#[$row_doc:meta])* $row:ident: $row_text:literal;)* }
    ) => {
        /// An activation function. All act on each element but softmax and log-softmax, which act on each row.
        #[derive(Debug, Clone, Copy, PartialEq, Default)]
        #[cfg_attr(feature = "save", derive(serde::Serialize, serde::Deserialize), serde(deny_unknown_fields))]
        #[non_exhaustive]
        pub enum Activation {
            $($(#[$doc])* $name $({ $(#[$about])* $parameter: f32 })?,)*
            $($(#[$row_doc])* $row,)*
            /// A user's own: see [`Activation::custom`].
            Custom(Formula),
        }

        impl Activation {
            /// The elementwise functions, with PyTorch's default parameters.
            pub const ELEMENTWISE: &[Self] = &[$(Self::$name $({ $parameter: $default })?),*];

            /// The name in summaries and plans.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name { .. } => $text,)*
                    $(Self::$row => $row_text,)*
                    Self::Custom(formula) => formula.name(),
                }
            }

            /// The number of this function in `shaders/lib/activation.wgsl`; 0, where nothing is done to an element, of
            /// those that have kernels of their own.
            pub const fn kind(self) -> u32 {
                match self {
                    $(Self::$name { .. } => $number,)*
                    $(Self::$row)|* | Self::Custom(_) => 0,
                }
            }

            /// Whether the gradient is computed from the output `y`; otherwise from the input `x`.
            pub const fn saves_output(self) -> bool {
                match self {
                    $(Self::$name { .. } => matches!(Saved::$from, Saved::Output),)*
                    $(Self::$row)|* | Self::Custom(_) => true,
                }
            }

            /// The parameter of the function, by its name.
            const fn parameter(self) -> Option<(&'static str, f32)> {
                match self {
                    $($(Self::$name { $parameter } => Some((stringify!($parameter), $parameter)),)?)*
                    _ => None,
                }
            }

            /// The largest `|f'|`: how much the function can enlarge an error of its input. (No derivative of a row's
            /// functions is larger than 1.)
            pub fn lipschitz(self) -> f64 {
                match self {
                    $(Self::$name $({ $parameter })? => $lipschitz,)*
                    $(Self::$row)|* | Self::Custom(_) => 1.0,
                }
            }

            /// Runs `body` with the function known to the compiler, which then keeps one case of each match and
            /// vectorises the loop.
            #[inline(always)]
            pub(crate) fn hoist(self, body: impl FnOnce(Self)) {
                match self {
                    $(Self::$name $({ $parameter })? => body(Self::$name $({ $parameter })?),)*
                    $(Self::$row => body(Self::$row),)*
                    Self::Custom(formula) => body(Self::Custom(formula)),
                }
            }
        }
    };
}

/// What the gradient of a function is computed from.
enum Saved {
    Input,
    Output,
}

activations! {
    elementwise {
        /// `x`.
        #[default]
        Identity: "identity", 0, from Output, 1.0;
        /// `1 / (1 + e⁻ˣ)`.
        Sigmoid: "sigmoid", 1, from Output, 0.25;
        /// `tanh x`.
        Tanh: "tanh", 2, from Output, 1.0;
        /// `max(x, 0)`; derivative 0 at 0.
        Relu: "relu", 3, from Output, 1.0;
        /// `x` for x > 0, else `slope · x`; derivative `slope` at 0.
        LeakyRelu {
            /// Slope below 0; must be at least 0, for the sign of the output stands for the sign of `x`.
            slope = 0.01
        }: "leaky_relu", 4, from Output, f64::from(slope).abs().max(1.0);
        /// `x` for x > 0, else `alpha (eˣ - 1)` (Clevert et al. 2015).
        Elu {
            /// Minus the limit at -∞; must be at least 0, for the sign of the output stands for the sign of `x`.
            alpha = 1.0
        }: "elu", 5, from Output, f64::from(alpha).abs().max(1.0);
        /// `1.0507 · elu(x, 1.6733)`, which keeps mean 0 and variance 1 (Klambauer et al. 2017).
        Selu: "selu", 6, from Output, SELU_SCALE * SELU_ALPHA;
        // The maxima of these by mpmath at 30 digits, rounded up in the last digit.
        /// `x · sigmoid(x)`, also called swish.
        Silu: "silu", 7, from Input, 1.099_839_320_2;
        /// `x Φ(x)`, Φ the normal distribution function (Hendrycks & Gimpel 2016).
        Gelu: "gelu", 8, from Input, 1.128_904_145_2;
        /// Its approximation `x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))`.
        GeluTanh: "gelu_tanh", 9, from Input, 1.128_993_068_7;
        /// `ln(1 + eˣ)`.
        Softplus: "softplus", 10, from Input, 1.0;
        /// `x / (1 + |x|)`.
        Softsign: "softsign", 11, from Input, 1.0;
        /// `min(max(x + 3, 0), 6) / 6`.
        HardSigmoid: "hard_sigmoid", 12, from Input, 1.0 / 6.0;
        /// `x · tanh(softplus(x))` (Misra 2019).
        Mish: "mish", 13, from Input, 1.088_498_161_3;
    }
    by rows {
        /// `e^(xᵢ) / Σⱼ e^(xⱼ)`.
        Softmax: "softmax";
        /// `ln softmax(x)`.
        LogSoftmax: "log_softmax";
    }
}

/// λ of [`Activation::Selu`].
pub const SELU_SCALE: f64 = 1.050_700_987_355_480_5;
/// α of [`Activation::Selu`].
pub const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;

impl Activation {
    /// The parameter of the function; 0 where it has none.
    pub const fn alpha(self) -> f32 {
        match self.parameter() {
            Some((_, value)) => value,
            None => 0.0,
        }
    }

    /// Operations for an element, as [`Spec::flops`] counts them.
    pub(super) fn flops(self) -> u64 {
        u64::from(self != Activation::Identity)
    }

    /// Of the derivative and its product with the gradient from above.
    pub(super) fn gradient_flops(self) -> u64 {
        2 * self.flops()
    }

    /// A function of your own, called `name`: `build` says it, once, with the operators and methods of [`Symbol`]. It is
    /// kept as a formula, which the graph differentiates, a chain of functions computes in one dispatch, and a file keeps
    /// with the model.
    ///
    /// ```
    /// use axone::prelude::*;
    ///
    /// let swish = Activation::custom("swish", |x| x * (1.7 * x).sigmoid());
    /// let net = Sequential::new(4).add(Dense::new(8).activation(swish)).add(Dense::new(1));
    /// let model = net.compile(Device::cpu(), Loss::MeanSquaredError, Adam::default())?;
    /// # Ok::<(), axone::Error>(())
    /// ```
    ///
    /// What does not depend on `x`, or has not its width, is refused where the activation is applied.
    pub fn custom(name: &str, build: impl for<'a> FnOnce(Symbol<'a>) -> Symbol<'a>) -> Self {
        Self::Custom(Formula::new(name, ["x"], |[x]| build(x)))
    }

    /// Refuses parameters with which the gradient could not be read from the output's sign.
    pub(crate) fn check(self, place: &str) -> Result<()> {
        match self.parameter() {
            Some((name, value)) if !(value.is_finite() && value >= 0.0) => {
                Err(Error::value(place, name, "finite and at least 0", value))
            }
            _ => match self {
                Activation::Custom(formula) => formula.check(place, 1).and(formula.check_width(place)),
                _ => Ok(()),
            },
        }
    }
}

impl fmt::Display for Activation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

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
        include_str!("../../shaders/lib/fours.wgsl"),
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
        include_str!("../../shaders/lib/fours.wgsl"),
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
