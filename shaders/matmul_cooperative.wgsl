// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/matmul_store.wgsl lib/cooperative_*.wgsl lib/matmul_slices.wgsl
// c = op(a) op(b) with an epilogue on matrix units, which multiply SIDE x SIDE matrices of f16 and add in f32. The walk
// along K is that of matmul.wgsl; operands are rounded to f16 on their way into workgroup memory, and a subgroup adds to
// ROW_SUMS x COL_SUMS matrices that its lanes hold together. In which order a unit adds, the adapter alone knows.
const ACROSS = COLS / (COL_SUMS * SIDE);  // subgroups side by side
const SUMS = ROW_SUMS * COL_SUMS;
const SUM_BLOCKS = SIDE * SIDE / 16u;  // 4 x 4 blocks of a sum
// vec4 from one step of k to the next. 16 bytes more than a row: rows that are read together lie on different banks.
const A_STRIDE = ROW_QUADS + 2u;
const B_STRIDE = COL_QUADS + 2u;

var<workgroup> tile_a: array<vec4<f16>, DEPTH * A_STRIDE>;  // (DEPTH, ROWS + 8): [k] has rows of op(a) side by side
var<workgroup> tile_b: array<vec4<f16>, DEPTH * B_STRIDE>;  // (DEPTH, COLS + 8)
var<workgroup> shown: array<vec4<f32>, INVOCATIONS / LANES * SIDE * SIDE / 4u>;  // a sum of each subgroup, on its way to c

struct Sums { part: array<Sum, SUMS>, of_b: vec4<f32> }

fn put(e: u32, block: mat4x4<f32>) {
  if (e < A_BLOCKS) {
    let spot = spot_at(e, ROW_QUADS, !TRANSPOSE_A);
    for (var j = 0u; j < 4u; j++) { tile_a[(4u * spot.four + j) * A_STRIDE + spot.quad] = in_f16(block[j]); }
  } else if (e < BLOCKS) {
    let spot = spot_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
    for (var j = 0u; j < 4u; j++) { tile_b[(4u * spot.four + j) * B_STRIDE + spot.quad] = in_f16(block[j]); }
  }
}

fn share(lane: u32, slice: Slice) {
  put(lane, slice.b0);
  if (HELD > 1u) { put(lane + INVOCATIONS, slice.b1); }
}

// First row and column of sum `i` of a subgroup, in its workgroup's block.
fn corner(subgroup: u32, i: u32) -> vec2<u32> {
  return SIDE * vec2<u32>(subgroup / ACROSS * ROW_SUMS + i / COL_SUMS, subgroup % ACROSS * COL_SUMS + i % COL_SUMS);
}

fn multiply(at: Place, lane: u32, subgroup: u32) -> Sums {
  var sums: Sums;
  var next = fetch(at, lane, at.k);
  for (var k0 = at.k; k0 < at.end; k0 += DEPTH) {
    share(lane, next);
    workgroupBarrier();
    if (k0 + DEPTH < at.end) { next = fetch(at, lane, k0 + DEPTH); }
    for (var k = 0u; k < DEPTH; k += SIDE) {
      var right: array<Right, COL_SUMS>;
      for (var j = 0u; j < COL_SUMS; j++) {
        right[j] = coopLoadT<Right>(&tile_b[k * B_STRIDE + corner(subgroup, j).y / 4u], B_STRIDE);
      }
      for (var i = 0u; i < SUMS; i += COL_SUMS) {
        let left = coopLoad<Left>(&tile_a[k * A_STRIDE + corner(subgroup, i).x / 4u], A_STRIDE);
        for (var j = 0u; j < COL_SUMS; j++) { sums.part[i + j] = coopMultiplyAdd(left, right[j], sums.part[i + j]); }
      }
    }
    if (BIAS_ROW && at.row == 0u && lane < COL_QUADS) {
      for (var k = 0u; k < DEPTH; k++) { sums.of_b += vec4<f32>(tile_b[k * B_STRIDE + lane]); }
    }
    workgroupBarrier();
  }
  return sums;
}

