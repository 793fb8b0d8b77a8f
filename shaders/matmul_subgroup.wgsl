// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_vec4.wgsl | lib/matmul_a_u64.wgsl | lib/matmul_a_any.wgsl lib/matmul_b_vec4.wgsl | lib/matmul_b_u64.wgsl | lib/matmul_b_any.wgsl lib/matmul_c_vec4.wgsl | lib/matmul_c_any.wgsl
// The matrix product where a subgroup has exactly 8 lanes and loads are dear (lavapipe, where workgroup memory costs as
// much as any other). A workgroup is one subgroup and computes 32 or 64 rows of 32 columns of c: each lane all rows of 4
// columns. For every 4 steps of k a lane reads 4 or 8 rows of op(a), which go round by shuffles, and its own columns of
// op(b). Each output is one chain of fma in the order k = 0, 1, 2 ....
// Lines are written out where a loop could stand: with a loop over these arrays lavapipe 22.3.6 fell from 34 GFLOP/s at
// 16 rows to 4 at 20 (it seems to give up unrolling, and an array indexed by a variable lies in memory).
const LANES = 8u;
const COLS = 32u;

override ROWS = 64u;  // 32 or 64

struct Sums { block: array<mat4x4<f32>, 16>, of_b: vec4<f32> }

struct Place { row: u32, col: u32, lane: u32, k: u32, end: u32 }

fn place_of(group: u32, lane: u32) -> Place {
  let across = (params.n + COLS - 1u) / COLS;
  return Place((group / across) * ROWS, (group % across) * COLS + 4u * lane, lane, 0u, params.k);
}

// acc + x y, where x is the block of lane `owner`.
fn add(acc: mat4x4<f32>, x: mat4x4<f32>, owner: u32, y: mat4x4<f32>) -> mat4x4<f32> {
  var sum = add_outer(acc, subgroupShuffle(x[0], owner), y[0]);
  sum = add_outer(sum, subgroupShuffle(x[1], owner), y[1]);
  sum = add_outer(sum, subgroupShuffle(x[2], owner), y[2]);
  return add_outer(sum, subgroupShuffle(x[3], owner), y[3]);
}

fn multiply(at: Place) -> Sums {
  var sums: Sums;
  for (var k = at.k; k < at.end; k += 4u) {
    let x = block_a(at.row + 4u * at.lane, k);
    let y = block_b(k, at.col);
    sums.block[0] = add(sums.block[0], x, 0u, y);
    sums.block[1] = add(sums.block[1], x, 1u, y);
    sums.block[2] = add(sums.block[2], x, 2u, y);
    sums.block[3] = add(sums.block[3], x, 3u, y);
    sums.block[4] = add(sums.block[4], x, 4u, y);
    sums.block[5] = add(sums.block[5], x, 5u, y);
    sums.block[6] = add(sums.block[6], x, 6u, y);
    sums.block[7] = add(sums.block[7], x, 7u, y);
    if (ROWS > 32u) {
      let x = block_a(at.row + 32u + 4u * at.lane, k);
      sums.block[8] = add(sums.block[8], x, 0u, y);
      sums.block[9] = add(sums.block[9], x, 1u, y);
      sums.block[10] = add(sums.block[10], x, 2u, y);
      sums.block[11] = add(sums.block[11], x, 3u, y);
      sums.block[12] = add(sums.block[12], x, 4u, y);
      sums.block[13] = add(sums.block[13], x, 5u, y);
      sums.block[14] = add(sums.block[14], x, 6u, y);
      sums.block[15] = add(sums.block[15], x, 7u, y);
    }
    if (BIAS_ROW) { sums.of_b = sums.of_b + y[0] + y[1] + y[2] + y[3]; }
  }
  return sums;
}

fn either(a: mat4x4<f32>, b: mat4x4<f32>, second: bool) -> mat4x4<f32> {
  return mat4x4<f32>(select(a[0], b[0], second), select(a[1], b[1], second),
                     select(a[2], b[2], second), select(a[3], b[3], second));
}

// Rows 4 q .. 4 q + 4.
fn pick(sums: Sums, q: u32) -> mat4x4<f32> {
  var b = sums.block[0];
  b = either(b, sums.block[1], q == 1u);
  b = either(b, sums.block[2], q == 2u);
  b = either(b, sums.block[3], q == 3u);
  b = either(b, sums.block[4], q == 4u);
  b = either(b, sums.block[5], q == 5u);
  b = either(b, sums.block[6], q == 6u);
  b = either(b, sums.block[7], q == 7u);
  b = either(b, sums.block[8], q == 8u);
  b = either(b, sums.block[9], q == 9u);
  b = either(b, sums.block[10], q == 10u);
  b = either(b, sums.block[11], q == 11u);
  b = either(b, sums.block[12], q == 12u);
  b = either(b, sums.block[13], q == 13u);
  b = either(b, sums.block[14], q == 14u);
  b = either(b, sums.block[15], q == 15u);
  return b;
}

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(LANES)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  let sums = multiply(at);
  for (var q = 0u; q < ROWS / 4u; q++) { store(at.row + 4u * q, at.col, pick(sums, q)); }
  if (BIAS_ROW && at.row == 0u) { store_bias_row(at.col, sums.of_b); }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(LANES)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  let sums = multiply(at);
  for (var q = 0u; q < ROWS / 4u; q++) { store_with_bias(at.row + 4u * q, at.col, pick(sums, q)); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(LANES)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x, lane);
  let sums = multiply(at);
  for (var q = 0u; q < ROWS / 4u; q++) { store_with_gradient(at.row + 4u * q, at.col, pick(sums, q)); }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(LANES)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(subgroup_invocation_id) lane: u32) {
  let blocks = ((params.m + ROWS - 1u) / ROWS) * ((params.n + COLS - 1u) / COLS);
  let number = group.y * groups.x + group.x;
  let part = number / blocks;
  var at = place_of(number % blocks, lane);
  at.k = part * params.part;
  at.end = min(at.k + params.part, params.k);
  let sums = multiply(at);
  if (at.k >= params.k) { return; }
  for (var q = 0u; q < ROWS / 4u; q++) { store_from(part * params.m, at.row + 4u * q, at.col, pick(sums, q)); }
}
