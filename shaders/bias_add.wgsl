// with: lib/fours.wgsl lib/cells.wgsl
// f16: x y
// y = x + bias, the bias (1, cols) repeated for every row of x (rows, cols).
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> bias: array<f32>;      // (1, cols)
@group(0) @binding(3) var<storage, read_write> y: array<OfY>;   // (rows, cols)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  let shift = vec4<f32>(bias[at.a.col], bias[at.b.col], bias[at.c.col], bias[at.d.col]);
  let value = vec4<f32>(vec4<OfX>(x[i.x], x[i.y], x[i.z], x[i.w])) + shift;
  if (i.x < params.rows * params.cols) { y[i.x] = to_y(value.x); }
  if (i.y < params.rows * params.cols) { y[i.y] = to_y(value.y); }
  if (i.z < params.rows * params.cols) { y[i.z] = to_y(value.z); }
  if (i.w < params.rows * params.cols) { y[i.w] = to_y(value.w); }
}
