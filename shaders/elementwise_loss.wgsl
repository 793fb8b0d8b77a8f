// with: lib/step.wgsl lib/math.wgsl lib/rows.wgsl
// Losses element by element, their mean in each row, and the gradient of that mean times drow.
// The loss of a row is written at log_at, log_stride elements further for each step of an epoch: straight into the log.
struct Params { rows: u32, cols: u32, delta: f32, log_stride: u32, log_at: u32 }
@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prediction: array<f32>;         // (rows, cols)
@group(0) @binding(2) var<storage, read> target_: array<f32>;            // (rows, cols)
@group(0) @binding(3) var<storage, read> drow: array<f32>;               // (rows)
@group(0) @binding(4) var<storage, read_write> row_loss: array<f32>;     // (rows), or the log
@group(0) @binding(5) var<storage, read_write> dprediction: array<f32>;  // (rows, cols)

override LOSS: u32 = 0u;  // mse, mae, huber, binary cross-entropy of probabilities, of logits

fn loss_at(p: f32, t: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: { return abs(d); }
    case 2u: {
      if (abs(d) > params.delta) { return params.delta * (abs(d) - 0.5 * params.delta); }
      return 0.5 * d * d;
    }
    case 3u: { return fma(t - 1.0, clamp_(log1p_(-p), -100.0, 0.0), -t * clamp_(log_(p), -100.0, 0.0)); }
    case 4u: {
      // max(p, 0) - p t, written so that a confident right answer leaves 0 rather than a difference of large numbers
      let linear = select(-p * t, p * (1.0 - t), p > 0.0);
      return linear + log1p_(exp_(-abs(p)));
    }
    default: { return d * d; }
  }
}

fn grad_at(p: f32, t: f32) -> f32 {
  let d = p - t;
  switch (LOSS) {
    case 1u: { return sign(d); }
    case 2u: { return clamp_(d, -params.delta, params.delta); }
    case 3u: { return d / max(p * (1.0 - p), 1e-12); }
    case 4u: { return sigmoid_(p) - t; }
    default: { return 2.0 * d; }
  }
}

fn write_loss(row: u32, lane: u32) {
  let cols = select(0u, params.cols, row < params.rows);
  var sum = 0.0;
  for (var c = lane % LANES; c < cols; c += LANES) {
    let i = row * params.cols + c;
    sum += loss_at(prediction[i], target_[i]);
  }
  let total = row_sum(lane, sum);
  if (row < params.rows && lane % LANES == 0u) {
    row_loss[step.log_row * params.log_stride + params.log_at + row] = total / f32(params.cols);
  }
}

fn write_grad(row: u32, lane: u32) {
  if (row >= params.rows) { return; }
  let scale = drow[row] / f32(params.cols);
  for (var c = lane % LANES; c < params.cols; c += LANES) {
    let i = row * params.cols + c;
    dprediction[i] = scale * grad_at(prediction[i], target_[i]);
  }
}

@compute @workgroup_size(64)
fn loss(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_loss(row, lane);
}

@compute @workgroup_size(64)
fn grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
        @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_grad(row, lane);
}

@compute @workgroup_size(64)
fn loss_and_grad(@builtin(workgroup_id) group: vec3<u32>, @builtin(num_workgroups) groups: vec3<u32>,
                 @builtin(local_invocation_index) lane: u32) {
  let row = row_of(group, groups, lane);
  write_loss(row, lane);
  write_grad(row, lane);
}