// Shows sum i of up to 8. Constants name the sums: an array that a variable indexes lies in memory, and with it the sums
// of the whole walk along K.
fn show(sums: Sums, i: u32, subgroup: u32) {
  let at = subgroup * SIDE * SIDE / 4u;
  switch (i) {
    case 0u: { coopStoreT(sums.part[0], &shown[at], SIDE / 4u); }
    case 1u: { coopStoreT(sums.part[1u % SUMS], &shown[at], SIDE / 4u); }
    case 2u: { coopStoreT(sums.part[2u % SUMS], &shown[at], SIDE / 4u); }
    case 3u: { coopStoreT(sums.part[3u % SUMS], &shown[at], SIDE / 4u); }
    case 4u: { coopStoreT(sums.part[4u % SUMS], &shown[at], SIDE / 4u); }
    case 5u: { coopStoreT(sums.part[5u % SUMS], &shown[at], SIDE / 4u); }
    case 6u: { coopStoreT(sums.part[6u % SUMS], &shown[at], SIDE / 4u); }
    default: { coopStoreT(sums.part[7u % SUMS], &shown[at], SIDE / 4u); }
  }
}

// Block e of the sum that a subgroup shows.
fn block_of(subgroup: u32, e: u32) -> mat4x4<f32> {
  let quads = SIDE / 4u;
  let first = subgroup * SIDE * quads + e / quads * SIDE + e % quads;
  return mat4x4<f32>(shown[first], shown[first + quads], shown[first + 2u * quads], shown[first + 3u * quads]);
}

// Row and column of block e of sum i in c.
fn spot_of(at: Place, subgroup: u32, i: u32, e: u32) -> vec2<u32> {
  return vec2<u32>(at.row, at.col) + corner(subgroup, i) + 4u * vec2<u32>(e / (SIDE / 4u), e % (SIDE / 4u));
}

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(INVOCATIONS)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32,
         @builtin(subgroup_invocation_id) within: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane, subgroup);
  for (var i = 0u; i < SUMS; i++) {
    show(sums, i, subgroup);
    workgroupBarrier();
    for (var e = within; e < SUM_BLOCKS; e += LANES) {
      let spot = spot_of(at, subgroup, i, e);
      store(spot.x, spot.y, block_of(subgroup, e));
    }
    workgroupBarrier();
  }
  if (BIAS_ROW && at.row == 0u && lane < COL_QUADS) { store_bias_row(at.col + 4u * lane, sums.of_b); }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(INVOCATIONS)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32,
             @builtin(subgroup_invocation_id) within: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane, subgroup);
  for (var i = 0u; i < SUMS; i++) {
    show(sums, i, subgroup);
    workgroupBarrier();
    for (var e = within; e < SUM_BLOCKS; e += LANES) {
      let spot = spot_of(at, subgroup, i, e);
      store_with_bias(spot.x, spot.y, block_of(subgroup, e));
    }
    workgroupBarrier();
  }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(INVOCATIONS)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32,
                 @builtin(subgroup_invocation_id) within: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane, subgroup);
  for (var i = 0u; i < SUMS; i++) {
    show(sums, i, subgroup);
    workgroupBarrier();
    for (var e = within; e < SUM_BLOCKS; e += LANES) {
      let spot = spot_of(at, subgroup, i, e);
      store_with_gradient(spot.x, spot.y, block_of(subgroup, e));
    }
    workgroupBarrier();
  }
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(INVOCATIONS)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32, @builtin(subgroup_id) subgroup: u32,
            @builtin(subgroup_invocation_id) within: u32) {
  let at = place_of_part(group.y * groups.x + group.x);
  let sums = multiply(at, lane, subgroup);
  let first = at.k / params.part * params.m;
  for (var i = 0u; i < SUMS; i++) {
    show(sums, i, subgroup);
    workgroupBarrier();
    for (var e = within; e < SUM_BLOCKS; e += LANES) {
      let spot = spot_of(at, subgroup, i, e);
      if (at.k < params.k) { store_from(first, spot.x, spot.y, block_of(subgroup, e)); }
    }
    workgroupBarrier();
  }
}
