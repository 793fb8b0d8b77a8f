// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/tile_*.wgsl lib/matmul_slices.wgsl
// c = op(a) op(b) with an epilogue, for any GPU. A workgroup computes a ROWS x COLS block of c: it walks along K in
// slices of DEPTH, brings the slices of a and b into workgroup memory, and every invocation adds to its own outputs in
// registers: ROW_PARTS x COL_PARTS blocks of 4 x 4, so far apart that neighbouring invocations touch neighbouring vec4.
// While it adds a slice, the next is on its way into registers. Each output is one chain of fma in the order
// k = 0, 1, 2 ...: the tile (a header of constants) changes the speed, never the bits.
const DOWN = ROW_QUADS / ROW_PARTS;  // the invocations of a workgroup stand DOWN x ACROSS
const ACROSS = COL_QUADS / COL_PARTS;
const PARTS = ROW_PARTS * COL_PARTS;

var<workgroup> tile_a: array<vec4<f32>, DEPTH * ROW_QUADS>;  // (DEPTH, ROWS): [k] has rows of op(a) side by side
var<workgroup> tile_b: array<vec4<f32>, DEPTH * COL_QUADS>;  // (DEPTH, COLS)

struct Sums { block: array<mat4x4<f32>, PARTS>, of_b: array<vec4<f32>, COL_PARTS> }

// Where the vec4 `quad` of step k of a slice lies. Blocks that neighbours bring along K would fall on the same banks of
// memory; exchanging quads by k spreads them.
fn cell(k: u32, quad: u32, quads: u32) -> u32 { return k * quads + (quad ^ (k / 4u * 2u)) % quads; }

fn share(lane: u32, slice: Slice) {
  for (var i = 0u; i < HELD; i++) {
    let e = lane + i * INVOCATIONS;
    if (e < A_BLOCKS) {
      let spot = block_at(e, ROW_QUADS, !TRANSPOSE_A);
      for (var j = 0u; j < 4u; j++) { tile_a[cell(spot.y + j, spot.x, ROW_QUADS)] = slice.block[i][j]; }
    } else if (e < BLOCKS) {
      let spot = block_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
      for (var j = 0u; j < 4u; j++) { tile_b[cell(spot.y + j, spot.x, COL_QUADS)] = slice.block[i][j]; }
    }
  }
}

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  var next = fetch(at, lane, at.k);
  for (var k0 = at.k; k0 < at.end; k0 += DEPTH) {
    share(lane, next);
    workgroupBarrier();
    if (k0 + DEPTH < at.end) { next = fetch(at, lane, k0 + DEPTH); }
    for (var k = 0u; k < DEPTH; k++) {
      var y: array<vec4<f32>, COL_PARTS>;
      for (var j = 0u; j < COL_PARTS; j++) {
        y[j] = tile_b[cell(k, x_of(lane) + j * ACROSS, COL_QUADS)];
        if (BIAS_ROW) { sums.of_b[j] += y[j]; }
      }
      for (var i = 0u; i < ROW_PARTS; i++) {
        let x = tile_a[cell(k, y_of(lane) + i * DOWN, ROW_QUADS)];
        for (var j = 0u; j < COL_PARTS; j++) {
          sums.block[i * COL_PARTS + j] = add_outer(sums.block[i * COL_PARTS + j], x, y[j]);
        }
      }
    }
    workgroupBarrier();
  }
  return sums;
}

// Block i of up to 4, by selection: where a loop with a large epilogue is not unrolled, an array that a variable indexes
// lies in memory, and with it the sums of the whole walk along K.
fn pick(sums: Sums, i: u32) -> mat4x4<f32> {
  let low = either(sums.block[0], sums.block[1u % PARTS], i == 1u);
  return either(low, either(sums.block[2u % PARTS], sums.block[3u % PARTS], i == 3u), i > 1u);
}

// An invocation's column and row among those of its workgroup.
fn x_of(lane: u32) -> u32 { return lane % ACROSS; }
fn y_of(lane: u32) -> u32 { return lane / ACROSS; }

// Where its block `part` begins in c.
fn row_of(at: Place, lane: u32, part: u32) -> u32 { return at.row + 4u * (y_of(lane) + DOWN * (part / COL_PARTS)); }
fn col_of(at: Place, lane: u32, part: u32) -> u32 { return at.col + 4u * (x_of(lane) + ACROSS * (part % COL_PARTS)); }

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(INVOCATIONS)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS; i++) { store(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
  if (BIAS_ROW && at.row == 0u && y_of(lane) == 0u) {
    for (var j = 0u; j < COL_PARTS; j++) { store_bias_row(col_of(at, lane, j), sums.of_b[j]); }
  }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(INVOCATIONS)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS; i++) { store_with_bias(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(INVOCATIONS)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var i = 0u; i < PARTS; i++) { store_with_gradient(row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(INVOCATIONS)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let at = place_of_part(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  let first = at.k / params.part * params.m;
  for (var i = 0u; i < PARTS; i++) { store_from(first, row_of(at, lane, i), col_of(at, lane, i), pick(sums, i)); }
}
