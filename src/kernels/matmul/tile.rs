//! How a matrix product is cut into the work of workgroups and invocations.

use super::{Matmul, MatmulParams};
use std::fmt;

/// How the work is cut: what a workgroup and an invocation compute. Each output is summed in the order k = 0, 1, 2, …:
/// the tile changes the speed, never the bits. Those of cooperative matrices are the exception: they round their operands
/// to f16 and add in an order that the adapter alone knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tile {
    /// 32 × 32 a workgroup, 4 × 4 an invocation, through workgroup memory.
    Small,
    /// 64 × 64 a workgroup, 8 × 8 an invocation, through workgroup memory.
    Medium,
    /// 128 × 128 a workgroup, 8 × 8 an invocation, through workgroup memory.
    Large,
    /// 32 × 16 a workgroup, 1 × 4 an invocation, through workgroup memory: for few columns.
    Tall,
    /// 4 × 64 a workgroup, 1 × 4 an invocation, through workgroup memory: for few rows.
    Flat,
    /// 16 × 32 a workgroup, 1 × 4 an invocation, through workgroup memory: for results too small to fill a GPU otherwise.
    Fine,
    /// 32 × 32 a subgroup of exactly 8 lanes, 32 × 4 a lane, through shuffles.
    Subgroup,
    /// 32 × 64 a subgroup of exactly 8 lanes, 32 × 8 a lane, through shuffles.
    SubgroupLarge,
    /// 32 × 16 a subgroup of exactly 8 lanes, 4 × 16 a lane, through shuffles: for at most 16 columns.
    SubgroupTall,
    /// 4 × 32 a subgroup of exactly 8 lanes, 4 × 4 a lane, through shuffles: for at most 4 rows.
    SubgroupFlat,
    /// 32 × 32 a workgroup, 16 × 16 a subgroup of exactly 8 lanes, by cooperative matrices of 8 × 8.
    Cooperative8,
    /// 64 × 64 a workgroup, 32 × 32 a subgroup of exactly 32 lanes, by cooperative matrices of 16 × 16.
    Cooperative16,
    /// 128 × 128 a workgroup, 64 × 32 a subgroup of exactly 32 lanes, by cooperative matrices of 16 × 16.
    Cooperative16Large,
}

impl Tile {
    /// Those that agree bit for bit.
    pub const ALL: [Tile; 10] = [
        Tile::Small,
        Tile::Medium,
        Tile::Large,
        Tile::Tall,
        Tile::Flat,
        Tile::Fine,
        Tile::Subgroup,
        Tile::SubgroupLarge,
        Tile::SubgroupTall,
        Tile::SubgroupFlat,
    ];

    /// Those of cooperative matrices.
    pub const COOPERATIVE: [Tile; 3] = [Tile::Cooperative8, Tile::Cooperative16, Tile::Cooperative16Large];

    /// Rows and columns of a workgroup's block.
    pub const fn block(self) -> (usize, usize) {
        match self {
            Tile::Small | Tile::Subgroup | Tile::Cooperative8 => (32, 32),
            Tile::SubgroupLarge => (32, 64),
            Tile::Medium | Tile::Cooperative16 => (64, 64),
            Tile::Large | Tile::Cooperative16Large => (128, 128),
            Tile::Tall | Tile::SubgroupTall => (32, 16),
            Tile::Flat => (4, 64),
            Tile::Fine => (16, 32),
            Tile::SubgroupFlat => (4, 32),
        }
    }

    /// Whether it can compute a result of `params`' size: two are for few rows or columns alone.
    pub const fn takes(self, params: &MatmulParams) -> bool {
        match self {
            Tile::SubgroupTall => params.n <= 16,
            Tile::SubgroupFlat => params.m <= 4,
            _ => true,
        }
    }

    /// Whether a device can run it.
    pub fn runs_on(self, device: Abilities) -> bool {
        let size = self.cut().workgroup_size;
        let fits = device.invocations >= size && device.workgroup_bytes >= self.workgroup_bytes();
        let lanes = |lanes: u32| fits && device.subgroup == Some(lanes);
        match self {
            _ if self.by_subgroup() => lanes(size),
            Tile::Cooperative8 => lanes(8) && device.cooperative == Some(8),
            Tile::Cooperative16 | Tile::Cooperative16Large => lanes(32) && device.cooperative == Some(16),
            _ => fits,
        }
    }

    /// The slices of both operands; those of cooperative matrices are f16, padded, with a sum of each subgroup.
    pub(super) fn workgroup_bytes(self) -> u32 {
        let (rows, cols) = self.block();
        let slices = |bytes: u32, depth: u32| bytes * depth * (rows + cols) as u32;
        match self {
            Tile::Small | Tile::Medium | Tile::Large | Tile::Flat => slices(4, 16),
            Tile::Tall | Tile::Fine => slices(4, 32),
            Tile::Subgroup | Tile::SubgroupLarge | Tile::SubgroupTall | Tile::SubgroupFlat => 0,
            Tile::Cooperative8 => slices(2, 16) + 2 * 16 * 16 + 4 * 4 * 64,
            Tile::Cooperative16 => slices(2, 32) + 2 * 16 * 32 + 4 * 4 * 256,
            Tile::Cooperative16Large => slices(2, 32) + 2 * 16 * 32 + 8 * 4 * 256,
        }
    }

    /// Whether another kernel can stand beside it: sums of 8 x 8 an invocation leave no registers on some GPUs.
    pub(super) const fn has_room(self) -> bool {
        !self.is_cooperative() && !matches!(self, Tile::Medium | Tile::Large)
    }

