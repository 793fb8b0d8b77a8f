// with: lib/columns.wgsl
// f16: x
// y = the sum of the rows of x.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<OfX>;        // (rows, cols)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // (1, cols)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let rows = select(0u, params.rows, col < params.cols);  // past the last column there is nothing to do but the barriers
  var sum = 0.0;
  for (var row = first_row(lane); row < rows;) {
    let end = block_end(row, rows);
    var block = 0.0;
    for (; row < end; row += LANES) { block += f32(x[row * params.cols + col]); }
    sum += block;
  }
  let total = column_sum(lane, sum);
  if (first_row(lane) == 0u && col < params.cols) { y[col] = total; }
}
