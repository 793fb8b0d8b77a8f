// f16: x y
// y[r, to_column + c] = x[r, from_column + c]; the other columns of y keep their values.
struct Params { rows: u32, cols: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (rows, from_width)
@group(0) @binding(2) var<storage, read_write> y: array<OfY>;  // (rows, to_width)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * params.cols) {
      let row = i / params.cols;
      let col = i % params.cols;
      let value = f32(x[row * params.from_width + params.from_column + col]);
      y[row * params.to_width + params.to_column + col] = OfY(value);
    }
  }
}
