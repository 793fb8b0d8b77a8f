// with: lib/math.wgsl lib/rows.wgsl
// y = exp(x - max) / sum of exp(x - max) in each row. The exponentials are taken twice rather than stored: y would have to
// be read back.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;        // (rows, cols)
@group(0) @binding(2) var<storage, read_write> y: array<f32>;  // (rows, cols)

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let first = lane % LANES;
  let cols = select(0u, params.cols, row < params.rows);  // past the last row there is nothing to do but the barriers
  let base = row * params.cols;
  var highest = LOWEST;
  for (var c = first; c < cols; c += LANES) { highest = max(highest, x[base + c]); }
  let top = row_max(lane, highest);
  var sum = 0.0;
  for (var c = first; c < cols; c += LANES) { sum += exp_(x[base + c] - top); }
  let total = row_sum(lane, sum);
  for (var c = first; c < cols; c += LANES) { y[base + c] = exp_(x[base + c] - top) / total; }
}
