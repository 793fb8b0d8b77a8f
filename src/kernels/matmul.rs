//! `c = op(a) op(b)`, with what a dense network does next folded in: bias and activation on the way
//! forward, the activation's gradient on the way back, the bias gradient beside the weight gradient.

use super::Activation;
use super::spec::{Binding, Entry, Shader, Spec, groups, params};

params! {
    /// Sizes and the activation's parameter.
    pub struct MatmulParams {
        /// Rows of `c`.
        m: u32,
        /// Columns of `c`.
        n: u32,
        /// Length of the sum.
        k: u32,
        /// Where the bias gradient begins in `c`, in elements.
        bias_at: u32,
        /// Parameter of the activation.
        alpha: f32,
    }
}

/// What happens to a sum before it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Epilogue {
    /// `c = op(a) op(b)`.
    Plain,
    /// `c = op(a) op(b)`, and `Σ_k op(b)[k, :]` written at `bias_at`: `dw` and `db` at once.
    BiasRow {
        /// Where the bias gradient begins in `c`, in elements.
        at: usize,
    },
    /// `c = f(op(a) op(b) + bias)`.
    Bias(Activation),
    /// `c = op(a) op(b) ⊙ f'(saved)`.
    Gradient(Activation),
}

/// The register tile: how much of `c` a workgroup and an invocation compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// 64 × 64 a workgroup, 8 × 8 an invocation.
    Large,
    /// 16 × 16 a workgroup, 2 × 2 an invocation.
    Small,
}

impl Tile {
    /// Large where its blocks are mostly full and there are enough of them to share out.
    pub fn for_shape(m: usize, n: usize) -> Self {
        if m >= 48 && n >= 48 { Tile::Large } else { Tile::Small }
    }

    /// Rows and columns of a workgroup's block.
    pub const fn block(self) -> usize {
        match self {
            Tile::Large => 64,
            Tile::Small => 16,
        }
    }
}

/// A matrix product.
#[derive(Debug, Clone, PartialEq)]
pub struct Matmul {
    /// Sizes.
    pub params: MatmulParams,
    /// `a` lies as `(k, m)`.
    pub transpose_a: bool,
    /// `b` lies as `(n, k)`.
    pub transpose_b: bool,
    /// What happens to a sum before it is stored.
    pub epilogue: Epilogue,
    /// The register tile.
    pub tile: Tile,
}

impl Matmul {
    /// `c (m, n) = op(a) op(b)`, summed over `k`.
    pub fn new(m: usize, n: usize, k: usize, transpose_a: bool, transpose_b: bool) -> Self {
        let params = MatmulParams { m: m as u32, n: n as u32, k: k as u32, bias_at: 0, alpha: 0.0 };
        Self { params, transpose_a, transpose_b, epilogue: Epilogue::Plain, tile: Tile::for_shape(m, n) }
    }

    /// The same product with another epilogue.
    pub fn with_epilogue(mut self, epilogue: Epilogue) -> Self {
        self.params.alpha = match epilogue {
            Epilogue::Bias(kind) | Epilogue::Gradient(kind) => kind.alpha(),
            Epilogue::Plain | Epilogue::BiasRow { .. } => 0.0,
        };
        self.params.bias_at = if let Epilogue::BiasRow { at } = epilogue { at as u32 } else { 0 };
        self.epilogue = epilogue;
        self
    }
}

const A: Binding = Binding::read(1, "a");
const B: Binding = Binding::read(2, "b");
const C: Binding = Binding::write(5, "c");
const PLAIN: Entry = Entry { name: "plain", bindings: &[A, B, C] };
/// `c` reaches from `dw` to the end of `db`; what lies between the two is left as it was.
const BIAS_ROW: Entry = Entry { name: "plain", bindings: &[A, B, Binding::update(5, "c")] };
const WITH_BIAS: Entry = Entry { name: "with_bias", bindings: &[A, B, Binding::read(3, "bias"), C] };
const WITH_GRADIENT: Entry = Entry { name: "with_gradient", bindings: &[A, B, Binding::read(4, "saved"), C] };

const fn shader(tile: &'static str, sources: &'static [&'static str]) -> Shader {
    Shader {
        name: tile,
        sources,
        params: MatmulParams::MEMBERS,
        overrides: &["TRANSPOSE_A", "TRANSPOSE_B", "BIAS_ROW", "ACTIVATION"],
        workgroup_size: 64,
        uses_step: false,
        entries: &[PLAIN, WITH_BIAS, WITH_GRADIENT],
    }
}

/// `shaders/matmul.wgsl` behind `shaders/lib/tile_64x64.wgsl`.
pub const LARGE: Shader = shader(
    "matmul",
    &[
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/activation.wgsl"),
        include_str!("../../shaders/lib/tile_64x64.wgsl"),
        include_str!("../../shaders/matmul.wgsl"),
    ],
);

/// `shaders/matmul.wgsl` behind `shaders/lib/tile_16x16.wgsl`.
pub const SMALL: Shader = shader(
    "matmul",
    &[
        include_str!("../../shaders/lib/math.wgsl"),
        include_str!("../../shaders/lib/activation.wgsl"),
        include_str!("../../shaders/lib/tile_16x16.wgsl"),
        include_str!("../../shaders/matmul.wgsl"),
    ],
);

impl Spec for Matmul {
    fn shader(&self) -> &'static Shader {
        match self.tile {
            Tile::Large => &LARGE,
            Tile::Small => &SMALL,
        }
    }

    fn entry(&self) -> &'static Entry {
        match self.epilogue {
            Epilogue::Plain => &PLAIN,
            Epilogue::BiasRow { .. } => &BIAS_ROW,
            Epilogue::Bias(_) => &WITH_BIAS,
            Epilogue::Gradient(_) => &WITH_GRADIENT,
        }
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        let activation = match self.epilogue {
            Epilogue::Bias(kind) | Epilogue::Gradient(kind) => kind.kind(),
            Epilogue::Plain | Epilogue::BiasRow { .. } => 0,
        };
        let flag = |set: bool| f64::from(u8::from(set));
        vec![
            ("TRANSPOSE_A", flag(self.transpose_a)),
            ("TRANSPOSE_B", flag(self.transpose_b)),
            ("BIAS_ROW", flag(matches!(self.epilogue, Epilogue::BiasRow { .. }))),
            ("ACTIVATION", f64::from(activation)),
        ]
    }

    fn workgroups(&self) -> u64 {
        let rows = self.params.m as usize + usize::from(matches!(self.epilogue, Epilogue::BiasRow { .. }));
        let block = self.tile.block();
        groups(rows, block) * groups(self.params.n as usize, block)
    }

    fn sizes(&self) -> Vec<usize> {
        let (m, n, k) = (self.params.m as usize, self.params.n as usize, self.params.k as usize);
        match self.epilogue {
            Epilogue::Plain => vec![m * k, k * n, m * n],
            Epilogue::BiasRow { at } => vec![m * k, k * n, at + n],
            Epilogue::Bias(_) => vec![m * k, k * n, n, m * n],
            Epilogue::Gradient(_) => vec![m * k, k * n, m * n, m * n],
        }
    }
}
