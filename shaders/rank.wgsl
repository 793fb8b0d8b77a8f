// with: lib/step.wgsl lib/rows.wgsl
// What metrics need of a row of scores: the class it predicts (the number of columns, if all are NaN), or the rank of its
// target, which is the number of columns
// that come before it (0: the prediction is right). Larger scores come first, of equal ones the first column. A target
// whose score is NaN comes after all.
// The result is written at log_at, log_stride elements further for each step of an epoch: straight into the log.
struct Params { rows: u32, cols: u32, log_stride: u32, log_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> pred: array<f32>;              // (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;           // (rows, cols) if KIND is 2, else (rows, 1)
@group(0) @binding(3) var<storage, read_write> row_metric: array<f32>;  // (rows), or the log

override KIND: u32 = 0u;  // the predicted class, the rank of a class, the rank of the largest column of the target

// The first column that holds the maximum, as a number: exact up to 2^24 columns. The number of columns, where none does.
fn first_of(lane: u32, highest: f32, column: u32) -> f32 {
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
  var best = LOWEST;
  var best_column = params.cols;
  for (var c = first; c < cols; c += LANES) {
    var score = 0.0;
    if (KIND == 2u) { score = target_[base + c]; } else { score = pred[base + c]; }
    if (score > best) { best = score; best_column = c; }
  }
  var metric = first_of(lane, best, best_column);
  if (KIND != 0u) {
    var wanted = metric;
    if (KIND == 1u && row < params.rows) { wanted = floor(target_[row]); }
    let column = u32(max(wanted, 0.0));
    var own = 0.0;
    if (column < cols) { own = pred[base + column]; }
    let is_nan = (bitcast<u32>(own) & 0x7fffffffu) > 0x7f800000u;
    var before = 0.0;
    for (var c = first; c < cols; c += LANES) {
      let p = pred[base + c];
      if (p > own || (p == own && c < column)) { before += 1.0; }
    }
    metric = select(row_sum(lane, before), f32(params.cols), is_nan || column >= params.cols);
  }
  if (first == 0u && row < params.rows) { row_metric[step.log_row * params.log_stride + params.log_at + row] = metric; }
}
