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

/// How the work is cut: what a workgroup and an invocation compute. Every tile takes every size, and sums each output
/// in the order k = 0, 1, 2, …: the tile changes the speed, never the bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tile {
    /// 32 × 32 a workgroup, 4 × 4 an invocation, through workgroup memory.
    Small,
    /// 64 × 64 a workgroup, 8 × 8 an invocation, through workgroup memory.
    Medium,
    /// 128 × 128 a workgroup, 8 × 8 an invocation, through workgroup memory.
    Large,
    /// 32 × 32 a subgroup of exactly 8 lanes, 32 × 4 a lane, through shuffles.
    Subgroup,
}

impl Tile {
    /// All of them.
    pub const ALL: [Tile; 4] = [Tile::Small, Tile::Medium, Tile::Large, Tile::Subgroup];

    /// Rows and columns of a workgroup's block.
    pub const fn block(self) -> usize {
        match self {
            Tile::Small | Tile::Subgroup => 32,
            Tile::Medium => 64,
            Tile::Large => 128,
        }
    }

    /// Whether a device can run it.
    pub fn runs_on(self, device: Abilities) -> bool {
        let shader = self.shader(true);
        match self {
            Tile::Subgroup => device.subgroup == Some(shader.workgroup_size),
            _ => device.invocations >= shader.workgroup_size && device.workgroup_bytes >= self.workgroup_bytes(),
        }
    }

    /// Two slices, 16 deep, of f32.
    const fn workgroup_bytes(self) -> u32 {
        match self {
            Tile::Subgroup => 0,
            _ => 2 * 16 * 4 * self.block() as u32,
        }
    }

    const fn shader(self, aligned: bool) -> &'static Shader {
        match (self, aligned) {
            (Tile::Small, true) => &SMALL,
            (Tile::Small, false) => &SMALL_ANY,
            (Tile::Medium, true) => &MEDIUM,
            (Tile::Medium, false) => &MEDIUM_ANY,
            (Tile::Large, true) => &LARGE,
            (Tile::Large, false) => &LARGE_ANY,
            (Tile::Subgroup, true) => &SUBGROUP,
            (Tile::Subgroup, false) => &SUBGROUP_ANY,
        }
    }
}

/// What of a device decides between tiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Abilities {
    /// Lanes of a subgroup, where it has subgroups and all are of one size.
    pub subgroup: Option<u32>,
    /// Bytes of memory that a workgroup may share.
    pub workgroup_bytes: u32,
    /// Invocations of the largest workgroup.
    pub invocations: u32,
}

/// Workgroups that keep a GPU busy: below this a smaller tile gains more than it loses.
const ENOUGH_WORKGROUPS: u64 = 64;

/// The tile for `matmul` on a device. Subgroups of 8 are those of lavapipe, where [`Tile::Subgroup`] won at every size
/// and form that `benches/matmul.rs` measures. Otherwise the largest tile that leaves enough workgroups.
pub fn choose(matmul: &Matmul, device: Abilities) -> Tile {
    if Tile::Subgroup.runs_on(device) {
        return Tile::Subgroup;
    }
    let busy = |tile: &Tile| tile.runs_on(device) && matmul.workgroups_of(*tile) >= ENOUGH_WORKGROUPS;
    [Tile::Large, Tile::Medium].into_iter().find(busy).unwrap_or(Tile::Small)
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
    /// The tile, or `None` where the device is to [`choose`].
    pub tile: Option<Tile>,
}

impl Matmul {
    /// `c (m, n) = op(a) op(b)`, summed over `k`.
    pub fn new(m: usize, n: usize, k: usize, transpose_a: bool, transpose_b: bool) -> Self {
        let params = MatmulParams { m: m as u32, n: n as u32, k: k as u32, bias_at: 0, alpha: 0.0 };
        Self { params, transpose_a, transpose_b, epilogue: Epilogue::Plain, tile: None }
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

    /// The tile, and where the device has not chosen yet the one that runs everywhere.
    fn tile(&self) -> Tile {
        self.tile.unwrap_or(Tile::Small)
    }

    /// Whether every row of every operand begins at a multiple of 4 elements, so that it can be read as vec4.
    fn is_aligned(&self) -> bool {
        let MatmulParams { m, n, k, bias_at, .. } = self.params;
        let a = if self.transpose_a { m } else { k };
        let b = if self.transpose_b { k } else { n };
        [a, b, n, bias_at].iter().all(|width| width % 4 == 0)
    }

    fn workgroups_of(&self, tile: Tile) -> u64 {
        let cover = |cells: u32| groups(cells as usize, tile.block());
        cover(self.params.m) * cover(self.params.n)
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

/// A kernel file behind the library files it asks for.
macro_rules! shader {
    ($name:literal, $workgroup_size:literal, $($library:literal),+) => {
        Shader {
            name: $name,
            sources: &[
                include_str!("../../shaders/lib/math.wgsl"),
                include_str!("../../shaders/lib/activation.wgsl"),
                include_str!("../../shaders/lib/matmul_blocks.wgsl"),
                $(include_str!(concat!("../../shaders/lib/", $library, ".wgsl"))),+,
                include_str!(concat!("../../shaders/", $name, ".wgsl")),
            ],
            params: MatmulParams::MEMBERS,
            overrides: &["TRANSPOSE_A", "TRANSPOSE_B", "BIAS_ROW", "ACTIVATION"],
            workgroup_size: $workgroup_size,
            uses_step: false,
            entries: &[PLAIN, WITH_BIAS, WITH_GRADIENT],
        }
    };
}

pub(super) static SMALL: Shader = shader!("matmul", 64, "matmul_aligned", "tile_32x32");
pub(super) static SMALL_ANY: Shader = shader!("matmul", 64, "matmul_any", "tile_32x32");
pub(super) static MEDIUM: Shader = shader!("matmul", 64, "matmul_aligned", "tile_64x64");
pub(super) static MEDIUM_ANY: Shader = shader!("matmul", 64, "matmul_any", "tile_64x64");
pub(super) static LARGE: Shader = shader!("matmul", 256, "matmul_aligned", "tile_128x128");
pub(super) static LARGE_ANY: Shader = shader!("matmul", 256, "matmul_any", "tile_128x128");
pub(super) static SUBGROUP: Shader = shader!("matmul_subgroup", 8, "matmul_aligned");
pub(super) static SUBGROUP_ANY: Shader = shader!("matmul_subgroup", 8, "matmul_any");

impl Spec for Matmul {
    fn shader(&self) -> &'static Shader {
        self.tile().shader(self.is_aligned())
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
        self.workgroups_of(self.tile())
    }

    fn element_bytes(&self) -> u64 {
        if self.is_aligned() { 16 } else { 4 }
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
