// with: lib/fours.wgsl lib/cells.wgsl
// f16: a b y
// y = a o b; a stride of 0 repeats a row, a column or a scalar.
struct Params { rows: u32, cols: u32, a_row: u32, a_col: u32, b_row: u32, b_col: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<OfA>;        // strides a_row, a_col
@group(0) @binding(2) var<storage, read> b: array<OfB>;        // strides b_row, b_col
@group(0) @binding(3) var<storage, read_write> y: array<OfY>;  // (rows, cols)

override OP: u32 = 0u;  // add, sub, mul

fn a_at(at: Cell) -> f32 { return f32(a[at.row * params.a_row + at.col * params.a_col]); }
fn b_at(at: Cell) -> f32 { return f32(b[at.row * params.b_row + at.col * params.b_col]); }

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  let p = vec4<f32>(a_at(at.a), a_at(at.b), a_at(at.c), a_at(at.d));
  let q = vec4<f32>(b_at(at.a), b_at(at.b), b_at(at.c), b_at(at.d));
  var value: vec4<f32>;
  switch (OP) {
    case 0u: { value = p + q; }
    case 1u: { value = p - q; }
    default: { value = p * q; }
  }
  if (i.x < params.rows * params.cols) { y[i.x] = to_y(value.x); }
  if (i.y < params.rows * params.cols) { y[i.y] = to_y(value.y); }
  if (i.z < params.rows * params.cols) { y[i.z] = to_y(value.z); }
  if (i.w < params.rows * params.cols) { y[i.w] = to_y(value.w); }
}
