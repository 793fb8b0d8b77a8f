// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/tile_*.wgsl
// The walk along K of a workgroup that computes ROWS x COLS of c: what it brings of a and b, DEPTH steps at a time. Steps
// go by fours: the rows or columns of a 4 x 4 block of an operand.
const ROW_QUADS = ROWS / 4u;
const COL_QUADS = COLS / 4u;
const FOURS = DEPTH / 4u;
// 4 x 4 blocks of a slice, and how many of them an invocation brings.
const A_BLOCKS = ROW_QUADS * FOURS;
const BLOCKS = A_BLOCKS + COL_QUADS * FOURS;
const HELD = (BLOCKS + INVOCATIONS - 1u) / INVOCATIONS;

// They have names because an array that a variable indexes lies in memory.
const_assert HELD <= 2u;
struct Slice { b0: mat4x4<f32>, b1: mat4x4<f32> }

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

// Where block e of an operand lies in a slice. Neighbouring invocations read neighbouring addresses, whichever way the
// operand lies.
struct Spot { quad: u32, four: u32 }

fn spot_at(e: u32, quads: u32, along_k: bool) -> Spot {
  if (along_k) { return Spot(e / FOURS, e % FOURS); }
  return Spot(e % quads, e / quads);
}

// Block e of the slice from k on: first those of op(a), then those of op(b).
fn block_at(at: Place, k: u32, e: u32) -> mat4x4<f32> {
  if (e < A_BLOCKS) {
    let spot = spot_at(e, ROW_QUADS, !TRANSPOSE_A);
    return block_a(at.row + 4u * spot.quad, k + 4u * spot.four);
  }
  if (e < BLOCKS) {
    let spot = spot_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
    return block_b(k + 4u * spot.four, at.col + 4u * spot.quad);
  }
  return mat4x4<f32>();
}

// The blocks that invocation `lane` brings of the slice from k on.
fn fetch(at: Place, lane: u32, k: u32) -> Slice {
  var slice: Slice;
  slice.b0 = block_at(at, k, lane);
  if (HELD > 1u) { slice.b1 = block_at(at, k, lane + INVOCATIONS); }
  return slice;
}
