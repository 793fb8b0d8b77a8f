// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/matmul_store.wgsl lib/tile_*.wgsl lib/matmul_slices.wgsl
// c = op(a) op(b) with an epilogue, for any GPU. A workgroup computes a ROWS x COLS block of c: it walks along K in
// slices of DEPTH, brings the slices of a and b into workgroup memory, and every invocation adds to its own outputs in
// registers: PARTS x PARTS blocks of 4 x 4, so far apart that neighbouring invocations touch neighbouring vec4.
// While it adds a slice, the next is on its way into registers. Each output is one chain of fma in the order
// k = 0, 1, 2 ...: the tile (a header of constants) changes the speed, never the bits.
// Sums have names and steps of k are written out by four, because compilers unroll as they like: an array that a variable
// indexes lies in memory, and where a step stands alone a third of the instructions reckons addresses.
const DOWN = ROW_QUADS / PARTS;  // the invocations of a workgroup stand DOWN x ACROSS
const ACROSS = COL_QUADS / PARTS;

// [k / 4][k % 4]: the rows of op(a) side by side, or the columns of op(b); [part] begins PARTS-th of the way.
var<workgroup> tile_a: array<array<array<array<vec4<f32>, DOWN>, PARTS>, 4>, FOURS>;
var<workgroup> tile_b: array<array<array<array<vec4<f32>, ACROSS>, PARTS>, 4>, FOURS>;

// Block [down, across] of an invocation, with one part the first alone; if BIAS_ROW, the sums of 4 columns of op(b).
struct Sums { b00: mat4x4<f32>, b01: mat4x4<f32>, b10: mat4x4<f32>, b11: mat4x4<f32>, of_b: vec4<f32> }

// Where `quad` of the steps 4 `four` and on lies in a part of `quads`. Blocks that neighbours bring along K would fall on
// the same banks of memory; exchanging quads by k spreads them.
fn cell(four: u32, quad: u32, quads: u32) -> u32 { return (quad ^ (four * (8u / FOURS))) % quads; }

fn put(e: u32, block: mat4x4<f32>) {
  if (e < A_BLOCKS) {
    let spot = spot_at(e, ROW_QUADS, !TRANSPOSE_A);
    let quad = cell(spot.four, spot.quad, DOWN);
    let part = spot.quad / DOWN;
    tile_a[spot.four][0][part][quad] = block[0];
    tile_a[spot.four][1][part][quad] = block[1];
    tile_a[spot.four][2][part][quad] = block[2];
    tile_a[spot.four][3][part][quad] = block[3];
  } else if (e < BLOCKS) {
    let spot = spot_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
    let quad = cell(spot.four, spot.quad, ACROSS);
    let part = spot.quad / ACROSS;
    tile_b[spot.four][0][part][quad] = block[0];
    tile_b[spot.four][1][part][quad] = block[1];
    tile_b[spot.four][2][part][quad] = block[2];
    tile_b[spot.four][3][part][quad] = block[3];
  }
}

fn share(lane: u32, slice: Slice) {
  put(lane, slice.b0);
  if (HELD > 1u) { put(lane + INVOCATIONS, slice.b1); }
}

// Adds step k of `four`; x and y: where the invocation's quads lie in a part.
fn add_step(sums: ptr<function, Sums>, four: u32, k: u32, x: u32, y: u32) {
  let a0 = tile_a[four][k][0][y];
  let b0 = tile_b[four][k][0][x];
  (*sums).b00 = add_outer((*sums).b00, a0, b0);
  if (PARTS > 1u) {
    let b1 = tile_b[four][k][PARTS - 1u][x];
    (*sums).b01 = add_outer((*sums).b01, a0, b1);
    let a1 = tile_a[four][k][PARTS - 1u][y];
    (*sums).b10 = add_outer((*sums).b10, a1, b0);
    (*sums).b11 = add_outer((*sums).b11, a1, b1);
  }
}

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  var next = fetch(at, lane, at.k);
  for (var k0 = at.k; k0 < at.end; k0 += DEPTH) {
    share(lane, next);
    workgroupBarrier();
    if (k0 + DEPTH < at.end) { next = fetch(at, lane, k0 + DEPTH); }
    for (var four = 0u; four < FOURS; four++) {
      let x = cell(four, x_of(lane), ACROSS);
      let y = cell(four, y_of(lane), DOWN);
      add_step(&sums, four, 0u, x, y);
      add_step(&sums, four, 1u, x, y);
      add_step(&sums, four, 2u, x, y);
      add_step(&sums, four, 3u, x, y);
    }
    if (BIAS_ROW && owns_columns(at, lane)) {
      for (var four = 0u; four < FOURS; four++) {
        let quad = cell(four, lane, ACROSS);
        let part = lane / ACROSS;
        sums.of_b = sums.of_b + tile_b[four][0][part][quad] + tile_b[four][1][part][quad] + tile_b[four][2][part][quad] +
                    tile_b[four][3][part][quad];
      }
    }
    workgroupBarrier();
  }
  return sums;
}

// Whether an invocation adds up columns of op(b): quad `lane` of those of its workgroup.
fn owns_columns(at: Place, lane: u32) -> bool { return at.row == 0u && lane < COL_QUADS; }

// Block i, by selection: a loop with a large epilogue is not unrolled.
fn pick(sums: Sums, i: u32) -> mat4x4<f32> {
  if (PARTS == 1u) { return sums.b00; }
  return either(either(sums.b00, sums.b01, i == 1u), either(sums.b10, sums.b11, i == 3u), i > 1u);
}

// An invocation's column and row among those of its workgroup.
fn x_of(lane: u32) -> u32 { return lane % ACROSS; }
fn y_of(lane: u32) -> u32 { return lane / ACROSS; }

// Where its block `part` begins in c.
fn row_of(at: Place, lane: u32, part: u32) -> u32 { return at.row + 4u * (y_of(lane) + DOWN * (part / PARTS)); }
fn col_of(at: Place, lane: u32, part: u32) -> u32 { return at.col + 4u * (x_of(lane) + ACROSS * (part % PARTS)); }

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(INVOCATIONS)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS * PARTS; i++) { store(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
  if (BIAS_ROW && owns_columns(at, lane)) { store_bias_row(at.col + 4u * lane, sums.of_b); }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(INVOCATIONS)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS * PARTS; i++) { store_with_bias(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(INVOCATIONS)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS * PARTS; i++) { store_with_gradient(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(INVOCATIONS)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let at = place_of_part(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  let first = at.k / params.part * params.m;
  for (var i = 0u; i < PARTS * PARTS; i++) { store_from(first, row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}
