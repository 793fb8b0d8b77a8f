//! `c = op(a) op(b)`, with what a dense network does next folded in: bias and activation on the way
//! forward, the activation's gradient on the way back, the bias gradient beside the weight gradient.

mod text;
mod tile;

use text::Layouts;
pub(super) use text::shaders;
pub use tile::{Abilities, Tile, choose, choose_cooperative};

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
        /// Length of a part of the sum, where it is computed in parts.
        part: u32,
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
    /// `c[p] = Σ op(a)[:, k] op(b)[k, :]` over the k of part p: a long sum in parts of `steps` steps, for more
    /// workgroups to share, to be added up by [`SumRows`](super::SumRows).
    InParts {
        /// Length of a part, a multiple of [`PART_ALIGNMENT`]; the last may be shorter.
        steps: usize,
    },
}

/// Parts begin at multiples of this, so that a slice of no tile reaches over the end of one.
pub const PART_ALIGNMENT: usize = 32;

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
    /// The tile, or `None` where the device is to [`choose`].
    pub tile: Option<Tile>,
    /// The operands are read two elements at a time, as u64, where the tile can and the sizes allow it. Only for f32, and
    /// worth it only where each element that is loaded costs (lavapipe); the device decides.
    pub pairs: bool,
}

impl Matmul {
    /// `c (m, n) = op(a) op(b)`, summed over `k`.
    pub fn new(m: usize, n: usize, k: usize, transpose_a: bool, transpose_b: bool) -> Self {
        // What is more than a kernel can count stays more than any device can bind.
        let [m, n, k] = [m, n, k].map(|size| u32::try_from(size).unwrap_or(u32::MAX));
        let params = MatmulParams { m, n, k, bias_at: 0, alpha: 0.0, part: k };
        Self { params, transpose_a, transpose_b, epilogue: Epilogue::Plain, tile: None, pairs: false }
    }

    /// The same product with another epilogue.
    pub fn with_epilogue(mut self, epilogue: Epilogue) -> Self {
        self.params.alpha = match epilogue {
            Epilogue::Bias(kind) | Epilogue::Gradient(kind) => kind.alpha(),
            Epilogue::Plain | Epilogue::BiasRow { .. } | Epilogue::InParts { .. } => 0.0,
        };
        self.params.bias_at = if let Epilogue::BiasRow { at } = epilogue { at as u32 } else { 0 };
        self.params.part = if let Epilogue::InParts { steps } = epilogue { steps as u32 } else { self.params.k };
        self.epilogue = epilogue;
        self
    }

    /// Parts of the sum: 1, unless the epilogue says otherwise.
    pub fn parts(&self) -> usize {
        self.params.k.div_ceil(self.params.part.max(1)) as usize
    }

    /// The tile, and where the device has not chosen yet the one that runs everywhere.
    fn tile(&self) -> Tile {
        self.tile.unwrap_or(Tile::Small)
    }

    fn layouts(&self) -> Layouts {
        let MatmulParams { m, n, k, bias_at, .. } = self.params;
        let a = if self.transpose_a { m } else { k };
        let b = if self.transpose_b { k } else { n };
        let (a, b) = (a % 4 == 0, b % 4 == 0);
        Layouts { a, b, c: n % 4 == 0 && bias_at % 4 == 0, pairs: self.pairs && a && b && self.tile().by_subgroup() }
    }

    fn workgroups_of(&self, tile: Tile) -> u64 {
        let (rows, cols) = tile.block();
        groups(self.params.m as usize, rows) * groups(self.params.n as usize, cols) * self.parts() as u64
    }
}

const A: Binding = Binding::read(1, "a");
const B: Binding = Binding::read(2, "b");
const SAVED: Binding = Binding::read(4, "saved").or_half();
const C: Binding = Binding::write(5, "c").or_half();

/// The entry points for operands that are bound as `$a` and `$b`.
macro_rules! entries {
    ($a:expr, $b:expr) => {
        Entries {
            plain: Entry { name: "plain", bindings: &[$a, $b, C] },
            // `c` reaches from `dw` to the end of `db`; what lies between the two is left as it was.
            bias_row: Entry { name: "plain", bindings: &[$a, $b, Binding::update(5, "c").or_half()] },
            with_bias: Entry { name: "with_bias", bindings: &[$a, $b, Binding::read(3, "bias"), C] },
            with_gradient: Entry { name: "with_gradient", bindings: &[$a, $b, SAVED, C] },
            // Parts of a sum stay in f32, whatever reads them.
            in_parts: Entry { name: "in_parts", bindings: &[$a, $b, Binding::write(5, "c")] },
        }
    };
}

