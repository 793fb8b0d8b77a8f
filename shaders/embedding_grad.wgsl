// with: lib/rows.wgsl
// dtable[k, w] = the sum of dy[r, to_column + c width + w] over the rows r and columns c with x[r, from_column + c] = k.
// LANES invocations own an element of the table and look through all pairs (r, c), each its share in blocks: no atomics, a
// fixed order, and no loop so long that a driver would cut it off (llvmpipe stops any at 65,535 turns).
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
  let element = row_of(group, groups, lane);
  let is_real = element < params.categories * params.width;
  let category = element / params.width;
  let w = element % params.width;
  let pairs = select(0u, params.rows * params.columns, is_real);  // past the table there is nothing to do but the barriers
  var sum = 0.0;
  for (var i = lane % LANES; i < pairs;) {
    let end = block_end(i, pairs);
    var block = 0.0;
    for (; i < end; i += LANES) {
      let row = i / params.columns;
      let c = i % params.columns;
      let index = u32(x[row * params.from_width + params.from_column + c]);
      if (min(index, params.categories - 1u) == category) {
        block += dy[row * params.to_width + params.to_column + c * params.width + w];
      }
    }
    sum += block;
  }
  let total = row_sum(lane, sum);
  if (lane % LANES == 0u && is_real) { dtable[element] = total; }
}
