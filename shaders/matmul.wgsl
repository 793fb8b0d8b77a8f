// with: lib/math.wgsl lib/activation.wgsl lib/tile_64x64.wgsl | lib/tile_16x16.wgsl
// c = op(a) op(b) with an epilogue, for any sizes. A workgroup computes a BM x BN block of c: it walks along K in
// slices of BK, brings the slices of a and b into workgroup memory, and every invocation adds to its own TM x TN
// outputs in registers. Each output is one chain of fma in the order k = 0, 1, 2 ...: the tile size (a header of
// constants put in front: BM, BN, BK, TM, TN, THREADS) changes the speed, never the bits.
struct Params { m: u32, n: u32, k: u32, bias_at: u32, alpha: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<f32>;         // (m, k), or (k, m) if TRANSPOSE_A
@group(0) @binding(2) var<storage, read> b: array<f32>;         // (k, n), or (n, k) if TRANSPOSE_B
@group(0) @binding(3) var<storage, read> bias: array<f32>;      // (1, n)
@group(0) @binding(4) var<storage, read> saved: array<f32>;     // (m, n): what the activation's gradient needs
@group(0) @binding(5) var<storage, read_write> c: array<f32>;   // (m, n); with BIAS_ROW also (1, n) at bias_at

override TRANSPOSE_A = false;
override TRANSPOSE_B = false;
override BIAS_ROW = false;  // op(a) has a further row of ones: c gets a further row, the column sums of op(b)
override ACTIVATION = 0u;

var<workgroup> tile_a: array<f32, BK * BM>;  // (BK, BM)
var<workgroup> tile_b: array<f32, BK * BN>;  // (BK, BN)

// Both operands are 0 beyond K: a masked side alone would leave Inf * 0 = NaN.
fn load_a(row: u32, k: u32) -> f32 {
  if (k >= params.k) { return 0.0; }
  if (BIAS_ROW && row == params.m) { return 1.0; }
  if (row >= params.m) { return 0.0; }
  if (TRANSPOSE_A) { return a[k * params.m + row]; }
  return a[row * params.k + k];
}

fn load_b(k: u32, col: u32) -> f32 {
  if (k >= params.k || col >= params.n) { return 0.0; }
  if (TRANSPOSE_B) { return b[col * params.k + k]; }
  return b[k * params.n + col];
}

// Neighbouring invocations read neighbouring addresses, whichever way the operand lies.
fn fill_tiles(row0: u32, col0: u32, k0: u32, lane: u32) {
  for (var e = lane; e < BK * BM; e += THREADS) {
    var r = e / BK; var k = e % BK;
    if (TRANSPOSE_A) { r = e % BM; k = e / BM; }
    tile_a[k * BM + r] = load_a(row0 + r, k0 + k);
  }
  for (var e = lane; e < BK * BN; e += THREADS) {
    var col = e % BN; var k = e / BN;
    if (TRANSPOSE_B) { col = e / BK; k = e % BK; }
    tile_b[k * BN + col] = load_b(k0 + k, col0 + col);
  }
}

struct Place { row0: u32, col0: u32, ty: u32, tx: u32 }

// An invocation's outputs lie BM / TM rows and BN / TN columns apart, so that stores are neighbours too.
fn row_of(place: Place, i: u32) -> u32 { return place.row0 + place.ty + i * (BM / TM); }
fn col_of(place: Place, j: u32) -> u32 { return place.col0 + place.tx + j * (BN / TN); }

fn place_of(group: u32, lane: u32) -> Place {
  let across = (params.n + BN - 1u) / BN;
  return Place((group / across) * BM, (group % across) * BN, lane / (BN / TN), lane % (BN / TN));
}

fn multiply(place: Place, lane: u32, acc: ptr<function, array<f32, TM * TN>>) {
  for (var k0 = 0u; k0 < params.k; k0 += BK) {
    fill_tiles(place.row0, place.col0, k0, lane);
    workgroupBarrier();
    for (var k = 0u; k < BK; k++) {
      var bs: array<f32, TN>;
      for (var j = 0u; j < TN; j++) { bs[j] = tile_b[k * BN + place.tx + j * (BN / TN)]; }
      for (var i = 0u; i < TM; i++) {
        let x = tile_a[k * BM + place.ty + i * (BM / TM)];
        for (var j = 0u; j < TN; j++) { (*acc)[i * TN + j] = fma(x, bs[j], (*acc)[i * TN + j]); }
      }
    }
    workgroupBarrier();
  }
}

// c = op(a) op(b), and the sums of op(b)'s columns behind it if BIAS_ROW: dw and db of a dense layer at once.
@compute @workgroup_size(THREADS)
fn plain(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group.y * groups.x + group.x, lane);
  var acc: array<f32, TM * TN>;
  multiply(place, lane, &acc);
  for (var i = 0u; i < TM; i++) {
    let row = row_of(place, i);
    for (var j = 0u; j < TN; j++) {
      let col = col_of(place, j);
      if (row < params.m && col < params.n) { c[row * params.n + col] = acc[i * TN + j]; }
      if (BIAS_ROW && row == params.m && col < params.n) { c[params.bias_at + col] = acc[i * TN + j]; }
    }
  }
}

// c = f(op(a) op(b) + bias): the forward pass of a dense layer.
@compute @workgroup_size(THREADS)
fn with_bias(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group.y * groups.x + group.x, lane);
  var acc: array<f32, TM * TN>;
  multiply(place, lane, &acc);
  for (var i = 0u; i < TM; i++) {
    let row = row_of(place, i);
    for (var j = 0u; j < TN; j++) {
      let col = col_of(place, j);
      if (row < params.m && col < params.n) {
        c[row * params.n + col] = activate(ACTIVATION, acc[i * TN + j] + bias[col], params.alpha);
      }
    }
  }
}

// c = op(a) op(b) * f'(saved): from dz of one layer to dz of the layer below.
@compute @workgroup_size(THREADS)
fn with_gradient(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let place = place_of(group.y * groups.x + group.x, lane);
  var acc: array<f32, TM * TN>;
  multiply(place, lane, &acc);
  for (var i = 0u; i < TM; i++) {
    let row = row_of(place, i);
    for (var j = 0u; j < TN; j++) {
      let col = col_of(place, j);
      if (row < params.m && col < params.n) {
        let at = row * params.n + col;
        c[at] = acc[i * TN + j] * activate_grad(ACTIVATION, saved[at], params.alpha);
      }
    }
  }
}