/// An entry point for each epilogue.
struct Entries {
    plain: Entry,
    bias_row: Entry,
    with_bias: Entry,
    with_gradient: Entry,
    in_parts: Entry,
}

impl Entries {
    /// Those of the WGSL file, in its order.
    const fn of_file(&self) -> [Entry; 4] {
        [self.plain, self.with_bias, self.with_gradient, self.in_parts]
    }
}

static BY_ONE: Entries = entries!(A.or_half(), B.or_half());
static BY_TWO: Entries = entries!(A.in_pairs(), B.in_pairs());

impl Spec for Matmul {
    fn shader(&self) -> &'static Shader {
        self.tile().shader(self.layouts())
    }

    fn entry(&self) -> &'static Entry {
        let entries = if self.layouts().pairs { &BY_TWO } else { &BY_ONE };
        match self.epilogue {
            Epilogue::Plain => &entries.plain,
            Epilogue::BiasRow { .. } => &entries.bias_row,
            Epilogue::Bias(_) => &entries.with_bias,
            Epilogue::Gradient(_) => &entries.with_gradient,
            Epilogue::InParts { .. } => &entries.in_parts,
        }
    }

    fn params(&self) -> &[u8] {
        bytemuck::bytes_of(&self.params)
    }

    fn overrides(&self) -> Vec<(&'static str, f64)> {
        let activation = match self.epilogue {
            Epilogue::Bias(kind) | Epilogue::Gradient(kind) => kind.kind(),
            Epilogue::Plain | Epilogue::BiasRow { .. } | Epilogue::InParts { .. } => 0,
        };
        let flag = |set: bool| f64::from(u8::from(set));
        let mut overrides = vec![
            ("TRANSPOSE_A", flag(self.transpose_a)),
            ("TRANSPOSE_B", flag(self.transpose_b)),
            ("BIAS_ROW", flag(matches!(self.epilogue, Epilogue::BiasRow { .. }))),
            ("ACTIVATION", f64::from(activation)),
        ];
        match self.tile() {
            Tile::Subgroup | Tile::SubgroupLarge => overrides.push(("COLS", self.tile().block().1 as f64)),
            Tile::SubgroupTall => overrides.push(("QUADS", f64::from(self.params.n.div_ceil(4)))),
            _ => {}
        }
        overrides
    }

    fn workgroup_bytes(&self) -> Option<u32> {
        self.tile().has_room().then(|| self.tile().workgroup_bytes())
    }

    fn workgroups(&self) -> u64 {
        self.workgroups_of(self.tile())
    }

    fn binding_bytes(&self, binding: &Binding) -> u64 {
        let layouts = self.layouts();
        let vec4 = match binding.name {
            "a" => layouts.a,
            "b" => layouts.b,
            _ => layouts.c,
        };
        if vec4 { 16 } else { 4 }
    }

    fn sizes(&self) -> Vec<usize> {
        let (m, n, k) = (self.params.m as usize, self.params.n as usize, self.params.k as usize);
        match self.epilogue {
            Epilogue::Plain => vec![m * k, k * n, m * n],
            Epilogue::BiasRow { at } => vec![m * k, k * n, at + n],
            Epilogue::Bias(_) => vec![m * k, k * n, n, m * n],
            Epilogue::Gradient(_) => vec![m * k, k * n, m * n, m * n],
            Epilogue::InParts { .. } => vec![m * k, k * n, self.parts() * m * n],
        }
    }

    fn flops(&self) -> u64 {
        let (m, n, k) = (u64::from(self.params.m), u64::from(self.params.n), u64::from(self.params.k));
        let epilogue = match self.epilogue {
            Epilogue::Plain | Epilogue::InParts { .. } => 0,
            Epilogue::BiasRow { .. } => k * n,
            Epilogue::Bias(function) => (1 + function.flops()) * m * n,
            Epilogue::Gradient(function) => function.gradient_flops() * m * n,
        };
        2 * m * n * k + epilogue
    }
}
