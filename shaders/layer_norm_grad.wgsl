// with: lib/rows.wgsl
// dx = (g - (sum of g + n (sum of g n)) / cols) / deviation in each row, with g = scale dy and n = (x - mean) / deviation.
struct Params { rows: u32, cols: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;           // (rows, cols)
@group(0) @binding(2) var<storage, read> statistics: array<f32>;  // mean and inverse deviation (rows, 2)
@group(0) @binding(3) var<storage, read> scale: array<f32>;       // (cols)
@group(0) @binding(4) var<storage, read> dy: array<f32>;          // (rows, cols)
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;    // (rows, cols)

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let first = lane % LANES;
  let cols = select(0u, params.cols, row < params.rows);  // past the last row there is nothing to do but the barriers
  let base = row * params.cols;
  var mean = 0.0;
  var inverse = 0.0;
  if (row < params.rows) {
    mean = statistics[2u * row];
    inverse = statistics[2u * row + 1u];
  }
  var sums = vec2(0.0, 0.0);
  for (var c = first; c < cols;) {
    let end = block_end(c, cols);
    var block = vec2(0.0, 0.0);
    for (; c < end; c += LANES) {
      let g = scale[c] * dy[base + c];
      block = vec2(block.x + g, fma(g, (x[base + c] - mean) * inverse, block.y));
    }
    sums += block;
  }
  let total = row_sum(lane, sums.x);
  let product = row_sum(lane, sums.y);
  for (var c = first; c < cols; c += LANES) {
    let n = (x[base + c] - mean) * inverse;
    dx[base + c] = inverse * (scale[c] * dy[base + c] - fma(n, product, total) / f32(params.cols));
  }
}
