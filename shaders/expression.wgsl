// with: lib/math.wgsl lib/fours.wgsl lib/cells.wgsl
// f16: a b c d y
// y = f(a, b, c, d), element by element: a program of up to 16 instructions over up to 4 inputs. Each instruction is an
// override constant, so the driver keeps one case of each switch, and the values become registers. A stride of 0 repeats
// a row, a column or a scalar.
struct Params {
  rows: u32, cols: u32,
  a_row: u32, a_col: u32, b_row: u32, b_col: u32, c_row: u32, c_col: u32, d_row: u32, d_col: u32,
  k0: f32, k1: f32, k2: f32, k3: f32, k4: f32, k5: f32, k6: f32, k7: f32,
  k8: f32, k9: f32, k10: f32, k11: f32, k12: f32, k13: f32, k14: f32, k15: f32,
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<OfA>;        // strides a_row, a_col
@group(0) @binding(2) var<storage, read> b: array<OfB>;        // strides b_row, b_col
@group(0) @binding(3) var<storage, read> c: array<OfC>;        // strides c_row, c_col
@group(0) @binding(4) var<storage, read> d: array<OfD>;        // strides d_row, d_col
@group(0) @binding(5) var<storage, read_write> y: array<OfY>;  // (rows, cols)

// Function, then its arguments at bits 8 and 16: inputs from 0 on, the value of instruction i at 4 + i.
override CODE0: u32 = 0u;
override CODE1: u32 = 0u;
override CODE2: u32 = 0u;
override CODE3: u32 = 0u;
override CODE4: u32 = 0u;
override CODE5: u32 = 0u;
override CODE6: u32 = 0u;
override CODE7: u32 = 0u;
override CODE8: u32 = 0u;
override CODE9: u32 = 0u;
override CODE10: u32 = 0u;
override CODE11: u32 = 0u;
override CODE12: u32 = 0u;
override CODE13: u32 = 0u;
override CODE14: u32 = 0u;
override CODE15: u32 = 0u;
override RESULT: u32 = 4u;  // where the result stands

// Numbered as `Function` in src/formula/mod.rs. Comparisons, unlike min and max, hand NaN on.
fn apply(code: u32, p: f32, q: f32, k: f32) -> f32 {
  switch (code & 255u) {
    case 1u: { return p + q; }
    case 2u: { return p - q; }
    case 3u: { return p * q; }
    case 4u: { return p / q; }
    case 5u: { return pow_(p, q); }
    case 6u: { return select(select(p, q, q < p), q, q != q); }
    case 7u: { return select(select(p, q, q > p), q, q != q); }
    case 8u: { return select(0.0, 1.0, p > q); }
    case 9u: { return select(q, 0.0, p == 0.0); }
    case 10u: { return abs(p); }
    case 11u: { return select(select(p, -1.0, p < 0.0), 1.0, p > 0.0); }
    case 12u: { return sqrt(p); }
    case 13u: { return exp_(p); }
    case 14u: { return log_(p); }
    case 15u: { return sin_(p); }
    case 16u: { return cos_(p); }
    case 17u: { return sigmoid_(p); }
    case 18u: { return tanh_(p); }
    case 19u: { return softplus_(p); }
    default: { return k; }
  }
}

fn value(inputs: vec4<f32>) -> f32 {
  var v: array<f32, 20>;
  v[0] = inputs.x; v[1] = inputs.y; v[2] = inputs.z; v[3] = inputs.w;
  v[4] = apply(CODE0, v[(CODE0 >> 8u) & 31u], v[CODE0 >> 16u], params.k0);
  v[5] = apply(CODE1, v[(CODE1 >> 8u) & 31u], v[CODE1 >> 16u], params.k1);
  v[6] = apply(CODE2, v[(CODE2 >> 8u) & 31u], v[CODE2 >> 16u], params.k2);
  v[7] = apply(CODE3, v[(CODE3 >> 8u) & 31u], v[CODE3 >> 16u], params.k3);
  v[8] = apply(CODE4, v[(CODE4 >> 8u) & 31u], v[CODE4 >> 16u], params.k4);
  v[9] = apply(CODE5, v[(CODE5 >> 8u) & 31u], v[CODE5 >> 16u], params.k5);
  v[10] = apply(CODE6, v[(CODE6 >> 8u) & 31u], v[CODE6 >> 16u], params.k6);
  v[11] = apply(CODE7, v[(CODE7 >> 8u) & 31u], v[CODE7 >> 16u], params.k7);
  v[12] = apply(CODE8, v[(CODE8 >> 8u) & 31u], v[CODE8 >> 16u], params.k8);
  v[13] = apply(CODE9, v[(CODE9 >> 8u) & 31u], v[CODE9 >> 16u], params.k9);
  v[14] = apply(CODE10, v[(CODE10 >> 8u) & 31u], v[CODE10 >> 16u], params.k10);
  v[15] = apply(CODE11, v[(CODE11 >> 8u) & 31u], v[CODE11 >> 16u], params.k11);
  v[16] = apply(CODE12, v[(CODE12 >> 8u) & 31u], v[CODE12 >> 16u], params.k12);
  v[17] = apply(CODE13, v[(CODE13 >> 8u) & 31u], v[CODE13 >> 16u], params.k13);
  v[18] = apply(CODE14, v[(CODE14 >> 8u) & 31u], v[CODE14 >> 16u], params.k14);
  v[19] = apply(CODE15, v[(CODE15 >> 8u) & 31u], v[CODE15 >> 16u], params.k15);
  return v[RESULT];
}

// Where the four elements of an invocation lie in an operand.
fn places(at: Cells, row: u32, col: u32) -> vec4<u32> {
  return vec4(at.a.row, at.b.row, at.c.row, at.d.row) * row + vec4(at.a.col, at.b.col, at.c.col, at.d.col) * col;
}

fn four_a(at: Cells) -> vec4<f32> {
  let i = places(at, params.a_row, params.a_col);
  return vec4<f32>(f32(a[i.x]), f32(a[i.y]), f32(a[i.z]), f32(a[i.w]));
}

fn four_b(at: Cells) -> vec4<f32> {
  let i = places(at, params.b_row, params.b_col);
  return vec4<f32>(f32(b[i.x]), f32(b[i.y]), f32(b[i.z]), f32(b[i.w]));
}

fn four_c(at: Cells) -> vec4<f32> {
  let i = places(at, params.c_row, params.c_col);
  return vec4<f32>(f32(c[i.x]), f32(c[i.y]), f32(c[i.z]), f32(c[i.w]));
}

fn four_d(at: Cells) -> vec4<f32> {
  let i = places(at, params.d_row, params.d_col);
  return vec4<f32>(f32(d[i.x]), f32(d[i.y]), f32(d[i.z]), f32(d[i.w]));
}

fn pick(four: vec4<f32>, e: u32) -> f32 {
  return select(select(four.x, four.y, e == 1u), select(four.z, four.w, e == 3u), e > 1u);
}

// The program stands once in a loop: drivers take long for four of them.
fn put_four(i: vec4<u32>, a: vec4<f32>, b: vec4<f32>, c: vec4<f32>, d: vec4<f32>) {
  for (var e = 0u; e < 4u; e++) {
    let element = i.x + 256u * e;
    if (element < params.rows * params.cols) {
      y[element] = to_y(value(vec4<f32>(pick(a, e), pick(b, e), pick(c, e), pick(d, e))));
    }
  }
}

@compute @workgroup_size(256)
fn of_one(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  put_four(i, four_a(at), vec4<f32>(), vec4<f32>(), vec4<f32>());
}

@compute @workgroup_size(256)
fn of_two(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
          @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  put_four(i, four_a(at), four_b(at), vec4<f32>(), vec4<f32>());
}

@compute @workgroup_size(256)
fn of_three(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
            @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  put_four(i, four_a(at), four_b(at), four_c(at), vec4<f32>());
}

@compute @workgroup_size(256)
fn of_four(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
           @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  put_four(i, four_a(at), four_b(at), four_c(at), four_d(at));
}
