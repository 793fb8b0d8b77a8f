// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/matmul_store.wgsl
// The matrix product where a subgroup has exactly 8 lanes and loads are dear (lavapipe, where workgroup memory costs as
// much as any other). A workgroup is one subgroup and computes 32 rows of 32 or 64 columns of c: each lane all rows of 4
// or 8 columns. For every 4 steps of k a lane reads 4 rows of op(a), which go round by shuffles, and its own columns of
// op(b). Each output is one chain of fma in the order k = 0, 1, 2 ....
// Constants name the blocks where products are added: with a loop over them lavapipe 22.3.6 fell from 34 GFLOP/s at 16
// rows to 4 at 20 (it seems to give up unrolling, and an array indexed by a variable lies in memory).
const LANES = 8u;
const ROWS = 32u;

override COLS = 64u;  // 32 or 64

// block[q]: rows 4 (q % 8) and the 3 below; columns of the lane, its first 4 up to q = 7, its last 4 from 8.
struct Sums { block: array<mat4x4<f32>, 16>, of_b: array<vec4<f32>, 2> }

// Where a subgroup's block of c begins, and the steps of k to walk: the same for all lanes. Browsers take a whole struct
// for different as soon as one member is, and then allow no shuffle in a loop between two others.
struct Place { row: u32, col: u32, k: u32, end: u32 }

fn place_of(group: u32) -> Place {
  let across = (params.n + COLS - 1u) / COLS;
  return Place((group / across) * ROWS, (group % across) * COLS, 0u, params.k);
}

fn first_col(at: Place, lane: u32) -> u32 { return at.col + COLS / LANES * lane; }

// acc + x y, where x is the block of lane `owner`.
fn add(acc: mat4x4<f32>, x: mat4x4<f32>, owner: u32, y: mat4x4<f32>) -> mat4x4<f32> {
  var sum = add_outer(acc, subgroupShuffle(x[0], owner), y[0]);
  sum = add_outer(sum, subgroupShuffle(x[1], owner), y[1]);
  sum = add_outer(sum, subgroupShuffle(x[2], owner), y[2]);
  return add_outer(sum, subgroupShuffle(x[3], owner), y[3]);
}

// The rows of lane `owner`: with the first columns of this lane, y, and the last, z.
fn add_rows(sums: ptr<function, Sums>, x: mat4x4<f32>, owner: u32, y: mat4x4<f32>, z: mat4x4<f32>) {
  (*sums).block[owner] = add((*sums).block[owner], x, owner, y);
  if (COLS > 32u) { (*sums).block[owner + 8u] = add((*sums).block[owner + 8u], x, owner, z); }
}

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  let col = first_col(at, lane);
  for (var k = at.k; k < at.end; k += 4u) {
    let x = block_a(at.row + 4u * lane, k);
    let y = block_b(k, col);
    var z = y;
    if (COLS > 32u) { z = block_b(k, col + 4u); }
    add_rows(&sums, x, 0u, y, z);
    add_rows(&sums, x, 1u, y, z);
    add_rows(&sums, x, 2u, y, z);
    add_rows(&sums, x, 3u, y, z);
    add_rows(&sums, x, 4u, y, z);
    add_rows(&sums, x, 5u, y, z);
    add_rows(&sums, x, 6u, y, z);
    add_rows(&sums, x, 7u, y, z);
    if (BIAS_ROW) {
      sums.of_b[0] = sums.of_b[0] + y[0] + y[1] + y[2] + y[3];
      sums.of_b[1] = sums.of_b[1] + z[0] + z[1] + z[2] + z[3];
    }
  }
  return sums;
}

fn row_of(at: Place, q: u32) -> u32 { return at.row + 4u * (q % 8u); }

fn col_of(at: Place, lane: u32, q: u32) -> u32 { return first_col(at, lane) + 4u * (q / 8u); }

// Block q, by selection; a loop over it is too long to be unrolled, so that a driver compiles what follows once.
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
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var q = 0u; q < COLS / 4u; q++) { store(row_of(at, q), col_of(at, lane, q), pick(sums, q)); }
  if (BIAS_ROW && at.row == 0u) {
    store_bias_row(first_col(at, lane), sums.of_b[0]);
    if (COLS > 32u) { store_bias_row(first_col(at, lane) + 4u, sums.of_b[1]); }
  }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(LANES)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var q = 0u; q < COLS / 4u; q++) { store_with_bias(row_of(at, q), col_of(at, lane, q), pick(sums, q)); }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(LANES)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  for (var q = 0u; q < COLS / 4u; q++) { store_with_gradient(row_of(at, q), col_of(at, lane, q), pick(sums, q)); }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(LANES)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(subgroup_invocation_id) lane: u32) {
  let blocks = ((params.m + ROWS - 1u) / ROWS) * ((params.n + COLS - 1u) / COLS);
  let number = group.y * groups.x + group.x;
  let part = number / blocks;
  var at = place_of(number % blocks);
  at.k = part * params.part;
  at.end = min(at.k + params.part, params.k);
  let sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  for (var q = 0u; q < COLS / 4u; q++) { store_from(part * params.m, row_of(at, q), col_of(at, lane, q), pick(sums, q)); }
}
