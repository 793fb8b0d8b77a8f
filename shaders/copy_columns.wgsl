// with: lib/fours.wgsl lib/cells.wgsl
// f16: x y
// y[r, to_column + c] = x[r, from_column + c]; the other columns of y keep their values.
struct Params { rows: u32, cols: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (rows, from_width)
@group(0) @binding(2) var<storage, read_write> y: array<OfY>;  // (rows, to_width)

fn x_at(at: Cell) -> f32 { return f32(x[at.row * params.from_width + params.from_column + at.col]); }

fn store(i: u32, at: Cell, value: f32) {
  if (i < params.rows * params.cols) { y[at.row * params.to_width + params.to_column + at.col] = to_y(value); }
}

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = four_of(group, groups, lane);
  let at = cells_of(i, params.cols);
  let value = vec4<f32>(x_at(at.a), x_at(at.b), x_at(at.c), x_at(at.d));
  store(i.x, at.a, value.x);
  store(i.y, at.b, value.y);
  store(i.z, at.c, value.z);
  store(i.w, at.d, value.w);
}
