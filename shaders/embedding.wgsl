// y[r, to_column + c width + w] = table[x[r, from_column + c], w] for `columns` columns of x; the other columns of y keep
// their values. The host has refused what is no category; an index past the table is held at its last row all the same.
struct Params {
  rows: u32, columns: u32, categories: u32, width: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (rows, from_width)
@group(0) @binding(2) var<storage, read> table: array<f32>;    // (categories, width)
@group(0) @binding(3) var<storage, read_write> y: array<f32>;  // (rows, to_width)

const PER_GROUP = 1024u; // 256 invocations, 4 elements each, 256 apart so that neighbours read neighbours

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let cols = params.columns * params.width;
  let first = (group.y * groups.x + group.x) * PER_GROUP + lane;
  for (var i = first; i < first + PER_GROUP; i += 256u) {
    if (i < params.rows * cols) {
      let row = i / cols;
      let col = i % cols;
      let index = u32(x[row * params.from_width + params.from_column + col / params.width]);
      let category = min(index, params.categories - 1u);
      y[row * params.to_width + params.to_column + col] = table[category * params.width + col % params.width];
    }
  }
}
