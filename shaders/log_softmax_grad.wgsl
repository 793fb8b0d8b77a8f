// with: lib/math.wgsl lib/rows.wgsl
// dx = dy - exp(y) (sum of dy) in each row, y being the log-softmax.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> y: array<f32>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> dy: array<f32>;        // (rows, cols)
@group(0) @binding(3) var<storage, read_write> dx: array<f32>;  // (rows, cols)

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let first = lane % LANES;
  let cols = select(0u, params.cols, row < params.rows);  // past the last row there is nothing to do but the barriers
  let base = row * params.cols;
  var sum = 0.0;
  for (var c = first; c < cols; c += LANES) { sum += dy[base + c]; }
  let total = row_sum(lane, sum);
  for (var c = first; c < cols; c += LANES) { dx[base + c] = fma(-exp_(y[base + c]), total, dy[base + c]); }
}
