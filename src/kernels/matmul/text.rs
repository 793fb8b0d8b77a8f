//! The WGSL texts of the matrix product: a file for a family of tiles, behind pieces for the layouts of its operands and
//! for the tile.

use super::{BY_ONE, BY_TWO, MatmulParams, Tile};
use crate::kernels::{Entry, Shader};
use std::sync::OnceLock;

/// A piece of `shaders/lib`.
macro_rules! piece {
    ($name:literal) => {
        include_str!(concat!("../../../shaders/lib/", $name, ".wgsl"))
    };
}

/// A WGSL file behind the pieces of its tile.
macro_rules! cut {
    ($name:literal, $workgroup_size:literal, $overrides:expr $(, $piece:literal)*) => {
        Shader {
            name: $name,
            sources: &[$(piece!($piece),)* include_str!(concat!("../../../shaders/", $name, ".wgsl"))],
            params: MatmulParams::MEMBERS,
            overrides: $overrides,
            workgroup_size: $workgroup_size,
            uses_step: false,
            entries: &[],
        }
    };
}

/// What every text begins with.
const LIBRARY: [&str; 3] = [piece!("math"), piece!("activation"), piece!("matmul_blocks")];

/// By whether the operands are read as pairs.
static ENTRIES: [[Entry; 4]; 2] = [BY_ONE.of_file(), BY_TWO.of_file()];

const OVERRIDES: &[&str] = &["TRANSPOSE_A", "TRANSPOSE_B", "BIAS_ROW", "ACTIVATION"];
const OVERRIDES_AND_COLS: &[&str] = &["TRANSPOSE_A", "TRANSPOSE_B", "BIAS_ROW", "ACTIVATION", "COLS"];
const OVERRIDES_AND_QUADS: &[&str] = &["TRANSPOSE_A", "TRANSPOSE_B", "BIAS_ROW", "ACTIVATION", "QUADS"];

/// Which matrices can be read and written as vec4, because each of their rows begins at a multiple of 4 elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layouts {
    pub a: bool,
    pub b: bool,
    pub c: bool,
    /// Both operands are read as pairs; they are in vec4 then.
    pub pairs: bool,
}

impl Layouts {
    /// One more than the largest number.
    const NUMBERS: usize = 16;

    fn number(self) -> usize {
        [self.a, self.b, self.c, self.pairs].into_iter().rev().fold(0, |number, is| 2 * number + usize::from(is))
    }

    /// Those that `tile` can take.
    fn all(tile: Tile) -> impl Iterator<Item = Self> {
        let of = |number| {
            let [a, b, c, pairs] = [1, 2, 4, 8].map(|bit| number & bit != 0);
            Self { a, b, c, pairs }
        };
        (0..Self::NUMBERS).map(of).filter(move |it| !it.pairs || it.a && it.b && tile.by_subgroup())
    }

    fn pieces(self) -> [&'static str; 3] {
        let c = if self.c { piece!("matmul_c_vec4") } else { piece!("matmul_c_any") };
        if self.pairs {
            return [piece!("matmul_a_u64"), piece!("matmul_b_u64"), c];
        }
        let a = if self.a { piece!("matmul_a_vec4") } else { piece!("matmul_a_any") };
        let b = if self.b { piece!("matmul_b_vec4") } else { piece!("matmul_b_any") };
        [a, b, c]
    }
}

impl Tile {
    /// The text for operands that lie as `layouts` says: composed when it is first asked for, and kept.
    pub(super) fn shader(self, layouts: Layouts) -> &'static Shader {
        static COMPOSED: [[OnceLock<Shader>; Layouts::NUMBERS]; Tile::ALL.len() + Tile::COOPERATIVE.len()] =
            [const { [const { OnceLock::new() }; Layouts::NUMBERS] }; _];
        COMPOSED[self as usize][layouts.number()].get_or_init(|| {
            let cut = self.cut();
            let sources = [&LIBRARY, &layouts.pieces()[..], cut.sources].concat();
            Shader { sources: sources.leak(), entries: if layouts.pairs { &ENTRIES[1] } else { &ENTRIES[0] }, ..cut }
        })
    }

    /// The text without what depends on the layouts of its operands.
    pub(super) const fn cut(self) -> Shader {
        match self {
            Tile::Small => cut!("matmul", 64, OVERRIDES, "matmul_store", "tile_32x32", "matmul_slices"),
            Tile::Medium => cut!("matmul", 64, OVERRIDES, "matmul_store", "tile_64x64", "matmul_slices"),
            Tile::Large => cut!("matmul", 256, OVERRIDES, "matmul_store", "tile_128x128", "matmul_slices"),
            Tile::Tall => cut!("matmul_fine", 128, OVERRIDES, "tile_32x16", "matmul_slices"),
            Tile::Flat => cut!("matmul_fine", 64, OVERRIDES, "tile_4x64", "matmul_slices"),
            Tile::Fine => cut!("matmul_fine", 128, OVERRIDES, "tile_16x32", "matmul_slices"),
            Tile::Subgroup | Tile::SubgroupLarge => cut!("matmul_subgroup", 8, OVERRIDES_AND_COLS, "matmul_store"),
            Tile::SubgroupTall => cut!("matmul_subgroup_tall", 8, OVERRIDES_AND_QUADS, "matmul_store"),
            Tile::SubgroupFlat => cut!("matmul_subgroup_flat", 8, OVERRIDES, "matmul_store"),
            Tile::Cooperative8 => {
                cut!("matmul_cooperative", 32, OVERRIDES, "matmul_store", "cooperative_8_32x32", "matmul_slices")
            }
            Tile::Cooperative16 => {
                cut!("matmul_cooperative", 128, OVERRIDES, "matmul_store", "cooperative_16_64x64", "matmul_slices")
            }
            Tile::Cooperative16Large => {
                cut!("matmul_cooperative", 256, OVERRIDES, "matmul_store", "cooperative_16_128x128", "matmul_slices")
            }
        }
    }
}

/// Every text: of every tile, for all layouts that it can take.
pub(crate) fn shaders() -> impl Iterator<Item = &'static Shader> {
    let tiles = Tile::ALL.into_iter().chain(Tile::COOPERATIVE);
    tiles.flat_map(|tile| Layouts::all(tile).map(move |layouts| tile.shader(layouts)))
}