    /// Whether a workgroup is one subgroup, whose lanes exchange operands by shuffles.
    pub(crate) const fn by_subgroup(self) -> bool {
        matches!(self, Tile::Subgroup | Tile::SubgroupLarge | Tile::SubgroupTall | Tile::SubgroupFlat)
    }

    /// Whether it multiplies f16 whatever its operands are.
    pub const fn is_cooperative(self) -> bool {
        matches!(self, Tile::Cooperative8 | Tile::Cooperative16 | Tile::Cooperative16Large)
    }
}

impl fmt::Display for Tile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Tile::Small => "small",
            Tile::Medium => "medium",
            Tile::Large => "large",
            Tile::Tall => "tall",
            Tile::Flat => "flat",
            Tile::Fine => "fine",
            Tile::Subgroup => "subgroup",
            Tile::SubgroupLarge => "subgroup_large",
            Tile::SubgroupTall => "subgroup_tall",
            Tile::SubgroupFlat => "subgroup_flat",
            Tile::Cooperative8 => "cooperative_8",
            Tile::Cooperative16 => "cooperative_16",
            Tile::Cooperative16Large => "cooperative_16_large",
        })
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
    /// Whether it has u64.
    pub int64: bool,
    /// Side of the square cooperative matrices that take f16 and add in f32, where it has such.
    pub cooperative: Option<u32>,
}

/// Workgroups that keep a GPU busy: below this a smaller tile gains more than it loses.
const ENOUGH_WORKGROUPS: u64 = 64;

/// Workgroups that keep the cores of a software adapter busy, likewise. Measured with 2 cores alone; a guess for more.
const ENOUGH_SUBGROUPS: u64 = 16;

/// Multiprocessors of a large GPU: with fewer workgroups than this what counts is how soon one is done.
const FEW_WORKGROUPS: u64 = 128;

/// The tile for `matmul` on a device, by a rule. Subgroups of 8 are those of lavapipe, where the tiles with shuffles won
/// at every size and form that `benches/matmul.rs` measures. Otherwise a narrow tile for a narrow result, else the
/// largest tile that leaves enough workgroups, or the finest where all leave few. Adapters whose subgroups are smaller than
/// 16 are no large GPUs: there each operand that is loaded counts.
pub fn choose(matmul: &Matmul, device: Abilities) -> Tile {
    let can = |tile: &Tile| tile.runs_on(device) && tile.takes(&matmul.params);
    let enough = |tile: &Tile| can(tile) && matmul.workgroups_of(*tile) >= ENOUGH_WORKGROUPS;
    let (few_rows, few_cols) = (matmul.params.m <= 4, matmul.params.n <= 16);
    // The large block is 1.15 times as fast where no more of it lies beside the result.
    let [wide, small] = [Tile::SubgroupLarge, Tile::Small].map(|tile| matmul.workgroups_of(tile));
    let narrow = [
        (few_rows, Tile::SubgroupFlat),
        (few_cols, Tile::SubgroupTall),
        (wide >= ENOUGH_SUBGROUPS && 40 * wide <= 23 * small, Tile::SubgroupLarge),
        (true, Tile::Subgroup),
    ];
    let narrow = narrow.into_iter().chain([(few_rows, Tile::Flat), (few_cols, Tile::Tall)]);
    let mut fitting = narrow.filter_map(|(fits, tile)| fits.then_some(tile));
    let large = || [Tile::Large, Tile::Medium].into_iter().find(enough);
    let is_large = device.subgroup.is_none_or(|lanes| lanes >= 16);
    let fine = || (is_large && small < FEW_WORKGROUPS && can(&Tile::Fine)).then_some(Tile::Fine);
    fitting.find(can).or_else(large).or_else(fine).unwrap_or(Tile::Small)
}

/// The tile of cooperative matrices for a product that may round its operands to f16; `None` where the device has none,
/// or where they would lie mostly beside the result. A rule alone, no timing: these tiles have bits of their own.
pub fn choose_cooperative(matmul: &Matmul, device: Abilities) -> Option<Tile> {
    let (p, side) = (&matmul.params, device.cooperative?);
    if p.m.min(p.n).min(p.k) < side {
        return None;
    }
    let large = |tile: &Tile| *tile != Tile::Cooperative16Large || matmul.workgroups_of(*tile) >= ENOUGH_WORKGROUPS;
    Tile::COOPERATIVE.into_iter().rev().find(|tile| tile.runs_on(device) && large(tile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_workgroups_get_the_fine_tile_on_what_may_be_a_large_gpu() {
        let chosen = |subgroup, (m, n, k)| {
            let device =
                Abilities { subgroup, workgroup_bytes: 1 << 15, invocations: 256, int64: true, cooperative: None };
            choose(&Matmul::new(m, n, k, false, false), device)
        };
        let layer = (128, 512, 784);
        for subgroup in [Some(32), Some(64), None] {
            assert_eq!(chosen(subgroup, layer), Tile::Fine);
        }
        assert_eq!([Some(4), Some(8)].map(|lanes| chosen(lanes, layer)), [Tile::Small, Tile::SubgroupLarge]);
        let others = [(4, 512, 784), (128, 10, 256), (360, 360, 128), (784, 512, 128), (4096, 4096, 4096)];
        let wanted = [Tile::Flat, Tile::Tall, Tile::Small, Tile::Medium, Tile::Large];
        assert_eq!(others.map(|size| chosen(Some(32), size)), wanted);
    }
}
