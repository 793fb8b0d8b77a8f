// with: lib/step.wgsl lib/rows.wgsl
// The share of right answers in each row: 1 or 0 where columns are classes, the mean over the columns where each is a
// question of its own. Of equal maxima the first wins; NaN never does, and is never right.
// The result is written at log_at, log_stride elements further for each step of an epoch: straight into the log.
struct Params { rows: u32, cols: u32, threshold: f32, log_stride: u32, log_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pred: array<f32>;              // (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;           // (rows, 1) if KIND is 0, else (rows, cols)
@group(0) @binding(3) var<storage, read_write> row_metric: array<f32>;  // (rows), or the log

override KIND: u32 = 0u;  // classes, one-hot, binary

// The first column that holds the maximum, as a number: exact up to 2^24 columns. The number of columns, where none does.
fn argmax(lane: u32, highest: f32, column: u32) -> f32 {
  let top = row_max(lane, highest);
  return -row_max(lane, select(LOWEST, -f32(column), highest == top));
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let first = lane % LANES;
  let cols = select(0u, params.cols, row < params.rows);  // past the last row there is nothing to do but the barriers
  let base = row * params.cols;
  var right = 0.0;
  var best = LOWEST;
  var best_column = params.cols;
  var goal = LOWEST;
  var goal_column = first;
  for (var c = first; c < cols; c += LANES) {
    let p = pred[base + c];
    if (p > best) { best = p; best_column = c; }
    if (KIND != 0u) {
      let t = target_[base + c];
      if (t > goal) { goal = t; goal_column = c; }
      let is_nan = (bitcast<u32>(p) & 0x7fffffffu) > 0x7f800000u;
      if (!is_nan && (p > params.threshold) == (t > 0.5)) { right += 1.0; }
    }
  }
  var metric = row_sum(lane, right) / f32(params.cols);
  if (KIND != 2u) {
    let answer = argmax(lane, best, best_column);
    var wanted = argmax(lane, goal, goal_column);
    if (KIND == 0u && row < params.rows) { wanted = floor(target_[row]); }
    metric = select(0.0, 1.0, answer == wanted);
  }
  if (first == 0u && row < params.rows) { row_metric[step.log_row * params.log_stride + params.log_at + row] = metric; }
}
