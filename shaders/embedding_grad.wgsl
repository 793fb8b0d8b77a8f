// dtable[k, w] = the sum of dy[r, to_column + c width + w] over the rows r and columns c with x[r, from_column + c] = k.
// An invocation owns an element of the table and looks through all rows in order: no atomics, a fixed order.
struct Params {
  rows: u32, columns: u32, categories: u32, width: u32, from_width: u32, from_column: u32, to_width: u32, to_column: u32
}
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;             // (rows, from_width)
@group(0) @binding(2) var<storage, read> dy: array<f32>;            // (rows, to_width)
@group(0) @binding(3) var<storage, read_write> dtable: array<f32>;  // (categories, width)

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 64u + lane;
  if (i >= params.categories * params.width) { return; }
  let category = i / params.width;
  let w = i % params.width;
  var sum = 0.0;
  for (var row = 0u; row < params.rows; row += 1u) {
    for (var c = 0u; c < params.columns; c += 1u) {
      let index = u32(x[row * params.from_width + params.from_column + c]);
      if (min(index, params.categories - 1u) == category) {
        sum += dy[row * params.to_width + params.to_column + c * params.width + w];
      }
    }
  }
  dtable[i] = sum;
}
