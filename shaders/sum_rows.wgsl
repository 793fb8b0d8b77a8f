// y = the sum of the rows of x. A workgroup takes 256 / LANES neighbouring columns; LANES invocations share a column, each
// sums the rows lane, lane + LANES, ... in order, and a tree joins them: a fixed order for a given shape.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (rows, cols)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // (1, cols)

override LANES: u32 = 16u;
var<workgroup> partial: array<f32, 256>;  // (LANES, 256 / LANES)

@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let columns = 256u / LANES;
  let col = (group.y * groups.x + group.x) * columns + lane % columns;
  var sum = 0.0;
  if (col < params.cols) {
    for (var row = lane / columns; row < params.rows; row += LANES) { sum += x[row * params.cols + col]; }
  }
  partial[lane] = sum;
  workgroupBarrier();
  for (var reach = LANES / 2u; reach > 0u; reach /= 2u) {
    if (lane < reach * columns) { partial[lane] += partial[lane + reach * columns]; }
    workgroupBarrier();
  }
  if (lane < columns && col < params.cols) { y[col] = partial[lane]; }
}
