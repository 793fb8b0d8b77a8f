// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/matmul_store.wgsl
// matmul_subgroup.wgsl for at most 4 rows (a prediction of one): a subgroup of 8 lanes computes 4 rows x 32 columns of c,
// each lane 4 columns. op(a) goes round by shuffles: a lane reads 4 steps of k of it, and for every 4 steps its own
// columns of op(b). Each output is one chain of fma in the order k = 0, 1, 2 ....
const LANES = 8u;
const COLS = 32u;

struct Sums { block: mat4x4<f32>, of_b: vec4<f32> }

// The same for all lanes, as in matmul_subgroup.wgsl.
struct Place { part: u32, col: u32, k: u32, end: u32 }

// Without in_parts the part is 0. It is computed all the same: where a loop runs between uniforms alone, lavapipe 22.3.6
// inlines them and compiles the kernel anew for every dispatch, which takes a millisecond.
fn place_of(group: u32) -> Place {
  let blocks = (params.n + COLS - 1u) / COLS;
  let part = group / blocks;
  let k = part * params.part;
  return Place(part, (group - part * blocks) * COLS, k, min(k + params.part, params.k));
}

fn col_of(at: Place, lane: u32) -> u32 { return at.col + 4u * lane; }

// acc + x y, where x is the block of lane `owner`.
fn add(acc: mat4x4<f32>, x: mat4x4<f32>, owner: u32, y: mat4x4<f32>) -> mat4x4<f32> {
  var sum = add_outer(acc, subgroupShuffle(x[0], owner), y[0]);
  sum = add_outer(sum, subgroupShuffle(x[1], owner), y[1]);
  sum = add_outer(sum, subgroupShuffle(x[2], owner), y[2]);
  return add_outer(sum, subgroupShuffle(x[3], owner), y[3]);
}

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  for (var k0 = at.k; k0 < at.end; k0 += 4u * LANES) {
    let x = block_a(0u, k0 + 4u * lane);
    let filled = min(LANES, (at.end - k0 + 3u) / 4u);
    for (var owner = 0u; owner < filled; owner++) {
      let y = block_b(k0 + 4u * owner, col_of(at, lane));
      sums.block = add(sums.block, x, owner, y);
      if (BIAS_ROW) { sums.of_b = sums.of_b + y[0] + y[1] + y[2] + y[3]; }
    }
  }
  return sums;
}

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(LANES)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  store(0u, col_of(at, lane), sums.block);
  if (BIAS_ROW) { store_bias_row(col_of(at, lane), sums.of_b); }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(LANES)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  store_with_bias(0u, col_of(at, lane), sums.block);
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(LANES)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  store_with_gradient(0u, col_of(at, lane), sums.block);
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(LANES)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(subgroup_invocation_id) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  store_from(at.part * params.m, 0u, col_of(at, lane), sums.block);
}
