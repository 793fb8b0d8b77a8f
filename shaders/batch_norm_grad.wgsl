// with: lib/step.wgsl lib/columns.wgsl
// With n = (x - mean) / sqrt(variance + epsilon) and sums over the v rows that are real:
//   dscale = sum of dy n,  dshift = sum of dy,  dx = scale / sqrt(variance + epsilon) (dy - (dshift + n dscale) / v).
// The last two terms are what x does by way of mean and variance. Padding did nothing there, so its dx is 0. Running
// statistics, which are known or stand in for those of a single row, do not depend on x: the two terms fall away.
struct Params { rows: u32, cols: u32, variance_at: u32, shift_at: u32, epsilon: f32, known: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                   // (rows, cols)
@group(0) @binding(2) var<storage, read> statistics: array<f32>;          // mean (cols), from variance_at on variance (cols)
@group(0) @binding(3) var<storage, read> scale: array<f32>;               // (cols)
@group(0) @binding(4) var<storage, read> dy: array<f32>;                  // (rows, cols)
@group(0) @binding(5) var<storage, read_write> dx: array<f32>;            // (rows, cols)
@group(0) @binding(6) var<storage, read_write> dparameters: array<f32>;   // dscale (cols), from shift_at on dshift (cols)

fn real_rows(col: u32) -> u32 { return select(0u, min(step.valid, params.rows), col < params.cols); }

fn inverse_deviation(col: u32) -> f32 {
  if (col >= params.cols) { return 0.0; }
  return 1.0 / sqrt(statistics[params.variance_at + col] + params.epsilon);
}

// dscale and dshift of column col. Holds barriers.
fn column_sums(lane: u32, col: u32, inverse: f32) -> vec2<f32> {
  var sums = vec2(0.0, 0.0);
  let rows = real_rows(col);
  for (var row = first_row(lane); row < rows;) {
    let end = block_end(row, rows);
    var block = vec2(0.0, 0.0);
    for (; row < end; row += LANES) {
      let at = row * params.cols + col;
      block = vec2(fma(dy[at], (x[at] - statistics[col]) * inverse, block.x), block.y + dy[at]);
    }
    sums += block;
  }
  return vec2(column_sum(lane, sums.x), column_sum(lane, sums.y));
}

fn store_input(lane: u32, col: u32, inverse: f32, sums: vec2<f32>) {
  if (col >= params.cols) { return; }
  let count = min(step.valid, params.rows);
  let share = select(0.0, 1.0 / f32(count), count > 1u && params.known == 0u);
  for (var row = first_row(lane); row < params.rows; row += LANES) {
    let at = row * params.cols + col;
    var slope = 0.0;
    if (row < count) {
      let n = (x[at] - statistics[col]) * inverse;
      slope = scale[col] * inverse * (dy[at] - fma(n, sums.x, sums.y) * share);
    }
    dx[at] = slope;
  }
}

@compute @workgroup_size(256)
fn input(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let inverse = inverse_deviation(col);
  store_input(lane, col, inverse, column_sums(lane, col, inverse));
}

@compute @workgroup_size(256)
fn scale_alone(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
               @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let sums = column_sums(lane, col, inverse_deviation(col));
  if (first_row(lane) == 0u && col < params.cols) { dparameters[col] = sums.x; }
}

@compute @workgroup_size(256)
fn all_three(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let inverse = inverse_deviation(col);
  let sums = column_sums(lane, col, inverse);
  if (first_row(lane) == 0u && col < params.cols) {
    dparameters[col] = sums.x;
    dparameters[params.shift_at + col] = sums.y;
  }
  store_input(lane, col, inverse, sums);
}
