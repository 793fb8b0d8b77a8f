// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/matmul_store.wgsl
// matmul_subgroup.wgsl for at most 16 columns (the classes of a classifier): a subgroup of 8 lanes computes 32 rows of
// c, each lane 4 rows of all columns. Here op(b) goes round by shuffles: a lane reads 4 steps of k of it, and for every
// 4 steps its own rows of op(a). Each output is one chain of fma in the order k = 0, 1, 2 ....
const LANES = 8u;
const ROWS = 32u;

override QUADS = 4u;  // of columns: n / 4, rounded up

struct Sums { block: array<mat4x4<f32>, 4>, of_b: array<vec4<f32>, 4> }

// The same for all lanes, as in matmul_subgroup.wgsl.
struct Place { row: u32, k: u32, end: u32 }

fn place_of(group: u32) -> Place { return Place(group * ROWS, 0u, params.k); }

fn row_of(at: Place, lane: u32) -> u32 { return at.row + 4u * lane; }

// acc + x y, where y is the block of lane `owner`.
fn add(acc: mat4x4<f32>, x: mat4x4<f32>, y: mat4x4<f32>, owner: u32) -> mat4x4<f32> {
  var sum = add_outer(acc, x[0], subgroupShuffle(y[0], owner));
  sum = add_outer(sum, x[1], subgroupShuffle(y[1], owner));
  sum = add_outer(sum, x[2], subgroupShuffle(y[2], owner));
  return add_outer(sum, x[3], subgroupShuffle(y[3], owner));
}

fn add_rows(sum: vec4<f32>, y: mat4x4<f32>, owner: u32) -> vec4<f32> {
  return sum + subgroupShuffle(y[0], owner) + subgroupShuffle(y[1], owner) + subgroupShuffle(y[2], owner) +
         subgroupShuffle(y[3], owner);
}

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  for (var k0 = at.k; k0 < at.end; k0 += 4u * LANES) {
    let k = k0 + 4u * lane;
    var y: array<mat4x4<f32>, 4>;
    y[0] = block_b(k, 0u);
    if (QUADS > 1u) { y[1] = block_b(k, 4u); }
    if (QUADS > 2u) { y[2] = block_b(k, 8u); }
    if (QUADS > 3u) { y[3] = block_b(k, 12u); }
    let filled = min(LANES, (at.end - k0 + 3u) / 4u);
    for (var owner = 0u; owner < filled; owner++) {
      let x = block_a(row_of(at, lane), k0 + 4u * owner);
      sums.block[0] = add(sums.block[0], x, y[0], owner);
      if (QUADS > 1u) { sums.block[1] = add(sums.block[1], x, y[1], owner); }
      if (QUADS > 2u) { sums.block[2] = add(sums.block[2], x, y[2], owner); }
      if (QUADS > 3u) { sums.block[3] = add(sums.block[3], x, y[3], owner); }
      if (BIAS_ROW) {
        for (var q = 0u; q < QUADS; q++) { sums.of_b[q] = add_rows(sums.of_b[q], y[q], owner); }
      }
    }
  }
  return sums;
}

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(LANES)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  var sums = multiply(at, lane);
  for (var q = 0u; q < QUADS; q++) { store(row_of(at, lane), 4u * q, sums.block[q]); }
  if (BIAS_ROW && row_of(at, lane) == 0u) {
    for (var q = 0u; q < QUADS; q++) { store_bias_row(4u * q, sums.of_b[q]); }
  }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(LANES)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  var sums = multiply(at, lane);
  for (var q = 0u; q < QUADS; q++) { store_with_bias(row_of(at, lane), 4u * q, sums.block[q]); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(LANES)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  var sums = multiply(at, lane);
  for (var q = 0u; q < QUADS; q++) { store_with_gradient(row_of(at, lane), 4u * q, sums.block[q]); }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(LANES)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(subgroup_invocation_id) lane: u32) {
  let blocks = (params.m + ROWS - 1u) / ROWS;
  let number = group.y * groups.x + group.x;
  let part = number / blocks;
  var at = place_of(number % blocks);
  at.k = part * params.part;
  at.end = min(at.k + params.part, params.k);
  var sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  for (var q = 0u; q < QUADS; q++) { store_from(part * params.m, row_of(at, lane), 4u * q, sums.block[q]); }
}
