// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/tile_*.wgsl
// The walk along K of a workgroup that computes ROWS x COLS of c: what it brings of a and b, DEPTH steps at a time.
const ROW_QUADS = ROWS / 4u;
const COL_QUADS = COLS / 4u;
// 4 x 4 blocks of a slice, and how many of them an invocation brings.
const A_BLOCKS = ROW_QUADS * DEPTH / 4u;
const BLOCKS = A_BLOCKS + COL_QUADS * DEPTH / 4u;
const HELD = (BLOCKS + INVOCATIONS - 1u) / INVOCATIONS;

struct Slice { block: array<mat4x4<f32>, HELD> }

// Where a workgroup's block of c begins, and the steps of k to walk: the same for all its invocations. Browsers take a
// whole struct for different as soon as one member is, and then allow no barrier in a loop between two others.
struct Place { row: u32, col: u32, k: u32, end: u32 }

fn place_of(group: u32) -> Place {
  let blocks_across = (params.n + COLS - 1u) / COLS;
  return Place((group / blocks_across) * ROWS, (group % blocks_across) * COLS, 0u, params.k);
}

// As place_of, for part `number / blocks` of the sum.
fn place_of_part(number: u32) -> Place {
  let blocks = ((params.m + ROWS - 1u) / ROWS) * ((params.n + COLS - 1u) / COLS);
  var at = place_of(number % blocks);
  at.k = number / blocks * params.part;
  at.end = min(at.k + params.part, params.k);
  return at;
}

// Quad and step of block e of an operand: neighbouring invocations read neighbouring addresses, whichever way it lies.
fn block_at(e: u32, quads: u32, along_k: bool) -> vec2<u32> {
  return select(vec2<u32>(e % quads, e / quads * 4u), vec2<u32>(e / (DEPTH / 4u), e % (DEPTH / 4u) * 4u), along_k);
}

// The blocks that invocation `lane` brings of the slice from k on.
fn fetch(at: Place, lane: u32, k: u32) -> Slice {
  var slice: Slice;
  for (var i = 0u; i < HELD; i++) {
    let e = lane + i * INVOCATIONS;
    if (e < A_BLOCKS) {
      let spot = block_at(e, ROW_QUADS, !TRANSPOSE_A);
      slice.block[i] = block_a(at.row + 4u * spot.x, k + spot.y);
    } else if (e < BLOCKS) {
      let spot = block_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
      slice.block[i] = block_b(k + spot.y, at.col + 4u * spot.x);
    }
  }
  return slice;
}
