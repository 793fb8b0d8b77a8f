// with: lib/rows.wgsl
// y = scale (x - mean) / sqrt(variance + epsilon) + shift, mean and variance those of the row. What is kept for the gradient
// is the mean and 1 / sqrt(variance + epsilon). They are taken in two passes, as in batch_norm.wgsl.
struct Params { rows: u32, cols: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // (rows, cols)
@group(0) @binding(2) var<storage, read> scale: array<f32>;             // (cols)
@group(0) @binding(3) var<storage, read> shift: array<f32>;             // (cols)
@group(0) @binding(4) var<storage, read> known: array<f32>;             // mean and inverse deviation (rows, 2)
@group(0) @binding(5) var<storage, read_write> statistics: array<f32>;  // mean and inverse deviation (rows, 2)
@group(0) @binding(6) var<storage, read_write> y: array<f32>;           // (rows, cols)

// Mean and inverse deviation of a row; past the last row there is nothing to do but the barriers.
fn measure(lane: u32, row: u32) -> vec2<f32> {
  let cols = select(0u, params.cols, row < params.rows);
  let first = lane % LANES;
  let base = row * params.cols;
  var shift = 0.0;
  if (cols > 0u) { shift = x[base]; }
  var sum = 0.0;
  for (var c = first; c < cols;) {
    let end = block_end(c, cols);
    var block = 0.0;
    for (; c < end; c += LANES) { block += x[base + c] - shift; }
    sum += block;
  }
  let middle = shift + row_sum(lane, sum) / f32(params.cols);
  var sums = vec2(0.0, 0.0);
  for (var c = first; c < cols;) {
    let end = block_end(c, cols);
    var block = vec2(0.0, 0.0);
    for (; c < end; c += LANES) {
      let d = x[base + c] - middle;
      block = vec2(block.x + d, fma(d, d, block.y));
    }
    sums += block;
  }
  let off = row_sum(lane, sums.x) / f32(params.cols);
  let variance = fma(-off, off, row_sum(lane, sums.y) / f32(params.cols));
  // not max: it may turn NaN into a number
  return vec2(middle + off, 1.0 / sqrt(select(variance, 0.0, variance < 0.0) + params.epsilon));
}

fn store(lane: u32, row: u32, measured: vec2<f32>) {
  if (lane % LANES != 0u || row >= params.rows) { return; }
  statistics[2u * row] = measured.x;
  statistics[2u * row + 1u] = measured.y;
}

fn store_normalized(lane: u32, row: u32, measured: vec2<f32>) {
  let cols = select(0u, params.cols, row < params.rows);
  let base = row * params.cols;
  for (var c = lane % LANES; c < cols; c += LANES) {
    y[base + c] = fma((x[base + c] - measured.x) * measured.y, scale[c], shift[c]);
  }
}

@compute @workgroup_size(64)
fn measure_alone(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  store(lane, row, measure(lane, row));
}

@compute @workgroup_size(64)
fn normalize(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  if (row < params.rows) { store_normalized(lane, row, vec2(known[2u * row], known[2u * row + 1u])); }
}

// Both at once.
@compute @workgroup_size(64)
fn train(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let measured = measure(lane, row);
  store(lane, row, measured);
  store_normalized(lane, row, measured);
}
