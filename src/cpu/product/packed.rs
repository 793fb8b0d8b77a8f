//! Products with a right operand that never changes: it is packed once, for every row that comes.

use super::{Matmul, ROWS, Range, block, pack};
use crate::cpu::Real;
use pulp::Simd;

/// Panels that a single row meets side by side: as many streams through memory.
const STREAMS: usize = 4;
/// Bytes to whose multiples panels are aligned, so that no register lies in two lines of a cache.
const LINE: usize = 64;

/// `b (k, n)`, cut into panels as wide as one register or two; past the last column they are 0.
#[derive(Debug)]
pub(in crate::cpu) struct Packed {
    k: usize,
    n: usize,
    panels: Vec<f32>,
    /// Where in it the first panel begins.
    start: usize,
}

/// Elements of a register, and how many registers a panel of a matrix with `n` columns is wide.
fn widths<S: Simd>(n: usize) -> (usize, usize) {
    let lanes = size_of::<<f32 as Real>::Register<S>>() / size_of::<f32>();
    (lanes, if n <= lanes { 1 } else { 2 })
}

impl Packed {
    /// `None` where this CPU has no fused multiply-add.
    pub fn new(b: &[f32], k: usize, n: usize) -> Option<Self> {
        pulp::Arch::new().dispatch(Pack { b, k, n })
    }

    /// Its rows.
    pub fn k(&self) -> usize {
        self.k
    }

    /// `c (m, n) = a (m, k) b`, each output one chain of multiply-adds in the order of k.
    #[inline(always)]
    pub fn multiply<S: Simd>(&self, simd: S, a: &[f32], c: &mut [f32]) {
        match widths::<S>(self.n).1 {
            1 => self.by_panels::<S, 1>(simd, a, c),
            _ => self.by_panels::<S, 2>(simd, a, c),
        }
    }

    #[inline(always)]
    fn by_panels<S: Simd, const WIDE: usize>(&self, simd: S, a: &[f32], c: &mut [f32]) {
        let (k, n, full) = (self.k, self.n, WIDE * widths::<S>(self.n).0);
        let m = c.len() / n;
        let panel = |at: usize| {
            let panel = &self.panels[self.start + at * k * full..][..k * full];
            f32::registers::<S>(panel).as_chunks::<WIDE>().0
        };
        if m < ROWS {
            for (a, c) in a.chunks_exact(k).zip(c.chunks_exact_mut(n)) {
                let mut groups = c.chunks_mut(full);
                let whole = groups.len() / STREAMS * STREAMS;
                for at in (0..whole).step_by(STREAMS) {
                    let sums = side_by_side(simd, [at, at + 1, at + 2, at + 3].map(panel), a);
                    for (sums, c) in sums.iter().zip(&mut groups) {
                        c.copy_from_slice(&bytemuck::cast_slice::<_, f32>(sums)[..c.len()]);
                    }
                }
                for (at, c) in (whole..).zip(groups) {
                    let [sums] = side_by_side(simd, [panel(at)], a);
                    c.copy_from_slice(&bytemuck::cast_slice::<_, f32>(&sums)[..c.len()]);
                }
            }
            return;
        }
        for at in 0..n.div_ceil(full) {
            let (registers, width) = (panel(at), full.min(n - at * full));
            for row in (0..m).step_by(ROWS) {
                // The last block reaches back over rows that are done: their sums come out the same.
                let row = row.min(m - ROWS);
                let of = |r: usize| a[(row + r) * k..][..k].iter();
                let steps = of(0).zip(of(1)).zip(of(2)).zip(of(3));
                let steps = steps.map(|(((a0, a1), a2), a3)| [*a0, *a1, *a2, *a3]);
                let sums = block::<f32, S, WIDE>(simd, registers, steps);
                for (r, sums) in sums.iter().enumerate() {
                    let (c, sums) = (&mut c[(row + r) * n + at * full..][..width], bytemuck::cast_slice(sums));
                    if width == full { c.copy_from_slice(&sums[..full]) } else { c.copy_from_slice(&sums[..width]) }
                }
            }
        }
    }
}

/// The sums of one row with several panels.
#[inline(always)]
fn side_by_side<S: Simd, const WIDE: usize, const PANELS: usize>(
    simd: S,
    panels: [&[[<f32 as Real>::Register<S>; WIDE]]; PANELS],
    a: &[f32],
) -> [[<f32 as Real>::Register<S>; WIDE]; PANELS] {
    let mut sums = [[f32::splat(simd, 0.0); WIDE]; PANELS];
    let panels = panels.map(|panel| &panel[..a.len()]);
    for (l, a) in a.iter().enumerate() {
        let a = f32::splat(simd, *a);
        for (sums, panel) in sums.iter_mut().zip(panels) {
            for (sum, b) in sums.iter_mut().zip(panel[l]) {
                *sum = f32::mul_add_registers(simd, a, b, *sum);
            }
        }
    }
    sums
}

/// Packs with the widths of this CPU's registers.
struct Pack<'a> {
    b: &'a [f32],
    k: usize,
    n: usize,
}

impl pulp::WithSimd for Pack<'_> {
    type Output = Option<Packed>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Option<Packed> {
        let Self { b, k, n } = self;
        if S::IS_SCALAR {
            return None;
        }
        let (lanes, wide) = widths::<S>(n);
        let full = lanes * wide;
        let mut panels = vec![0.0; n.div_ceil(full) * k * full + LINE / size_of::<f32>()];
        let start = panels.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        let shape = Matmul::new(1, n, k, false, false);
        for (col, panel) in (0..n).step_by(full).zip(panels[start..].chunks_exact_mut(k * full)) {
            pack(&shape, b, Range { start: col, end: n.min(col + full) }, full, panel);
        }
        Some(Packed { k, n, panels, start })
    }
}
