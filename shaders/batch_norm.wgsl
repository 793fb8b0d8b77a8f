// with: lib/step.wgsl lib/columns.wgsl
// y = scale (x - mean) / sqrt(variance + epsilon) + shift, column by column. Mean and variance are those of the rows that
// are real: rows from step.valid on are padding, normalised like any other but not counted. One row has no variance: the
// running statistics stand in. Both are taken in two passes: the first sums what x differs by from the first row (a
// constant column comes out exact), the second what it differs by from the mean of that, and the square. What that mean was
// still off by is taken out of both, so nothing cancels, however far from 0 a column lies.
struct Params { rows: u32, cols: u32, running_at: u32, known_at: u32, epsilon: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<f32>;                 // (rows, cols)
@group(0) @binding(2) var<storage, read> running: array<f32>;           // mean (cols), from running_at on variance (cols)
@group(0) @binding(3) var<storage, read> scale: array<f32>;             // (cols)
@group(0) @binding(4) var<storage, read> shift: array<f32>;             // (cols)
@group(0) @binding(5) var<storage, read> known: array<f32>;             // mean (cols), from known_at on variance (cols)
@group(0) @binding(6) var<storage, read_write> statistics: array<f32>;  // mean and variance (2, cols)
@group(0) @binding(7) var<storage, read_write> y: array<f32>;           // (rows, cols)

// Mean and biased variance of column col. Holds barriers.
fn measure(lane: u32, col: u32) -> vec2<f32> {
  let count = min(step.valid, params.rows);
  let rows = select(0u, count, col < params.cols && count > 1u);
  var shift = 0.0;
  if (rows > 0u) { shift = x[col]; }
  var sum = 0.0;
  for (var row = first_row(lane); row < rows;) {
    let end = block_end(row, rows);
    var block = 0.0;
    for (; row < end; row += LANES) { block += x[row * params.cols + col] - shift; }
    sum += block;
  }
  let middle = shift + column_sum(lane, sum) / f32(count);
  var sums = vec2(0.0, 0.0);
  for (var row = first_row(lane); row < rows;) {
    let end = block_end(row, rows);
    var block = vec2(0.0, 0.0);
    for (; row < end; row += LANES) {
      let d = x[row * params.cols + col] - middle;
      block = vec2(block.x + d, fma(d, d, block.y));
    }
    sums += block;
  }
  let off = column_sum(lane, sums.x) / f32(count);
  let variance = fma(-off, off, column_sum(lane, sums.y) / f32(count));
  // not max: it may turn NaN into a number
  if (count > 1u || col >= params.cols) { return vec2(middle + off, select(variance, 0.0, variance < 0.0)); }
  return vec2(running[col], running[params.running_at + col]);
}

fn store(lane: u32, col: u32, measured: vec2<f32>) {
  if (first_row(lane) != 0u || col >= params.cols) { return; }
  statistics[col] = measured.x;
  statistics[params.cols + col] = measured.y;
}

@compute @workgroup_size(256)
fn measure_alone(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  store(lane, col, measure(lane, col));
}

fn normalized(at: u32, col: u32, measured: vec2<f32>) -> f32 {
  let inverse = 1.0 / sqrt(measured.y + params.epsilon);
  return fma((x[at] - measured.x) * inverse, scale[col], shift[col]);
}

@compute @workgroup_size(256)
fn normalize(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
             @builtin(local_invocation_index) lane: u32) {
  let i = (group.y * groups.x + group.x) * 256u + lane;
  if (i >= params.rows * params.cols) { return; }
  let col = i % params.cols;
  y[i] = normalized(i, col, vec2(known[col], known[params.known_at + col]));
}

// Both at once.
@compute @workgroup_size(256)
fn train(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
         @builtin(local_invocation_index) lane: u32) {
  let col = column_of(group, groups, lane);
  let measured = measure(lane, col);
  store(lane, col, measured);
  let rows = select(0u, params.rows, col < params.cols);
  for (var row = first_row(lane); row < rows; row += LANES) {
    let at = row * params.cols + col;
    y[at] = normalized(at, col, measured);
  }
}
