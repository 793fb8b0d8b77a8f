// with: lib/step.wgsl lib/math.wgsl lib/rows.wgsl
// Cross-entropy of the softmax of logits and its gradient. With m the row maximum and t the smoothed target,
// loss = (sum of t) log(sum of exp(z - m)) - sum of t (z - m), dprediction = drow ((sum of t) softmax(z) - t).
// Focal loss, of one class a row with probability p: (1 - p)^gamma times that; its gradient is that of the cross-entropy
// times a factor of the row. Divergence: sum of t log t is added, which the gradient does not see.
// Nothing overflows however far the logits spread. A target of 0 adds nothing, not even 0 * infinity.
// The loss of a row is written at log_at, log_stride elements further for each step of an epoch: straight into the log.
struct Params { rows: u32, cols: u32, smoothing: f32, log_stride: u32, log_at: u32, hit_at: u32, gamma: f32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;         // logits (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;            // (rows, 1) classes, or (rows, cols) probabilities
@group(0) @binding(3) var<storage, read> drow: array<f32>;               // (rows)
@group(0) @binding(4) var<storage, read_write> row_loss: array<f32>;     // (rows), or the log
@group(0) @binding(5) var<storage, read_write> dprediction: array<f32>;  // (rows, cols)

override CLASSES: bool = true;
override KIND: u32 = 0u;     // cross-entropy, focal, divergence
override HIT: bool = false;  // also log at hit_at whether the first of the largest logits is the class

// What a row comes to: its maximum, the sum of exp(z - maximum), the sum of t, the sum of t (z - maximum).
struct Row { top: f32, total: f32, target_sum: f32, target_dot: f32 }

fn target_at(row: u32, c: u32) -> f32 {
  var t = 0.0;
  if (CLASSES) {
    if (u32(target_[row]) == c) { t = 1.0; }
  } else {
    t = target_[row * params.cols + c];
  }
  return fma(1.0 - params.smoothing, t, params.smoothing / f32(params.cols));
}

fn reduce(row: u32, lane: u32) -> Row {
  let cols = select(0u, params.cols, row < params.rows);
  let base = row * params.cols;
  var highest = LOWEST;
  for (var c = lane % LANES; c < cols; c += LANES) { highest = max(highest, prediction[base + c]); }
  let top = row_max(lane, highest);
  var total = 0.0;
  var target_sum = 0.0;
  var target_dot = 0.0;
  var spread = 0.0;
  for (var c = lane % LANES; c < cols; c += LANES) {
    let z = prediction[base + c] - top;
    total += exp_(z);
    if (params.smoothing > 0.0) { spread += z; }
    var t = 0.0;
    if (CLASSES) { t = select(0.0, 1.0, u32(target_[row]) == c); } else { t = target_[base + c]; }
    target_sum += t;
    if (t != 0.0) {
      if (KIND == 2u) { target_dot = fma(t, z - log_(t), target_dot); } else { target_dot = fma(t, z, target_dot); }
    }
  }
  // The smoothing is taken out of the sums: adding s / C over and over would round the same way every time.
  let keep = 1.0 - params.smoothing;
  let dot = fma(keep, row_sum(lane, target_dot), params.smoothing / f32(params.cols) * row_sum(lane, spread));
  return Row(top, row_sum(lane, total), fma(keep, row_sum(lane, target_sum), params.smoothing), dot);
}

fn loss_of(r: Row) -> f32 { return fma(r.target_sum, log_(r.total), -r.target_dot); }

// (1 - p)^gamma of a class with -log p = entropy.
fn focus(entropy: f32) -> f32 { return exp_(params.gamma * log_(-expm1_(-entropy))); }

// The derivative of (1 - p)^gamma entropy by entropy; entropy / (1 - p) is 1 where p is.
fn focal_factor(entropy: f32) -> f32 {
  let rest = -expm1_(-entropy);
  let ratio = select(entropy / rest, 1.0, rest == 0.0);
  return focus(entropy) * fma(params.gamma * exp_(-entropy), ratio, 1.0);
}

fn write_loss(row: u32, lane: u32, r: Row) {
  let at = step.log_row * params.log_stride + row;
  let writes = row < params.rows && lane % LANES == 0u;
  var loss = loss_of(r);
  if (KIND == 1u) { loss *= focus(loss); }
  if (writes) { row_loss[at + params.log_at] = loss; }
  if (HIT) {
    var column = LOWEST;
    let cols = select(0u, params.cols, row < params.rows);
    for (var c = lane % LANES; c < cols; c += LANES) {
      if (prediction[row * params.cols + c] == r.top) { column = max(column, -f32(c)); }
    }
    let first = -row_max(lane, column);
    if (writes) { row_loss[at + params.hit_at] = select(0.0, 1.0, first == floor(target_[row])); }
  }
}

fn write_grad(row: u32, lane: u32, r: Row) {
  if (row >= params.rows) { return; }
  var upstream = drow[row];
  if (KIND == 1u) { upstream *= focal_factor(loss_of(r)); }
  for (var c = lane % LANES; c < params.cols; c += LANES) {
    let i = row * params.cols + c;
    let probability = exp_(prediction[i] - r.top) / r.total;
    dprediction[i] = upstream * fma(r.target_sum, probability, -target_at(row, c));
  }
}

@compute @workgroup_size(64)
fn loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_loss(row, lane, r);
}

@compute @workgroup_size(64)
fn grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_grad(row, lane, r);
}

@compute @workgroup_size(64)
fn loss_and_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  let r = reduce(row, lane);
  write_loss(row, lane, r);
  write_grad(row, lane, r);
}
