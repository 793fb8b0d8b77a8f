// with: lib/math.wgsl lib/activation.wgsl lib/matmul_blocks.wgsl lib/matmul_a_*.wgsl lib/matmul_b_*.wgsl lib/matmul_c_*.wgsl lib/tile_*.wgsl lib/matmul_slices.wgsl
// matmul.wgsl for products that do not fill a GPU: what counts there is how soon a workgroup is done, not how much it does.
// An invocation adds to 4 neighbours of a row of c, so that four times as many of them share the work. Each output is one
// chain of fma in the order k = 0, 1, 2 ....
var<workgroup> tile_a: array<array<vec4<f32>, ROWS>, FOURS>;  // [k / 4]: 4 steps of each row of op(a)
var<workgroup> tile_b: array<array<array<vec4<f32>, COL_QUADS>, 4>, FOURS>;  // [k / 4][k % 4]: columns of op(b)

// Where row or quad `place` of the steps 4 `four` and on lies among `places`: exchanged by k, as in matmul.wgsl.
fn cell(four: u32, place: u32, places: u32) -> u32 { return (place ^ (four * (8u / FOURS))) % places; }

fn put(e: u32, block: mat4x4<f32>) {
  if (e < A_BLOCKS) {
    let spot = spot_at(e, ROW_QUADS, !TRANSPOSE_A);
    let rows = transpose(block);
    tile_a[spot.four][cell(spot.four, 4u * spot.quad, ROWS)] = rows[0];
    tile_a[spot.four][cell(spot.four, 4u * spot.quad + 1u, ROWS)] = rows[1];
    tile_a[spot.four][cell(spot.four, 4u * spot.quad + 2u, ROWS)] = rows[2];
    tile_a[spot.four][cell(spot.four, 4u * spot.quad + 3u, ROWS)] = rows[3];
  } else if (e < BLOCKS) {
    let spot = spot_at(e - A_BLOCKS, COL_QUADS, TRANSPOSE_B);
    let quad = cell(spot.four, spot.quad, COL_QUADS);
    tile_b[spot.four][0][quad] = block[0];
    tile_b[spot.four][1][quad] = block[1];
    tile_b[spot.four][2][quad] = block[2];
    tile_b[spot.four][3][quad] = block[3];
  }
}

fn share(lane: u32, slice: Slice) {
  put(lane, slice.b0);
  if (HELD > 1u) { put(lane + INVOCATIONS, slice.b1); }
}

// Steps 4 `four` and on of 4 columns of op(b).
fn columns(four: u32, quad: u32) -> mat4x4<f32> {
  let at = cell(four, quad, COL_QUADS);
  return mat4x4<f32>(tile_b[four][0][at], tile_b[four][1][at], tile_b[four][2][at], tile_b[four][3][at]);
}

// Whether an invocation adds up columns of op(b): quad `lane` of those of its workgroup.
fn owns_columns(at: Place, lane: u32) -> bool { return at.row == 0u && lane < COL_QUADS; }

struct Sums { four: vec4<f32>, of_b: vec4<f32> }

fn multiply(at: Place, lane: u32) -> Sums {
  var sums: Sums;
  var next = fetch(at, lane, at.k);
  for (var k0 = at.k; k0 < at.end; k0 += DEPTH) {
    share(lane, next);
    workgroupBarrier();
    if (k0 + DEPTH < at.end) { next = fetch(at, lane, k0 + DEPTH); }
    for (var four = 0u; four < FOURS; four++) {
      let x = tile_a[four][cell(four, lane / COL_QUADS, ROWS)];
      let y = columns(four, lane % COL_QUADS);
      sums.four = fma(vec4(x.x), y[0], sums.four);
      sums.four = fma(vec4(x.y), y[1], sums.four);
      sums.four = fma(vec4(x.z), y[2], sums.four);
      sums.four = fma(vec4(x.w), y[3], sums.four);
    }
    if (BIAS_ROW && owns_columns(at, lane)) {
      for (var four = 0u; four < FOURS; four++) {
        let y = columns(four, lane);
        sums.of_b = sums.of_b + y[0] + y[1] + y[2] + y[3];
      }
    }
    workgroupBarrier();
  }
  return sums;
}

fn row_of(at: Place, lane: u32) -> u32 { return at.row + lane / COL_QUADS; }
fn col_of(at: Place, lane: u32) -> u32 { return at.col + 4u * (lane % COL_QUADS); }

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(INVOCATIONS)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  store_four(0u, row_of(at, lane), col_of(at, lane), sums.four);
  if (BIAS_ROW && owns_columns(at, lane)) { store_bias_row(at.col + 4u * lane, sums.of_b); }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(INVOCATIONS)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  let col = col_of(at, lane);
  store_four(0u, row_of(at, lane), col, activate4(sums.four + four_of_bias(col)));
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(INVOCATIONS)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let at = place_of(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  let row = row_of(at, lane);
  let col = col_of(at, lane);
  store_four(0u, row, col, sums.four * activate_grad4(four_saved(row, col)));
}

// c[p] = the steps [p part, (p + 1) part) of op(a) op(b): a long sum in parts, to be added up by sum_rows.
@compute @workgroup_size(INVOCATIONS)
fn in_parts(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let at = place_of_part(group.y * groups.x + group.x);
  let sums = multiply(at, lane);
  if (at.k >= params.k) { return; }
  store_four(at.k / params.part * params.m, row_of(at, lane), col_of(at, lane), sums.four);
}
