// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_aligned.wgsl | lib/matmul_any.wgsl lib/tile_32x32.wgsl | lib/tile_64x64.wgsl | lib/tile_128x128.wgsl
// c = op(a) op(b) with an epilogue, for any GPU. A workgroup computes a BLOCK x BLOCK block of c: it walks along K in
// slices of DEPTH, brings the slices of a and b into workgroup memory, and every invocation adds to its own outputs in
// registers: PARTS x PARTS blocks of 4 x 4, 4 SIDE rows and columns apart, so that neighbouring invocations touch
// neighbouring vec4. Each output is one chain of fma in the order k = 0, 1, 2 ...: the tile (a header of constants:
// BLOCK, DEPTH, PARTS) changes the speed, never the bits.
const QUADS = BLOCK / 4u;
const SIDE = QUADS / PARTS;  // the invocations of a workgroup stand SIDE x SIDE

var<workgroup> tile_a: array<vec4<f32>, DEPTH * QUADS>;  // (DEPTH, BLOCK): [k] has rows of op(a) side by side
var<workgroup> tile_b: array<vec4<f32>, DEPTH * QUADS>;  // (DEPTH, BLOCK)

struct Sums { block: array<mat4x4<f32>, PARTS * PARTS>, of_b: array<vec4<f32>, PARTS> }

struct Place { row: u32, col: u32, x: u32, y: u32 }

fn place_of(group: u32, lane: u32) -> Place {
  let across = (params.n + BLOCK - 1u) / BLOCK;
  return Place((group / across) * BLOCK, (group % across) * BLOCK, lane % SIDE, lane / SIDE);
}

// Neighbouring invocations read neighbouring addresses, whichever way the operand lies.
fn fill_tiles(at: Place, k0: u32) {
  for (var e = at.y * SIDE + at.x; e < DEPTH * QUADS / 4u; e += SIDE * SIDE) {
    var quad = e / (DEPTH / 4u); var k = 4u * (e % (DEPTH / 4u));
    if (TRANSPOSE_A) { quad = e % QUADS; k = 4u * (e / QUADS); }
    let x = block_a(at.row + 4u * quad, k0 + k);
    for (var i = 0u; i < 4u; i++) { tile_a[(k + i) * QUADS + quad] = x[i]; }
  }
  for (var e = at.y * SIDE + at.x; e < DEPTH * QUADS / 4u; e += SIDE * SIDE) {
    var quad = e % QUADS; var k = 4u * (e / QUADS);
    if (TRANSPOSE_B) { quad = e / (DEPTH / 4u); k = 4u * (e % (DEPTH / 4u)); }
    let y = block_b(k0 + k, at.col + 4u * quad);
    for (var i = 0u; i < 4u; i++) { tile_b[(k + i) * QUADS + quad] = y[i]; }
  }
}

fn multiply(at: Place) -> Sums {
  var sums: Sums;
  for (var k0 = 0u; k0 < params.k; k0 += DEPTH) {
    fill_tiles(at, k0);
    workgroupBarrier();
    for (var k = 0u; k < DEPTH; k++) {
      var y: array<vec4<f32>, PARTS>;
      for (var j = 0u; j < PARTS; j++) {
        y[j] = tile_b[k * QUADS + at.x + j * SIDE];
        if (BIAS_ROW) { sums.of_b[j] += y[j]; }
      }
      for (var i = 0u; i < PARTS; i++) {
        let x = tile_a[k * QUADS + at.y + i * SIDE];
        for (var j = 0u; j < PARTS; j++) {
          sums.block[i * PARTS + j] = add_outer(sums.block[i * PARTS + j], x, y[j]);
        }
      }
    }
    workgroupBarrier();
  }
  return sums;
}

fn row_of(at: Place, part: u32) -> u32 { return at.row + 4u * (at.y + SIDE * (part / PARTS)); }
fn col_of(at: Place, part: u32) -> u32 { return at.col + 4u * (at.x + SIDE * (part % PARTS)); }

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(SIDE * SIDE)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  var sums = multiply(at);
  for (var i = 0u; i < PARTS * PARTS; i++) { store(row_of(at, i), col_of(at, i), sums.block[i]); }
  if (BIAS_ROW && at.row == 0u && at.y == 0u) {
    for (var j = 0u; j < PARTS; j++) { store_bias_row(col_of(at, j), sums.of_b[j]); }
  }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(SIDE * SIDE)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  var sums = multiply(at);
  for (var i = 0u; i < PARTS * PARTS; i++) { store_with_bias(row_of(at, i), col_of(at, i), sums.block[i]); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(SIDE * SIDE)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  var sums = multiply(at);
  for (var i = 0u; i < PARTS * PARTS; i++) { store_with_gradient(row_of(at, i), col_of(at, i), sums.block[i]); }
}
