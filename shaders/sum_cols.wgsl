// with: lib/rows.wgsl
// y = the sum of each row of x.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (rows, cols)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // (rows, 1)

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let first = lane % LANES;
  let cols = select(0u, params.cols, row < params.rows);  // past the last row there is nothing to do but the barriers
  let base = row * params.cols;
  var sum = 0.0;
  for (var c = first; c < cols;) {
    let end = block_end(c, cols);
    var block = 0.0;
    for (; c < end; c += LANES) { block += x[base + c]; }
    sum += block;
  }
  let total = row_sum(lane, sum);
  if (first == 0u && row < params.rows) { y[row] = total; }
}
