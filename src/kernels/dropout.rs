//! `y = keep · x / (1 - rate)` with a random mask that is a function of (seed, stream, step, element).
//!
//! Nothing is stored between the forward and the backward pass: the same kernel with the same
//! stream and step draws the same mask, and applied to `dy` it gives `dx`.

use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Inverted dropout.
    pub struct Dropout {
        /// Elements.
        n: u32,
        /// Probability of a zero, from 0 up to 1.
        rate: f32,
        /// `1 / (1 - rate)`.
        scale: f32,
        /// The random stream of this layer.
        stream: u32,
    }
}

impl Dropout {
    /// Dropout of `n` elements; every layer of a model has a `stream` of its own.
    pub fn new(n: u32, rate: f32, stream: u32) -> Self {
        let scale = if rate < 1.0 { (1.0 / (1.0 - f64::from(rate))) as f32 } else { 0.0 };
        Self { n, rate, scale, stream }
    }
}

/// `shaders/dropout.wgsl`.
pub const SHADER: Shader = Shader {
    name: "dropout",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/random.wgsl"),
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/dropout.wgsl"),
    ],
    params: Dropout::MEMBERS,
    overrides: &[],
    workgroup_size: 256,
    uses_step: true,
    entries: &[Entry { name: "main", bindings: &[Binding::read(1, "x").or_half(), Binding::write(2, "y").or_half()] }],
};

impl Spec for Dropout {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize; 2]
    }

    fn flops(&self) -> u64 {
        self.n.into()
    }
}

params! {
    /// Dropout that keeps mean and variance (Klambauer et al. 2017): `y = keep ? scale x + shift : dropped`.
    pub struct AlphaDropout {
        /// Elements.
        n: u32,
        /// Probability that an element is dropped, from 0 up to 1.
        rate: f32,
        /// Factor of what is kept.
        scale: f32,
        /// Added to what is kept.
        shift: f32,
        /// What stands for a dropped element.
        dropped: f32,
        /// The random stream of this layer.
        stream: u32,
    }
}

impl AlphaDropout {
    /// Alpha dropout of `n` elements: a dropped one becomes `α'`, the limit of selu for small inputs, and then all go
    /// through `a x + b`, with `a = (q + α'² q (1 - q))^(-1/2)`, `b = -a (1 - q) α'` and `q = 1 - rate`.
    pub fn new(n: u32, rate: f32, stream: u32) -> Self {
        /// `-λ α` of selu.
        const ALPHA: f64 = -1.758_099_340_847_376_6;
        let p = f64::from(rate);
        let scale = ((1.0 - p) * (1.0 + p * ALPHA * ALPHA)).powf(-0.5);
        let shift = -scale * p * ALPHA;
        let dropped = scale * ALPHA + shift;
        Self { n, rate, scale: scale as f32, shift: shift as f32, dropped: dropped as f32, stream }
    }

    /// The gradient: the same mask and factor, and nothing through what was dropped.
    pub fn gradient(self) -> Dropout {
        let Self { n, rate, scale, stream, .. } = self;
        Dropout { n, rate, scale, stream }
    }
}

/// `shaders/alpha_dropout.wgsl`.
pub const ALPHA_SHADER: Shader = Shader {
    name: "alpha_dropout",
    sources: &[
        include_str!("../../shaders/lib/step.wgsl"),
        include_str!("../../shaders/lib/random.wgsl"),
        include_str!("../../shaders/lib/fours.wgsl"),
        include_str!("../../shaders/alpha_dropout.wgsl"),
    ],
    params: AlphaDropout::MEMBERS,
    ..SHADER
};

impl Spec for AlphaDropout {
    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(self)
    }

    fn workgroups(&self) -> u64 {
        groups(self.n as usize, 1024)
    }

    fn sizes(&self) -> Vec<usize> {
        vec![self.n as usize; 2]
    }

    fn flops(&self) -> u64 {
        2 * u64::from(self.n)
    }
}
